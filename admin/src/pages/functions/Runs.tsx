import { Button, Dialog, DialogActions, DialogContent, DialogTitle, Link, MenuItem, Stack, TextField, Typography } from '@mui/material';
import { useId, useState, type ReactElement } from 'react';
import { Link as To, useSearchParams } from 'react-router-dom';
import { appPath, useRead, useSend } from '../../api/use-api.ts';
import { useFormat } from '../../i18n/format.ts';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { Code } from '../../ui/Code.tsx';
import { Empty } from '../../ui/Empty.tsx';
import { Loading } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Rows } from '../../ui/Rows.tsx';
import { Status, type Tone } from '../../ui/Status.tsx';
import { Time } from '../../ui/Time.tsx';
import { FUNCTIONS } from './words.ts';

const STATUSES = ['pending', 'running', 'succeeded', 'failed'] as const;
type RunStatus = (typeof STATUSES)[number];

interface FunctionRun {
  readonly id: string;
  readonly function: string;
  readonly event_id: string | null;
  readonly entity: string;
  readonly record_id: string | null;
  readonly status: RunStatus;
  readonly attempt: number;
  readonly input: unknown;
  readonly output: unknown;
  readonly error: string | null;
  readonly ms: number | null;
  readonly created_at: string;
}

const TONES: Readonly<Record<RunStatus, Tone>> = { pending: 'waiting', running: 'running', succeeded: 'done', failed: 'failed' };

/** The log, newest first; its place (`?status=&cursor=`) stands in the address. */
export function Runs(): ReactElement {
  const t = useWords(FUNCTIONS);
  const { app } = useDiscovery();
  const [search, setSearch] = useSearchParams();
  const status = STATUSES.find((each) => each === search.get('status'));
  const cursor = search.get('cursor');
  const query = new URLSearchParams({ limit: '25', ...(status === undefined ? {} : { status }), ...(cursor === null ? {} : { cursor }) });
  const path = `${appPath(app.name)}/_admin/functions/runs`;
  const runs = useRead<{ readonly data: readonly FunctionRun[]; readonly page: { readonly next_cursor: string | null } }>(
    `${path}?${query.toString()}`,
    {
      every: 5_000,
    },
  );
  const send = useSend();
  const [error, setError] = useState<unknown>();
  const [opened, setOpened] = useState<FunctionRun | undefined>();
  const retry = (id: string): void => {
    setError(undefined);
    send('POST', `${path}/${id}/retry`).catch(setError);
  };
  const next = runs.data?.page.next_cursor ?? null;
  return (
    <Stack spacing={2}>
      <TextField
        select
        size="small"
        label={t('status')}
        value={status ?? ''}
        onChange={(event) => setSearch(event.target.value === '' ? {} : { status: event.target.value }, { replace: true })}
        slotProps={{ select: { displayEmpty: true }, inputLabel: { shrink: true } }}
        sx={{ width: 220 }}
      >
        <MenuItem value="">{t('any_status')}</MenuItem>
        {STATUSES.map((each) => (
          <MenuItem key={each} value={each}>
            {t(`status_${each}`)}
          </MenuItem>
        ))}
      </TextField>
      <Problem error={error ?? runs.error} onRetry={() => (setError(undefined), void runs.refetch())} />
      {runs.isPending ? <Loading /> : null}
      {runs.data === undefined ? null : runs.data.data.length === 0 ? (
        <Empty>{t('runs_none')}</Empty>
      ) : (
        <RunRows runs={runs.data.data} onOpen={setOpened} onRetry={retry} />
      )}
      {next === null ? null : (
        <Button sx={{ alignSelf: 'start' }} onClick={() => setSearch({ ...(status === undefined ? {} : { status }), cursor: next })}>
          {t('more')}
        </Button>
      )}
      {opened === undefined ? null : <RunDialog run={opened} onClose={() => setOpened(undefined)} />}
    </Stack>
  );
}

interface RunRowsProps {
  readonly runs: readonly FunctionRun[];
  readonly onOpen: (run: FunctionRun) => void;
  readonly onRetry: (id: string) => void;
}

function RunRows({ runs, onOpen, onRetry }: RunRowsProps): ReactElement {
  const t = useWords(FUNCTIONS);
  const format = useFormat();
  const { app } = useDiscovery();
  const named = (run: FunctionRun): { readonly name: string; readonly at: string } => ({
    name: run.function,
    at: format.time(run.created_at),
  });
  return (
    <Rows
      label={t('tab_runs')}
      rows={runs}
      keyOf={({ id }) => id}
      columns={[
        { key: 'at', label: t('at'), cell: ({ created_at: at }) => <Time at={at} /> },
        {
          key: 'function',
          label: t('function'),
          cell: (run) => (
            <Link
              component="button"
              type="button"
              onClick={() => onOpen(run)}
              aria-label={t('details', named(run))}
              sx={{ fontFamily: 'monospace', textAlign: 'left' }}
            >
              {run.function}
            </Link>
          ),
        },
        {
          key: 'record',
          label: t('record'),
          cell: ({ entity, record_id: record }) =>
            record === null ? (
              entity
            ) : (
              <Link component={To} to={`/t/${app.name}/${entity}/${encodeURIComponent(record)}/show`}>
                {`${entity} ${record.slice(0, 8)}…`}
              </Link>
            ),
        },
        { key: 'status', label: t('status'), cell: ({ status }) => <Status tone={TONES[status]} label={t(`status_${status}`)} /> },
        { key: 'attempt', label: t('attempt'), align: 'right', cell: ({ attempt }) => attempt },
        { key: 'took', label: t('took'), align: 'right', cell: ({ ms }) => (ms === null ? '–' : format.duration(ms)) },
        { key: 'error', label: t('error'), cell: ({ error }) => error ?? '–' },
        {
          key: 'tools',
          label: t('actions'),
          cell: (run) =>
            run.status === 'failed' && run.event_id !== null ? (
              <Button size="small" aria-label={t('retry_one', named(run))} onClick={() => onRetry(run.id)}>
                {t('retry')}
              </Button>
            ) : null,
        },
      ]}
    />
  );
}

function RunDialog({ run, onClose }: { readonly run: FunctionRun; readonly onClose: () => void }): ReactElement {
  const t = useWords(FUNCTIONS);
  const id = useId();
  const part = (label: string, value: unknown): ReactElement | null =>
    value === null || value === undefined ? null : (
      <div>
        <Typography component="h3" variant="body2" sx={{ fontWeight: 600, mb: 0.5 }}>
          {label}
        </Typography>
        <Code label={label} text={JSON.stringify(value, null, 2)} maxHeight={240} />
      </div>
    );
  return (
    <Dialog open onClose={onClose} aria-labelledby={id} fullWidth maxWidth="sm">
      <DialogTitle id={id}>{t('run', { name: run.function })}</DialogTitle>
      <DialogContent>
        <Stack spacing={2}>
          {part(t('input'), run.input)}
          {part(t('output'), run.output)}
          {part(t('error'), run.error)}
        </Stack>
      </DialogContent>
      <DialogActions>
        <Button onClick={onClose}>{t('close')}</Button>
      </DialogActions>
    </Dialog>
  );
}
