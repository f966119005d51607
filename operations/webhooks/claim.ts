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

/** Webhooks with deliveries in the queue, found by leaps through the index, however many deliveries each has. */
const queued = (app: AppRuntime): Sql => sql`
  leap as (
    (select webhook from ${id(app.storage, '_deliveries')} where status in ('pending', 'sending') order by webhook limit 1)
    union all
    select (select d.webhook from ${id(app.storage, '_deliveries')} d where d.status in ('pending', 'sending') and d.webhook > leap.webhook
      order by d.webhook limit 1) from leap where leap.webhook is not null
  ), queued as (
    select leap.webhook, s.disabled_at, s.paused_until, s.trial_until, s.failures
    from leap left join ${id(app.storage, '_webhook_state')} s on s.webhook = leap.webhook where leap.webhook is not null
  )`;

export async function claimDeliveries(db: Db, app: AppRuntime, room: Room): Promise<BegunAttempt[]> {
  const rows = await run<BegunAttempt & SealedKeys>(
    db,
    sql`with recursive ${queued(app)}, ${open(app, room)}, ${locked(app, room)}, free as (
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
function open(app: AppRuntime, room: Room): Sql {
  const hooks = app.model.document.webhooks;
  const breaks = Object.fromEntries(hooks.map((hook) => [hook.id ?? '', breakAfter(hook)]));
  // What is switched off is ended without a call, so the state of its endpoint is no matter.
  const called = hooks.flatMap((hook) => (hook.active && hook.id !== undefined ? [hook.id] : []));
  return sql`able as (
      select webhook, trial_until, webhook = any(${value(called, 'text[]')}) as is_called,
        webhook = any(${value(called, 'text[]')})
          and failures >= coalesce((${value(JSON.stringify(breaks), 'jsonb')} ->> webhook)::integer, 10) as is_trial
      from queued
      where webhook <> all(${value(called, 'text[]')}) or (disabled_at is null and coalesce(paused_until, now()) <= now())
    ), open as (
      select webhook, coalesce(is_trial, false) as is_trial, case
        when not is_called then ${value(MAX_AT_ONCE, 'integer')}
        when is_trial then case when trial_until > now() then 0 else 1 end
        else coalesce((${value(JSON.stringify(room.known), 'jsonb')} ->> webhook)::integer, 0) end as room
      from able
    )`;
}

/** The rows themselves, in the order of the events; those of endpoints that answer go before the others. */
function locked(app: AppRuntime, room: Room): Sql {
  const table = id(app.storage, '_deliveries');
  const ordered = app.model.document.webhooks.flatMap((hook) => (hook.ordered && hook.id !== undefined ? [hook.id] : []));
  // A row claimed by somebody else since then is looked at again when it is locked; `coalesce` keeps the planner to the ids.
  return sql`due as (
      select c.id, open.webhook, open.is_trial from open cross join lateral (
        select d.id, d.event_seq from (
          select * from ${table} q where q.webhook = open.webhook and q.status in ('pending', 'sending') and q.due_at <= now()
          order by q.event_seq limit case when open.webhook = any(${value(ordered, 'text[]')}) then ${value(LOOK_AHEAD, 'integer')} else open.room * 2 + 8 end
        ) d where not (open.webhook = any(${value(ordered, 'text[]')}) and ${isBehind(app)})
        order by d.event_seq limit open.room
      ) c
      order by open.webhook = any(${value(room.proven, 'text[]')}) desc, c.event_seq
      limit ${value(Math.min(room.total, MAX_AT_ONCE), 'integer')}
    ), locked as (
      select l.id, due.is_trial, l.webhook from ${table} l join due on due.id = l.id
      where l.id = any(array(select id from due)) and l.status in ('pending', 'sending') and coalesce(l.due_at, now()) <= now()
      for update of l skip locked
    )`;
}

/** `min(due_at) as at` of what may be attempted: while an endpoint is left alone, nothing of it is due. */
export const nextDelivery = (app: AppRuntime): Sql => sql`
  with recursive ${queued(app)}
  select min(greatest(first.due_at, queued.paused_until, queued.trial_until)) as at from queued cross join lateral (
    select d.due_at from ${id(app.storage, '_deliveries')} d where d.webhook = queued.webhook and d.status in ('pending', 'sending')
    order by d.due_at limit 1
  ) first where queued.disabled_at is null`;
