/** How an endpoint is, in a word and in full, with what one may do about it. */
import { Alert, Box, Button, Link, Paper, Stack, Typography } from '@mui/material';
import { useState, type ReactElement, type ReactNode } from 'react';
import { Link as To } from 'react-router-dom';
import { appPath, useRead, useSend } from '../../api/use-api.ts';
import type { Listed } from '../../definitions/definitions.ts';
import { useFormat } from '../../i18n/format.ts';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { Confirm } from '../../ui/Confirm.tsx';
import { Loading } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Status } from '../../ui/Status.tsx';
import { Time } from '../../ui/Time.tsx';
import type { Delivery } from '../deliveries/delivery.ts';
import { SecretDialog } from './SecretDialog.tsx';
import { ENDPOINT_TONES, titleOf, type Health, type Webhook } from './webhook.ts';
import { WEBHOOKS } from './words.ts';

interface EndpointStatusProps {
  readonly webhook: Pick<Webhook, 'active'>;
  readonly health: Health | undefined;
}

export function EndpointStatus({ webhook, health }: EndpointStatusProps): ReactElement {
  const t = useWords(WEBHOOKS);
  if (!webhook.active) return <Status tone="off" label={t('switched_off')} />;
  if (health === undefined) return <span>–</span>;
  return <Status tone={ENDPOINT_TONES[health.state]} label={t(`state_${health.state}`)} />;
}

/** `120 delivered, 3 failed`. */
export function useDaySaid(): (health: Health | undefined) => string {
  const t = useWords(WEBHOOKS);
  const format = useFormat();
  return (health) => {
    if (health === undefined) return '–';
    const { delivered, failed } = health.last_24h;
    if (delivered + failed === 0) return t('no_calls');
    return t('delivered_of', { delivered: format.number(delivered), failed: format.number(failed) });
  };
}

export function Endpoint({ webhook }: { readonly webhook: Listed<Webhook> }): ReactElement {
  const t = useWords(WEBHOOKS);
  const { app } = useDiscovery();
  const path = `${appPath(app.name)}/_admin/webhooks/${encodeURIComponent(webhook.id)}`;
  const read = useRead<{ readonly data: Health }>(`${path}/health`, { every: 3_000 });
  const health = read.data?.data;
  return (
    <Paper variant="outlined" component="section" aria-label={t('health')} sx={{ p: 2, minWidth: 0, order: { xs: -1, lg: 0 } }}>
      <Typography component="h2" variant="h6" gutterBottom>
        {t('health')}
      </Typography>
      <Problem error={read.error} onRetry={() => void read.refetch()} />
      {read.isPending ? <Loading lines={4} /> : null}
      {health === undefined ? null : (
        <Stack spacing={2}>
          <Facts webhook={webhook} health={health} />
          <Actions webhook={webhook} path={path} isPaused={health.state !== 'closed'} />
          <Link component={To} to={`/t/${app.name}/_deliveries?webhook=${encodeURIComponent(webhook.id)}`}>
            {t('deliveries')}
          </Link>
        </Stack>
      )}
    </Paper>
  );
}

function Facts({ webhook, health }: { readonly webhook: Webhook; readonly health: Health }): ReactElement {
  const t = useWords(WEBHOOKS);
  const format = useFormat();
  const daySaid = useDaySaid();
  const { p50_ms: p50, p95_ms: p95 } = health.last_24h;
  const facts: readonly (readonly [label: string, value: ReactNode, isShown: boolean])[] = [
    [t('reason'), health.reason, health.reason !== null],
    [t('failures'), format.number(health.failures), health.failures > 0],
    [t('failing_since'), <Time key="since" at={health.failing_since} as="ago" />, health.failing_since !== null],
    [t('paused_until'), <Time key="until" at={health.paused_until} as="ago" />, health.paused_until !== null],
    [t('disabled_at'), <Time key="at" at={health.disabled_at} />, health.disabled_at !== null],
    [t('backlog'), format.number(health.backlog), true],
    [t('oldest'), <Time key="oldest" at={health.oldest_waiting_at} as="ago" />, health.oldest_waiting_at !== null],
    [t('calls'), daySaid(health), true],
    [t('latency'), t('took', { p50: format.duration(p50 ?? 0), p95: format.duration(p95 ?? 0) }), p50 !== null && p95 !== null],
  ];
  return (
    <div>
      <EndpointStatus webhook={webhook} health={health} />
      <Box
        component="dl"
        sx={{ m: 0, mt: 1.5, display: 'grid', gridTemplateColumns: 'max-content minmax(0, 1fr)', columnGap: 2, rowGap: 0.5 }}
      >
        {facts
          .filter(([, , isShown]) => isShown)
          .map(([label, value]) => (
            <Box key={label} sx={{ display: 'contents' }}>
              <Box component="dt" sx={{ color: 'text.secondary' }}>
                {label}
              </Box>
              <Box component="dd" sx={{ m: 0, overflowWrap: 'anywhere' }}>
                {value}
              </Box>
            </Box>
          ))}
      </Box>
    </div>
  );
}

