import ReplayOutlined from '@mui/icons-material/ReplayOutlined';
import { Button, Chip, IconButton, Link, MenuItem, Stack, TextField, Tooltip, Typography } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { Link as To } from 'react-router-dom';
import { appPath, useRead, useSend } from '../../api/use-api.ts';
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
import { useAddress } from '../../ui/use-address.ts';
import { hasEnded, isoOf, localOf, STATUSES, TONES, type Delivery } from './delivery.ts';
import { RecordOf } from './RecordOf.tsx';
import { ReplayMany } from './ReplayMany.tsx';
import { Replays } from './Replays.tsx';
import { useWebhooks } from './use-webhooks.ts';
import { DELIVERIES } from './words.ts';

const FILTERS = ['status', 'webhook', 'entity', 'record_id', 'event_id', 'from', 'to'] as const;
type Filter = (typeof FILTERS)[number];
const PER_PAGE = 25;

interface Listed {
  readonly data: readonly Delivery[];
  readonly meta: { readonly total: number };
}

export function DeliveryList(): ReactElement {
  const t = useWords(DELIVERIES);
  const { app } = useDiscovery();
  const { params, change: changeAddress, clear } = useAddress();
  const page = Number(params.get('page') ?? '1');
  const filter = new URLSearchParams(FILTERS.flatMap((name) => (params.get(name) ? [[name, params.get(name) ?? '']] : [])));
  const read = useRead<Listed>(`${appPath(app.name)}/_admin/deliveries?${filter.toString()}&page=${page}&per_page=${PER_PAGE}`, {
    every: 3_000,
  });
  const [isAsking, setAsking] = useState(false);
  const change = (name: Filter, value: string): void => changeAddress({ page: undefined, [name]: value }, { replace: true });
  const rows = read.data?.data ?? [];
  const replayMany = (
    <Button variant="outlined" startIcon={<ReplayOutlined />} onClick={() => setAsking(true)}>
      {t('replay_many')}
    </Button>
  );
  return (
    <Page title={t('title')} description={t('description')} actions={replayMany}>
      <Stack spacing={2}>
        <Filters params={params} change={change} />
        <Replays />
        <Problem error={read.error} onRetry={() => void read.refetch()} />
        {read.isPending ? <Loading /> : null}
        {read.data !== undefined && rows.length === 0 ? (
          <Empty action={filter.size > 0 ? <Button onClick={clear}>{t('clear')}</Button> : undefined}>
            {t(filter.size > 0 ? 'none_found' : 'none')}
          </Empty>
        ) : null}
        {rows.length === 0 ? null : <DeliveryRows deliveries={rows} />}
      </Stack>
      <Pager page={page} perPage={PER_PAGE} total={read.data?.meta.total ?? 0} onPage={(next) => changeAddress({ page: String(next) })} />
      {isAsking ? <ReplayMany filter={filter} onClose={() => setAsking(false)} /> : null}
    </Page>
  );
}

interface FiltersProps {
  readonly params: URLSearchParams;
  readonly change: (name: Filter, value: string) => void;
}

