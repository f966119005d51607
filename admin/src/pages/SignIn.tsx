import { Alert, Box, Button, Paper, Stack, TextField, Typography } from '@mui/material';
import { useState, type ReactElement, type SubmitEvent } from 'react';
import { ApiError, type PendingSignIn, type Scope } from '../../../client/client.ts';
import { rememberedScope, signIn } from '../session.ts';
import { ProviderButtons, useProviderAnswer } from './ProviderButtons.tsx';
import { SecondFactor } from './SecondFactor.tsx';

/** One door for both kinds of people: with an app's name its own users, without one the platform's. */
export function SignIn({ onSignedIn }: { readonly onSignedIn: (scope: Scope) => void }): ReactElement {
  const remembered = rememberedScope();
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [app, setApp] = useState(remembered.kind === 'app' ? remembered.app : '');
  const [problem, setProblem] = useState<string | undefined>();
  const [isBusy, setBusy] = useState(false);
  const [pending, setPending] = useState<PendingSignIn | undefined>();

  useProviderAnswer({ onSignedIn, onPending: setPending, onProblem: setProblem });

  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const scope = scopeOf(app);
    setBusy(true);
    setProblem(undefined);
    signIn(scope, email, password)
      .then((waiting) => {
        if (waiting === undefined) onSignedIn(scope);
        else setPending(waiting);
      })
      .catch((error: unknown) => setProblem(explain(error)))
      .finally(() => setBusy(false));
  };

  const startOver = (message?: string): void => {
    setPending(undefined);
    setProblem(message);
  };
  if (pending !== undefined) return <SecondFactor pending={pending} onDone={() => onSignedIn(pending.scope)} onCancel={startOver} />;

  return (
    <Box component="main" sx={{ minHeight: '100vh', display: 'grid', placeItems: 'center', p: 2, bgcolor: 'background.default' }}>
      <Paper variant="outlined" sx={{ p: 4, width: '100%', maxWidth: 400 }}>
        <Stack component="form" spacing={2} onSubmit={submit} noValidate>
          <Typography component="h1" variant="h6">
            Sign in to Durabase
          </Typography>
          {problem === undefined ? null : <Alert severity="error">{problem}</Alert>}
          <TextField
            label="Email"
            type="email"
            autoComplete="username"
            value={email}
            onChange={(event) => setEmail(event.target.value)}
            autoFocus
            required
            fullWidth
          />
          <TextField
            label="Password"
            type="password"
            autoComplete="current-password"
            value={password}
            onChange={(event) => setPassword(event.target.value)}
            required
            fullWidth
          />
          <TextField
            label="App"
            helperText="Leave empty to sign in to the platform."
            value={app}
            onChange={(event) => setApp(event.target.value)}
            fullWidth
          />
          <Button type="submit" variant="contained" disabled={isBusy}>
            Sign in
          </Button>
          <ProviderButtons scope={scopeOf(app)} />
        </Stack>
      </Paper>
    </Box>
  );
}

const scopeOf = (app: string): Scope => (app.trim() === '' ? { kind: 'platform' } : { kind: 'app', app: app.trim() });

function explain(error: unknown): string {
  if (!(error instanceof ApiError)) return 'Signing in failed.';
  if (error.status === 401) return 'The email or the password is not right.';
  if (error.status === 404) return 'There is no such app.';
  return error.message;
}
