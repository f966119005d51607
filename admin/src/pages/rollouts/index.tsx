import AddOutlined from '@mui/icons-material/AddOutlined';
import { Button, Link } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { Link as RouterLink, Route, Routes, useSearchParams } from 'react-router-dom';
import { useRead } from '../../api/use-api.ts';
import { useWords } from '../../i18n/words.ts';
import { Empty } from '../../ui/Empty.tsx';
import { Loading, Page } from '../../ui/Page.tsx';
import { Pager } from '../../ui/Pager.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Rows, type Column } from '../../ui/Rows.tsx';
import { Status } from '../../ui/Status.tsx';
import { Time } from '../../ui/Time.tsx';
import { NewRollout } from './NewRollout.tsx';
import { Rollout } from './Rollout.tsx';
import { arrived, ROLLOUTS_PATH, TONES, type RolloutView } from './rollout.ts';
import { ROLLOUTS } from './words.ts';

const PER_PAGE = 50;

/** Every rollout of every schema, newest first. */
export default function Rollouts(): ReactElement {
  return (
    <Routes>
      <Route path="/" element={<RolloutList />} />
      <Route path="/:id" element={<Rollout />} />
    </Routes>
  );
}

function RolloutList(): ReactElement {
  const t = useWords(ROLLOUTS);
  const [params, setParams] = useSearchParams();
  const [isStarting, setStarting] = useState(params.has('schema'));
  const page = Number(params.get('page') ?? '1');
  const read = useRead<{ data: readonly RolloutView[]; meta: { total: number } }>(`${ROLLOUTS_PATH}?page=${page}&per_page=${PER_PAGE}`, {
    every: 5_000,
  });
  const start = (
    <Button variant="contained" startIcon={<AddOutlined />} onClick={() => setStarting(true)}>
      {t('new')}
    </Button>
  );
  const rollouts = read.data?.data ?? [];
  const columns: readonly Column<RolloutView>[] = [
    {
      key: 'what',
      label: t('schema'),
      cell: (rollout) => (
        <Link component={RouterLink} to={`/platform/rollouts/${rollout.id}`} sx={{ fontWeight: 600 }}>
          {t('to_version', { schema: rollout.schema, version: rollout.version })}
        </Link>
      ),
    },
    { key: 'state', label: t('state'), cell: ({ status }) => <Status tone={TONES[status]} label={t(status)} /> },
    { key: 'apps', label: t('apps'), cell: ({ apps }) => t('moved_of', { moved: arrived(apps), total: apps.total ?? 0 }) },
    { key: 'begun', label: t('begun'), cell: ({ created_at: at }) => <Time at={at} /> },
  ];
  return (
    <Page title={t('title')} description={t('description')} actions={start}>
      <Problem error={read.error} onRetry={() => void read.refetch()} />
      {read.isPending ? <Loading /> : null}
      {read.data !== undefined && rollouts.length === 0 ? <Empty action={start}>{t('none')}</Empty> : null}
      {rollouts.length === 0 ? null : <Rows label={t('title')} columns={columns} rows={rollouts} keyOf={({ id }) => id} />}
      <Pager page={page} perPage={PER_PAGE} total={read.data?.meta.total ?? 0} onPage={(next) => setParams({ page: String(next) })} />
      {isStarting ? <NewRollout schema={params.get('schema') ?? ''} onClose={() => setStarting(false)} /> : null}
    </Page>
  );
}
