/**
 * Which deliveries of an app are to be attempted next: per webhook in the order of the events, under a lease. The claim begins their
 * attempts too, so that nothing but the call stands between the queue and the receiver.
 */
import { run, type Db } from '../../adapters/postgres/run.ts';
import { id, sql, value, type Sql } from '../../core/sql/sql.ts';
import { breakAfter, TRIAL_LEASE } from '../../core/webhook/circuit.ts';
import type { AppRuntime } from '../context.ts';
import { isBehind, type BegunAttempt } from './attempt.ts';
import { signingName, type SealedKeys } from './secrets.ts';

const LEASE = '45 seconds';
/** Deliveries of one claim. */
export const MAX_AT_ONCE = 64;
/** Of an ordered webhook no more due rows are looked at in one claim: most of them may be behind others. */
const LOOK_AHEAD = 1_000;

/** Free slots per webhook, and in all. */
export interface Room {
  readonly known: Readonly<Record<string, number>>;
  /** Webhooks whose last attempt succeeded: when there is not room for all, theirs go first. */
  readonly proven: readonly string[];
  readonly total: number;
}

/**
 * Whether deliveries of webhooks that are deleted or switched off are looked for too, which only need to be ended. To find them means to
 * leap over all webhooks of the queue, paused ones with it, so whoever claims does that once in a while.
 */
export type Scope = 'served' | 'all';

/** `hooks`: the webhooks that are served and switched on, with what a claim goes by. */
function hooks(app: AppRuntime, room?: Room): Sql {
  const served = app.model.document.webhooks.flatMap((hook) => (hook.active && hook.id !== undefined ? [{ ...hook, id: hook.id }] : []));
  const ids = served.map(({ id: webhook }) => webhook);
  return sql`hooks as (
    select h.*, s.disabled_at, s.paused_until, s.trial_until, coalesce(s.failures, 0) as failures from unnest(
      ${value(ids, 'text[]')},
      ${value(
        ids.map((webhook) => room?.known[webhook] ?? 0),
        'integer[]',
      )},
      ${value(served.map(breakAfter), 'integer[]')},
      ${value(
        served.map(({ ordered }) => ordered),
        'boolean[]',
      )},
      ${value(
        ids.map((webhook) => room?.proven.includes(webhook) === true),
        'boolean[]',
      )}
    ) as h(webhook, room, break_after, is_ordered, is_proven)
    left join ${id(app.storage, '_webhook_state')} s on s.webhook = h.webhook
  )`;
}

/** `others`: webhooks with deliveries in the queue that are no `hooks`, found by leaps through the index, however many each has. */
const others = (app: AppRuntime, scope: Scope): Sql =>
  scope === 'served'
    ? sql`others as (select webhook from hooks where false)`
    : sql`leap as (
        (select webhook from ${id(app.storage, '_deliveries')} where status in ('pending', 'sending') order by webhook limit 1)
        union all
        select (select d.webhook from ${id(app.storage, '_deliveries')} d where d.status in ('pending', 'sending') and d.webhook > leap.webhook
          order by d.webhook limit 1) from leap where leap.webhook is not null
      ), others as (
        select webhook from leap where webhook is not null and webhook not in (select webhook from hooks)
      )`;

