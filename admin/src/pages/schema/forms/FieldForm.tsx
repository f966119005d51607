import DeleteOutlined from '@mui/icons-material/DeleteOutlined';
import { Button, MenuItem, Stack, TextField } from '@mui/material';
import type { ReactElement } from 'react';
import { useWords } from '../../../i18n/words.ts';
import { entitiesOf, type EntityInput, type FieldInput } from '../../../document/types.ts';
import { useDraft } from '../draft.ts';
import { metaAt } from '../meta-schema.ts';
import { useMeta } from '../use-meta.ts';
import { asNewField, fieldNamed, renameField, removeField, setField } from '../model/edits.ts';
import { FIELD_OPTIONS, type OptionLook } from '../options.ts';
import { useSelection } from '../selection.ts';
import { SCHEMA } from '../words.ts';
import { NameInput } from './NameInput.tsx';
import { Options } from './Options.tsx';

interface FieldFormProps {
  readonly entity: EntityInput;
  readonly field: FieldInput;
}

/** As new fields are called until somebody says otherwise. */
const PROPOSED = /^field(_\d+)?$/;

export function FieldForm({ entity, field }: FieldFormProps): ReactElement {
  const t = useWords(SCHEMA);
  const { draft, edit, isBroken } = useDraft();
  const isNew = fieldNamed(draft.base.document, entity.was ?? entity.name, field.was ?? field.name) === undefined;
  const [, select] = useSelection();
  const meta = metaAt(useMeta(), 'entities', '*', 'fields', '*');
  const types = meta?.properties?.['type']?.enum ?? [field.type];
  const choicesFor = (_: string, look: OptionLook): readonly string[] => {
    if (look.widget === 'entity') return entitiesOf(draft.document).map(({ name }) => name);
    return (
      entitiesOf(draft.document)
        .find(({ name }) => name === field.target)
        ?.fields.map(({ name }) => name) ?? []
    );
  };
  const change = (patch: Readonly<Record<string, unknown>>): void =>
    edit((document) => setField(document, entity.name, field.name, patch as Partial<FieldInput>));
  return (
    <Stack spacing={1.5}>
      <NameInput
        name={field.name}
        was={field.was}
        isProposed={isNew && PROPOSED.test(field.name)}
        isDisabled={isBroken}
        taken={entity.fields.filter((one) => one !== field).map(({ name }) => name)}
        onRename={(name) => {
          edit((document, base) => renameField(document, entity.name, field.name, name, base));
          select({ entity: entity.name, field: name });
        }}
        onNew={() => edit((document, base) => asNewField(document, entity.name, field.name, base))}
      />
      <TextField
        select
        size="small"
        label={t('type')}
        value={field.type}
        disabled={isBroken}
        onChange={({ target }) => change({ type: target.value })}
      >
        {types.map((type) => (
          <MenuItem key={String(type)} value={String(type)}>
            {String(type)}
          </MenuItem>
        ))}
      </TextField>
      <Options
        schema={meta}
        looks={FIELD_OPTIONS}
        value={field}
        field={field}
        isDisabled={isBroken}
        onChange={change}
        choicesFor={choicesFor}
      />
      <Button
        color="error"
        variant="outlined"
        size="small"
        startIcon={<DeleteOutlined />}
        disabled={isBroken || entity.fields.length === 1}
        sx={{ alignSelf: 'flex-start' }}
        onClick={() => {
          edit((document) => removeField(document, entity.name, field.name));
          select({ entity: entity.name });
        }}
      >
        {t('remove_of', { name: field.name })}
      </Button>
    </Stack>
  );
}
