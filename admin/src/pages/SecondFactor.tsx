import { Alert, Box, Button, Paper, Stack, TextField, Typography } from '@mui/material';
import { useEffect, useRef, useState, type ReactElement, type SubmitEvent } from 'react';
import { ApiError, type PendingSignIn } from '../../../client/client.ts';
import { client, sendCode } from '../session.ts';

interface SecondFactorProps {
  readonly pending: PendingSignIn;
  readonly onDone: () => void;
  /** Back to the password, with the reason when the sign-in has ended. */
  readonly onCancel: (reason?: string) => void;
}

/** The second half of a sign-in: a code, and before it a secret where the account has to set a factor up. */
export function SecondFactor({ pending, onDone, onCancel }: SecondFactorProps): ReactElement {
  const [code, setCode] = useState('');
  const [factor, setFactor] = useState<{ readonly secret: string; readonly uri: string } | undefined>();
  const [recoveryCodes, setRecoveryCodes] = useState<readonly string[]>([]);
  const [problem, setProblem] = useState<string | undefined>();
  const [isBusy, setBusy] = useState(false);

  const hasBegun = useRef(false);
  useEffect(() => {
    // A secret is made once per sign-in: another would replace the one on the screen.
    if (!pending.mustEnrol || hasBegun.current) return;
    hasBegun.current = true;
    client.beginFactor(pending).then(setFactor, (error: unknown) => onCancel(explain(error)));
  }, [pending, onCancel]);

  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    sendCode(pending, code)
      .then((codes) => {
        if (codes.length === 0) onDone();
        else setRecoveryCodes(codes);
      })
      .catch((error: unknown) => {
        setCode('');
        setProblem(explain(error));
      })
      .finally(() => setBusy(false));
  };

  if (recoveryCodes.length > 0) return <RecoveryCodes codes={recoveryCodes} onDone={onDone} />;
  return (
    <Panel title={pending.mustEnrol ? 'Set up a second factor' : 'Enter your code'}>
      <Stack component="form" spacing={2} onSubmit={submit} noValidate>
        {problem === undefined ? null : <Alert severity="error">{problem}</Alert>}
        {factor === undefined ? null : (
          <Typography variant="body2" component="div">
            Your account needs one. Add this key to an authenticator app, or <a href={factor.uri}>open it there</a>, then enter the code it
            shows.
            <Box component="code" sx={{ display: 'block', mt: 1, overflowWrap: 'anywhere', fontSize: '1rem' }}>
              {factor.secret}
            </Box>
          </Typography>
        )}
        <TextField
          label="Code"
          helperText={pending.mustEnrol ? undefined : 'Six digits from your authenticator app, or a recovery code.'}
          autoComplete="one-time-code"
          value={code}
          onChange={(event) => setCode(event.target.value)}
          autoFocus
          required
          fullWidth
        />
        <Button type="submit" variant="contained" disabled={isBusy || code === ''}>
          Sign in
        </Button>
        <Button onClick={() => onCancel()}>Back</Button>
      </Stack>
    </Panel>
  );
}

function RecoveryCodes({ codes, onDone }: { readonly codes: readonly string[]; readonly onDone: () => void }): ReactElement {
  return (
    <Panel title="Keep your recovery codes">
      <Stack spacing={2}>
        <Typography variant="body2">Each signs you in once when you have no authenticator at hand. They are not shown again.</Typography>
        <Box component="ul" sx={{ m: 0, pl: 3, fontFamily: 'monospace' }}>
          {codes.map((code) => (
            <li key={code}>{code}</li>
          ))}
        </Box>
        <Button variant="contained" onClick={onDone}>
          I have kept them
        </Button>
      </Stack>
    </Panel>
  );
}

function Panel({ title, children }: { readonly title: string; readonly children: ReactElement }): ReactElement {
  return (
    <Box component="main" sx={{ minHeight: '100vh', display: 'grid', placeItems: 'center', p: 2, bgcolor: 'background.default' }}>
      <Paper variant="outlined" sx={{ p: 4, width: '100%', maxWidth: 400 }}>
        <Typography component="h1" variant="h6" sx={{ mb: 2 }}>
          {title}
        </Typography>
        {children}
      </Paper>
    </Box>
  );
}

const explain = (error: unknown): string => (error instanceof ApiError ? error.message : 'Signing in failed.');