export async function claimDeliveries(db: Db, app: AppRuntime, room: Room, scope: Scope): Promise<BegunAttempt[]> {
  const rows = await run<BegunAttempt & SealedKeys>(
    db,
    sql`with recursive ${hooks(app, room)}, ${others(app, scope)}, ${OPEN}, ${locked(app, room)}, free as (
          select s.webhook from ${id(app.storage, '_webhook_state')} s
          where s.webhook in (select webhook from locked where is_trial) and s.failures > 0 and s.disabled_at is null
            and coalesce(s.paused_until, now()) <= now() and coalesce(s.trial_until, now()) <= now()
          -- Waiting for a row of an endpoint while holding the app's turn could wait for somebody who waits for the turn.
          for update skip locked
        ), trial as (
          update ${id(app.storage, '_webhook_state')} s set trial_until = now() + ${value(TRIAL_LEASE, 'interval')}
          from free where s.webhook = free.webhook returning s.webhook
        ), claimed as (
          update ${id(app.storage, '_deliveries')} d set status = 'sending', due_at = now() + ${value(LEASE, 'interval')},
            leased_until = now() + ${value(LEASE, 'interval')}, tries = tries + 1, tries_in_round = tries_in_round + 1, updated_at = now()
          from locked where d.id = locked.id and (not locked.is_trial or d.webhook in (select webhook from trial))
          returning d.id, d.event_seq, d.webhook, d.round, d.body, d.tries, d.tries_in_round
        ), begun as (
          insert into ${id(app.storage, '_attempts')} (id, delivery_id, number) select uuidv7(), id, tries from claimed returning id, delivery_id
        )
        select c.id, begun.id as attempt_id, c.event_seq, c.webhook, c.round, c.body::text as body, c.tries_in_round, k.sealed, k.previous
        from claimed c join begun on begun.delivery_id = c.id
        left join ${id(app.storage, '_secrets')} k on k.name = ${value(signingName(''))} || c.webhook
        order by c.event_seq`,
    { prepared: true },
  );
  return rows.map(({ sealed, previous, ...attempt }) => (sealed === null ? attempt : { ...attempt, keys: { sealed, previous } }));
}

/** Webhooks that may be called, with the attempts that may begin; `is_trial` after a pause, when one attempt tries the endpoint. */
const OPEN = sql`open as (
    select webhook, is_ordered, is_proven, failures >= break_after as is_trial,
      case when failures < break_after then room when trial_until > now() then 0 else 1 end as room
    from hooks where disabled_at is null and coalesce(paused_until, now()) <= now()
    union all
    select webhook, false, false, false, ${value(MAX_AT_ONCE, 'integer')} from others
  )`;

/** The rows themselves, in the order of the events; those of endpoints that answer go before the others. */
function locked(app: AppRuntime, room: Room): Sql {
  const table = id(app.storage, '_deliveries');
  // A row claimed by somebody else since then is looked at again when it is locked; `coalesce` keeps the planner to the ids.
  return sql`due as (
      select c.id, open.webhook, open.is_trial from open cross join lateral (
        select d.id, d.event_seq from (
          select * from ${table} q where q.webhook = open.webhook and q.status in ('pending', 'sending') and q.due_at <= now()
          order by q.event_seq limit case when open.is_ordered then ${value(LOOK_AHEAD, 'integer')} else open.room * 2 + 8 end
        ) d where not (open.is_ordered and ${isBehind(app)})
        order by d.event_seq limit open.room
      ) c
      where open.room > 0
      order by open.is_proven desc, c.event_seq
      limit ${value(Math.min(room.total, MAX_AT_ONCE), 'integer')}
    ), locked as (
      select l.id, due.is_trial, l.webhook from ${table} l join due on due.id = l.id
      where l.id = any(array(select id from due)) and l.status in ('pending', 'sending') and coalesce(l.due_at, now()) <= now()
      for update of l skip locked
    )`;
}

/** How soon somebody looks for deliveries of webhooks that are deleted or switched off. */
export const LOOK_AROUND_MS = 10_000;

/**
 * `min(due_at) as at` of what may be attempted: while an endpoint is left alone, nothing of it is due. Whoever has not looked for all
 * does so before the queue counts as empty.
 */
export const nextDelivery = (app: AppRuntime, scope: Scope): Sql => sql`
  with recursive ${hooks(app)}, ${others(app, scope)}, waiting as (
    -- Of one that is left alone nothing is read: should it have no deliveries, somebody looks once in vain.
    select case when greatest(paused_until, trial_until) > now() then greatest(paused_until, trial_until) else ${firstDue(app, 'hooks')} end as at
    from hooks where disabled_at is null
    union all select ${firstDue(app, 'others')} from others
    union all select now() + ${value(`${LOOK_AROUND_MS} milliseconds`, 'interval')} where ${value(scope === 'served', 'boolean')}
  )
  select min(at) as at from waiting`;

const firstDue = (app: AppRuntime, of: 'hooks' | 'others'): Sql => sql`(
  select d.due_at from ${id(app.storage, '_deliveries')} d where d.webhook = ${id(of)}.webhook and d.status in ('pending', 'sending')
  order by d.due_at limit 1)`;
