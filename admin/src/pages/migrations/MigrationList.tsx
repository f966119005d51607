import { Box, Button, Link, MenuItem, TextField } from '@mui/material';
import type { ReactElement } from 'react';
import { Link as RouterLink, useSearchParams } from 'react-router-dom';
import { appPath, useRead } from '../../api/use-api.ts';
import { useWords } from '../../i18n/words.ts';
import { useAuthor } from '../../plan/use-author.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { Empty } from '../../ui/Empty.tsx';
import { Loading, Page } from '../../ui/Page.tsx';
import { Pager } from '../../ui/Pager.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Rows, type Column } from '../../ui/Rows.tsx';
import { Time } from '../../ui/Time.tsx';
import { Maintenance } from './Maintenance.tsx';
import { isMoving, STATUSES, type Migration } from './migration.ts';
import { Progress } from './Progress.tsx';
import { MigrationState } from './MigrationState.tsx';
import { MIGRATIONS } from './words.ts';

interface MigrationsAnswer {
  readonly data: readonly Migration[];
  readonly meta: { readonly page: number; readonly per_page: number; readonly total: number };
}

const SOON_MS = 1_500;
const LATER_MS = 15_000;

export function MigrationList(): ReactElement {
  const t = useWords(MIGRATIONS);
  const { app } = useDiscovery();
  const [parameters, setParameters] = useSearchParams();
  const status = parameters.get('status') ?? '';
  const page = Math.max(Number(parameters.get('page') ?? 1) || 1, 1);
  const path = `${appPath(app.name)}/_admin/migrations?page=${String(page)}${status === '' ? '' : `&status=${encodeURIComponent(status)}`}`;
  const {
    data: answer,
    error,
    isPending,
    refetch,
  } = useRead<MigrationsAnswer>(path, {
    every: (found) => (found?.data.some(isMoving) === true ? SOON_MS : LATER_MS),
  });
  const columns = useColumns();
  return (
    <Page
      title={t('title')}
      description={t('description')}
      actions={<StatusFilter value={status} onChange={(next) => setParameters(next === '' ? {} : { status: next })} />}
    >
      <Maintenance />
      <Problem error={error} onRetry={() => void refetch()} />
      {isPending ? <Loading /> : null}
      {answer === undefined ? null : answer.data.length === 0 ? (
        <Empty action={status === '' ? undefined : <Button onClick={() => setParameters({})}>{t('show_all')}</Button>}>
          {t(status === '' ? 'none' : 'none_of_status')}
        </Empty>
      ) : (
        <>
          <Rows label={t('title')} rows={answer.data} keyOf={(row) => row.id} columns={columns} />
          <Pager
            page={page}
            perPage={answer.meta.per_page}
            total={answer.meta.total}
            onPage={(next) => setParameters({ ...(status === '' ? {} : { status }), page: String(next) })}
          />
        </>
      )}
    </Page>
  );
}

function StatusFilter({ value, onChange }: { readonly value: string; readonly onChange: (status: string) => void }): ReactElement {
  const t = useWords(MIGRATIONS);
  return (
    <TextField
      select
      size="small"
      label={t('status')}
      value={value}
      onChange={(event) => onChange(event.target.value)}
      sx={{ minWidth: 180 }}
      slotProps={{ select: { displayEmpty: true }, inputLabel: { shrink: true } }}
    >
      <MenuItem value="">{t('any_status')}</MenuItem>
      {STATUSES.map((status) => (
        <MenuItem key={status} value={status}>
          {t(status)}
        </MenuItem>
      ))}
    </TextField>
  );
}

function useColumns(): readonly Column<Migration>[] {
  const t = useWords(MIGRATIONS);
  const { app } = useDiscovery();
  const author = useAuthor();
  return [
    {
      key: 'versions',
      label: t('versions_from_to'),
      cell: (row) => (
        <Link
          component={RouterLink}
          to={`/t/${app.name}/_migrations/${row.id}`}
          sx={{ fontWeight: 600, whiteSpace: 'nowrap' }}
          aria-label={`${t('from_to', { from: row.from_version, to: row.to_version })}: ${t('migration', { to: row.to_version })}`}
        >
          {t('from_to', { from: row.from_version, to: row.to_version })}
        </Link>
      ),
    },
    { key: 'status', label: t('status'), cell: (row) => <MigrationState migration={row} /> },
    { key: 'far', label: t('how_far'), cell: (row) => <HowFar row={row} /> },
    { key: 'old', label: t('old_traffic'), align: 'right', cell: (row) => row.old_traffic?.clients ?? '–' },
    { key: 'by', label: t('by'), cell: (row) => author(row.created_by) },
    { key: 'when', label: t('when'), cell: (row) => <Time at={row.created_at} /> },
  ];
}

function HowFar({ row }: { readonly row: Migration }): ReactElement {
  const t = useWords(MIGRATIONS);
  if (row.status === 'running' || row.status === 'paused') {
    return (
      <Box sx={{ minWidth: 160 }}>
        <Progress migration={row} isShort />
      </Box>
    );
  }
  const until = row.status === 'ready' ? (row.retention_until ?? row.grace_until) : null;
  if (until === null) return <>{row.steps.length === 0 ? '–' : t('steps_of', { done: row.progress.done, total: row.progress.total })}</>;
  return (
    <>
      {t(row.retention_until === null ? 'grace_until' : 'retention_until')} <Time at={until} />
    </>
  );
}
