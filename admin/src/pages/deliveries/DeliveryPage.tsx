/** One delivery: what is sent, every attempt with what it was answered, and another round. */
import ArrowBackOutlined from '@mui/icons-material/ArrowBackOutlined';
import ReplayOutlined from '@mui/icons-material/ReplayOutlined';
import { Box, Button, Link, Paper, Stack, Typography } from '@mui/material';
import { useState, type ReactElement, type ReactNode } from 'react';
import { Link as To, useParams } from 'react-router-dom';
import { appPath, useRead, useSend } from '../../api/use-api.ts';
import { useFormat } from '../../i18n/format.ts';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { Code } from '../../ui/Code.tsx';
import { Loading, Page } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Status } from '../../ui/Status.tsx';
import { Time } from '../../ui/Time.tsx';
import { shownHeader, type Webhook } from '../webhooks/webhook.ts';
import { hasEnded, isOfEvent, TONES, type Attempt, type WholeDelivery } from './delivery.ts';
import { RecordOf } from './RecordOf.tsx';
import { useWebhooks } from './use-webhooks.ts';
import { DELIVERIES } from './words.ts';

export function DeliveryPage(): ReactElement {
  const t = useWords(DELIVERIES);
  const { app } = useDiscovery();
  const { id = '' } = useParams();
  const { webhooks, nameOf } = useWebhooks();
  const send = useSend();
  const [error, setError] = useState<unknown>();
  const path = `${appPath(app.name)}/_admin/deliveries/${encodeURIComponent(id)}`;
  const read = useRead<{ readonly data: WholeDelivery }>(path, {
    every: (found) => (found !== undefined && hasEnded(found.data) ? 5_000 : 1_000),
  });
  const delivery = read.data?.data;
  const replay = (): void => {
    setError(undefined);
    send('POST', `${path}/replay`).catch(setError);
  };
  const actions = (
    <>
      <Button component={To} to={`/t/${app.name}/_deliveries`} startIcon={<ArrowBackOutlined />}>
        {t('back')}
      </Button>
      {delivery !== undefined && hasEnded(delivery) ? (
        <Button variant="contained" startIcon={<ReplayOutlined />} onClick={replay}>
          {t('replay')}
        </Button>
      ) : null}
    </>
  );
  return (
    <Page
      title={delivery === undefined ? t('title') : t('one', { webhook: nameOf(delivery.webhook) })}
      width="form"
      description={delivery === undefined ? undefined : <Standing delivery={delivery} />}
      actions={actions}
    >
      <Problem error={error ?? read.error} onRetry={() => (setError(undefined), void read.refetch())} />
      {read.isPending ? <Loading /> : null}
      {delivery === undefined ? null : (
        <Stack spacing={2}>
          <Attempts delivery={delivery} />
          <Request delivery={delivery} webhook={webhooks.find((webhook) => webhook.id === delivery.webhook)} />
        </Stack>
      )}
    </Page>
  );
}

function Standing({ delivery }: { readonly delivery: WholeDelivery }): ReactElement {
  const t = useWords(DELIVERIES);
  const { app } = useDiscovery();
  return (
    <Stack component="span" direction="row" spacing={1} useFlexGap sx={{ alignItems: 'center', flexWrap: 'wrap' }}>
      <Status tone={TONES[delivery.status]} label={t(delivery.status)} />
      <RecordOf delivery={delivery} />
      <span>
        {isOfEvent(delivery) ? t('of_event', { id: delivery.event_id }) : t('no_event')} · <Time at={delivery.created_at} />
      </span>
      {delivery.round > 0 ? <span>{t('round', { round: delivery.round + 1 })}</span> : null}
      {delivery.next_attempt_at === null ? null : (
        <span>
          {t('next')} <Time at={delivery.next_attempt_at} as="ago" />
        </span>
      )}
      <Link component={To} to={`/t/${app.name}/_webhooks/${encodeURIComponent(delivery.webhook)}`}>
        {t('show_webhook')}
      </Link>
      {delivery.reason === null ? null : <span>{delivery.reason}</span>}
    </Stack>
  );
}

function Section({
  title,
  says,
  children,
}: {
  readonly title: string;
  readonly says?: string | undefined;
  readonly children: ReactNode;
}): ReactElement {
  return (
    <Paper variant="outlined" component="section" aria-label={title} sx={{ p: 2, minWidth: 0 }}>
      <Typography variant="h6" component="h2">
        {title}
      </Typography>
      {says === undefined ? null : (
        <Typography variant="body2" sx={{ color: 'text.secondary', mb: 1 }}>
          {says}
        </Typography>
      )}
      {children}
    </Paper>
  );
}

/** The newest first. */
function Attempts({ delivery }: { readonly delivery: WholeDelivery }): ReactElement {
  const t = useWords(DELIVERIES);
  const attempts = [...delivery.attempts].reverse();
  return (
    <Section title={t('attempts')} says={delivery.round > 0 ? t('round_says') : undefined}>
      {attempts.length === 0 ? <Typography sx={{ color: 'text.secondary' }}>{t('no_attempts')}</Typography> : null}
      <Box component="ol" sx={{ listStyle: 'none', m: 0, p: 0, display: 'grid', gap: 1.5 }}>
        {attempts.map((attempt) => (
          <OneAttempt key={attempt.number} attempt={attempt} />
        ))}
      </Box>
    </Section>
  );
}

function OneAttempt({ attempt }: { readonly attempt: Attempt }): ReactElement {
  const t = useWords(DELIVERIES);
  const format = useFormat();
  const { number, at, status, latency_ms: latency, error, response } = attempt;
  const isUnderWay = status === null && error === null;
  const isWell = status !== null && status >= 200 && status < 300;
  const said = isUnderWay ? t('under_way') : status === null ? t('no_answer') : t('asked', { status, time: format.duration(latency ?? 0) });
  return (
    <Box component="li" sx={{ minWidth: 0 }}>
      <Stack direction="row" spacing={1} useFlexGap sx={{ alignItems: 'center', flexWrap: 'wrap', mb: 0.5 }}>
        <Typography component="h3" variant="body2" sx={{ fontWeight: 600 }}>
          {t('attempt', { number })}
        </Typography>
        <Status tone={isUnderWay ? 'running' : isWell ? 'done' : 'failed'} label={said} />
        <Typography variant="body2" sx={{ color: 'text.secondary' }}>
          <Time at={at} />
        </Typography>
      </Stack>
      {error === null || status !== null ? null : (
        <Typography variant="body2" color="error" sx={{ overflowWrap: 'anywhere' }}>
          {error}
        </Typography>
      )}
      {response === null || response === '' ? null : <Code label={t('response', { number })} text={response} maxHeight={200} />}
    </Box>
  );
}

interface RequestProps {
  readonly delivery: WholeDelivery;
  /** Undefined when it was deleted since. */
  readonly webhook: Webhook | undefined;
}

function Request({ delivery, webhook }: RequestProps): ReactElement {
  const t = useWords(DELIVERIES);
  const headers = Object.entries(webhook?.headers ?? {}).map(([name, value]) => `${name}: ${shownHeader({ name, value })}`);
  const head = webhook === undefined ? [] : [`${webhook.method} ${webhook.url}`, ...headers];
  const whole = [...head, `webhook-id: ${delivery.id}`, '', JSON.stringify(delivery.body, null, 2)].join('\n');
  return (
    <Section title={t('sent')} says={t('request_says')}>
      <Code label={t('sent')} text={whole} maxHeight={480} />
    </Section>
  );
}
