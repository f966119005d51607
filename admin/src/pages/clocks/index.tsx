/** The clocks of the records one may read, those that are due first before the rest. */
import { Box, Chip, LinearProgress, Stack } from '@mui/material';
import type { ReactElement } from 'react';
import { useSearchParams } from 'react-router-dom';
import { appPath, useRead } from '../../api/use-api.ts';
import { useFormat } from '../../i18n/format.ts';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { Empty } from '../../ui/Empty.tsx';
import { Loading, Page } from '../../ui/Page.tsx';
import { Pager } from '../../ui/Pager.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Rows, type Column } from '../../ui/Rows.tsx';
import { Status } from '../../ui/Status.tsx';
import { Time } from '../../ui/Time.tsx';
import { RecordLink } from '../runs/RunRows.tsx';
import { CLOCK_TONES, shownState, type Clock } from './clock.ts';
import { CLOCKS } from './words.ts';

const FILTERS = ['open', 'breached', 'paused', 'met', 'all'] as const;
type Filter = (typeof FILTERS)[number];
const QUERIES: Readonly<Record<Filter, string>> = {
  open: '&open=true',
  breached: '&state=breached',
  paused: '&state=paused',
  met: '&state=met',
  all: '',
};
const PER_PAGE = 50;

export default function Clocks(): ReactElement {
  const t = useWords(CLOCKS);
  const { app } = useDiscovery();
  const [params, setParams] = useSearchParams();
  const filter = FILTERS.find((one) => one === params.get('show')) ?? 'open';
  const page = Number(params.get('page') ?? '1');
  const read = useRead<{ data: readonly Clock[]; meta: { total: number } }>(
    `${appPath(app.name)}/_slas?page=${page}&per_page=${PER_PAGE}${QUERIES[filter]}`,
    { every: 5_000 },
  );
  const clocks = read.data?.data ?? [];
  return (
    <Page title={t('title')} description={t('description')}>
      <Stack direction="row" spacing={1} useFlexGap sx={{ mb: 2, flexWrap: 'wrap' }}>
        {FILTERS.map((one) => (
          <Chip
            key={one}
            label={t(one)}
            color={one === filter ? 'primary' : 'default'}
            variant={one === filter ? 'filled' : 'outlined'}
            aria-pressed={one === filter}
            onClick={() => setParams({ show: one })}
          />
        ))}
      </Stack>
      <Problem error={read.error} onRetry={() => void read.refetch()} />
      {read.isPending ? <Loading /> : null}
      {read.data !== undefined && clocks.length === 0 ? <Empty>{t('none')}</Empty> : null}
      {clocks.length === 0 ? null : <ClockRows clocks={clocks} />}
      <Pager
        page={page}
        perPage={PER_PAGE}
        total={read.data?.meta.total ?? 0}
        onPage={(next) => setParams({ show: filter, page: String(next) })}
      />
    </Page>
  );
}

function ClockRows({ clocks }: { readonly clocks: readonly Clock[] }): ReactElement {
  const t = useWords(CLOCKS);
  const columns: readonly Column<Clock>[] = [
    { key: 'sla', label: t('sla'), cell: ({ sla }) => sla },
    { key: 'record', label: t('record'), cell: (clock) => <RecordLink of={clock} /> },
    {
      key: 'state',
      label: t('state'),
      cell: (clock) => <Status tone={CLOCK_TONES[shownState(clock)]} label={t(shownState(clock))} />,
    },
    { key: 'due', label: t('due'), cell: ({ due_at: at }) => <Time at={at} /> },
    { key: 'left', label: t('left'), cell: (clock) => <Left clock={clock} /> },
  ];
  return <Rows label={t('title')} columns={columns} rows={clocks} keyOf={({ id }) => id} />;
}

function Left({ clock: { percent, remaining_ms: left, sla } }: { readonly clock: Clock }): ReactElement {
  const t = useWords(CLOCKS);
  const format = useFormat();
  if (left === null || percent === null) return <span>–</span>;
  const isLate = left < 0;
  return (
    <Box sx={{ minWidth: 120 }}>
      {t(isLate ? 'late' : 'time_left', { time: format.duration(Math.abs(left)) })}
      <LinearProgress
        variant="determinate"
        aria-label={`${t('used')}: ${sla}`}
        value={Math.min(percent, 100)}
        color={isLate ? 'error' : percent >= 80 ? 'warning' : 'primary'}
      />
    </Box>
  );
}
