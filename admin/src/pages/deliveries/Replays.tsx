/** Replays that are under way, and the last one: how far they are, stopped on demand. */
import { Button, LinearProgress, Paper, Stack, Typography } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { appPath, useRead, useSend } from '../../api/use-api.ts';
import { useFormat } from '../../i18n/format.ts';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { Problem } from '../../ui/Problem.tsx';
import { Status, type Tone } from '../../ui/Status.tsx';
import { isMoving, type Replay } from './delivery.ts';
import { useWebhooks } from './use-webhooks.ts';
import { DELIVERIES } from './words.ts';

const LIVE_MS = 700;
const QUIET_MS = 5_000;
/** The last one is told of for a while after it has ended. */
const NEWS_MS = 15 * 60_000;

export function Replays(): ReactElement | null {
  const t = useWords(DELIVERIES);
  const { app } = useDiscovery();
  const read = useRead<{ readonly data: readonly Replay[] }>(`${appPath(app.name)}/_admin/deliveries/replays`, {
    every: (found) => (found?.data.some(isMoving) === true ? LIVE_MS : QUIET_MS),
  });
  const isNews = (replay: Replay, at: number): boolean => at === 0 && Date.now() - Date.parse(replay.created_at) < NEWS_MS;
  const shown = (read.data?.data ?? []).filter((replay, at) => isMoving(replay) || isNews(replay, at));
  if (shown.length === 0) return null;
  return (
    <Stack component="section" aria-label={t('replays')} spacing={1}>
      {shown.map((replay) => (
        <OneReplay key={replay.id} replay={replay} />
      ))}
    </Stack>
  );
}

const TONES = { running: 'running', sending: 'running', done: 'done', stopped: 'off' } as const satisfies Record<string, Tone>;

function OneReplay({ replay }: { readonly replay: Replay }): ReactElement {
  const t = useWords(DELIVERIES);
  const format = useFormat();
  const { app } = useDiscovery();
  const { nameOf } = useWebhooks();
  const send = useSend();
  const [error, setError] = useState<unknown>();
  const webhook = replay.webhook === null ? t('any_webhook') : nameOf(replay.webhook);
  const state = replay.state === 'done' && replay.waiting > 0 ? 'sending' : replay.state;
  const total = replay.waiting + replay.delivered + replay.dead;
  const ended = replay.delivered + replay.dead;
  const said = { ended, total, delivered: replay.delivered, dead: replay.dead };
  const stop = (): void => {
    setError(undefined);
    send('POST', `${appPath(app.name)}/_admin/deliveries/replays/${replay.id}/stop`).catch(setError);
  };
  return (
    <Paper variant="outlined" sx={{ p: 1.5 }}>
      <Problem error={error} />
      <Stack direction="row" spacing={1} useFlexGap sx={{ alignItems: 'center', flexWrap: 'wrap' }} role="status">
        <Status tone={TONES[state]} label={t(`replay_state_${state}`)} />
        <Typography variant="body2">
          {t('replay_of', { webhook, at: format.time(replay.created_at) })} ·{' '}
          {t('replay_progress', Object.fromEntries(Object.entries(said).map(([name, count]) => [name, format.number(count)])))}
        </Typography>
        {isMoving(replay) ? (
          <Button size="small" color="error" variant="outlined" sx={{ ml: 'auto' }} aria-label={t('stop_one', { webhook })} onClick={stop}>
            {t('stop')}
          </Button>
        ) : null}
      </Stack>
      {isMoving(replay) ? (
        <LinearProgress
          variant="determinate"
          aria-label={t('replay_of', { webhook, at: format.time(replay.created_at) })}
          value={total === 0 ? 0 : (ended / total) * 100}
          sx={{ mt: 1 }}
        />
      ) : null}
    </Paper>
  );
}
