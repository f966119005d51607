/**
 * Stage one of the relay: SQL only, independent of Temporal. A pass reads what is visible now and was not visible to the
 * cursor's snapshot, decides what follows from each event, and stores the decisions and the new snapshot in one
 * transaction (docs/adr/0002). Election is a session advisory lock, never an open row lock: a held xid would withhold events.
 */
import type pg from 'pg';
import { connectDirect } from '../adapters/postgres/pool.ts';
import { RELAY_CHANNEL } from '../operations/hint.ts';
import type { Services } from '../operations/context.ts';
import type { EventRow } from '../operations/events.ts';
import { announceFeed, numberEvents } from '../operations/realtime/feed.ts';
import { fanOut } from './fan-out.ts';
import { loop, pause, type Loop } from './loop.ts';

const ELECTION_KEY = 7_310_001;
const PAGE = 1_000;
const POLL_MS = 200;
/** After a pass that found something: more may follow, and nearly always says so by a hint. */
const SOON_MS = 50;
/** Between two passes that find something: under load what is committed meanwhile goes together. */
const REST_MS = 10;

/** `onDecided` is told after each pass that left work for the starter or the dispatcher. */
export function startRelay(services: Services, onDecided: (decided: Decided) => void = () => undefined): Loop {
  let client: pg.Client | undefined;
  let isHinted = true;
  const renamed = new Set<string>();
  const lose = async (): Promise<void> => {
    const lost = client;
    client = undefined;
    await lost?.end().catch(() => undefined);
  };
  const relay = loop('relay', services.log, async (signal, waker) => {
    const onHint = (): void => {
      isHinted = true;
      waker.wake();
    };
    client ??= await elect(services, onHint, signal);
    if (client === undefined) return;
    try {
      // Without a hint there is nearly never anything, and a pass is five statements.
      const isWanted = isHinted || (await hasNews(client));
      isHinted = false;
      const decided = isWanted ? await pass(services, client, renamed) : undefined;
      if (decided === undefined || decided.events === 0) return await pause(POLL_MS, signal, waker);
      onDecided(decided);
      await pause(REST_MS, signal);
      await pause(SOON_MS, signal, waker);
    } catch (error) {
      // The connection may be gone, and with it the lock: stand for election again.
      await lose();
      throw error;
    }
  });
  return {
    wake: () => relay.wake(),
    async close() {
      await relay.close();
      await lose();
    },
  };
}

/** Waits for a turn at leading; undefined when the process is asked to stop first. */
async function elect(services: Services, onHint: () => void, signal: AbortSignal): Promise<pg.Client | undefined> {
  const url = services.config.databaseDirectUrl ?? services.config.databaseUrl ?? '';
  const client = await connectDirect(url, 'durabase-relay', (error) =>
    services.log.warn({ error: error.message }, 'relay connection lost'),
  );
  try {
    while (!signal.aborted) {
      const answer = await client.query<{ won: boolean }>('select pg_try_advisory_lock($1) as won', [ELECTION_KEY]);
      if (answer.rows[0]?.won === true) {
        await placeCursor(client, services);
        client.on('notification', onHint);
        await client.query(`listen ${RELAY_CHANNEL}`);
        return client;
      }
      await pause(1_000, signal);
    }
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
  await client.end().catch(() => undefined);
  return undefined;
}

/**
 * A log restored into another cluster carries transaction ids that mean nothing here. What the cursor had handled becomes
 * older than everything, the rest gets this transaction's id, and the cursor is set just before it: nothing is lost or repeated.
 */
async function placeCursor(client: pg.Client, services: Services): Promise<void> {
  const { rows } = await client.query<{ cluster: string; here: string; snapshot: string }>(
    'select c.cluster, md5(s.system_identifier::text) as here, c.snapshot::text from durabase.relay_cursor c, pg_control_system() s where c.id = 1',
  );
  const [cursor] = rows;
  if (cursor === undefined || cursor.cluster === cursor.here) return;
  services.log.warn('the event log comes from another cluster: re-stamping it');
  await client.query('begin');
  await client.query(
    `update durabase.events set xid = case when pg_visible_in_snapshot(xid, $1::pg_snapshot) then '3'::xid8 else pg_current_xact_id() end`,
    [cursor.snapshot],
  );
  await client.query('update durabase.relay_cursor set snapshot = pg_current_snapshot(), cluster = $1 where id = 1', [cursor.here]);
  await client.query('commit');
}

export interface Decided {
  readonly events: number;
  readonly starts: number;
  readonly deliveries: number;
  readonly functionRuns: number;
}

async function hasNews(client: pg.Client): Promise<boolean> {
  const { rowCount } = await client.query({
    name: 'durabase-relay-news',
    text: `select from durabase.relay_cursor c cross join lateral (
      select from durabase.events where xid >= pg_snapshot_xmin(c.snapshot) and not pg_visible_in_snapshot(xid, c.snapshot) limit 1
    ) e where c.id = 1`,
  });
  return rowCount !== 0;
}

/** One transaction: everything that became visible since the last one. */
async function pass(services: Services, client: pg.Client, known: Set<string>): Promise<Decided> {
  const renamed = new Set(known);
  await client.query('begin');
  try {
    // A cursor, so that all pages see one snapshot while the writes between them stay in read committed.
    await client.query(`
      declare fresh no scroll cursor for
      with cursor as materialized (select snapshot, pg_current_snapshot() as here from durabase.relay_cursor where id = 1)
      select c.here::text as snapshot, e.*
      from cursor c
      left join lateral (
        select seq, at, at::text as "exactAt", app, entity, record_id, action, record_version, schema_version, actor, record, old, cause, depth
        from durabase.events
        where xid >= pg_snapshot_xmin(c.snapshot) and not pg_visible_in_snapshot(xid, c.snapshot)
        -- Given under the record's lock: inside one snapshot the changes of a record come by version.
        order by seq
      ) e on true`);
    let decided: Decided = { events: 0, starts: 0, deliveries: 0, functionRuns: 0 };
    let snapshot: string | undefined;
    let last: string | undefined;
    for (;;) {
      const { rows } = await client.query<RawEvent>(`fetch ${PAGE} from fresh`);
      snapshot ??= rows[0]?.snapshot;
      const events = rows.flatMap((row) => toEvent(row) ?? []);
      if (events.length > 0) {
        const more = await fanOut(services, client, events, renamed);
        last = await numberEvents(client, events);
        decided = {
          events: decided.events + events.length,
          starts: decided.starts + more.starts,
          deliveries: decided.deliveries + more.deliveries,
          functionRuns: decided.functionRuns + more.functionRuns,
        };
      }
      if (rows.length < PAGE) break;
    }
    if (snapshot !== undefined) {
      await client.query(
        'update durabase.relay_cursor set snapshot = $1::text::pg_snapshot, moved_at = now() where id = 1 and snapshot::text <> $1::text',
        [snapshot],
      );
    }
    if (last !== undefined) await announceFeed(client, last);
    await client.query('commit');
    for (const shape of renamed) known.add(shape);
    return decided;
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}

type RawEvent = { readonly snapshot: string; readonly seq: string | null; readonly at: Date; readonly exactAt: string } & Omit<
  EventRow,
  'seq' | 'at'
>;

function toEvent(row: RawEvent): (EventRow & { readonly exactAt: string }) | undefined {
  if (row.seq === null) return undefined;
  const { snapshot: _, ...event } = row;
  return { ...event, seq: row.seq, at: row.at.toISOString() };
}
