import { Autocomplete, Chip, TextField } from '@mui/material';
import type { ReactElement } from 'react';
import { useDefinitions } from './definitions.ts';

interface RolesInputProps {
  readonly label: string;
  readonly value: readonly string[];
  readonly onChange: (roles: readonly string[]) => void;
  readonly helperText?: string | undefined;
  readonly error?: boolean;
  /** Names that stand beside those of the document: `*`, `admin`. */
  readonly besides?: readonly string[];
}

/** Roles of the document, and any other name one types: a document may be without a list of roles. */
export function RolesInput({ label, value, onChange, helperText, error = false, besides = [] }: RolesInputProps): ReactElement {
  const roles = useDefinitions<{ readonly name: string; readonly description?: string }>('roles');
  return (
    <Autocomplete
      multiple
      freeSolo
      autoSelect
      size="small"
      options={[...(roles.data?.data.map(({ name }) => name) ?? []), ...besides]}
      value={[...value]}
      onChange={(_, chosen) => onChange([...new Set(chosen.map((name) => name.trim()).filter((name) => name !== ''))])}
      renderValue={(chosen, itemProps) =>
        chosen.map((name, index) => {
          const { key, ...props } = itemProps({ index });
          return <Chip key={key} size="small" label={name} {...props} />;
        })
      }
      renderInput={(params) => <TextField {...params} label={label} helperText={helperText} error={error} />}
    />
  );
}
