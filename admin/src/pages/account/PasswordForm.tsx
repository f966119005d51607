import { Alert, Button, Stack, TextField } from '@mui/material';
import { useState, type FormEvent, type ReactElement } from 'react';
import { useProof } from '../../accounts/use-proof.ts';
import { errorAt } from '../../definitions/definitions.ts';
import { useWords } from '../../i18n/words.ts';
import { Problem } from '../../ui/Problem.tsx';
import { ACCOUNT } from './words.ts';

const EMPTY = { current: '', next: '', again: '' };

export function PasswordForm({ path, email }: { readonly path: string; readonly email: string }): ReactElement {
  const t = useWords(ACCOUNT);
  const prove = useProof();
  const [typed, setTyped] = useState(EMPTY);
  const [ended, setEnded] = useState<number>();
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const differs = typed.again !== '' && typed.again !== typed.next;
  const change = (event: FormEvent): void => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    setEnded(undefined);
    prove<{ data: { ended_sessions: number } }>('POST', path, { current: typed.current, new: typed.next })
      .then(({ data }) => (setEnded(data.ended_sessions), setTyped(EMPTY)), setError)
      .finally(() => setBusy(false));
  };
  const field = (name: keyof typeof EMPTY, label: string, complete: string, help?: string): ReactElement => (
    <TextField
      size="small"
      type="password"
      label={label}
      autoComplete={complete}
      value={typed[name]}
      onChange={(event) => setTyped({ ...typed, [name]: event.target.value })}
      error={help !== undefined}
      helperText={help}
    />
  );
  return (
    <Stack component="form" noValidate aria-label={t('password')} spacing={2} useFlexGap onSubmit={change} sx={{ maxWidth: 420 }}>
      <Problem error={error} />
      {ended === undefined ? null : <Alert severity="success">{t('changed', ended)}</Alert>}
      {/* For password managers, which ask whose password it is. */}
      <input type="text" autoComplete="username" value={email} readOnly hidden />
      {field('current', t('current'), 'current-password')}
      {field('next', t('new'), 'new-password', errorAt(error, 'new'))}
      {field('again', t('again'), 'new-password', differs ? t('differs') : undefined)}
      <div>
        <Button
          type="submit"
          variant="contained"
          disabled={isBusy || typed.current === '' || typed.next === '' || typed.again !== typed.next}
        >
          {t('change')}
        </Button>
      </div>
    </Stack>
  );
}
