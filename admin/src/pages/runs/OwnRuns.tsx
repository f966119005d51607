import type { ReactElement } from 'react';
import { useSearchParams } from 'react-router-dom';
import { appPath, useRead } from '../../api/use-api.ts';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { Empty } from '../../ui/Empty.tsx';
import { Loading } from '../../ui/Page.tsx';
import { Pager } from '../../ui/Pager.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { shownStatus, type Run } from './run.ts';
import { RunRows } from './RunRows.tsx';
import { RUNS } from './words.ts';

const PER_PAGE = 25;

/** The runs that anybody may see of the records they see. */
export function OwnRuns(): ReactElement {
  const t = useWords(RUNS);
  const { app } = useDiscovery();
  const [params, setParams] = useSearchParams();
  const page = Number(params.get('page') ?? '1');
  const read = useRead<{ data: readonly Run[]; meta: { total: number } }>(
    `${appPath(app.name)}/_workflows?page=${page}&per_page=${PER_PAGE}`,
    { every: 5_000 },
  );
  const runs = (read.data?.data ?? []).map((run) => ({
    ...run,
    status: shownStatus(run),
    step: run.current_step,
    started_at: run.created_at,
  }));
  return (
    <>
      <Problem error={read.error} onRetry={() => void read.refetch()} />
      {read.isPending ? <Loading /> : null}
      {read.data !== undefined && runs.length === 0 ? <Empty>{t('none')}</Empty> : null}
      {runs.length === 0 ? null : <RunRows runs={runs} />}
      <Pager page={page} perPage={PER_PAGE} total={read.data?.meta.total ?? 0} onPage={(next) => setParams({ page: String(next) })} />
    </>
  );
}
