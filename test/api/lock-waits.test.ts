/** What is told of a migration while it tries for a lock that somebody holds: which step, since when, and whose sessions use the table. */
import pg from 'pg';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { holdBackfill } from '../support/held-backfill.ts';
import { startWorld, type Reply, type World } from './world.ts';

let world: World;
let token: string;
let client: pg.Client;
let table: string;
const ROWS = 3_000;
const HELD = { gate: 500, row: 1_500 };

const send = (method: string, path: string, body?: unknown): Promise<Reply> => world.send(method, `/api/${path}`, { token, body });
const item = (...fields: object[]) => ({ version: 1, entities: [{ name: 'item', fields }] });

beforeAll(async () => {
  world = await startWorld();
  token = await world.platformToken();
  await send('POST', '_platform/apps', { name: 'busy' });
  const fields = [
    { name: 'number', type: 'int' },
    { name: 'amount', type: 'string' },
  ];
  expect((await send('POST', 'busy/_admin/versions', item(...fields))).status).toBe(201);
  client = new pg.Client({ connectionString: world.databaseUrl, application_name: 'nightly-report' });
  await client.connect();
  const { rows } = await client.query<{ storage: string }>("select storage from durabase.apps where name = 'busy'");
  table = `${rows[0]?.storage ?? ''}.item`;
  // Keys in the order of the numbers, as the backfill goes.
  await client.query(
    `insert into ${table} (id, number, amount)
     select lpad(to_hex(n), 32, '0')::uuid, n, n::text from generate_series(1, ${String(ROWS)}) n`,
  );
});
afterAll(() => client.end());

it('a backfill that meets a row in use says how far it is, and whose transaction is in the way', async () => {
  const held = await holdBackfill(client, table, HELD);
  const asked = await send('POST', 'busy/_admin/versions', {
    ...item({ name: 'number', type: 'int' }, { name: 'amount', type: 'int' }),
    migrate: [{ convert: { entity: 'item', field: 'amount' } }],
  });
  const migration = asked.body.data.migration.id as string;
  const read = async () => (await send('GET', `busy/_admin/migrations/${migration}`)).body.data;
  await vi.waitUntil(async () => (await read()).waits !== null, { timeout: 20_000, interval: 50 });
  await held.atRow();
  await vi.waitUntil(async () => (await read()).progress.done > HELD.gate, { timeout: 20_000, interval: 50 });
  await vi.waitUntil(async () => (await read()).waits?.sessions.length === 1, { timeout: 20_000, interval: 50 });
  const waiting = await read();
  expect(waiting).toMatchObject({
    status: 'running',
    phase: 'backfill',
    waits: { step: expect.stringMatching(/^backfill\/item\//) as string },
  });
  expect(waiting.waits.sessions).toMatchObject([{ application: 'nightly-report', state: 'idle in transaction' }]);
  expect(waiting.progress).toMatchObject({ unit: 'rows', total: ROWS });
  expect(waiting.progress.done).toBeLessThan(HELD.row);
  expect(waiting.progress.eta_seconds).toBeGreaterThanOrEqual(0);
  const step = (waiting.steps as { key: string; rows?: number; rows_total?: number }[]).find(({ key }) => key === waiting.waits.step);
  expect(step?.rows_total).toBe(ROWS);
  // Written with each batch, the progress once a second.
  expect(step?.rows).toBeGreaterThanOrEqual(waiting.progress.done);
  const { tries } = waiting.waits as { tries: number };
  await vi.waitUntil(async () => (await read()).waits?.tries > tries, { timeout: 20_000, interval: 100 });
  await held.release();
  await vi.waitUntil(async () => (await read()).status === 'ready', { timeout: 30_000, interval: 50 });
  expect((await read()).waits).toBe(null);
});

it('a brief step that finds its table taken tells so, too', async () => {
  await client.query('begin');
  await client.query(`lock table ${table} in share mode`);
  const asked = send(
    'POST',
    'busy/_admin/versions',
    item({ name: 'number', type: 'int' }, { name: 'amount', type: 'int' }, { name: 'note', type: 'text' }),
  );
  const newest = async () => {
    const [{ id }] = (await send('GET', 'busy/_admin/migrations?per_page=1')).body.data as [{ id: string }];
    return (await send('GET', `busy/_admin/migrations/${id}`)).body.data;
  };
  await vi.waitUntil(async () => (await newest()).waits?.sessions.length === 1, { timeout: 20_000, interval: 50 });
  expect((await newest()).waits).toMatchObject({ step: 'add-column/item.note', sessions: [{ application: 'nightly-report' }] });
  await client.query('commit');
  await asked;
  await vi.waitUntil(async () => (await newest()).status === 'completed', { timeout: 20_000, interval: 50 });
  expect((await newest()).waits).toBe(null);
});
