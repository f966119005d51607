/** Providers to sign in with (OpenID Connect), and one as a form. */
import { Button, Link } from '@mui/material';
import type { ReactElement } from 'react';
import { Link as RouterLink, Route, Routes, useParams } from 'react-router-dom';
import { appPath, useRead } from '../../api/use-api.ts';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { Empty } from '../../ui/Empty.tsx';
import { Loading, Page } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Rows } from '../../ui/Rows.tsx';
import { Status } from '../../ui/Status.tsx';
import { NotFound } from '../../shell/NotFound.tsx';
import { ProviderForm } from './ProviderForm.tsx';
import type { Provider, ProviderList } from './provider.ts';
import { PROVIDERS } from './words.ts';

export default function Providers(): ReactElement {
  return (
    <Routes>
      <Route index element={<List />} />
      <Route path="new" element={<One isNew />} />
      <Route path=":name" element={<One />} />
    </Routes>
  );
}

function List(): ReactElement {
  const t = useWords(PROVIDERS);
  const { app } = useDiscovery();
  const base = `/t/${app.name}/_providers`;
  const read = useRead<ProviderList>(`${appPath(app.name)}/_admin/auth-providers`);
  const providers = read.data?.data ?? [];
  const add = (
    <Button variant="contained" component={RouterLink} to={`${base}/new`}>
      {t('new')}
    </Button>
  );
  return (
    <Page title={t('title')} description={t('description')} actions={providers.length === 0 ? undefined : add}>
      <Problem error={read.error} onRetry={() => void read.refetch()} />
      {read.isPending ? <Loading /> : null}
      {read.data !== undefined && providers.length === 0 ? <Empty action={add}>{t('none')}</Empty> : null}
      {providers.length === 0 ? null : <ProviderRows providers={providers} base={base} />}
    </Page>
  );
}

function ProviderRows({ providers, base }: { readonly providers: readonly Provider[]; readonly base: string }): ReactElement {
  const t = useWords(PROVIDERS);
  return (
    <Rows
      label={t('title')}
      rows={providers}
      keyOf={({ name }) => name}
      columns={[
        {
          key: 'name',
          label: t('name'),
          cell: ({ name, display_name: shown }) => (
            <Link component={RouterLink} to={`${base}/${name}`}>
              {shown ?? name}
            </Link>
          ),
        },
        { key: 'issuer', label: t('issuer'), cell: ({ issuer }) => issuer },
        { key: 'client', label: t('client_id'), cell: ({ client_id: id }) => id },
        { key: 'signup', label: t('signup'), cell: ({ allow_signup: isAllowed }) => t(isAllowed ? 'yes' : 'no') },
        {
          key: 'state',
          label: t('state'),
          cell: ({ active }) => <Status tone={active ? 'done' : 'off'} label={t(active ? 'active' : 'inactive')} />,
        },
      ]}
    />
  );
}

function One({ isNew = false }: { readonly isNew?: boolean }): ReactElement {
  const t = useWords(PROVIDERS);
  const { app } = useDiscovery();
  const { name } = useParams();
  const read = useRead<ProviderList>(`${appPath(app.name)}/_admin/auth-providers`);
  if (read.data === undefined)
    return (
      <Page title={t('title')}>
        <Problem error={read.error} onRetry={() => void read.refetch()} />
        <Loading />
      </Page>
    );
  const stored = read.data.data.find((one) => one.name === name);
  if (stored === undefined && !isNew) return <NotFound />;
  return <ProviderForm key={JSON.stringify(stored)} stored={stored} callback={read.data.meta.callback} />;
}
