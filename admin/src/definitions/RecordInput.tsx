import { Autocomplete, TextField } from '@mui/material';
import { useMemo, useState, type ReactElement } from 'react';
import { useGetList, useGetOne } from 'react-admin';
import type { DiscoveredEntity } from '../discovery.ts';
import { useWords } from '../i18n/words.ts';
import { DEFINITIONS } from './words.ts';

type RecordRow = Record<string, unknown> & { readonly id: string | number };

interface RecordInputProps {
  readonly entity: DiscoveredEntity;
  /** Its id; empty for none. */
  readonly value: string;
  readonly onChange: (id: string, record: RecordRow | undefined) => void;
  readonly label?: string;
}

/** One stored record, found by its title; the server searches. */
export function RecordInput({ entity, value, onChange, label }: RecordInputProps): ReactElement {
  const t = useWords(DEFINITIONS);
  const [typed, setTyped] = useState('');
  const display = entity.display_field;
  const isText = entity.fields.some(({ name, type }) => name === display && ['string', 'text', 'email', 'url', 'enum'].includes(type));
  const { data: found = [], isFetching } = useGetList<RecordRow>(entity.name, {
    pagination: { page: 1, perPage: 20 },
    sort: { field: display, order: 'ASC' },
    filter: typed === '' || !isText ? {} : { [`${display}|icontains`]: typed },
  });
  const { data: stored } = useGetOne<RecordRow>(entity.name, { id: value }, { enabled: value !== '' });
  const chosen = useMemo(() => (value === '' ? null : (stored ?? { id: value })), [value, stored]);
  const title = (record: RecordRow): string => {
    const text = record[display];
    return typeof text === 'string' || typeof text === 'number' ? String(text) : String(record.id);
  };
  return (
    <Autocomplete
      size="small"
      options={chosen === null || found.some(({ id }) => id === chosen.id) ? found : [chosen, ...found]}
      value={chosen}
      loading={isFetching}
      filterOptions={(all) => all}
      getOptionLabel={title}
      getOptionKey={({ id }) => id}
      isOptionEqualToValue={(one, other) => one.id === other.id}
      onInputChange={(_, text, reason) => setTyped(reason === 'input' ? text : '')}
      onChange={(_, record) => onChange(record === null ? '' : String(record.id), record ?? undefined)}
      renderInput={(params) => (
        <TextField
          {...params}
          label={label ?? t('record_of', { entity: entity.label })}
          helperText={label === undefined ? t('record_hint') : undefined}
        />
      )}
    />
  );
}
