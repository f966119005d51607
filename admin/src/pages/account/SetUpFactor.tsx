/** Setting up a second factor in three steps: the password, the secret with a first code of it, the recovery codes. */
import { Alert, Box, Button, Dialog, DialogActions, DialogContent, DialogTitle, Link, Stack, TextField } from '@mui/material';
import { useId, useState, type FormEvent, type ReactElement, type ReactNode } from 'react';
import { useProof } from '../../accounts/use-proof.ts';
import { useWords } from '../../i18n/words.ts';
import { Code } from '../../ui/Code.tsx';
import { download } from '../../ui/download.ts';
import { Problem } from '../../ui/Problem.tsx';
import { UI } from '../../ui/words.ts';
import { QrCode } from './QrCode.tsx';
import { ACCOUNT } from './words.ts';

interface SetUpFactorProps {
  readonly path: string;
  readonly onClose: () => void;
}

interface Begun {
  readonly secret: string;
  readonly uri: string;
}

export function SetUpFactor({ path, onClose }: SetUpFactorProps): ReactElement {
  const t = useWords(ACCOUNT);
  const prove = useProof();
  const [begun, setBegun] = useState<Begun>();
  const [codes, setCodes] = useState<readonly string[]>();
  const [typed, setTyped] = useState('');
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  if (codes !== undefined) return <Recovery codes={codes} onClose={onClose} />;
  const step = async (): Promise<void> => {
    if (begun === undefined) setBegun((await prove<{ data: Begun }>('POST', path, { password: typed })).data);
    else {
      const { data } = await prove<{ data: { recovery_codes: readonly string[] } }>('POST', `${path}/confirm`, { code: typed });
      setCodes(data.recovery_codes);
    }
    setTyped('');
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    step()
      .catch(setError)
      .finally(() => setBusy(false));
  };
  return (
    <Steps
      title={t('factor')}
      onSubmit={submit}
      onClose={onClose}
      action={t(begun === undefined ? 'begin' : 'turn_on')}
      isOff={isBusy || typed === ''}
    >
      <Problem error={error} />
      {begun === undefined ? null : <Secret begun={begun} />}
      <TextField
        autoFocus
        key={begun === undefined ? 'password' : 'code'}
        size="small"
        type={begun === undefined ? 'password' : 'text'}
        autoComplete={begun === undefined ? 'current-password' : 'one-time-code'}
        label={t(begun === undefined ? 'current' : 'code')}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
      />
    </Steps>
  );
}

interface StepsProps {
  readonly title: string;
  readonly action: string;
  readonly isOff: boolean;
  readonly onSubmit: (event: FormEvent) => void;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

function Steps({ title, action, isOff, onSubmit, onClose, children }: StepsProps): ReactElement {
  const ui = useWords(UI);
  const id = useId();
  return (
    <Dialog open onClose={onClose} aria-labelledby={id} maxWidth="xs" fullWidth>
      <DialogTitle id={id}>{title}</DialogTitle>
      <form noValidate onSubmit={onSubmit}>
        <DialogContent sx={{ pt: 0 }}>
          <Stack spacing={2} sx={{ pt: 1 }}>
            {children}
          </Stack>
        </DialogContent>
        <DialogActions>
          <Button onClick={onClose}>{ui('cancel')}</Button>
          <Button type="submit" variant="contained" disabled={isOff}>
            {action}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

function Secret({ begun: { secret, uri } }: { readonly begun: Begun }): ReactElement {
  const t = useWords(ACCOUNT);
  return (
    <Stack spacing={1}>
      <div>{t('scan')}</div>
      <QrCode text={uri} label={t('qr')} />
      <Code text={secret} label={t('secret')} />
      <Link href={uri} variant="body2">
        {t('open_in_app')}
      </Link>
    </Stack>
  );
}

/** A click beside it does not close it: what is gone then is gone. */
function Recovery({ codes, onClose }: { readonly codes: readonly string[]; readonly onClose: () => void }): ReactElement {
  const t = useWords(ACCOUNT);
  const id = useId();
  const text = codes.join('\n');
  return (
    <Dialog open aria-labelledby={id} maxWidth="xs" fullWidth>
      <DialogTitle id={id}>{t('recovery')}</DialogTitle>
      <DialogContent>
        <Stack spacing={2}>
          <Alert severity="warning">{t('recovery_says')}</Alert>
          <Code text={text} label={t('recovery')} />
          <Box>
            <Button onClick={() => download('recovery-codes.txt', `${text}\n`, 'text/plain')}>{t('download')}</Button>
          </Box>
        </Stack>
      </DialogContent>
      <DialogActions>
        <Button variant="contained" onClick={onClose}>
          {t('kept')}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
