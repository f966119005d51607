/** One account, as its admin keeps it: profile and roles, sessions, second factor, password, and whether it may sign in at all. */
import ArrowBackOutlined from '@mui/icons-material/ArrowBackOutlined';
import { Button, Stack, TextField } from '@mui/material';
import { useState, type FormEvent, type ReactElement } from 'react';
import { useNotify } from 'react-admin';
import { Link as RouterLink, useNavigate, useParams } from 'react-router-dom';
import { appPath, useRead, useSend } from '../../api/use-api.ts';
import type { Factor, User } from '../../accounts/account.ts';
import { Sessions } from '../../accounts/Sessions.tsx';
import { UserInput } from '../../accounts/UserInput.tsx';
import { errorAt } from '../../definitions/definitions.ts';
import { RolesInput } from '../../definitions/RolesInput.tsx';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { Confirm } from '../../ui/Confirm.tsx';
import { Loading, Page } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Section } from '../../ui/Section.tsx';
import { Status } from '../../ui/Status.tsx';
import { UserState } from './UserList.tsx';
import { USERS } from './words.ts';

export function UserPage(): ReactElement {
  const t = useWords(USERS);
  const { app } = useDiscovery();
  const { id = '' } = useParams();
  const path = `${appPath(app.name)}/_admin/users/${encodeURIComponent(id)}`;
  const read = useRead<{ data: User }>(path);
  const user = read.data?.data;
  const back = (
    <Button component={RouterLink} to={`/t/${app.name}/_users`} startIcon={<ArrowBackOutlined />}>
      {t('all_users')}
    </Button>
  );
  return (
    <Page
      title={user?.email ?? t('user')}
      width="form"
      description={user === undefined ? undefined : <UserState user={user} />}
      actions={back}
    >
      <Problem error={read.error} onRetry={() => void read.refetch()} />
      {read.isPending ? <Loading /> : null}
      {user === undefined ? null : (
        <Stack spacing={2}>
          <Profile key={`${user.email} ${user.roles.join()} ${user.manager ?? ''}`} user={user} path={path} />
          <Sessions path={`${path}/sessions`} />
          <SecondFactor user={user} path={`${path}/totp`} />
          <Password user={user} path={path} />
          <Access user={user} path={path} />
        </Stack>
      )}
    </Page>
  );
}

interface OfUser {
  readonly user: User;
  readonly path: string;
}

function Profile({ user, path }: OfUser): ReactElement {
  const t = useWords(USERS);
  const send = useSend();
  const notify = useNotify();
  const [email, setEmail] = useState(user.email);
  const [roles, setRoles] = useState(user.roles);
  const [manager, setManager] = useState(user.manager);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const changed = {
    ...(email === user.email ? {} : { email }),
    ...(roles.join('\n') === user.roles.join('\n') ? {} : { roles }),
    ...(manager === user.manager ? {} : { manager }),
  };
  const save = (event: FormEvent): void => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    send('PATCH', path, changed)
      .then(() => notify(t('saved'), { type: 'success' }), setError)
      .finally(() => setBusy(false));
  };
  return (
    <Section title={t('profile')}>
      <Problem error={error} />
      <Stack spacing={2} component="form" noValidate aria-label={t('profile')} onSubmit={save}>
        <TextField
          size="small"
          type="email"
          label={t('email')}
          value={email}
          onChange={(event) => setEmail(event.target.value)}
          error={errorAt(error, 'email') !== undefined}
        />
        <RolesInput
          label={t('roles')}
          value={roles}
          onChange={setRoles}
          besides={['admin']}
          helperText={errorAt(error, 'roles') ?? t('roles_help')}
          error={errorAt(error, 'roles') !== undefined}
        />
        <UserInput
          label={t('manager')}
          value={manager}
          onChange={setManager}
          except={user.id}
          helperText={errorAt(error, 'manager') ?? t('manager_help')}
          error={errorAt(error, 'manager') !== undefined}
        />
        <div>
          <Button type="submit" variant="contained" disabled={isBusy || Object.keys(changed).length === 0}>
            {t('save')}
          </Button>
        </div>
      </Stack>
    </Section>
  );
}