function Filters({ params, change }: FiltersProps): ReactElement {
  const t = useWords(DELIVERIES);
  const discovery = useDiscovery();
  const { webhooks, nameOf } = useWebhooks();
  const status = params.get('status') ?? '';
  const webhook = params.get('webhook') ?? '';
  const choice = (name: 'webhook' | 'entity', any: string, options: readonly (readonly [value: string, label: string])[]): ReactElement => (
    <TextField
      select
      size="small"
      label={t(name)}
      value={params.get(name) ?? ''}
      onChange={(event) => change(name, event.target.value)}
      slotProps={{ select: { displayEmpty: true }, inputLabel: { shrink: true } }}
      sx={{ minWidth: 160 }}
    >
      <MenuItem value="">{any}</MenuItem>
      {options.map(([value, label]) => (
        <MenuItem key={value} value={value}>
          {label}
        </MenuItem>
      ))}
    </TextField>
  );
  const isKnown = webhook === '' || webhooks.some(({ id }) => id === webhook);
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
      {choice('webhook', t('any_webhook'), [
        ...webhooks.map(({ id }) => [id, nameOf(id)] as const),
        ...(isKnown ? [] : [[webhook, nameOf(webhook)] as const]),
      ])}
      {choice(
        'entity',
        t('any_entity'),
        discovery.entities.map(({ name, label }) => [name, label] as const),
      )}
      {(['record_id', 'event_id'] as const).map((name) => (
        <TextField
          key={name}
          size="small"
          type="search"
          label={t(name)}
          value={params.get(name) ?? ''}
          onChange={(event) => change(name, event.target.value.trim())}
          sx={{ width: 180 }}
        />
      ))}
      {(['from', 'to'] as const).map((name) => (
        <TextField
          key={name}
          size="small"
          type="datetime-local"
          label={t(name)}
          value={localOf(params.get(name))}
          onChange={(event) => change(name, isoOf(event.target.value))}
          slotProps={{ inputLabel: { shrink: true } }}
        />
      ))}
    </Stack>
  );
}

function DeliveryRows({ deliveries }: { readonly deliveries: readonly Delivery[] }): ReactElement {
  const t = useWords(DELIVERIES);
  const { app } = useDiscovery();
  const send = useSend();
  const [error, setError] = useState<unknown>();
  const replay = (id: string): void => {
    setError(undefined);
    send('POST', `${appPath(app.name)}/_admin/deliveries/${id}/replay`).catch(setError);
  };
  return (
    <div>
      <Problem error={error} />
      <Rows label={t('title')} rows={deliveries} keyOf={({ id }) => id} columns={useColumns(replay)} />
    </div>
  );
}

function useColumns(onReplay: (id: string) => void): readonly Column<Delivery>[] {
  const t = useWords(DELIVERIES);
  const format = useFormat();
  const { app } = useDiscovery();
  const { nameOf } = useWebhooks();
  return [
    {
      key: 'created',
      label: t('created'),
      cell: ({ id, created_at: at }) => (
        <Link component={To} to={`/t/${app.name}/_deliveries/${id}`}>
          <Time at={at} />
        </Link>
      ),
    },
    { key: 'webhook', label: t('webhook'), cell: ({ webhook }) => nameOf(webhook) },
    { key: 'record', label: t('record'), cell: (delivery) => <RecordOf delivery={delivery} /> },
    {
      key: 'status',
      label: t('status'),
      width: '32%',
      cell: ({ status, reason }) => (
        <>
          <Status tone={TONES[status]} label={t(status)} />
          {reason === null ? null : (
            <Typography variant="caption" component="div" sx={{ color: 'text.secondary', mt: 0.5 }}>
              {reason}
            </Typography>
          )}
        </>
      ),
    },
    { key: 'attempts', label: t('attempts'), align: 'right', cell: ({ attempts }) => format.number(attempts.length) },
    {
      key: 'answer',
      label: t('answer'),
      cell: ({ attempts }) => {
        const last = attempts.at(-1);
        if (last === undefined) return '–';
        return last.status === null ? t('no_answer') : `${last.status}, ${format.duration(last.latency_ms ?? 0)}`;
      },
    },
    { key: 'next', label: t('next'), cell: ({ next_attempt_at: at }) => <Time at={at} as="ago" /> },
    {
      key: 'tools',
      label: t('tools'),
      width: 64,
      cell: (delivery) =>
        hasEnded(delivery) ? (
          <Tooltip title={t('replay')}>
            <IconButton
              size="small"
              aria-label={t('replay_one', { at: format.time(delivery.created_at) })}
              onClick={() => onReplay(delivery.id)}
            >
              <ReplayOutlined fontSize="small" />
            </IconButton>
          </Tooltip>
        ) : null,
    },
  ];
}
