/** How one webhook's endpoint is, and how it was over a day; and its owner's word that it is well again. */
import { execute, run } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { AppError } from '../../core/errors.ts';
import type { WebhookDefinition } from '../../core/model/document.ts';
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
  const [health] = await healthOf(ctx, [requireWebhook(ctx.app, webhookId)]);
  if (health === undefined) throw new AppError('INTERNAL_ERROR', 'The health of a webhook could not be read.');
  return health;
}

/** Of every webhook, by one statement. */
export const allHealth = (ctx: AppContext): Promise<WebhookHealth[]> => healthOf(ctx, ctx.app.model.document.webhooks);

async function healthOf(ctx: AppContext, hooks: readonly WebhookDefinition[]): Promise<WebhookHealth[]> {
  const ids = hooks.map((hook) => hook.id ?? '');
  const [deliveries, attempts] = [id(ctx.app.storage, '_deliveries'), id(ctx.app.storage, '_attempts')];
  // Ids of attempts are made in the order of time: those of a day are the end of the primary key.
  const since = new Date(ctx.now.getTime() - DAY_MS);
  const first = `${since
    .getTime()
    .toString(16)
    .padStart(12, '0')
    .replace(/^(.{8})/, '$1-')}-7000-8000-000000000000`;
  return run<WebhookHealth>(
    ctx.services.pool,
    sql`with recent as (
          select d.webhook, a.status, a.latency_ms from (
            select * from ${attempts} where id >= ${value(first, 'uuid')} order by id desc limit ${value(MAX_ATTEMPTS, 'integer')}
          ) a join ${deliveries} d on d.id = a.delivery_id where d.webhook = any(${value(ids, 'text[]')}) and a.finished_at is not null
        ), waiting as (
          select webhook, count(*)::integer as n, min(created_at) as oldest from ${deliveries}
          where webhook = any(${value(ids, 'text[]')}) and status in ('pending', 'sending', 'retrying') group by webhook
        )
        select h.webhook, ${stateOf(sql`h.break_after`)} as state, coalesce(s.failures, 0) as failures,
          s.failing_since, case when s.paused_until > now() then s.paused_until end as paused_until, s.disabled_at, s.reason,
          coalesce(waiting.n, 0) as backlog, waiting.oldest as oldest_waiting_at,
          (select json_build_object(
            'delivered', count(*) filter (where status between 200 and 299), 'failed', count(*) filter (where status is null or status not between 200 and 299),
            'p50_ms', percentile_disc(0.5) within group (order by latency_ms), 'p95_ms', percentile_disc(0.95) within group (order by latency_ms)
          ) from recent where recent.webhook = h.webhook) as last_24h
        from unnest(${value(ids, 'text[]')}, ${value(hooks.map(breakAfter), 'integer[]')}) with ordinality as h(webhook, break_after, place)
        left join waiting on waiting.webhook = h.webhook
        left join ${id(ctx.app.storage, '_webhook_state')} s on s.webhook = h.webhook
        order by h.place`,
  );
}

/** By its owner's word, as one that has answered 410: what comes waits until it is enabled. */
export async function pauseWebhook(ctx: AppContext, webhookId: string): Promise<WebhookHealth> {
  requireWebhook(ctx.app, webhookId);
  const by = ctx.actor.email ?? ctx.actor.id ?? ctx.actor.kind;
  await execute(
    ctx.services.pool,
    sql`insert into ${id(ctx.app.storage, '_webhook_state')} as s (webhook, disabled_at, reason)
        values (${value(webhookId)}, now(), ${value(`Paused by ${by}.`)})
        on conflict (webhook) do update set disabled_at = coalesce(s.disabled_at, excluded.disabled_at), reason = coalesce(s.reason, excluded.reason)`,
  );
  return webhookHealth(ctx, webhookId);
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
