import { Button, MenuItem, Stack, TextField } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { appPath, useRead, useSend } from '../../api/use-api.ts';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { Confirm } from '../../ui/Confirm.tsx';
import { Empty } from '../../ui/Empty.tsx';
import { Loading } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Rows, type Column } from '../../ui/Rows.tsx';
import { Status, type Tone } from '../../ui/Status.tsx';
import { Time } from '../../ui/Time.tsx';
import { useAddress } from '../../ui/use-address.ts';
import { InviteDialog, InviteLinks, type MadeInvite } from './InviteDialog.tsx';
import { RoleChips } from './RoleChips.tsx';
import { USERS } from './words.ts';

const STATUSES = ['pending', 'accepted', 'expired'] as const;

interface Invite {
  readonly id: string;
  readonly email: string;
  readonly roles: readonly string[];
  readonly status: (typeof STATUSES)[number];
  readonly expires_at: string;
  readonly mail: { readonly status: 'queued' | 'sent' | 'failed'; readonly tries: number; readonly error: string | null } | null;
}

const TONES: Readonly<Record<Invite['status'], Tone>> = { pending: 'waiting', accepted: 'done', expired: 'off' };
const MAIL_TONES = { queued: 'waiting', sent: 'done', failed: 'failed' } as const;
/** While a mail is on its way. */
const SOON_MS = 1_500;

export function Invites(): ReactElement {
  const t = useWords(USERS);
  const { app } = useDiscovery();
  const path = `${appPath(app.name)}/_admin/invites`;
  const { params, change } = useAddress();
  const read = useRead<{ data: readonly Invite[] }>(path, {
    every: (found) => (found?.data.some(({ mail }) => mail?.status === 'queued') === true ? SOON_MS : false),
  });
  const status = params.get('status');
  const invites = (read.data?.data ?? []).filter((one) => status === null || one.status === status);
  const open = (isOpen: boolean): void => change({ invite: isOpen ? '1' : undefined }, { replace: true });
  const add = (
    <Button variant="contained" onClick={() => open(true)}>
      {t('invite')}
    </Button>
  );
  return (
    <Stack spacing={2}>
      <Stack direction="row" spacing={1} useFlexGap sx={{ flexWrap: 'wrap', alignItems: 'center' }}>
        <StatusChoice status={status} onChoose={(chosen) => change({ status: chosen ?? undefined }, { replace: true })} />
        {add}
      </Stack>
      <Problem error={read.error} onRetry={() => void read.refetch()} />
      {read.isPending ? <Loading /> : null}
      {read.data !== undefined && invites.length === 0 ? <Empty action={add}>{t('invites_none')}</Empty> : null}
      {invites.length === 0 ? null : <InviteRows invites={invites} path={path} />}
      {params.get('invite') === null ? null : <InviteDialog path={path} onClose={() => open(false)} />}
    </Stack>
  );
}

const ANY = '*';

interface StatusChoiceProps {
  readonly status: string | null;
  readonly onChoose: (status: string | null) => void;
}

function StatusChoice({ status, onChoose }: StatusChoiceProps): ReactElement {
  const t = useWords(USERS);
  return (
    <TextField
      select
      size="small"
      label={t('status')}
      value={status ?? ANY}
      onChange={(event) => onChoose(event.target.value === ANY ? null : event.target.value)}
      sx={{ minWidth: 140 }}
    >
      <MenuItem value={ANY}>{t('any_status')}</MenuItem>
      {STATUSES.map((one) => (
        <MenuItem key={one} value={one}>
          {t(one)}
        </MenuItem>
      ))}
    </TextField>
  );
}

function InviteRows({ invites, path }: { readonly invites: readonly Invite[]; readonly path: string }): ReactElement {
  const t = useWords(USERS);
  const send = useSend();
  const [asked, setAsked] = useState<Invite>();
  const [renewed, setRenewed] = useState<MadeInvite>();
  const [error, setError] = useState<unknown>();
  const resend = (id: string): void => {
    setError(undefined);
    send<{ data: MadeInvite }>('POST', `${path}/${id}/resend`).then(({ data }) => setRenewed(data), setError);
  };
  const columns: readonly Column<Invite>[] = [
    { key: 'email', label: t('email'), cell: ({ email }) => email },
    { key: 'roles', label: t('roles'), cell: ({ roles }) => <RoleChips roles={roles} /> },
    { key: 'status', label: t('status'), cell: ({ status }) => <Status tone={TONES[status]} label={t(status)} /> },
    { key: 'mail', label: t('mail'), cell: ({ mail }) => <MailState mail={mail} /> },
    { key: 'expires', label: t('expires'), cell: ({ expires_at: at }) => <Time at={at} /> },
    {
      key: 'actions',
      label: t('actions'),
      cell: (one) =>
        one.status === 'accepted' ? null : (
          <Stack direction="row" spacing={0.5} useFlexGap sx={{ flexWrap: 'wrap', ml: -0.5 }}>
            <Button size="small" aria-label={t('resend_of', { email: one.email })} onClick={() => resend(one.id)}>
              {t('resend')}
            </Button>
            <Button size="small" color="error" aria-label={t('withdraw_of', { email: one.email })} onClick={() => setAsked(one)}>
              {t('withdraw')}
            </Button>
          </Stack>
        ),
    },
  ];
  return (
    <>
      <Problem error={error} />
      {renewed === undefined || renewed.mailed ? null : <InviteLinks invites={[renewed]} />}
      <Rows label={t('tab_invites')} columns={columns} rows={invites} keyOf={({ id }) => id} />
      {asked === undefined ? null : (
        <Confirm
          title={t('withdraw_title', { email: asked.email })}
          action={t('withdraw')}
          isDestructive
          onConfirm={() => send('DELETE', `${path}/${asked.id}`)}
          onClose={() => setAsked(undefined)}
        >
          {t('withdraw_says')}
        </Confirm>
      )}
    </>
  );
}

function MailState({ mail }: Pick<Invite, 'mail'>): ReactElement {
  const t = useWords(USERS);
  if (mail === null) return <span>{t('mail_none')}</span>;
  const status = t(`mail_${mail.status}`);
  const label = mail.tries > 1 ? t('mail_tries', { status, smart_count: mail.tries }) : status;
  return (
    <>
      <Status tone={MAIL_TONES[mail.status]} label={label} />
      {mail.error === null ? null : <div>{mail.error}</div>}
    </>
  );
}
