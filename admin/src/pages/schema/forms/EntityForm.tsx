import AddOutlined from '@mui/icons-material/AddOutlined';
import ArrowDownward from '@mui/icons-material/ArrowDownward';
import ArrowUpward from '@mui/icons-material/ArrowUpward';
import DeleteOutlined from '@mui/icons-material/DeleteOutlined';
import LinkOutlined from '@mui/icons-material/LinkOutlined';
import { Box, Button, IconButton, Link, Stack, Tooltip, Typography } from '@mui/material';
import type { ReactElement } from 'react';
import { useWords } from '../../../i18n/words.ts';
import { entitiesOf, relationsOf, type EntityInput, type FieldInput } from '../../../document/types.ts';
import { useDialogs } from '../dialogs.ts';
import { useDraft } from '../draft.ts';
import { Mark } from '../Mark.tsx';
import { metaAt, type JsonSchema } from '../meta-schema.ts';
import { useMeta } from '../use-meta.ts';
import { addField, moveField, renameEntity, restoreField, setEntity } from '../model/edits.ts';
import { freeName } from '../model/names.ts';
import { ENTITY_OPTIONS, KEY_OPTIONS, SLUG_OPTIONS } from '../options.ts';
import { useKeepPlace } from '../places.ts';
import { useSelection } from '../selection.ts';
import { SCHEMA } from '../words.ts';
import { CommentsForm } from './CommentsForm.tsx';
import { Heading } from './Heading.tsx';
import { IndexesForm, UniquesForm } from './IndexForms.tsx';
import { NameInput } from './NameInput.tsx';
import { Options } from './Options.tsx';
import { FORMS } from './words.ts';

export function EntityForm({ entity }: { readonly entity: EntityInput }): ReactElement {
  const t = useWords(SCHEMA);
  const { draft, edit, isBroken } = useDraft();
  const [, select] = useSelection();
  const meta = metaAt(useMeta(), 'entities', '*');
  const { ask } = useDialogs();
  const keepPlace = useKeepPlace();
  const names = entity.fields.map(({ name }) => name);
  const change = (patch: Readonly<Record<string, unknown>>): void =>
    edit((document) => setEntity(document, entity.name, patch as Partial<EntityInput>));
  const relations = relationsOf(draft.document).filter(({ source, target }) => source === entity.name || target === entity.name);
  return (
    <Stack spacing={2}>
      <Stack spacing={1.5}>
        <NameInput
          name={entity.name}
          was={entity.was}
          isDisabled={isBroken}
          taken={entitiesOf(draft.document)
            .filter((one) => one !== entity)
            .map(({ name }) => name)}
          onRename={(name) => {
            edit((document, base) => renameEntity(document, entity.name, name, base));
            keepPlace(entity.name, name);
            select({ entity: name });
          }}
        />
      </Stack>
      <FieldList entity={entity} />
      <Box component="section" aria-label={t('relations')}>
        <Heading>{t('relations')}</Heading>
        <Stack spacing={0.5} sx={{ alignItems: 'flex-start' }}>
          {relations.map(({ name, source, target }) => (
            <Link key={name} component="button" type="button" variant="body2" onClick={() => select({ relation: name })}>
              {name} ({source === entity.name ? target : source})
            </Link>
          ))}
          <Button size="small" startIcon={<LinkOutlined />} disabled={isBroken} onClick={() => ask({ kind: 'link', source: entity.name })}>
            {t('add_relation')}
          </Button>
        </Stack>
      </Box>
      <Options
        schema={meta}
        looks={ENTITY_OPTIONS}
        value={entity}
        isDisabled={isBroken}
        onChange={change}
        choicesFor={() => names}
        renderObject={(option, schema) => <Part option={option} schema={schema} entity={entity} onChange={change} />}
      />
      <IndexesForm entity={entity} onChange={change} />
      <UniquesForm entity={entity} onChange={change} />
      <Button
        color="error"
        variant="outlined"
        size="small"
        startIcon={<DeleteOutlined />}
        disabled={isBroken}
        sx={{ alignSelf: 'flex-start' }}
        onClick={() => ask({ kind: 'remove', entity: entity.name })}
      >
        {t('remove_of', { name: entity.name })}
      </Button>
    </Stack>
  );
}

interface PartProps {
  readonly option: string;
  readonly schema: JsonSchema;
  readonly entity: EntityInput;
  readonly onChange: (patch: Readonly<Record<string, unknown>>) => void;
}

