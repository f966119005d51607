import { FormControlLabel, FormHelperText, MenuItem, Switch, TextField } from '@mui/material';
import type { ReactElement } from 'react';

interface Common<T> {
  readonly label: string;
  readonly value: T;
  readonly onChange: (value: T) => void;
  readonly help?: string;
}

interface TypedInputProps<T> extends Common<T> {
  /** What holds while nothing is typed. */
  readonly usual?: string | undefined;
}

/** An empty one is none. */
export function NumberInput({ label, value, onChange, help, usual }: TypedInputProps<number | undefined>): ReactElement {
  return (
    <TextField
      size="small"
      type="number"
      label={label}
      helperText={help}
      value={value ?? ''}
      onChange={(event) => onChange(event.target.value === '' ? undefined : Number(event.target.value))}
      placeholder={usual}
      slotProps={{ htmlInput: { min: 1, step: 1 }, ...shrunk(usual) }}
    />
  );
}

/** A label in the place of a placeholder would hide it. */
const shrunk = (usual: string | undefined): object => (usual === undefined ? {} : { inputLabel: { shrink: true } });

export function TextInput({ label, value, onChange, help, usual }: TypedInputProps<string>): ReactElement {
  return (
    <TextField
      size="small"
      label={label}
      helperText={help}
      placeholder={usual}
      slotProps={shrunk(usual)}
      value={value}
      onChange={(event) => onChange(event.target.value.trim())}
    />
  );
}

export function Toggle({ label, value, onChange, help }: Common<boolean>): ReactElement {
  return (
    <div>
      <FormControlLabel
        control={<Switch size="small" checked={value} onChange={(event) => onChange(event.target.checked)} />}
        label={label}
      />
      {help === undefined ? null : <FormHelperText>{help}</FormHelperText>}
    </div>
  );
}

interface ChoiceInputProps<T extends string> extends Common<T> {
  readonly options: readonly (readonly [value: T, label: string])[];
}

export function ChoiceInput<T extends string>({ label, value, onChange, options }: ChoiceInputProps<T>): ReactElement {
  return (
    <TextField select size="small" label={label} value={value} onChange={(event) => onChange(event.target.value as T)}>
      {options.map(([key, name]) => (
        <MenuItem key={key} value={key}>
          {name}
        </MenuItem>
      ))}
    </TextField>
  );
}
