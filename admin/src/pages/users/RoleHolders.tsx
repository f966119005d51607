/** Which roles there are, and who has them: the other end of a user's list of roles. */
import { Button, Link, Stack, Typography } from '@mui/material';
import type { ReactElement } from 'react';
import { Link as RouterLink } from 'react-router-dom';
import { appPath, useRead } from '../../api/use-api.ts';
import type { Paged, User } from '../../accounts/account.ts';
import { useDefinitions } from '../../definitions/definitions.ts';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { Loading } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Rows } from '../../ui/Rows.tsx';
import { USERS } from './words.ts';

interface Role {
  readonly name: string;
  readonly description?: string;
}

const NAMED = 3;

export function RoleHolders(): ReactElement {
  const t = useWords(USERS);
  const { app } = useDiscovery();
  const roles = useDefinitions<Role>('roles');
  const listed = roles.data?.data ?? [];
  const hasAdmin = listed.some(({ name }) => name.toLowerCase() === 'admin');
  const rows: readonly Role[] = hasAdmin ? listed : [{ name: 'admin', description: t('admin_role') }, ...listed];
  return (
    <Stack spacing={2}>
      <Stack direction="row" spacing={1} useFlexGap sx={{ flexWrap: 'wrap', alignItems: 'center', justifyContent: 'space-between' }}>
        <Typography variant="body2" sx={{ color: 'text.secondary' }}>
          {t('roles_intro')}
        </Typography>
        <Button component={RouterLink} to={`/t/${app.name}/_permissions/roles`}>
          {t('to_permissions')}
        </Button>
      </Stack>
      <Problem error={roles.error} onRetry={() => void roles.refetch()} />
      {roles.data === undefined ? <Loading /> : null}
      {roles.data === undefined ? null : (
        <Rows
          label={t('tab_roles')}
          rows={rows}
          keyOf={({ name }) => name}
          columns={[
            { key: 'name', label: t('role_name'), cell: ({ name }) => <strong>{name}</strong> },
            { key: 'description', label: t('role_description'), cell: ({ description }) => description ?? '–' },
            { key: 'holders', label: t('holders'), cell: ({ name }) => <Holders role={name} /> },
          ]}
        />
      )}
    </Stack>
  );
}

function Holders({ role }: { readonly role: string }): ReactElement | null {
  const t = useWords(USERS);
  const { app } = useDiscovery();
  const filter = encodeURIComponent(role.toLowerCase());
  const found = useRead<Paged<User>>(
    `${appPath(app.name)}/_admin/users?filter[role]=${filter}&filter[active]=true&sort=email&per_page=${NAMED}`,
  ).data;
  if (found === undefined) return null;
  if (found.meta.total === 0) return <span>{t('holders_none')}</span>;
  const more = found.meta.total - found.data.length;
  return (
    <span>
      {found.data.map(({ email }) => email).join(', ')}
      {more > 0 ? ` ${t('holders_more', more)}` : ''}{' '}
      <Link
        component={RouterLink}
        to={`/t/${app.name}/_users?role=${filter}`}
        aria-label={`${t('holders_show', found.meta.total)}: ${role}`}
      >
        {t('holders_show', found.meta.total)}
      </Link>
    </span>
  );
}
