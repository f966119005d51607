/** What waits for a decision: mine or everybody's, filtered in the address, one by one or several at once. */
import EventBusyOutlined from '@mui/icons-material/EventBusyOutlined';
import { Alert, Button, FormControlLabel, MenuItem, Stack, Switch, Tab, Tabs, TextField } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { Link as RouterLink } from 'react-router-dom';
import { appPath, useRead, useSend } from '../../api/use-api.ts';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { Empty } from '../../ui/Empty.tsx';
import { Loading, Page } from '../../ui/Page.tsx';
import { Pager } from '../../ui/Pager.tsx';
import { Problem } from '../../ui/Problem.tsx';
import type { Run } from '../runs/run.ts';
import { ApprovalCard } from './ApprovalCard.tsx';
import { APPROVALS } from './words.ts';
import { spaced } from '../../ui/spaced.ts';
import { useAddress } from '../../ui/use-address.ts';

interface PendingAnswer {
  readonly data: readonly Run[];
  readonly meta: { readonly total: number; readonly overdue: number; readonly by_workflow: Readonly<Record<string, number>> };
}

const PER_PAGE = 20;
const SORTS = ['due_at', '-created_at', 'created_at'] as const;

export default function Approvals(): ReactElement {
  const t = useWords(APPROVALS);
  const { app } = useDiscovery();
  const { params, change: changeAddress } = useAddress();
  const [outcome, setOutcome] = useState<string>();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const isMine = params.get('who') !== 'all';
  const page = Number(params.get('page') ?? '1');
  const read = useRead<PendingAnswer>(`${appPath(app.name)}/_workflows/pending?${queryOf(params)}`, { every: 5_000 });
  const runs = read.data?.data ?? [];
  const change = (name: string, value: string): void => changeAddress({ page: undefined, [name]: value });
  const choose = (id: string): void =>
    setChosen((before) => new Set(before.has(id) ? [...before].filter((one) => one !== id) : [...before, id]));
  return (
    <Page
      title={t('title')}
      width="form"
      description={t('description')}
      actions={
        <Button component={RouterLink} to={`/t/${app.name}/_absences`} startIcon={<EventBusyOutlined />}>
          {t('absences')}
        </Button>
      }
    >
      <Tabs value={isMine ? 'mine' : 'all'} onChange={(_, who: string) => change('who', who === 'all' ? 'all' : '')} sx={{ mb: 2 }}>
        <Tab value="mine" label={t('mine')} />
        <Tab value="all" label={t('everybody')} />
      </Tabs>
      <Filters params={params} counts={read.data?.meta.by_workflow ?? {}} change={change} />
      <div role="status">{outcome === undefined ? null : <Alert sx={{ mb: 2 }}>{outcome}</Alert>}</div>
      <Problem error={read.error} onRetry={() => void read.refetch()} />
      {read.isPending ? <Loading /> : null}
      {read.data !== undefined && runs.length === 0 ? <Empty>{t(isMine ? 'none' : 'none_open')}</Empty> : null}
      <ApproveChosen
        runs={runs.filter(({ task }) => task !== null && chosen.has(task.id))}
        onDone={(text) => (setOutcome(text), setChosen(new Set()))}
      />
      <Stack spacing={2}>
        {runs.map((run) =>
          run.task === null ? null : (
            <ApprovalCard
              key={run.task.id}
              run={run}
              task={run.task}
              onDone={setOutcome}
              {...(run.task.can_decide && !run.task.comment_required && run.task.kind === 'approval'
                ? { isChosen: chosen.has(run.task.id), onChoose: () => choose(run.task?.id ?? '') }
                : {})}
            />
          ),
        )}
      </Stack>
      <Pager page={page} perPage={PER_PAGE} total={read.data?.meta.total ?? 0} onPage={(next) => change('page', String(next))} />
    </Page>
  );
}

function queryOf(params: URLSearchParams): string {
  const sort = params.get('sort') ?? 'due_at';
  const query = new URLSearchParams({ page: params.get('page') ?? '1', per_page: String(PER_PAGE), sort });
  if (params.get('who') !== 'all') query.set('assignee', 'me');
  for (const name of ['workflow', 'overdue']) if (params.has(name)) query.set(name, params.get(name) ?? '');
  return query.toString();
}

interface FiltersProps {
  readonly params: URLSearchParams;
  readonly counts: Readonly<Record<string, number>>;
  readonly change: (name: string, value: string) => void;
}

function Filters({ params, counts, change }: FiltersProps): ReactElement {
  const t = useWords(APPROVALS);
  const workflow = params.get('workflow') ?? '';
  const names = Object.keys(counts);
  return (
    <Stack direction="row" spacing={2} useFlexGap sx={{ mb: 2, flexWrap: 'wrap', alignItems: 'center' }}>
      <TextField
        select
        size="small"
        label={t('workflow')}
        value={workflow}
        onChange={(event) => change('workflow', event.target.value)}
        sx={{ minWidth: 180 }}
      >
        <MenuItem value="">{t('all_workflows')}</MenuItem>
        {(workflow === '' || names.includes(workflow) ? names : [workflow, ...names]).map((name) => (
          <MenuItem key={name} value={name}>
            {spaced(name)} ({counts[name] ?? 0})
          </MenuItem>
        ))}
      </TextField>
      <TextField
        select
        size="small"
        label={t('sort')}
        value={params.get('sort') ?? 'due_at'}
        onChange={(event) => change('sort', event.target.value)}
        sx={{ minWidth: 160 }}
      >
        {SORTS.map((sort) => (
          <MenuItem key={sort} value={sort}>
            {t(sort)}
          </MenuItem>
        ))}
      </TextField>
      <FormControlLabel
        control={
          <Switch
            size="small"
            checked={params.get('overdue') === 'true'}
            onChange={(event) => change('overdue', event.target.checked ? 'true' : '')}
          />
        }
        label={t('overdue')}
      />
    </Stack>
  );
}

interface ApproveChosenProps {
  readonly runs: readonly Run[];
  readonly onDone: (text: string) => void;
}

/** One after the other: each is its own decision, and one that is refused does not hold up the rest. */
function ApproveChosen({ runs, onDone }: ApproveChosenProps): ReactElement | null {
  const t = useWords(APPROVALS);
  const { app } = useDiscovery();
  const send = useSend();
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  if (runs.length === 0) return <Problem error={error} />;
  const approveAll = async (): Promise<void> => {
    setBusy(true);
    setError(undefined);
    let done = 0;
    for (const run of runs) {
      try {
        await send('POST', `${appPath(app.name)}/_workflows/${run.id}/approve`, { task: run.task?.id });
        done += 1;
      } catch (refusal) {
        setError(refusal);
      }
    }
    setBusy(false);
    onDone(t('approved_all', { done, total: runs.length }));
  };
  return (
    <Stack direction="row" spacing={2} sx={{ mb: 2, alignItems: 'center' }}>
      <span>{t('selected', runs.length)}</span>
      <Button variant="contained" disabled={isBusy} onClick={() => void approveAll()}>
        {t('approve_all')}
      </Button>
    </Stack>
  );
}