/** The key or the slug: an object with options of its own; without any of them it is not written. */
function Part({ option, schema, entity, onChange }: PartProps): ReactElement {
  const { isBroken } = useDraft();
  if (option === 'comments') return <CommentsForm entity={entity} isDisabled={isBroken} onChange={onChange} />;
  const value = (option === 'slug' ? entity.slug : entity.primary_key) ?? {};
  return (
    <Options
      schema={schema}
      looks={option === 'slug' ? SLUG_OPTIONS : KEY_OPTIONS}
      value={value}
      isDisabled={isBroken}
      choicesFor={() => entity.fields.map(({ name }) => name)}
      onChange={(patch) => {
        const next = Object.fromEntries(Object.entries({ ...value, ...patch }).filter(([, member]) => member !== undefined));
        onChange({ [option]: Object.keys(next).length === 0 ? undefined : next });
      }}
    />
  );
}

function FieldList({ entity }: { readonly entity: EntityInput }): ReactElement {
  const t = useWords(SCHEMA);
  const form = useWords(FORMS);
  const { edit, marks, isBroken } = useDraft();
  const [, select] = useSelection();
  const own = marks.entities.get(entity.name);
  const add = (): void => {
    const name = freeName(
      'field',
      entity.fields.map((field) => field.name),
    );
    edit((document) => addField(document, entity.name, { name, type: 'string' }).document);
    select({ entity: entity.name, field: name });
  };
  return (
    <Box component="section" aria-label={t('fields')}>
      <Heading>{t('fields')}</Heading>
      <Box component="ul" sx={{ listStyle: 'none', p: 0, m: 0 }}>
        {entity.fields.map((field, at) => (
          <Box component="li" key={field.name} sx={{ display: 'flex', alignItems: 'center', gap: 0.5, minHeight: 30 }}>
            <Link
              component="button"
              type="button"
              variant="body2"
              onClick={() => select({ entity: entity.name, field: field.name })}
              sx={{ fontFamily: 'monospace', textAlign: 'left', overflowWrap: 'anywhere' }}
            >
              {field.name}
            </Link>
            <Typography variant="caption" sx={{ color: 'text.secondary', flex: 1 }}>
              {field.type}
              {field.required === true ? ` · ${t('required')}` : ''}
            </Typography>
            <Mark mark={own?.fields.get(field.name)} />
            <Step field={field} entity={entity.name} step={-1} isDisabled={isBroken || at === 0} />
            <Step field={field} entity={entity.name} step={1} isDisabled={isBroken || at === entity.fields.length - 1} />
          </Box>
        ))}
        {(own?.removedFields ?? []).map((field) => (
          <Box component="li" key={`removed ${field.name}`} sx={{ display: 'flex', alignItems: 'center', gap: 0.5, minHeight: 30 }}>
            <Typography variant="body2" sx={{ fontFamily: 'monospace', textDecoration: 'line-through', color: 'text.secondary', flex: 1 }}>
              {field.name}
            </Typography>
            <Mark mark="removed" />
            <Button
              size="small"
              disabled={isBroken}
              aria-label={`${t('restore')}: ${field.name}`}
              onClick={() => edit((document, base) => restoreField(document, entity.name, field.name, base))}
            >
              {t('restore')}
            </Button>
          </Box>
        ))}
      </Box>
      <Button size="small" startIcon={<AddOutlined />} disabled={isBroken} onClick={add}>
        {form('add_field')}
      </Button>
    </Box>
  );
}

interface StepProps {
  readonly entity: string;
  readonly field: FieldInput;
  readonly step: -1 | 1;
  readonly isDisabled: boolean;
}

function Step({ entity, field, step, isDisabled }: StepProps): ReactElement {
  const form = useWords(FORMS);
  const { edit } = useDraft();
  const label = form(step === -1 ? 'move_up' : 'move_down', { name: field.name });
  return (
    <Tooltip title={label}>
      <span>
        <IconButton
          size="small"
          disabled={isDisabled}
          aria-label={label}
          onClick={() => edit((document) => moveField(document, entity, field.name, step))}
        >
          {step === -1 ? <ArrowUpward fontSize="inherit" /> : <ArrowDownward fontSize="inherit" />}
        </IconButton>
      </span>
    </Tooltip>
  );
}
