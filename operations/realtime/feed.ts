/**
 * The numbered feed: which events became visible, in that order. The relay writes it, one transaction after the other, so that
 * whoever stands at a position has seen everything below it.
 */
import type pg from 'pg';
import { execute, run, type Db } from '../../adapters/postgres/run.ts';
import { raw, sql, value } from '../../core/sql/sql.ts';
import type { Services } from '../context.ts';
import type { EventRow } from '../events.ts';

export const FEED_CHANNEL = 'durabase_feed';

/** What the relay knows of an event it numbers; `exactAt` with its microseconds. */
export interface NumberedEvent {
  readonly app: string;
  readonly seq: string;
  readonly exactAt: string;
}

/** Numbers events in the order given, inside the relay's transaction; answers the last number. */
export async function numberEvents(db: Db, events: readonly NumberedEvent[]): Promise<string> {
  const [row] = await run<{ last: string }>(
    db,
    sql`
    with numbered as (
      insert into durabase.feed (app, event_seq, event_at)
      select e.app, e.seq, e.at
      from unnest(${value(
        events.map(({ app }) => app),
        'text[]',
      )}, ${value(
        events.map(({ seq }) => seq),
        'bigint[]',
      )}, ${value(
        events.map(({ exactAt }) => exactAt),
        'timestamptz[]',
      )}) with ordinality e(app, seq, at, n) order by e.n
      returning position)
    select max(position) as last from numbered`,
  );
  return row?.last ?? '0';
}

/** Tells readers, with the commit of the pass, that there is something to read. */
export const announceFeed = (db: Db, last: string): Promise<unknown> =>
  run(db, sql`select pg_notify(${value(FEED_CHANNEL)}, ${value(last, 'text')})`);

/** An event and its place in the feed. */
export type FeedEvent = EventRow & { readonly position: bigint };

interface FeedRow extends Omit<EventRow, 'at'>, pg.QueryResultRow {
  readonly position: string;
  readonly at: Date;
}

/** Where one app's reader stands. */
export interface FeedPlace {
  readonly app: string;
  readonly after: bigint;
}

/** The events behind each app's place, `limit` of each app at most, an app's own in order. `until` is included. */
export async function readFeed(pool: pg.Pool, places: readonly FeedPlace[], limit: number, until?: bigint): Promise<FeedEvent[]> {
  if (places.length === 0) return [];
  const last = value(until?.toString() ?? null, 'bigint');
  const rows = await run<FeedRow>(
    pool,
    sql`
    select f.position, e.seq, e.at, e.app, e.entity, e.record_id, e.action, e.record_version, e.schema_version, e.actor, e.record, e.old,
      e.cause, e.depth
    from unnest(${value(
      places.map(({ app }) => app),
      'text[]',
    )}, ${value(
      places.map(({ after }) => after.toString()),
      'bigint[]',
    )}) w(app, after)
    cross join lateral (
      select position, event_seq, event_at from durabase.feed
      where app = w.app and position > w.after and (${last} is null or position <= ${last})
      order by position limit ${value(limit, 'integer')}) f
    join durabase.events e on e.seq = f.event_seq and e.at = f.event_at
    order by f.position`,
    { prepared: true },
  );
  return rows.map((row) => ({ ...row, position: BigInt(row.position), at: row.at.toISOString() }));
}

/** The newest events of an app that are still in the feed, the newest first. */
export async function lastOfFeed(pool: pg.Pool, app: string, limit: number): Promise<FeedEvent[]> {
  const rows = await run<FeedRow>(
    pool,
    sql`
    select f.position, e.seq, e.at, e.app, e.entity, e.record_id, e.action, e.record_version, e.schema_version, e.actor, e.record, e.old,
      e.cause, e.depth
    from (select position, event_seq, event_at from durabase.feed where app = ${value(app)} order by position desc limit ${value(limit, 'integer')}) f
    join durabase.events e on e.seq = f.event_seq and e.at = f.event_at
    order by f.position desc`,
    { prepared: true },
  );
  return rows.map((row) => ({ ...row, position: BigInt(row.position), at: row.at.toISOString() }));
}

/** What the ids of the feed are worth now. */
export interface FeedHead {
  /** The short hash that ids of this cluster begin with. */
  readonly cluster: string;
  /** The app's newest position. */
  readonly newest: bigint;
  /** No position above this was ever given. */
  readonly most: bigint;
  /** Ids below this have expired. */
  readonly oldest: bigint;
}

export async function feedHead(pool: pg.Pool, app: string): Promise<FeedHead> {
  const [row] = await run<{ cluster: string; newest: string; most: string; oldest: string }>(
    pool,
    sql`
    select left(c.cluster, 8) as cluster, s.pruned_through as oldest,
      greatest((select max(position) from durabase.feed where app = ${value(app)}), s.pruned_through) as newest,
      (select last_value from durabase.feed_position_seq) as most
    from durabase.relay_cursor c, durabase.feed_state s`,
    { prepared: true },
  );
  const { cluster = '', newest = '0', most = '0', oldest = '0' } = row ?? {};
  return { cluster, newest: BigInt(newest), most: BigInt(most), oldest: BigInt(oldest) };
}

export const eventId = (cluster: string, position: bigint): string => `${cluster}.${position}`;

/** The place an id stands for; undefined when it is malformed, of another cluster, expired, or was never given here. */
export function placeOf(head: FeedHead, id: string): bigint | undefined {
  const [, cluster, digits] = /^([0-9a-f]{8})\.(\d{1,18})$/.exec(id) ?? [];
  if (cluster !== head.cluster || digits === undefined) return undefined;
  const position = BigInt(digits);
  return position < head.oldest || position > head.most ? undefined : position;
}

const PRUNED_AT_ONCE = 20_000;

/** Forgets what is older than ids are kept, a batch at a time; answers how much that was. */
export async function pruneFeed(services: Services): Promise<number> {
  const hours = services.config.feedHours;
  const gone = await execute(
    services.pool,
    sql`
    with gone as (
      delete from durabase.feed where (app, position) in (
        select app, position from durabase.feed where at < now() - make_interval(hours => ${value(hours, 'integer')})
        order by position limit ${value(PRUNED_AT_ONCE, 'integer')})
      returning position
    ), told as (
      update durabase.feed_state set pruned_through = greatest(pruned_through, (select max(position) from gone))
      where exists (select from gone)
    )
    select position from gone`,
  );
  await execute(services.pool, sql`delete from durabase.stream_tickets where expires_at < now() - ${raw("interval '1 minute'")}`);
  return gone;
}
