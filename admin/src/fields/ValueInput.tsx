/** One value in one small control, outside of forms: in a filter, in a cell of a list, in a change of many records. Everything is text here. */
import { Autocomplete, MenuItem, TextField, type TextFieldProps } from '@mui/material';
import { keepPreviousData } from '@tanstack/react-query';
import { useState, type KeyboardEvent, type ReactElement } from 'react';
import { useGetList, useGetMany, type RaRecord } from 'react-admin';
import { useRested } from '../api/use-api.ts';
import type { DiscoveredEntity, DiscoveredField } from '../discovery.ts';
import { useWords } from '../i18n/words.ts';
import { entityNamed, useDiscovery } from '../shell/discovery-context.ts';
import { choicesOf, choiceWord, instantOf, localTime, titleOf } from './values.ts';
import { FIELDS } from './words.ts';

interface ValueInputProps {
  readonly entity: DiscoveredEntity;
  readonly field: DiscoveredField;
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly autoFocus?: boolean;
  readonly onKeyDown?: (event: KeyboardEvent) => void;
  readonly isInvalid?: boolean;
  readonly helperText?: string;
  /** The label is for readers of the screen only, as in a cell. */
  readonly isBare?: boolean;
  readonly isMultiline?: boolean;
}

const INPUT_TYPES: Partial<Record<DiscoveredField['type'], string>> = {
  date: 'date',
  time: 'time',
  timestamp: 'datetime-local',
};
/** What can be searched for a part of it. */
const TEXTS: ReadonlySet<string> = new Set(['string', 'text', 'email', 'url']);
const DIGITS: ReadonlySet<string> = new Set(['int', 'float', 'bigint', 'decimal']);

export function ValueInput(props: ValueInputProps): ReactElement {
  const { entity, field } = props;
  if (field.references !== null) return <RecordChoice {...props} target={field.references} />;
  const choices = choicesOf(field, entity);
  return choices === undefined ? <TypedValue {...props} /> : <WordChoice {...props} choices={choices} />;
}

/** What every kind of control has in common. */
const controlOf = ({ label, isBare, autoFocus, onKeyDown, isInvalid, helperText }: ValueInputProps): TextFieldProps => ({
  size: 'small',
  fullWidth: true,
  error: isInvalid === true,
  ...(isBare === true ? { hiddenLabel: true } : { label }),
  ...(autoFocus === undefined ? {} : { autoFocus }),
  ...(onKeyDown === undefined ? {} : { onKeyDown }),
  ...(helperText === undefined ? {} : { helperText }),
});

function TypedValue(props: ValueInputProps): ReactElement {
  const { field, value, onChange, label } = props;
  const type = INPUT_TYPES[field.type] ?? 'text';
  const isMoment = field.type === 'timestamp';
  return (
    <TextField
      {...controlOf(props)}
      type={type}
      value={isMoment ? localTime(value) : value}
      multiline={props.isMultiline === true || field.type === 'json'}
      maxRows={8}
      onChange={(event) => onChange(isMoment && event.target.value !== '' ? instantOf(event.target.value) : event.target.value)}
      slotProps={{
        htmlInput: { 'aria-label': label, ...(DIGITS.has(field.type) ? { inputMode: 'decimal' } : {}), dir: 'auto' },
        ...(type === 'text' ? {} : { inputLabel: { shrink: true } }),
      }}
    />
  );
}

function WordChoice(props: ValueInputProps & { readonly choices: readonly (string | number | boolean)[] }): ReactElement {
  const t = useWords(FIELDS);
  const { field, value, onChange, choices, label } = props;
  const word = (choice: string | number | boolean): string =>
    field.type === 'boolean' ? t(choice === true ? 'yes' : 'no') : choiceWord(choice);
  return (
    <TextField
      {...controlOf(props)}
      select
      value={choices.some((choice) => String(choice) === value) ? value : ''}
      onChange={(event) => onChange(event.target.value)}
      slotProps={{ select: { SelectDisplayProps: { 'aria-label': label } } }}
    >
      {field.required ? null : <MenuItem value="">–</MenuItem>}
      {choices.map((choice) => (
        <MenuItem key={String(choice)} value={String(choice)}>
          {word(choice)}
        </MenuItem>
      ))}
    </TextField>
  );
}

export interface RecordOption {
  readonly id: string;
  readonly title: string;
}

/** A title that comes later is another one: the input shows it then. */
export const isSameOption = (a: RecordOption, b: RecordOption): boolean => a.id === b.id && a.title === b.title;

/** Records of another entity by their titles, searched for on the server; `ids` are known by their titles at once. */
export function useRecordOptions(
  target: string,
  typed: string,
  ids: readonly string[],
): { readonly found: readonly RecordOption[]; readonly chosen: readonly RecordOption[]; readonly isSearching: boolean } {
  const entity = entityNamed(useDiscovery(), target);
  const display = entity?.display_field ?? 'id';
  const isText = entity?.fields.some(({ name, type }) => name === display && TEXTS.has(type)) === true;
  const asked = useRested(typed, 250);
  const meta = { fields: [display], count: 'none' };
  const filter = asked.trim() === '' || !isText ? {} : { [`${display}|icontains`]: asked.trim() };
  const { data, isFetching } = useGetList(
    target,
    { pagination: { page: 1, perPage: 20 }, sort: { field: display, order: 'ASC' }, filter, meta },
    { placeholderData: keepPreviousData },
  );
  const { data: known } = useGetMany(target, { ids: [...ids] }, { enabled: ids.length > 0 });
  const option = (record: RaRecord): RecordOption => ({ id: String(record.id), title: titleOf(record, display) });
  // One that was found is known by its title when it is chosen, and not by its id until it is read again.
  const [titles] = useState(() => new Map<string, RecordOption>());
  for (const record of [...(data ?? []), ...(known ?? [])]) if (record !== undefined) titles.set(String(record.id), option(record));
  return { found: (data ?? []).map(option), chosen: ids.map((id) => titles.get(id) ?? { id, title: id }), isSearching: isFetching };
}

function RecordChoice(props: ValueInputProps & { readonly target: string }): ReactElement {
  const t = useWords(FIELDS);
  const { value, onChange, target, label } = props;
  const [typed, setTyped] = useState('');
  const { found, chosen } = useRecordOptions(target, typed, value === '' ? [] : [value]);
  return (
    <Autocomplete
      size="small"
      fullWidth
      options={[...found]}
      filterOptions={(options) => options}
      value={chosen[0] ?? null}
      getOptionLabel={(option) => option.title}
      getOptionKey={(option) => option.id}
      isOptionEqualToValue={isSameOption}
      noOptionsText={t('no_records')}
      onInputChange={(_, text, reason) => setTyped(reason === 'input' ? text : '')}
      onChange={(_, option) => onChange(option?.id ?? '')}
      renderInput={(input) => (
        <TextField
          {...input}
          {...controlOf(props)}
          slotProps={{ ...input.slotProps, htmlInput: { ...input.slotProps.htmlInput, 'aria-label': label } }}
        />
      )}
    />
  );
}
