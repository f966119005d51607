/** The parts of an action, a step or a trigger as a form. */
import { Box, Checkbox, FormControlLabel, MenuItem, TextField } from '@mui/material';
import type { ReactElement } from 'react';
import { Expression } from '../../expressions/Expression.tsx';
import { useWords } from '../../i18n/words.ts';
import { entityNamed } from '../../shell/discovery-context.ts';
import { readLoose } from '../../ui/json.ts';
import { TextsInput } from '../../ui/TextsInput.tsx';
import { useBuilder } from './builder.ts';
import { MapInput } from './MapInput.tsx';
import type { Part } from './parts.ts';
import { People } from './People.tsx';
import { ValueText } from './ValueText.tsx';
import { isRaw, listOf, textOf, withPart, type Raw } from './workflow.ts';
import { usePartWords } from './part-words.ts';
import { WORKFLOWS } from './words.ts';

interface PartsProps<Of extends Raw> {
  readonly parts: readonly Part[];
  readonly value: Of;
  readonly onChange: (value: Of) => void;
  /** Where it stands in the definition. */
  readonly path: string;
  /** Told after each label, where several of a kind stand together. */
  readonly suffix?: string;
}

const WIDE: readonly Part['kind'][] = ['long', 'expression', 'map', 'flag', 'people'];

export function Parts<Of extends Raw>({ parts, value, onChange, path, suffix = '' }: PartsProps<Of>): ReactElement {
  return (
    <Box sx={{ display: 'grid', gap: 2, gridTemplateColumns: 'repeat(auto-fill, minmax(min(100%, 210px), 1fr))', alignItems: 'start' }}>
      {parts.map((part) => (
        <Box key={part.key} sx={{ minWidth: 0, ...(WIDE.includes(part.kind) ? { gridColumn: '1 / -1' } : {}) }}>
          <PartInput part={part} of={value} path={path} suffix={suffix} onChange={(next) => onChange(withPart(value, part.key, next))} />
        </Box>
      ))}
    </Box>
  );
}

interface PartInputProps {
  readonly part: Part;
  readonly of: Raw;
  readonly path: string;
  readonly suffix: string;
  readonly onChange: (value: unknown) => void;
}

function PartInput(props: PartInputProps): ReactElement {
  const { part, of, path, suffix, onChange } = props;
  const said = usePartWords();
  const builder = useBuilder();
  const label = `${said.label(part.key)}${suffix}`;
  const value = of[part.key];
  const error = builder.errorAt(`${path}.${part.key}`);
  switch (part.kind) {
    case 'expression':
      return (
        <Expression label={label} value={textOf(value)} onChange={onChange} scope={builder.scope} sample={builder.sample} error={error} />
      );
    case 'map':
      return <MapInput label={label} value={isRaw(value) ? value : {}} onChange={onChange} error={error} />;
    case 'people':
      return <People label={label} value={value} onChange={onChange} error={error} />;
    case 'flag':
      return (
        <FormControlLabel
          control={
            <Checkbox size="small" checked={value === true} onChange={(event) => onChange(event.target.checked ? true : undefined)} />
          }
          label={label}
        />
      );
    case 'values':
      return <ValuesInput label={label} value={value} onChange={onChange} error={error} />;
    case 'value':
      return (
        <ValueText label={label} value={value} onChange={onChange} error={error !== undefined} helperText={error ?? said.hint('value')} />
      );
    case 'text':
    case 'long':
    case 'count':
      return <Typed {...props} label={label} error={error} />;
    default:
      return <Chosen {...props} label={label} error={error} />;
  }
}

interface NamedProps extends PartInputProps {
  readonly label: string;
  readonly error: string | undefined;
}

function Typed({ part, of, label, error, onChange }: NamedProps): ReactElement {
  const said = usePartWords();
  const take = (typed: string): void => onChange(part.kind === 'count' && /^\d+$/.test(typed.trim()) ? Number(typed) : typed);
  const isShrunk = part.example !== undefined || part.usual !== undefined;
  return (
    <TextField
      fullWidth
      size="small"
      label={label}
      required={part.isRequired === true}
      multiline={part.kind === 'long'}
      value={textOf(of[part.key])}
      placeholder={part.example ?? part.usual ?? ''}
      onChange={(event) => take(event.target.value)}
      error={error !== undefined}
      helperText={error ?? (part.isPlain === true ? undefined : said.hint(part.key))}
      slotProps={{
        inputLabel: isShrunk ? { shrink: true } : {},
        htmlInput: part.kind === 'count' ? { inputMode: 'numeric' } : { spellCheck: part.kind === 'long' },
      }}
    />
  );
}

/** One of what there is; what is not there any more stays to be seen. */
function Chosen({ part, of, label, error, onChange }: NamedProps): ReactElement {
  const t = useWords(WORKFLOWS);
  const said = usePartWords();
  const value = textOf(of[part.key]);
  const options = useOptions(part, of);
  const shown = value === '' || options.some(([name]) => name === value) ? options : [...options, [value, value] as const];
  const usual = part.usual === undefined ? t('not_said') : t('usual', { value: said.choice(part.usual) });
  return (
    <TextField
      select
      fullWidth
      size="small"
      label={label}
      required={part.isRequired === true}
      value={value}
      onChange={(event) => onChange(event.target.value)}
      error={error !== undefined}
      helperText={error ?? (part.isPlain === true ? undefined : said.hint(part.key))}
      slotProps={{ select: { displayEmpty: true }, inputLabel: { shrink: true } }}
    >
      <MenuItem value="">
        <em>{part.isRequired === true ? t('choose') : usual}</em>
      </MenuItem>
      {shown.map(([name, told]) => (
        <MenuItem key={name} value={name}>
          {told}
        </MenuItem>
      ))}
    </TextField>
  );
}

function useOptions(part: Part, of: Raw): readonly (readonly [value: string, label: string])[] {
  const said = usePartWords();
  const { scope, roles, webhooks, functions, startable } = useBuilder();
  const plain = (names: readonly string[]): readonly (readonly [string, string])[] => names.map((name) => [name, name] as const);
  switch (part.kind) {
    case 'entity':
      return scope.discovery.entities.map(({ name, label }) => [name, label] as const);
    case 'field': {
      const entity = entityNamed(scope.discovery, textOf(of['entity']) || (scope.entity ?? ''));
      return (entity?.fields ?? []).map(({ name, label }) => [name, label === name ? name : `${label} (${name})`] as const);
    }
    case 'workflow':
      return plain(startable);
    case 'webhook':
      return plain(webhooks);
    case 'function':
      return plain(functions);
    case 'role':
      return plain(roles);
    default:
      return (part.options ?? []).map((option) => [option, said.choice(option)] as const);
  }
}

interface ValuesInputProps {
  readonly label: string;
  readonly value: unknown;
  readonly onChange: (value: unknown) => void;
  readonly error: string | undefined;
}

/** A value, or several of which one is meant. */
function ValuesInput({ label, value, onChange, error }: ValuesInputProps): ReactElement {
  const said = usePartWords();
  return (
    <TextsInput
      label={label}
      value={listOf(value).map(textOf)}
      onChange={(typed) => onChange(typed.length === 1 ? readLoose(typed[0] ?? '') : typed.map(readLoose))}
      error={error !== undefined}
      helperText={error ?? said.hint('values')}
    />
  );
}
