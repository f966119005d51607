import { Button, Link, MenuItem, Stack, TextField } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { Link as RouterLink, useNavigate } from 'react-router-dom';
import { appPath, useRead, useRested, useSend } from '../../api/use-api.ts';
import type { Paged, User } from '../../accounts/account.ts';
import { UserInput } from '../../accounts/UserInput.tsx';
import { errorAt, useDefinitions } from '../../definitions/definitions.ts';
import { RolesInput } from '../../definitions/RolesInput.tsx';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { AddressField } from '../../ui/AddressField.tsx';
import { Confirm } from '../../ui/Confirm.tsx';
import { Empty } from '../../ui/Empty.tsx';
import { Loading } from '../../ui/Page.tsx';
import { Pager } from '../../ui/Pager.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Rows, type Column } from '../../ui/Rows.tsx';
import { Status } from '../../ui/Status.tsx';
import { Time } from '../../ui/Time.tsx';
import { useAddress } from '../../ui/use-address.ts';
import { RoleChips } from './RoleChips.tsx';
import { USERS } from './words.ts';

const PER_PAGE = 25;
const FILTERS = ['q', 'role', 'active'] as const;
type Filter = (typeof FILTERS)[number];

/** The address of the page says what is asked. */
function queryOf(params: URLSearchParams): string {
  const query = new URLSearchParams({ sort: 'email', per_page: String(PER_PAGE), page: params.get('page') ?? '1' });
  for (const name of FILTERS) {
    const given = params.get(name) ?? '';
    if (given !== '') query.set(name === 'q' ? 'q' : `filter[${name}]`, given);
  }
  return query.toString();
}

export function UserList(): ReactElement {
  const t = useWords(USERS);
  const { app } = useDiscovery();
  const { params, change, clear } = useAddress();
  const [isAdding, setAdding] = useState(false);
  const query = useRested(queryOf(params), 250);
  const read = useRead<Paged<User>>(`${appPath(app.name)}/_admin/users?${query}`);
  const users = read.data?.data ?? [];
  const isFiltered = FILTERS.some((name) => (params.get(name) ?? '') !== '');
  const invite = (
    <Button variant="contained" component={RouterLink} to={`/t/${app.name}/_users/invites?invite=1`}>
      {t('invite')}
    </Button>
  );
  return (
    <Stack spacing={2}>
      <Stack direction="row" spacing={1} useFlexGap sx={{ flexWrap: 'wrap', alignItems: 'center' }}>
        <Filters />
        {invite}
        <Button onClick={() => setAdding(true)}>{t('new')}</Button>
      </Stack>
      <Problem error={read.error} onRetry={() => void read.refetch()} />
      {read.isPending ? <Loading /> : null}
      {read.data === undefined || users.length > 0 ? null : (
        <Empty action={isFiltered ? <Button onClick={clear}>{t('clear')}</Button> : invite}>{t(isFiltered ? 'none_match' : 'none')}</Empty>
      )}
      {users.length === 0 ? null : <UserRows users={users} />}
      <Pager
        page={Number(params.get('page') ?? '1')}
        perPage={PER_PAGE}
        total={read.data?.meta.total ?? 0}
        onPage={(page) => change({ page: String(page) })}
      />
      {isAdding ? <NewUser onClose={() => setAdding(false)} /> : null}
    </Stack>
  );
}

