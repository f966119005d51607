/** One account of the app, looked for by a part of its address. */
import { Autocomplete, TextField } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { appPath, useRead, useRested } from '../api/use-api.ts';
import { useWords } from '../i18n/words.ts';
import { useDiscovery } from '../shell/discovery-context.ts';
import type { Paged, User } from './account.ts';
import { ACCOUNTS } from './words.ts';

interface UserInputProps {
  readonly label?: string;
  /** An id. */
  readonly value: string | null;
  readonly onChange: (id: string | null) => void;
  readonly helperText?: string;
  readonly error?: boolean;
  /** Not among those to choose from. */
  readonly except?: string;
}

const OFFERED = 20;

export function UserInput({ label, value, onChange, helperText, error = false, except }: UserInputProps): ReactElement {
  const t = useWords(ACCOUNTS);
  const { app } = useDiscovery();
  const users = `${appPath(app.name)}/_admin/users`;
  const [typed, setTyped] = useState('');
  const rested = useRested(typed, 250);
  const chosen = useRead<{ data: User }>(value === null ? undefined : `${users}/${value}`).data?.data;
  const current = value !== null && chosen?.id === value ? chosen : null;
  const found = useRead<Paged<User>>(`${users}?per_page=${OFFERED}&sort=email&q=${encodeURIComponent(rested)}`).data?.data ?? [];
  return (
    <Autocomplete
      size="small"
      options={found.filter(({ id }) => id !== except)}
      value={current}
      getOptionLabel={({ email }) => email}
      isOptionEqualToValue={(option, other) => option.id === other.id}
      // The server has looked already.
      filterOptions={(options) => options}
      noOptionsText={t('nobody')}
      onInputChange={(_, text, reason) => setTyped(reason === 'input' ? text : '')}
      onChange={(_, user) => onChange(user?.id ?? null)}
      renderInput={(params) => <TextField {...params} label={label ?? t('user')} helperText={helperText} error={error} />}
    />
  );
}
