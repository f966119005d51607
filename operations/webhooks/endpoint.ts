/**
 * What is known of a webhook's endpoint, one row of `_webhook_state` (ADR 26). After failures in a row it is paused, then one attempt
 * tries whether it is back; `Retry-After`, 429, 502 and 504 pause it too. Disabled, it waits for `enable`. Deliveries wait meanwhile.
 */
import type { WebhookDefinition } from '../../core/model/document.ts';
import { id, sql, value, type Sql } from '../../core/sql/sql.ts';
import { breakAfter, DISABLE_AFTER, FIRST_PAUSE_MS, LONGEST_PAUSE_MS, TRIAL_LEASE } from '../../core/webhook/circuit.ts';
import type { AppRuntime } from '../context.ts';

/** What an attempt says about the endpoint. */
export interface Sign {
  readonly kind: 'delivered' | 'failed' | 'gone';
  /** The endpoint asked to be left alone for this long. */
  readonly throttleMs: number | null;
}

export const GONE = 'The receiver answered 410.';
const SILENT = 'Nothing was delivered for five days.';
const table = (app: AppRuntime): Sql => id(app.storage, '_webhook_state');
const ms = (given: Sql): Sql => sql`${given} * interval '1 millisecond'`;

/**
 * Two parts of a statement that begins an attempt: `trial` takes the one attempt of an endpoint that has been paused, and
 * `isOpen` holds when the endpoint may be called. The delivery's id is `deliveryId`.
 */
export function gate(
  app: AppRuntime,
  hook: WebhookDefinition | undefined,
  deliveryId: string,
): { readonly trial: Sql; readonly isOpen: Sql } {
  const limit = value(breakAfter(hook), 'integer');
  const delivery = sql`select webhook from ${id(app.storage, '_deliveries')} where id = ${value(deliveryId, 'uuid')}
    and status in ('pending', 'sending', 'retrying')`;
  return {
    trial: sql`update ${table(app)} set trial_until = now() + ${value(TRIAL_LEASE, 'interval')}
      where webhook = (${delivery}) and disabled_at is null and failures >= ${limit}
        and coalesce(paused_until, now()) <= now() and coalesce(trial_until, now()) <= now() returning webhook`,
    isOpen: sql`not exists (
      select 1 from ${table(app)} s where s.webhook = (${delivery})
        and (s.disabled_at is not null or s.paused_until > now() or (s.failures >= ${limit} and not exists (select 1 from trial))))`,
  };
}

/**
 * Two parts of a statement that keeps what attempts said; `given` has `webhook`, `sign`, `throttle_ms` and `break_after`. A success ends the
 * pause of a failing endpoint, and returns it: what waited is due. One that asked to be left alone is left alone to the end.
 */
export const noteSuccesses = (app: AppRuntime): Sql => sql`
  update ${table(app)} s set failing_since = null, trips = 0, trial_until = null, failures = 0,
    paused_until = case when s.failures < well.break_after then s.paused_until end
  from (select webhook, max(break_after) as break_after from given where sign = 'delivered' group by webhook) well
  where s.webhook = well.webhook and s.disabled_at is null and (s.failures > 0 or s.failing_since is not null)
  returning s.webhook`;

/** At most one of each webhook. Returns `webhook`, `failures` in a row, the `reason`, and `is_new` when this one disables the endpoint. */
export function noteFailures(app: AppRuntime): Sql {
  const own = sql`(select g.break_after, g.sign, now() + ${ms(sql`g.throttle_ms`)} as throttled_until from given g where g.webhook = s.webhook)`;
  const limit = sql`(select break_after from ${own} o)`;
  const throttle = sql`(select throttled_until from ${own} o)`;
  const isGone = sql`((select sign from ${own} o) = 'gone')`;
  // Attempts that were under way when the pause began say nothing new.
  const trips = sql`(s.failures + 1 >= ${limit} and coalesce(s.paused_until, now()) <= now())`;
  const pause = ms(
    sql`least(${value(FIRST_PAUSE_MS, 'double precision')} * 2 ^ least(s.trips, 20), ${value(LONGEST_PAUSE_MS, 'double precision')})`,
  );
  const isSilent = sql`(s.failures + 1 >= ${limit} and s.failing_since < now() - ${value(DISABLE_AFTER, 'interval')})`;
  return sql`
    insert into ${table(app)} as s (webhook, failures, failing_since, paused_until, disabled_at, reason)
    select webhook, 1, now(), now() + ${ms(sql`throttle_ms`)}, case when sign = 'gone' then now() end, case when sign = 'gone' then ${value(GONE)} end
    from given where sign in ('failed', 'gone') order by webhook
    on conflict (webhook) do update set
      failures = s.failures + 1, failing_since = coalesce(s.failing_since, now()), trial_until = null,
      trips = s.trips + case when ${trips} then 1 else 0 end,
      paused_until = greatest(s.paused_until, ${throttle}, case when ${trips} then now() + ${pause} end),
      disabled_at = case when ${isGone} or ${isSilent} then coalesce(s.disabled_at, now()) else s.disabled_at end,
      reason = case when s.disabled_at is not null then s.reason when ${isGone} then ${value(GONE)} when ${isSilent} then ${value(SILENT)} end
    returning webhook, failures, reason, disabled_at = now() as is_new`;
}

/** How an endpoint looks to its owner: derived, never stored. `s` is a row of `_webhook_state` or nothing. */
export const stateOf = (limit: Sql): Sql => sql`case
  when s.disabled_at is not null then 'disabled'
  when coalesce(s.failures, 0) >= ${limit} then case when s.paused_until > now() then 'open' else 'half_open' end
  when s.paused_until > now() then 'throttled'
  else 'closed' end`;
