import { MenuItem, TextField } from '@mui/material';
import type { ReactElement } from 'react';
import { RecordInput } from '../definitions/RecordInput.tsx';
import type { DiscoveredEntity, DiscoveredField } from '../discovery.ts';
import { valuesOf } from '../expressions/scope.ts';
import { useWords } from '../i18n/words.ts';
import { entityNamed, useDiscovery } from '../shell/discovery-context.ts';
import { TRIAL } from './words.ts';

interface FieldValueProps {
  readonly entity: DiscoveredEntity;
  readonly field: DiscoveredField;
  readonly value: unknown;
  readonly onChange: (value: unknown) => void;
  readonly label?: string;
  readonly error?: string | undefined;
  /** As values of rules: `now` for a time, a text for what is no number. */
  readonly isLoose?: boolean;
}

const NUMBERS: readonly DiscoveredField['type'][] = ['int', 'float'];
const HINTS: Partial<Readonly<Record<DiscoveredField['type'], string>>> = {
  timestamp: '2026-01-31T09:30:00Z',
  date: '2026-01-31',
  time: '09:30',
  decimal: '19.99',
};

/** One value of a field, of any type, by the plainest control there is. Empty means that there is none. */
export function FieldValue({ entity, field, value, onChange, label, error, isLoose = false }: FieldValueProps): ReactElement {
  const t = useWords(TRIAL);
  const discovery = useDiscovery();
  const choices = field.type === 'boolean' ? [true, false] : valuesOf(entity, field);
  const text = value === null || value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value as string);
  const common = {
    size: 'small' as const,
    fullWidth: true,
    label: label ?? field.label,
    error: error !== undefined,
    helperText: error,
    value: text,
  };
  const target = field.references === null || isLoose ? undefined : entityNamed(discovery, field.references);
  if (target !== undefined)
    return <RecordInput entity={target} label={common.label} value={text} onChange={(id) => onChange(id === '' ? undefined : id)} />;
  if (choices.length > 0 && (text === '' || choices.some((choice) => String(choice) === text))) {
    const nameOf = (choice: string | number | boolean): string => (typeof choice === 'boolean' ? t(choice ? 'yes' : 'no') : String(choice));
    return (
      <TextField
        {...common}
        select
        onChange={(event) => onChange(choices.find((choice) => String(choice) === event.target.value))}
        slotProps={{ select: { displayEmpty: true }, inputLabel: { shrink: true } }}
      >
        <MenuItem value="">
          <em>{t('unset')}</em>
        </MenuItem>
        {choices.map((choice) => (
          <MenuItem key={String(choice)} value={String(choice)}>
            {nameOf(choice)}
          </MenuItem>
        ))}
      </TextField>
    );
  }
  return (
    <TextField
      {...common}
      placeholder={HINTS[field.type] ?? ''}
      multiline={field.type === 'text'}
      onChange={(event) => onChange(read(field, event.target.value, isLoose))}
      slotProps={{ htmlInput: NUMBERS.includes(field.type) && !isLoose ? { inputMode: 'decimal' } : {} }}
    />
  );
}

/** Half a number stays text, so that it can be finished; the server says what it thinks of it. */
function read(field: DiscoveredField, typed: string, isLoose: boolean): unknown {
  if (typed === '') return undefined;
  const isNumber = NUMBERS.includes(field.type) || (isLoose && field.type === 'decimal');
  return isNumber && /^-?\d+(\.\d*[1-9])?$/.test(typed) ? Number(typed) : typed;
}
