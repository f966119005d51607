import { Autocomplete, TextField } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { FieldTitle, InputHelperText, useInput, type Identifier } from 'react-admin';
import type { DiscoveredEntity, DiscoveredField } from '../../discovery.ts';
import { validatorsOf } from '../../fields/registry.tsx';
import { isSameOption, useRecordOptions, type RecordOption } from '../../fields/ValueInput.tsx';
import { useWords } from '../../i18n/words.ts';
import { useCreating } from './creating.ts';
import { FORM } from './words.ts';

interface RelationInputProps {
  readonly source: string;
  readonly field: DiscoveredField;
  readonly target: DiscoveredEntity;
}

const NEW = '';

/** The record this one leads to, by its title: searched for on the server, or made on the way. */
export function RelationInput({ source, field, target }: RelationInputProps): ReactElement {
  const t = useWords(FORM);
  const create = useCreating();
  const [typed, setTyped] = useState('');
  const input = useInput({ source, validate: [...validatorsOf(field)] });
  const { value, onChange, onBlur } = input.field as { value: unknown; onChange: (id: Identifier | null) => void; onBlur: () => void };
  const { error, invalid } = input.fieldState;
  const { found, chosen, isSearching } = useRecordOptions(target.name, typed, isNothing(value) ? [] : [String(value as string)]);
  // Never the only one while others are on their way: it would be chosen in their place.
  const canCreate = create !== undefined && target.permissions.create && !(isSearching && found.length === 0);
  const entity = target.label;
  const fresh = { id: NEW, title: typed.trim() === '' ? t('create_new', { entity }) : t('create_named', { entity, title: typed.trim() }) };
  const choose = (id: string): void => onChange(field.type === 'int' ? Number(id) : id);
  return (
    <Autocomplete<RecordOption>
      size="small"
      fullWidth
      options={canCreate ? [...found, fresh] : [...found]}
      value={chosen[0] ?? null}
      loading={isSearching}
      filterOptions={(options) => options}
      getOptionLabel={(option) => option.title}
      getOptionKey={(option) => option.id}
      isOptionEqualToValue={isSameOption}
      noOptionsText={t('none_found')}
      onInputChange={(_, text, reason) => setTyped(reason === 'input' ? text : '')}
      onBlur={onBlur}
      onChange={(_, option) => {
        if (option === null) onChange(null);
        else if (option.id !== NEW) choose(option.id);
        else create?.({ target, title: typed.trim(), onCreated: (record) => choose(String(record.id)) });
      }}
      renderInput={(params) => (
        <TextField
          {...params}
          label={<FieldTitle label={field.label} source={source} isRequired={input.isRequired} />}
          placeholder={t('search')}
          error={invalid}
          helperText={<InputHelperText error={error?.message} helperText={field.description ?? false} />}
        />
      )}
    />
  );
}

const isNothing = (value: unknown): boolean => value === null || value === undefined || value === '';
