/** The draft on the changes of a stored record, as `_admin/slas/try` counts them. */
import { Alert, Box, LinearProgress, Paper, Stack, TextField, Typography } from '@mui/material';
import { useMemo, useState, type ReactElement } from 'react';
import { appPath, useAsk, useRested } from '../../api/use-api.ts';
import { RecordInput } from '../../definitions/RecordInput.tsx';
import { Refused } from '../../definitions/Refused.tsx';
import { useFormat } from '../../i18n/format.ts';
import { useWords } from '../../i18n/words.ts';
import { entityNamed, useDiscovery } from '../../shell/discovery-context.ts';
import { Rows } from '../../ui/Rows.tsx';
import { Status } from '../../ui/Status.tsx';
import { Time } from '../../ui/Time.tsx';
import { CLOCK_TONES, type ClockState } from '../clocks/clock.ts';
import { SLAS } from './words.ts';

interface Clock {
  readonly state: ClockState;
  readonly started_at: string | null;
  readonly due_at: string | null;
  readonly target_ms: number | null;
  readonly elapsed_ms: number;
  readonly history: readonly { readonly at: string; readonly what: Happening; readonly label?: string }[];
}

type Happening = 'started' | 'paused' | 'resumed' | 'reset' | 'stopped' | 'cancelled' | 'warned' | 'breached' | 'escalated';

interface SlaTrialProps {
  readonly entity: string;
  /** Undefined while the draft is not whole. */
  readonly body: object | undefined;
}

export function SlaTrial({ entity: name, body }: SlaTrialProps): ReactElement | null {
  const t = useWords(SLAS);
  const discovery = useDiscovery();
  const entity = entityNamed(discovery, name);
  const [record, setRecord] = useState('');
  const [now, setNow] = useState('');
  const question = useMemo(() => {
    if (body === undefined || record === '') return undefined;
    const at = now === '' ? undefined : new Date(now);
    return {
      definition: withoutNulls(body),
      record_id: record,
      ...(at === undefined || Number.isNaN(at.getTime()) ? {} : { now: at.toISOString() }),
    };
  }, [body, record, now]);
  const tried = useAsk<{ readonly data: { readonly clocks: readonly Clock[] } }>(
    `${appPath(discovery.app.name)}/_admin/slas/try`,
    useRested(question),
  );
  if (entity === undefined) return null;
  const clocks = question === undefined || tried.error !== null ? undefined : tried.data?.data.clocks;
  return (
    <Paper variant="outlined" component="section" aria-label={t('try')} sx={{ p: 2, minWidth: 0 }}>
      <Typography component="h2" variant="h6">
        {t('try')}
      </Typography>
      <Typography variant="body2" sx={{ color: 'text.secondary', mb: 2 }}>
        {t('try_says')}
      </Typography>
      <Stack spacing={2}>
        <RecordInput entity={entity} value={record} onChange={setRecord} />
        <TextField
          size="small"
          type="datetime-local"
          label={t('try_now')}
          value={now}
          onChange={(event) => setNow(event.target.value)}
          helperText={t('try_now_hint')}
          slotProps={{ inputLabel: { shrink: true } }}
        />
        {question === undefined ? null : <Refused error={tried.error} />}
        {clocks?.length === 0 ? <Alert severity="info">{t('no_clock')}</Alert> : null}
        {(clocks ?? []).map((clock, index) => (
          <ClockView key={index} clock={clock} number={index + 1} />
        ))}
      </Stack>
    </Paper>
  );
}

/** A definition of its own has no stored form that null would take away. */
const withoutNulls = (body: object): object => Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));

function ClockView({ clock, number }: { readonly clock: Clock; readonly number: number }): ReactElement {
  const t = useWords(SLAS);
  const format = useFormat();
  const share = clock.target_ms === null || clock.target_ms === 0 ? undefined : Math.min(100, (clock.elapsed_ms / clock.target_ms) * 100);
  return (
    <Box component="article" aria-label={t('clock', { number })}>
      <Stack direction="row" useFlexGap spacing={1} sx={{ alignItems: 'center', flexWrap: 'wrap', mb: 1 }}>
        <Status tone={CLOCK_TONES[clock.state]} label={t(`state_${clock.state}`)} />
        <Typography variant="body2">
          {t('elapsed', { time: format.duration(clock.elapsed_ms) })}{' '}
          {clock.target_ms === null ? '' : t('of_target', { time: format.duration(clock.target_ms) })}
          {clock.due_at === null ? null : (
            <>
              {' · '}
              {t('due')} <Time at={clock.due_at} />
            </>
          )}
        </Typography>
      </Stack>
      {share === undefined ? null : (
        <LinearProgress
          variant="determinate"
          value={share}
          color={clock.state === 'breached' ? 'error' : 'primary'}
          aria-label={t('clock', { number })}
          sx={{ mb: 1 }}
        />
      )}
      <Rows
        label={`${t('history')} ${number}`}
        rows={clock.history.map((each, index) => ({ ...each, index }))}
        keyOf={({ index }) => index}
        columns={[
          { key: 'when', label: t('when'), cell: ({ at }) => <Time at={at} /> },
          { key: 'what', label: t('what'), cell: ({ what, label }) => `${t(`what_${what}`)}${label === undefined ? '' : ` (${label})`}` },
        ]}
      />
    </Box>
  );
}
