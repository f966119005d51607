/** The platform's first page: every app, and a new one. An app's settings have an address of their own. */
import AddOutlined from '@mui/icons-material/AddOutlined';
import { Button, Link, Stack, TextField, Typography } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { Link as RouterLink, Route, Routes, useSearchParams } from 'react-router-dom';
import { useRead } from '../../api/use-api.ts';
import { useFormat } from '../../i18n/format.ts';
import { useWords } from '../../i18n/words.ts';
import { Empty } from '../../ui/Empty.tsx';
import { Loading, Page } from '../../ui/Page.tsx';
import { Pager } from '../../ui/Pager.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Rows, type Column } from '../../ui/Rows.tsx';
import { Status } from '../../ui/Status.tsx';
import { Time } from '../../ui/Time.tsx';
import { APPS_PATH, stateOf, type App } from './app.ts';
import { AppSettings } from './AppSettings.tsx';
import { NewApp } from './NewApp.tsx';
import { APPS } from './words.ts';

interface AppsAnswer {
  readonly data: readonly App[];
  readonly meta: { readonly total: number };
}

const PER_PAGE = 50;

export default function Apps(): ReactElement {
  return (
    <Routes>
      <Route path="/" element={<AppList />} />
      <Route path="/:name" element={<AppSettings />} />
    </Routes>
  );
}

function AppList(): ReactElement {
  const t = useWords(APPS);
  const [params, setParams] = useSearchParams();
  const [isCreating, setCreating] = useState(false);
  const typed = params.get('q') ?? '';
  const page = Number(params.get('page') ?? '1');
  const read = useRead<AppsAnswer>(`${APPS_PATH}?page=${page}&per_page=${PER_PAGE}&q=${encodeURIComponent(typed)}`, { every: 10_000 });
  const create = (
    <Button variant="contained" startIcon={<AddOutlined />} onClick={() => setCreating(true)}>
      {t('new')}
    </Button>
  );
  const apps = read.data?.data ?? [];
  const isNone = read.data !== undefined && apps.length === 0;
  return (
    <Page title={t('title')} description={t('description')} actions={create}>
      <Problem error={read.error} onRetry={() => void read.refetch()} />
      {isNone && typed === '' ? null : (
        <TextField
          size="small"
          type="search"
          label={t('find')}
          value={typed}
          onChange={(event) => setParams(event.target.value === '' ? {} : { q: event.target.value }, { replace: true })}
          sx={{ mb: 2, width: 280, maxWidth: '100%' }}
        />
      )}
      {read.isPending ? <Loading /> : null}
      {isNone ? <Empty action={typed === '' ? create : undefined}>{t(typed === '' ? 'none' : 'nothing_found')}</Empty> : null}
      {apps.length === 0 ? null : <AppRows apps={apps} />}
      <Pager
        page={page}
        perPage={PER_PAGE}
        total={read.data?.meta.total ?? 0}
        onPage={(next) => setParams({ q: typed, page: String(next) })}
      />
      {isCreating ? <NewApp onClose={() => setCreating(false)} /> : null}
    </Page>
  );
}

function AppRows({ apps }: { readonly apps: readonly App[] }): ReactElement {
  const t = useWords(APPS);
  const format = useFormat();
  const columns: readonly Column<App>[] = [
    {
      key: 'app',
      label: t('app'),
      cell: (app) => (
        <Stack>
          {app.status === 'active' ? (
            <Link component={RouterLink} to={`/t/${app.name}`} sx={{ fontWeight: 600 }}>
              {app.display_name}
            </Link>
          ) : (
            <strong>{app.display_name}</strong>
          )}
          <Typography variant="caption" sx={{ color: 'text.secondary', fontFamily: 'monospace' }}>
            {app.name}
          </Typography>
        </Stack>
      ),
    },
    {
      key: 'state',
      label: t('state'),
      cell: (app) => {
        const { tone, word } = stateOf(app);
        return <Status tone={tone} label={t(word)} />;
      },
    },
    {
      key: 'schema',
      label: t('schema'),
      cell: (app) => (
        <>
          {app.schema}, {t('version', { version: format.number(app.schema_version) })}
          {app.pinned_version === null ? '' : ` · ${t('pinned', { version: app.pinned_version })}`}
        </>
      ),
    },
    { key: 'created', label: t('created'), cell: (app) => <Time at={app.created_at} as="date" /> },
    {
      key: 'actions',
      label: t('actions'),
      cell: (app) => (
        <Button
          size="small"
          component={RouterLink}
          to={`/platform/apps/${app.name}`}
          aria-label={t('settings_of', { app: app.display_name })}
        >
          {t('settings')}
        </Button>
      ),
    },
  ];
  return <Rows label={t('title')} columns={columns} rows={apps} keyOf={(app) => app.name} />;
}
