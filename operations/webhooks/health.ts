/** How one webhook's endpoint is, and how it was over a day; and its owner's word that it is well again. */
import { execute, run } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { AppError } from '../../core/errors.ts';
import { id, sql, value } from '../../core/sql/sql.ts';
import { breakAfter } from '../../core/webhook/circuit.ts';
import type { AppContext } from '../context.ts';
import { requireWebhook } from './definition.ts';
import { stateOf } from './endpoint.ts';
import { markDeliveries } from './work.ts';

/** No more attempts are looked at, the newest first: an endpoint with more of them is judged by these. */
const MAX_ATTEMPTS = 50_000;
const DAY_MS = 86_400_000;

export interface WebhookHealth {
  readonly webhook: string;
  /** `open`: paused after failures; `half_open`: one attempt tries it; `throttled`: paused because it asked for it. */
  readonly state: 'closed' | 'open' | 'half_open' | 'throttled' | 'disabled';
  /** Failed attempts in a row. */
  readonly failures: number;
  readonly failing_since: Date | null;
  readonly paused_until: Date | null;
  readonly disabled_at: Date | null;
  readonly reason: string | null;
  /** Deliveries that have not ended. */
  readonly backlog: number;
  readonly oldest_waiting_at: Date | null;
  readonly last_24h: {
    readonly delivered: number;
    readonly failed: number;
    readonly p50_ms: number | null;
    readonly p95_ms: number | null;
  };
}

export async function webhookHealth(ctx: AppContext, webhookId: string): Promise<WebhookHealth> {
  const hook = requireWebhook(ctx.app, webhookId);
  const [deliveries, attempts] = [id(ctx.app.storage, '_deliveries'), id(ctx.app.storage, '_attempts')];
  // Ids of attempts are made in the order of time: those of a day are the end of the primary key.
  const since = new Date(ctx.now.getTime() - DAY_MS);
  const first = `${since
    .getTime()
    .toString(16)
    .padStart(12, '0')
    .replace(/^(.{8})/, '$1-')}-7000-8000-000000000000`;
  const [row] = await run<WebhookHealth>(
    ctx.services.pool,
    sql`with recent as (
          select a.status, a.latency_ms, a.finished_at from (
            select * from ${attempts} where id >= ${value(first, 'uuid')} order by id desc limit ${value(MAX_ATTEMPTS, 'integer')}
          ) a join ${deliveries} d on d.id = a.delivery_id where d.webhook = ${value(webhookId)} and a.finished_at is not null
        ), waiting as (
          select count(*)::integer as n, min(created_at) as oldest from ${deliveries}
          where webhook = ${value(webhookId)} and status in ('pending', 'sending', 'retrying')
        )
        select ${value(webhookId)}::text as webhook, ${stateOf(value(breakAfter(hook), 'integer'))} as state, coalesce(s.failures, 0) as failures,
          s.failing_since, case when s.paused_until > now() then s.paused_until end as paused_until, s.disabled_at, s.reason,
          waiting.n as backlog, waiting.oldest as oldest_waiting_at,
          (select json_build_object(
            'delivered', count(*) filter (where status between 200 and 299), 'failed', count(*) filter (where status is null or status not between 200 and 299),
            'p50_ms', percentile_disc(0.5) within group (order by latency_ms), 'p95_ms', percentile_disc(0.95) within group (order by latency_ms)
          ) from recent) as last_24h
        from waiting left join ${id(ctx.app.storage, '_webhook_state')} s on s.webhook = ${value(webhookId)}`,
  );
  if (row === undefined) throw new AppError('INTERNAL_ERROR', 'The health of a webhook could not be read.');
  return row;
}

/** Forgets what spoke against the endpoint; what waited for it goes out, in the order of the events. */
export async function enableWebhook(ctx: AppContext, webhookId: string): Promise<WebhookHealth> {
  requireWebhook(ctx.app, webhookId);
  await transaction(ctx.services.pool, async (client) => {
    await execute(client, sql`delete from ${id(ctx.app.storage, '_webhook_state')} where webhook = ${value(webhookId)}`);
    await execute(
      client,
      sql`update ${id(ctx.app.storage, '_deliveries')} set due_at = now()
          where webhook = ${value(webhookId)} and status = 'pending' and due_at > now()`,
    );
    await execute(client, markDeliveries(ctx.app));
  });
  return webhookHealth(ctx, webhookId);
}
