/**
 * What is known of a webhook's endpoint, one row of `_webhook_state` (ADR 26). After failures in a row it is paused, then one attempt
 * tries whether it is back; `Retry-After`, 429, 502 and 504 pause it too. Disabled, it waits for `enable`. Deliveries wait meanwhile.
 */
import { execute, run, type Db } from '../../adapters/postgres/run.ts';
import type { WebhookDefinition } from '../../core/model/document.ts';
import { id, sql, value, type Sql } from '../../core/sql/sql.ts';
import { breakAfter, DISABLE_AFTER, FIRST_PAUSE_MS, LONGEST_PAUSE_MS, TRIAL_LEASE } from '../../core/webhook/circuit.ts';
import type { AppRuntime, Services } from '../context.ts';
import { tellAdmins } from './tell-admins.ts';

/** What an attempt says about the endpoint. */
export interface Sign {
  readonly kind: 'delivered' | 'failed' | 'gone';
  /** The endpoint asked to be left alone for this long. */
  readonly throttleMs: number | null;
}

const GONE = 'The receiver answered 410.';
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

/** Keeps what an attempt said. The first that disables the endpoint tells the app's admins, in the same transaction. */
export async function noteSign(
  db: Db,
  services: Services,
  app: AppRuntime,
  webhook: string,
  hook: WebhookDefinition | undefined,
  sign: Sign,
): Promise<void> {
  if (sign.kind === 'delivered') return void (await execute(db, noteSuccess(app, webhook, hook), { prepared: true }));
  const [row] = await run<{ reason: string | null; is_new: boolean | null }>(db, noteFailure(app, webhook, hook, sign), { prepared: true });
  if (row?.is_new === true) await tellAdmins(db, services, app, hook, row.reason ?? GONE);
}

/** A success ends the pause of a failing endpoint; one that asked to be left alone is left alone to the end. */
const noteSuccess = (app: AppRuntime, webhook: string, hook: WebhookDefinition | undefined): Sql => sql`
  update ${table(app)} set failing_since = null, trips = 0, trial_until = null, failures = 0,
    paused_until = case when failures < ${value(breakAfter(hook), 'integer')} then paused_until end
  where webhook = ${value(webhook)} and disabled_at is null and (failures > 0 or failing_since is not null)`;

function noteFailure(app: AppRuntime, webhook: string, hook: WebhookDefinition | undefined, sign: Sign): Sql {
  const limit = value(breakAfter(hook), 'integer');
  const throttle = sql`now() + ${ms(value(sign.throttleMs, 'double precision'))}`;
  const isGone = value(sign.kind === 'gone', 'boolean');
  // Attempts that were under way when the pause began say nothing new.
  const trips = sql`(s.failures + 1 >= ${limit} and coalesce(s.paused_until, now()) <= now())`;
  const pause = ms(
    sql`least(${value(FIRST_PAUSE_MS, 'double precision')} * 2 ^ least(s.trips, 20), ${value(LONGEST_PAUSE_MS, 'double precision')})`,
  );
  const isSilent = sql`(s.failures + 1 >= ${limit} and s.failing_since < now() - ${value(DISABLE_AFTER, 'interval')})`;
  return sql`
    insert into ${table(app)} as s (webhook, failures, failing_since, paused_until, disabled_at, reason)
    values (${value(webhook)}, 1, now(), ${throttle}, case when ${isGone} then now() end, case when ${isGone} then ${value(GONE)} end)
    on conflict (webhook) do update set
      failures = s.failures + 1, failing_since = coalesce(s.failing_since, now()), trial_until = null,
      trips = s.trips + case when ${trips} then 1 else 0 end,
      paused_until = greatest(s.paused_until, ${throttle}, case when ${trips} then now() + ${pause} end),
      disabled_at = case when ${isGone} or ${isSilent} then coalesce(s.disabled_at, now()) else s.disabled_at end,
      reason = case when s.disabled_at is not null then s.reason when ${isGone} then ${value(GONE)} when ${isSilent} then ${value(SILENT)} end
    returning reason, disabled_at = now() as is_new`;
}

/** How an endpoint looks to its owner: derived, never stored. `s` is a row of `_webhook_state` or nothing. */
export const stateOf = (limit: Sql): Sql => sql`case
  when s.disabled_at is not null then 'disabled'
  when coalesce(s.failures, 0) >= ${limit} then case when s.paused_until > now() then 'open' else 'half_open' end
  when s.paused_until > now() then 'throttled'
  else 'closed' end`;