type Asked = 'pause' | 'resume' | 'rotate';

interface ActionsProps {
  readonly webhook: Listed<Webhook>;
  readonly path: string;
  readonly isPaused: boolean;
}

function Actions({ webhook, path, isPaused }: ActionsProps): ReactElement {
  const t = useWords(WEBHOOKS);
  const send = useSend();
  const name = titleOf(webhook);
  const [asked, setAsked] = useState<Asked | undefined>();
  const [secret, setSecret] = useState<string | undefined>();
  const [tested, setTested] = useState<Delivery | undefined>();
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const test = (): void => {
    setBusy(true);
    setError(undefined);
    send<{ data: Delivery }>('POST', `${path}/test`)
      .then(({ data }) => setTested(data), setError)
      .finally(() => setBusy(false));
  };
  const act = async (verb: Asked): Promise<void> => {
    if (verb !== 'rotate') await send('POST', `${path}/${verb === 'pause' ? 'pause' : 'enable'}`);
    else setSecret((await send<{ data: { secret: string } }>('POST', `${path}/secret`)).data.secret);
  };
  return (
    <Stack spacing={1}>
      <Problem error={error} />
      <Stack direction="row" spacing={1} useFlexGap sx={{ flexWrap: 'wrap' }}>
        <Button size="small" variant="outlined" disabled={isBusy} onClick={test}>
          {t('test')}
        </Button>
        <Button size="small" variant="outlined" onClick={() => setAsked(isPaused ? 'resume' : 'pause')}>
          {t(isPaused ? 'resume' : 'pause')}
        </Button>
        <Button size="small" variant="outlined" onClick={() => setAsked('rotate')}>
          {t('rotate')}
        </Button>
      </Stack>
      <Typography variant="caption" sx={{ color: 'text.secondary' }}>
        {t('test_says')}
      </Typography>
      {tested === undefined ? null : <Tested delivery={tested} onClose={() => setTested(undefined)} />}
      {asked === undefined ? null : (
        <Confirm title={t(`${asked}_title`, { name })} action={t(asked)} onConfirm={() => act(asked)} onClose={() => setAsked(undefined)}>
          {t(`${asked}_says`)}
        </Confirm>
      )}
      {secret === undefined ? null : <SecretDialog secret={secret} onClose={() => setSecret(undefined)} />}
    </Stack>
  );
}

function Tested({ delivery, onClose }: { readonly delivery: Delivery; readonly onClose: () => void }): ReactElement {
  const t = useWords(WEBHOOKS);
  const format = useFormat();
  const { app } = useDiscovery();
  const last = delivery.attempts.at(-1);
  const isWell = delivery.status === 'delivered';
  return (
    <Alert role="status" severity={isWell ? 'success' : 'error'} onClose={onClose}>
      {isWell
        ? t('test_delivered', { status: last?.status ?? '', time: format.duration(last?.latency_ms ?? 0) })
        : `${t('test_failed')} ${delivery.reason ?? last?.error ?? ''}`}{' '}
      <Link component={To} to={`/t/${app.name}/_deliveries/${delivery.id}`} color="inherit">
        {t('see_test')}
      </Link>
    </Alert>
  );
}