function SecondFactor({ user, path }: OfUser): ReactElement {
  const t = useWords(USERS);
  const send = useSend();
  const [isAsking, setAsking] = useState(false);
  const read = useRead<{ data: Factor }>(path);
  const factor = read.data?.data;
  return (
    <Section title={t('factor')}>
      <Problem error={read.error} />
      {factor === undefined ? null : (
        <Stack direction="row" spacing={2} useFlexGap sx={{ alignItems: 'center', flexWrap: 'wrap' }}>
          <Status tone={factor.enabled ? 'done' : 'off'} label={t(factor.enabled ? 'factor_on' : 'factor_off')} />
          {factor.enabled ? <span>{t('recovery_left', factor.recovery_codes_left)}</span> : null}
          {factor.enabled ? (
            <Button color="error" onClick={() => setAsking(true)}>
              {t('factor_reset')}
            </Button>
          ) : null}
        </Stack>
      )}
      {isAsking ? (
        <Confirm
          title={t('factor_reset_title', { email: user.email })}
          action={t('factor_reset')}
          isDestructive
          onConfirm={() => send('DELETE', path)}
          onClose={() => setAsking(false)}
        >
          {t('factor_reset_says')}
        </Confirm>
      ) : null}
    </Section>
  );
}

function Password({ user, path }: OfUser): ReactElement {
  const t = useWords(USERS);
  const send = useSend();
  const notify = useNotify();
  const [isAsking, setAsking] = useState(false);
  const [password, setPassword] = useState('');
  const set = (): Promise<unknown> => send('PATCH', path, { password }).then(() => notify(t('saved'), { type: 'success' }));
  return (
    <Section title={t('password')} help={t('password_help')}>
      <Button variant="outlined" onClick={() => (setPassword(''), setAsking(true))}>
        {t('password_set')}
      </Button>
      {isAsking ? (
        <Confirm
          title={t('password_title', { email: user.email })}
          action={t('password_set')}
          onConfirm={set}
          onClose={() => setAsking(false)}
        >
          <TextField
            autoFocus
            fullWidth
            size="small"
            type="password"
            autoComplete="new-password"
            label={t('password')}
            value={password}
            onChange={(event) => setPassword(event.target.value)}
            sx={{ mt: 1 }}
          />
        </Confirm>
      ) : null}
    </Section>
  );
}

function Access({ user, path }: OfUser): ReactElement {
  const t = useWords(USERS);
  const { app } = useDiscovery();
  const send = useSend();
  const navigate = useNavigate();
  const [asked, setAsked] = useState<'deactivate' | 'remove'>();
  const [error, setError] = useState<unknown>();
  const remove = async (): Promise<void> => {
    await send('DELETE', path);
    void navigate(`/t/${app.name}/_users`);
  };
  return (
    <Section title={t('access')} help={t(user.active ? 'access_help_on' : 'access_help_off')}>
      <Problem error={error} />
      <Stack direction="row" spacing={1} useFlexGap sx={{ flexWrap: 'wrap' }}>
        {user.active ? (
          <Button variant="outlined" color="error" onClick={() => setAsked('deactivate')}>
            {t('deactivate')}
          </Button>
        ) : (
          <Button variant="contained" onClick={() => void send('PATCH', path, { active: true }).catch(setError)}>
            {t('reactivate')}
          </Button>
        )}
        <Button color="error" onClick={() => setAsked('remove')}>
          {t('remove')}
        </Button>
      </Stack>
      {asked === undefined ? null : (
        <Confirm
          key={asked}
          title={t(`${asked}_title`, { email: user.email })}
          action={t(asked)}
          isDestructive
          {...(asked === 'remove' ? { typed: user.email } : {})}
          onConfirm={asked === 'remove' ? remove : () => send('PATCH', path, { active: false })}
          onClose={() => setAsked(undefined)}
        >
          {t(`${asked}_says`)}
        </Confirm>
      )}
    </Section>
  );
}