function Filters(): ReactElement {
  const t = useWords(USERS);
  const roles = useDefinitions<{ readonly name: string }>('roles').data?.data.map(({ name }) => name.toLowerCase()) ?? [];
  const { params, change } = useAddress();
  const role = params.get('role') ?? '';
  const choose = (name: Filter, given: string): void => change({ page: undefined, [name]: given }, { replace: true });
  return (
    <>
      <AddressField
        size="small"
        type="search"
        label={t('search')}
        value={params.get('q') ?? ''}
        onChange={(typed) => choose('q', typed)}
        sx={{ minWidth: 220 }}
      />
      <TextField
        select
        size="small"
        label={t('role')}
        value={role === '' ? ANY : role}
        onChange={(event) => choose('role', event.target.value === ANY ? '' : event.target.value)}
        sx={{ minWidth: 140 }}
      >
        <MenuItem value={ANY}>{t('any_role')}</MenuItem>
        {[...new Set(['admin', ...roles, ...(role === '' ? [] : [role])])].map((name) => (
          <MenuItem key={name} value={name}>
            {name}
          </MenuItem>
        ))}
      </TextField>
      <TextField
        select
        size="small"
        label={t('state')}
        value={params.get('active') ?? ANY}
        onChange={(event) => choose('active', event.target.value === ANY ? '' : event.target.value)}
        sx={{ minWidth: 140 }}
      >
        <MenuItem value={ANY}>{t('any_state')}</MenuItem>
        <MenuItem value="true">{t('active')}</MenuItem>
        <MenuItem value="false">{t('inactive')}</MenuItem>
      </TextField>
    </>
  );
}

/** A select has no empty value of its own. */
const ANY = '*';

function UserRows({ users }: { readonly users: readonly User[] }): ReactElement {
  const t = useWords(USERS);
  const { app } = useDiscovery();
  const columns: readonly Column<User>[] = [
    {
      key: 'email',
      label: t('email'),
      cell: ({ id, email }) => (
        <Link component={RouterLink} to={`/t/${app.name}/_users/${id}`}>
          {email}
        </Link>
      ),
    },
    { key: 'roles', label: t('roles'), cell: ({ roles }) => <RoleChips roles={roles} /> },
    {
      key: 'state',
      label: t('state'),
      cell: (user) => <UserState user={user} />,
    },
    { key: 'since', label: t('since'), cell: ({ created_at: at }) => <Time at={at} as="date" /> },
  ];
  return <Rows label={t('tab_users')} columns={columns} rows={users} keyOf={({ id }) => id} />;
}

export function UserState({ user }: { readonly user: User }): ReactElement {
  const t = useWords(USERS);
  return (
    <Stack direction="row" component="span" spacing={0.5} useFlexGap sx={{ flexWrap: 'wrap' }}>
      <Status tone={user.active ? 'done' : 'off'} label={t(user.active ? 'active' : 'inactive')} />
      {user.must_change ? <Status tone="warning" label={t('must_change')} /> : null}
    </Stack>
  );
}

function NewUser({ onClose }: { readonly onClose: () => void }): ReactElement {
  const t = useWords(USERS);
  const { app } = useDiscovery();
  const send = useSend();
  const navigate = useNavigate();
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [roles, setRoles] = useState<readonly string[]>([]);
  const [manager, setManager] = useState<string | null>(null);
  const [error, setError] = useState<unknown>();
  const make = async (): Promise<void> => {
    try {
      const body = { email, password, roles, ...(manager === null ? {} : { manager }) };
      const { data } = await send<{ data: User }>('POST', `${appPath(app.name)}/_admin/users`, body);
      void navigate(`/t/${app.name}/_users/${data.id}`);
    } catch (refused) {
      setError(refused);
      throw refused;
    }
  };
  return (
    <Confirm title={t('new')} action={t('create')} onConfirm={make} onClose={onClose}>
      <Stack spacing={2} sx={{ pt: 1 }}>
        <div>{t('new_help')}</div>
        <TextField
          autoFocus
          required
          size="small"
          type="email"
          label={t('email')}
          value={email}
          onChange={(event) => setEmail(event.target.value)}
          error={errorAt(error, 'email') !== undefined}
        />
        <TextField
          required
          size="small"
          type="password"
          autoComplete="new-password"
          label={t('password')}
          value={password}
          onChange={(event) => setPassword(event.target.value)}
          error={errorAt(error, 'password') !== undefined}
        />
        <RolesInput label={t('roles')} value={roles} onChange={setRoles} besides={['admin']} />
        <UserInput label={t('manager')} helperText={t('manager_help')} value={manager} onChange={setManager} />
      </Stack>
    </Confirm>
  );
}
