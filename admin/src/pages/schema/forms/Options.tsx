/** The options of one thing, from the table of looks and the meta-schema: the main ones, then the rest behind "more". */
import ExpandMore from '@mui/icons-material/ExpandMore';
import { Accordion, AccordionDetails, AccordionSummary, Box, Stack, Typography } from '@mui/material';
import type { ReactElement } from 'react';
import { useWords } from '../../../i18n/words.ts';
import type { FieldInput } from '../../../document/types.ts';
import type { JsonSchema } from '../meta-schema.ts';
import { isShown, type Group, type OptionLook } from '../options.ts';
import { SCHEMA } from '../words.ts';
import { OptionInput } from './OptionInput.tsx';
import { FORMS } from './words.ts';

interface OptionsProps {
  /** Of the object whose options they are. */
  readonly schema: JsonSchema | undefined;
  readonly looks: Readonly<Record<string, OptionLook>>;
  readonly value: object;
  readonly onChange: (patch: Readonly<Record<string, unknown>>) => void;
  readonly isDisabled: boolean;
  /** Names that words of options say: `%{source}`. */
  readonly names?: Readonly<Record<string, string>>;
  /** What a widget of names chooses from. */
  readonly choicesFor?: (option: string, look: OptionLook) => readonly string[];
  readonly field?: FieldInput;
  /** A form of its own for an option that is an object. */
  readonly renderObject?: (option: string, schema: JsonSchema) => ReactElement;
}

export function Options(props: OptionsProps): ReactElement | null {
  const t = useWords(SCHEMA);
  const { schema } = props;
  if (schema === undefined) return null;
  const more = optionsIn(props, 'more');
  // What the document says of rare options is not hidden behind a click.
  const isMoreSaid = more.some((option) => (props.value as Readonly<Record<string, unknown>>)[option] !== undefined);
  return (
    <Stack spacing={1.5}>
      {optionsIn(props, 'main').map((option) => (
        <One key={option} {...props} option={option} />
      ))}
      <Engine {...props} />
      {more.length === 0 ? null : (
        <Accordion
          disableGutters
          elevation={0}
          defaultExpanded={isMoreSaid}
          sx={{ bgcolor: 'transparent', '&::before': { display: 'none' } }}
          slotProps={{ transition: { unmountOnExit: true }, heading: { component: 'h4' } }}
        >
          <AccordionSummary expandIcon={<ExpandMore />} sx={{ px: 0, minHeight: 32, '& .MuiAccordionSummary-content': { my: 0.5 } }}>
            <Typography variant="body2">{t('more')}</Typography>
          </AccordionSummary>
          <AccordionDetails sx={{ px: 0, pt: 0.5 }}>
            <Stack spacing={1.5}>
              {more.map((option) => (
                <One key={option} {...props} option={option} />
              ))}
            </Stack>
          </AccordionDetails>
        </Accordion>
      )}
    </Stack>
  );
}

/** In the table's order; whatever the meta-schema has besides comes last, as a plain option. */
function optionsIn({ schema, looks, value, field }: OptionsProps, group: Group): string[] {
  const known = Object.keys(schema?.properties ?? {});
  const ordered = [
    ...Object.keys(looks).filter((option) => known.includes(option)),
    ...known.filter((option) => looks[option] === undefined),
  ];
  return ordered.filter((option) => {
    const look = looks[option] ?? { group: 'more' };
    return look.group === group && isShown(look, (value as Readonly<Record<string, unknown>>)[option], field?.type);
  });
}

type Word = keyof (typeof FORMS)['byLocale']['en'];

function One({
  option,
  schema,
  looks,
  value,
  onChange,
  isDisabled,
  names = {},
  choicesFor,
  field,
  renderObject,
}: OptionsProps & { readonly option: string }): ReactElement {
  const t = useWords(FORMS);
  const look = looks[option] ?? { group: 'more' as const };
  const own = schema?.properties?.[option] ?? {};
  const word = `option_${option}`;
  const label = word in FORMS.byLocale.en ? t(word as Word, names) : option;
  if (look.widget === 'object' && renderObject !== undefined) {
    return (
      <Box component="fieldset" sx={{ border: 1, borderColor: 'divider', borderRadius: 1, px: 1.5, pb: 1.5, pt: 1, m: 0, minWidth: 0 }}>
        <Typography component="legend" variant="caption" sx={{ px: 0.5, color: 'text.secondary' }}>
          {label}
        </Typography>
        {renderObject(option, own)}
      </Box>
    );
  }
  return (
    <OptionInput
      label={label}
      schema={own}
      widget={look.widget}
      value={(value as Readonly<Record<string, unknown>>)[option]}
      onChange={(next) => onChange({ [option]: next })}
      isDisabled={isDisabled}
      isRequired={schema?.required?.includes(option) ?? false}
      {...(choicesFor === undefined ? {} : { names: choicesFor(option, look) })}
      {...(field === undefined ? {} : { field })}
    />
  );
}

/** What the engine has set stays as it is; it is told, so that nothing of the document is hidden. */
function Engine({ looks, value }: OptionsProps): ReactElement | null {
  const said = Object.entries(value).filter(([option]) => looks[option]?.group === 'engine');
  if (said.length === 0) return null;
  return (
    <Box component="dl" sx={{ m: 0, fontSize: 12, color: 'text.secondary', fontFamily: 'monospace', overflowWrap: 'anywhere' }}>
      {said.map(([option, member]) => (
        <Box key={option}>
          <Box component="dt" sx={{ display: 'inline' }}>
            {option}:{' '}
          </Box>
          <Box component="dd" sx={{ display: 'inline', m: 0 }}>
            {typeof member === 'string' ? member : JSON.stringify(member)}
          </Box>
        </Box>
      ))}
    </Box>
  );
}
