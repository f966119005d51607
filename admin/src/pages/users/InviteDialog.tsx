import { Alert, Box, Button, Dialog, DialogActions, DialogContent, DialogTitle, Stack, TextField } from '@mui/material';
import { useId, useState, type ReactElement } from 'react';
import { appPath, useSend } from '../../api/use-api.ts';
import { RolesInput } from '../../definitions/RolesInput.tsx';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { Code } from '../../ui/Code.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { USERS } from './words.ts';

export interface MadeInvite {
  readonly id: string;
  readonly email: string;
  readonly token: string;
  readonly mailed: boolean;
}

interface Outcome {
  readonly created: readonly MadeInvite[];
  readonly skipped: readonly {
    readonly email: string;
    readonly reason: 'user_exists' | 'pending_invite' | 'invalid_email' | 'repeated';
  }[];
}

/** As people paste them: lines, commas, semicolons. */
const addressesIn = (text: string): string[] =>
  text
    .split(/[\s,;]+/)
    .map((one) => one.trim())
    .filter((one) => one !== '');

export function InviteDialog({ path, onClose }: { readonly path: string; readonly onClose: () => void }): ReactElement {
  const t = useWords(USERS);
  const id = useId();
  const send = useSend();
  const [text, setText] = useState('');
  const [roles, setRoles] = useState<readonly string[]>([]);
  const [outcome, setOutcome] = useState<Outcome>();
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const emails = addressesIn(text);
  const invite = (): void => {
    setBusy(true);
    setError(undefined);
    send<{ data: Outcome }>('POST', `${path}/bulk`, { emails, roles })
      .then(({ data }) => setOutcome(data), setError)
      .finally(() => setBusy(false));
  };
  return (
    <Dialog open onClose={onClose} aria-labelledby={id} maxWidth="sm" fullWidth>
      <DialogTitle id={id}>{t('invite_title')}</DialogTitle>
      <DialogContent>
        <Problem error={error} />
        {outcome === undefined ? (
          <Stack spacing={2} sx={{ pt: 1 }}>
            <div>{t('invite_help')}</div>
            <TextField
              autoFocus
              multiline
              minRows={3}
              maxRows={10}
              size="small"
              label={t('emails')}
              helperText={t('emails_help')}
              value={text}
              onChange={(event) => setText(event.target.value)}
            />
            <RolesInput label={t('roles')} value={roles} onChange={setRoles} besides={['admin']} />
          </Stack>
        ) : (
          <Invited outcome={outcome} />
        )}
      </DialogContent>
      <DialogActions>
        <Button onClick={onClose}>{t(outcome === undefined ? 'cancel' : 'close')}</Button>
        {outcome === undefined ? (
          <Button variant="contained" disabled={isBusy || emails.length === 0} onClick={invite}>
            {t('send')}
          </Button>
        ) : null}
      </DialogActions>
    </Dialog>
  );
}

function Invited({ outcome: { created, skipped } }: { readonly outcome: Outcome }): ReactElement {
  const t = useWords(USERS);
  const byHand = created.filter(({ mailed }) => !mailed);
  return (
    <Stack spacing={2}>
      {created.length === 0 ? null : <Alert severity="success">{t('invited', created.length)}</Alert>}
      {byHand.length === 0 ? null : <InviteLinks invites={byHand} />}
      {skipped.length === 0 ? null : (
        <Alert severity="warning">
          {t('skipped', skipped.length)}
          <Box component="ul" sx={{ m: 0, pl: 2.5 }}>
            {skipped.map(({ email, reason }, index) => (
              <li key={index}>
                {email} {t(reason)}
              </li>
            ))}
          </Box>
        </Alert>
      )}
    </Stack>
  );
}

/** Where no mail is sent the admin is the post. */
export function InviteLinks({ invites }: { readonly invites: readonly MadeInvite[] }): ReactElement {
  const t = useWords(USERS);
  const { app } = useDiscovery();
  return (
    <Stack spacing={1}>
      <Alert severity="info">{t('by_link')}</Alert>
      {invites.map(({ id, email, token }) => (
        <div key={id}>
          {email}
          <Code text={`${window.location.origin}${appPath(app.name)}/auth/accept-invite#token=${token}`} label={t('link_of', { email })} />
        </div>
      ))}
    </Stack>
  );
}
