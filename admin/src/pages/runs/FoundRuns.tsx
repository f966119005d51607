/** Runs as operators look for them: filters in the address, the largest groups of trouble first, one thing done to all that match. */
import { Button, Chip, MenuItem, Stack, TextField, Typography } from '@mui/material';
import type { ReactElement } from 'react';
import { useSearchParams } from 'react-router-dom';
import { appPath, useRead } from '../../api/use-api.ts';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { Empty } from '../../ui/Empty.tsx';
import { Loading } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Rows } from '../../ui/Rows.tsx';
import { Status } from '../../ui/Status.tsx';
import { Time } from '../../ui/Time.tsx';
import { OperateMany } from './OperateMany.tsx';
import { RUN_TONES, type ShownStatus } from './run.ts';
import { RunRows, type ListedRun } from './RunRows.tsx';
import { RUNS } from './words.ts';
import { spaced } from '../../ui/spaced.ts';
import { useAddress } from '../../ui/use-address.ts';

const FILTERS = ['status', 'workflow', 'step', 'error'] as const;
const STATUSES: readonly ShownStatus[] = ['stuck', 'running', 'failed', 'completed', 'cancelled'];
const PAGE = 25;
const MOST = 100;

interface Group {
  readonly workflow: string;
  readonly status: ShownStatus;
  readonly step: string | null;
  readonly error: string | null;
  readonly runs: number;
  readonly oldest_at: string;
}

export function FoundRuns(): ReactElement {
  const t = useWords(RUNS);
  const { app } = useDiscovery();
  const [, setParams] = useSearchParams();
  const { params, change: changeAddress, clear } = useAddress();
  const limit = Number(params.get('limit') ?? PAGE);
  const filter = new URLSearchParams(FILTERS.flatMap((name) => (params.get(name) ? [[name, params.get(name) ?? '']] : [])));
  const base = `${appPath(app.name)}/_admin/runs`;
  const found = useRead<{ data: readonly ListedRun[]; page: { next_cursor: string | null } }>(`${base}?${filter}&limit=${limit}`, {
    every: 5_000,
  });
  const counts = useRead<{ data: readonly Group[]; meta: { total: number } }>(`${base}/counts?${filter}`, { every: 5_000 });
  const change = (name: string, value: string): void => changeAddress({ [name]: value }, { replace: true });
  const runs = found.data?.data ?? [];
  const isFiltered = filter.size > 0;
  return (
    <Stack spacing={2}>
      <Filters params={params} change={change} workflows={[...new Set((counts.data?.data ?? []).map(({ workflow }) => workflow))]} />
      <Problem error={found.error ?? counts.error} onRetry={() => void found.refetch()} />
      {found.isPending ? <Loading /> : null}
      {isFiltered && counts.data !== undefined ? <OperateMany filter={filter} total={counts.data.meta.total} /> : null}
      {!isFiltered && counts.data !== undefined && counts.data.data.length > 0 ? (
        <Groups groups={counts.data.data.slice(0, 8)} onShow={(group) => setParams(groupParams(group))} />
      ) : null}
      {found.data !== undefined && runs.length === 0 ? (
        <Empty action={isFiltered ? <Button onClick={clear}>{t('clear')}</Button> : undefined}>
          {t(isFiltered ? 'none_found' : 'none')}
        </Empty>
      ) : null}
      {runs.length === 0 ? null : <RunRows runs={runs} />}
      {found.data?.page.next_cursor && limit < MOST ? (
        <Button sx={{ alignSelf: 'center' }} onClick={() => change('limit', String(Math.min(limit + PAGE, MOST)))}>
          {t('more')}
        </Button>
      ) : null}
    </Stack>
  );
}

const groupParams = ({ workflow, status, step }: Group): Record<string, string> => ({
  workflow,
  status,
  ...(step === null ? {} : { step }),
});

interface FiltersProps {
  readonly params: URLSearchParams;
  readonly workflows: readonly string[];
  readonly change: (name: string, value: string) => void;
}

function Filters({ params, workflows, change }: FiltersProps): ReactElement {
  const t = useWords(RUNS);
  const status = params.get('status') ?? '';
  const workflow = params.get('workflow') ?? '';
  const offered = workflow === '' || workflows.includes(workflow) ? workflows : [workflow, ...workflows];
  return (
    <Stack direction="row" spacing={1} useFlexGap sx={{ flexWrap: 'wrap', alignItems: 'center' }}>
      {(['', ...STATUSES] as const).map((one) => (
        <Chip
          key={one}
          label={t(one === '' ? 'all' : one)}
          color={status === one ? 'primary' : 'default'}
          variant={status === one ? 'filled' : 'outlined'}
          aria-pressed={status === one}
          onClick={() => change('status', one)}
        />
      ))}
      <TextField
        select
        size="small"
        label={t('workflow')}
        value={workflow}
        onChange={(event) => change('workflow', event.target.value)}
        sx={{ minWidth: 160 }}
      >
        <MenuItem value="">{t('all')}</MenuItem>
        {offered.map((name) => (
          <MenuItem key={name} value={name}>
            {spaced(name)}
          </MenuItem>
        ))}
      </TextField>
      <TextField
        size="small"
        label={t('step')}
        value={params.get('step') ?? ''}
        onChange={(event) => change('step', event.target.value)}
        sx={{ width: 160 }}
      />
      <TextField
        size="small"
        type="search"
        label={t('error_contains')}
        value={params.get('error') ?? ''}
        onChange={(event) => change('error', event.target.value)}
        sx={{ width: 200 }}
      />
    </Stack>
  );
}

interface GroupsProps {
  readonly groups: readonly Group[];
  readonly onShow: (group: Group) => void;
}

function Groups({ groups, onShow }: GroupsProps): ReactElement {
  const t = useWords(RUNS);
  return (
    <section aria-label={t('groups')}>
      <Typography variant="subtitle2" component="h2" gutterBottom>
        {t('groups')}
      </Typography>
      <Rows
        label={t('groups')}
        rows={groups}
        keyOf={({ workflow, status, step, error }) => [workflow, status, step, error].join(' ')}
        columns={[
          { key: 'count', label: t('count'), align: 'right', cell: ({ runs }) => runs },
          { key: 'workflow', label: t('workflow'), cell: ({ workflow }) => spaced(workflow) },
          { key: 'state', label: t('state'), cell: ({ status }) => <Status tone={RUN_TONES[status]} label={t(status)} /> },
          { key: 'step', label: t('step'), cell: ({ step, error }) => [step ?? '–', error].filter(Boolean).join(': ') },
          { key: 'oldest', label: t('oldest'), cell: ({ oldest_at: at }) => <Time at={at} as="ago" /> },
          {
            key: 'show',
            label: t('show'),
            cell: (group) => (
              <Button
                size="small"
                aria-label={t('show_group', { group: `${spaced(group.workflow)} ${t(group.status)} ${group.step ?? ''}` })}
                onClick={() => onShow(group)}
              >
                {t('show')}
              </Button>
            ),
          },
        ]}
      />
    </section>
  );
}
