/** Which deliveries of an app are to be attempted next: per webhook in the order of the events, under a lease. */
import { run, type Db } from '../../adapters/postgres/run.ts';
import { id, sql, value, type Sql } from '../../core/sql/sql.ts';
import { breakAfter } from '../../core/webhook/circuit.ts';
import type { AppRuntime } from '../context.ts';
import { isBehind } from './attempt.ts';

const LEASE = '45 seconds';
/** Deliveries of one claim. */
export const MAX_AT_ONCE = 32;
/** Of an ordered webhook no more due rows are looked at in one claim: most of them may be behind others. */
const LOOK_AHEAD = 1_000;

export interface ClaimedDelivery {
  readonly id: string;
  readonly webhook: string;
}

/** Free slots per webhook, and in all. */
export interface Room {
  readonly known: Readonly<Record<string, number>>;
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

export async function claimDeliveries(db: Db, app: AppRuntime, room: Room): Promise<ClaimedDelivery[]> {
  const table = id(app.storage, '_deliveries');
  const hooks = app.model.document.webhooks;
  const ordered = hooks.flatMap((hook) => (hook.ordered && hook.id !== undefined ? [hook.id] : []));
  const breaks = Object.fromEntries(hooks.map((hook) => [hook.id ?? '', breakAfter(hook)]));
  // What is switched off is ended without a call, so the state of its endpoint is no matter.
  const called = hooks.flatMap((hook) => (hook.active && hook.id !== undefined ? [hook.id] : []));
  // A row claimed by somebody else since then is looked at again when it is locked; `coalesce` keeps the planner to the ids.
  return run<ClaimedDelivery>(
    db,
    sql`with recursive ${queued(app)}, open as (
          select webhook, case
            when webhook <> all(${value(called, 'text[]')}) then ${value(MAX_AT_ONCE, 'integer')}
            when failures >= coalesce((${value(JSON.stringify(breaks), 'jsonb')} ->> webhook)::integer, 10)
              then case when trial_until > now() then 0 else 1 end
            else coalesce((${value(JSON.stringify(room.known), 'jsonb')} ->> webhook)::integer, 0) end as room
          from queued
          where webhook <> all(${value(called, 'text[]')}) or (disabled_at is null and coalesce(paused_until, now()) <= now())
        ), due as (
          select c.id from open cross join lateral (
            select d.id from (
              select * from ${table} q where q.webhook = open.webhook and q.status in ('pending', 'sending') and q.due_at <= now()
              order by q.event_seq limit case when open.webhook = any(${value(ordered, 'text[]')}) then ${value(LOOK_AHEAD, 'integer')} else open.room * 2 + 8 end
            ) d where not (open.webhook = any(${value(ordered, 'text[]')}) and ${isBehind(app)})
            order by d.event_seq limit open.room
          ) c
          limit ${value(Math.min(room.total, MAX_AT_ONCE), 'integer')}
        ), locked as (
          select l.id from ${table} l
          where l.id = any(array(select id from due)) and l.status in ('pending', 'sending') and coalesce(l.due_at, now()) <= now() for update of l skip locked
        )
        update ${table} d set status = 'sending', due_at = now() + ${value(LEASE, 'interval')}, leased_until = now() + ${value(LEASE, 'interval')}
        from locked where d.id = locked.id returning d.id, d.webhook`,
    { prepared: true },
  );
}

/** `min(due_at) as at` of what may be attempted: while an endpoint is left alone, nothing of it is due. */
export const nextDelivery = (app: AppRuntime): Sql => sql`
  with recursive ${queued(app)}
  select min(greatest(first.due_at, queued.paused_until, queued.trial_until)) as at from queued cross join lateral (
    select d.due_at from ${id(app.storage, '_deliveries')} d where d.webhook = queued.webhook and d.status in ('pending', 'sending')
    order by d.due_at limit 1
  ) first where queued.disabled_at is null`;
