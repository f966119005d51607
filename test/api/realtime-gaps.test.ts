/** Clients that are cut at random while many transactions commit out of order: what they are told is the log, whole and once. */
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshDatabase } from '../support/database.ts';
import { httpWorld, type HttpWorld } from '../support/http-world.ts';
import { DESK, realtimeWorld, USERS, type RealtimeWorld } from '../support/realtime-world.ts';
import { seeded } from '../support/seeded.ts';
import { listen } from '../support/sse.ts';

const SEED = Number(process.env['PROVE_SEED'] === 'random' ? Date.now() % 1e9 : (process.env['PROVE_SEED'] ?? 27));
const LANES = 6;
const WRITES = 40;

let world: RealtimeWorld;
let second: HttpWorld;
let adminToken: string;
beforeAll(async () => {
  world = await realtimeWorld(await freshDatabase());
  await world.app('desk', DESK, USERS);
  second = await httpWorld(world.databaseUrl);
  adminToken = await world.token('admin@x.test');
});
afterAll(async () => {
  await second.close();
  await world.close();
});

/** One transaction writes a few events of records it shares with the others, and may be rolled back or stay open for long. */
async function write(lane: number, random: () => number): Promise<void> {
  const client = new pg.Client({ connectionString: world.databaseUrl });
  await client.connect();
  try {
    for (let n = 0; n < WRITES; n++) {
      await client.query('begin');
      await change(client, `${lane}`);
      if (random() < 0.5) await change(client, 'shared');
      await client.query('select pg_sleep($1)', [random() < 0.1 ? 0.3 : random() * 0.01]);
      await client.query(random() < 0.2 ? 'rollback' : 'commit');
    }
  } finally {
    await client.end();
  }
}

/** As a write does it: the version is raised under the lock of the row, and the event is of the same statement. */
const change = (client: pg.Client, title: string): Promise<unknown> =>
  client.query(
    `with changed as (update app_desk.ticket set size = coalesce(size, 0) + 1, _version = _version + 1 where title = $1 returning *)
     insert into durabase.events (app, entity, record_id, action, record_version, schema_version, actor, record, old)
     select 'desk', 'ticket', id::text, 'update', _version, 1, '{"kind":"user","id":null,"roles":[]}',
       jsonb_build_object('id', id, 'title', title, 'size', size), jsonb_build_object('size', size - 1) from changed`,
    [title],
  );

interface Heard {
  readonly record: string;
  readonly version: number;
}

/** Listens, is cut, goes on at another process, until there is nothing more to hear. */
async function follow(from: string, random: () => number, isOver: () => Promise<boolean>): Promise<Heard[]> {
  const heard: Heard[] = [];
  let lastId = from;
  while (!(await isOver()) || random() < 0.5) {
    const { url } = random() < 0.5 ? world : second;
    const client = await listen(`${url}/api/desk/_events?entities=ticket`, {
      authorization: `Bearer ${adminToken}`,
      'last-event-id': lastId,
    });
    await new Promise((resolve) => setTimeout(resolve, 30 + random() * 250));
    client.kill();
    expect(client.status, client.body()).toBe(200);
    for (const { event, data } of client.events) {
      expect(event).toBe('record.updated');
      heard.push({ record: String(data['record_id']), version: Number(data['version']) });
    }
    lastId = client.lastId();
  }
  return heard;
}

it(`loses nothing, repeats nothing and keeps each record's order (seed ${SEED})`, async () => {
  const random = seeded(SEED).next;
  for (const title of [...Array(LANES).keys(), 'shared'])
    await world.pool.query(`insert into app_desk.ticket (id, title, _version) values (gen_random_uuid(), $1, 1)`, [String(title)]);
  const head = await fetch(`${world.url}/api/desk/_events`, { headers: { authorization: `Bearer ${adminToken}` } });
  const from = ((await head.json()) as { next: string }).next;
  let isWritten = false;
  const writing = Promise.all(Array.from({ length: LANES }, (_, lane) => write(lane, seeded(SEED + lane).next))).then(
    () => (isWritten = true),
  );
  const isOver = async (): Promise<boolean> => {
    if (!isWritten) return false;
    const { rows } = await world.pool.query<{ open: string }>(
      'select (select count(*) from durabase.events) - (select count(*) from durabase.feed) as open',
    );
    return rows[0]?.open === '0';
  };
  const all = await Promise.all([follow(from, random, isOver), follow(from, random, isOver), follow(from, random, isOver)]);
  await writing;
  const { rows } = await world.pool.query<{ record_id: string; record_version: string }>(
    `select record_id, record_version from durabase.events where action = 'update' order by record_id, record_version`,
  );
  const log = rows.map((row) => `${row.record_id} ${row.record_version}`);
  expect(log.length).toBeGreaterThan(LANES * WRITES * 0.6);
  for (const heard of all) {
    // The last cut may have come before the last event was told: what is heard is a beginning of the log, record by record.
    const keys = heard.map(({ record, version }) => `${record} ${version}`);
    expect(new Set(keys).size).toBe(keys.length);
    for (const record of new Set(heard.map((one) => one.record))) {
      const versions = heard.filter((one) => one.record === record).map((one) => one.version);
      expect(versions).toEqual(versions.map((_, index) => index + 2));
    }
  }
  const last = await listen(`${world.url}/api/desk/_events?entities=ticket`, {
    authorization: `Bearer ${adminToken}`,
    'last-event-id': from,
  });
  await last.waitFor((events) => events.length >= log.length);
  expect(last.events.map(({ data }) => `${String(data['record_id'])} ${String(data['version'])}`).sort()).toEqual([...log].sort());
  last.kill();
}, 90_000);
