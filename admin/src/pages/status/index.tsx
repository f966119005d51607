/** Whether what the platform stands on is well, and every migration of every app. */
import { Alert, Link, Stack, Typography } from '@mui/material';
import type { ReactElement } from 'react';
import { Link as RouterLink, useSearchParams } from 'react-router-dom';
import { ApiError } from '../../../../client/client.ts';
import { useRead } from '../../api/use-api.ts';
import { useWords } from '../../i18n/words.ts';
import { Empty } from '../../ui/Empty.tsx';
import { Loading, Page } from '../../ui/Page.tsx';
import { Pager } from '../../ui/Pager.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Rows, type Column } from '../../ui/Rows.tsx';
import { Status, type Tone } from '../../ui/Status.tsx';
import { Time } from '../../ui/Time.tsx';
import { TONES as MIGRATION_TONES, type Migration } from '../migrations/migration.ts';
import { MIGRATIONS } from '../migrations/words.ts';
import { STATUS } from './words.ts';

type State = 'ok' | 'degraded' | 'down';
type Part = 'postgres' | 'temporal' | 'registry' | 'redis';

interface Readiness {
  readonly dependencies: Readonly<Partial<Record<Part, State>>>;
}

const TONES: Readonly<Record<State, Tone>> = { ok: 'done', degraded: 'warning', down: 'failed' };
const LIVE_MS = 5_000;

export default function StatusPage(): ReactElement {
  const t = useWords(STATUS);
  const read = useRead<Readiness>('/health/ready', { every: LIVE_MS });
  // Not ready is a 503 whose body says why, as useful as any other answer.
  const refused = read.error instanceof ApiError ? (read.error.body as unknown as Readiness | undefined) : undefined;
  const readiness = refused?.dependencies === undefined ? read.data : refused;
  const parts = Object.entries(readiness?.dependencies ?? {}) as [Part, State][];
  return (
    <Page title={t('title')} description={t('description')}>
      {readiness === undefined ? <Problem error={read.error} onRetry={() => void read.refetch()} /> : null}
      {read.isPending ? <Loading lines={3} /> : null}
      <Stack spacing={3}>
        {parts.length === 0 ? null : (
          <Rows
            label={t('title')}
            columns={[
              { key: 'part', label: t('part'), cell: ([part]) => t(part) },
              { key: 'state', label: t('state'), cell: ([, state]) => <Status tone={TONES[state]} label={t(state)} /> },
            ]}
            rows={parts}
            keyOf={([part]) => part}
          />
        )}
        {readiness?.dependencies.temporal === 'degraded' ? <Alert severity="info">{t('temporal_help')}</Alert> : null}
        <Migrations />
      </Stack>
    </Page>
  );
}

type ListedMigration = Pick<Migration, 'id' | 'from_version' | 'to_version' | 'status' | 'phase' | 'error' | 'created_at'> & {
  readonly app: string;
};

const PER_PAGE = 20;

function Migrations(): ReactElement {
  const t = useWords(STATUS);
  const of = useWords(MIGRATIONS);
  const [params, setParams] = useSearchParams();
  const page = Number(params.get('page') ?? '1');
  const read = useRead<{ data: readonly ListedMigration[]; meta: { total: number } }>(
    `/api/_platform/migrations?page=${page}&per_page=${PER_PAGE}`,
    { every: LIVE_MS },
  );
  const columns: readonly Column<ListedMigration>[] = [
    {
      key: 'app',
      label: t('app'),
      cell: ({ app }) => (
        <Link component={RouterLink} to={`/t/${app}`}>
          {app}
        </Link>
      ),
    },
    { key: 'versions', label: t('versions'), cell: (one) => t('from_to', { from: one.from_version ?? 0, to: one.to_version }) },
    {
      key: 'state',
      label: t('state'),
      cell: ({ status }) => <Status tone={MIGRATION_TONES[status]} label={of(status)} />,
    },
    { key: 'phase', label: t('phase'), cell: ({ phase }) => phase },
    { key: 'begun', label: t('begun'), cell: ({ created_at: at }) => <Time at={at} /> },
    { key: 'error', label: t('error'), cell: ({ error }) => error ?? '–' },
  ];
  const rows = read.data?.data ?? [];
  return (
    <section aria-label={t('migrations')}>
      <Typography variant="h6" component="h2" gutterBottom>
        {t('migrations')}
      </Typography>
      <Problem error={read.error} onRetry={() => void read.refetch()} />
      {read.data !== undefined && rows.length === 0 ? <Empty>{t('none')}</Empty> : null}
      {rows.length === 0 ? null : <Rows label={t('migrations')} columns={columns} rows={rows} keyOf={({ id }) => id} />}
      <Pager page={page} perPage={PER_PAGE} total={read.data?.meta.total ?? 0} onPage={(next) => setParams({ page: String(next) })} />
    </section>
  );
}
