/** Rollouts over real HTTP, a real worker and real Temporal: rings, gates, and what an operator does with them. */
import { pino } from 'pino';
import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createTemporalGateway } from '../../adapters/temporal/client.ts';
import { dataConverter } from '../../adapters/temporal/data-converter.ts';
import { copyApp } from '../../bench/harness/many-apps.ts';
import { startWorld, type Reply, type World } from '../api/world.ts';
import { recordHistories } from '../replay/record.ts';

let world: World;
let token: string;
let connection: Connection;
let temporal: Client;
let db: pg.Pool;
const histories = new Map<string, string>();
beforeAll(async () => {
  world = await startWorld();
  token = await world.platformToken();
  connection = await Connection.connect({ address: world.config.temporal.address ?? '' });
  temporal = new Client({ connection, namespace: world.config.temporal.namespace, dataConverter });
  db = new pg.Pool({ connectionString: world.databaseUrl, max: 2 });
  db.on('error', () => undefined);
}, 90_000);
afterAll(async () => {
  const gateway = createTemporalGateway(world.config, pino({ level: 'silent' }));
  await recordHistories({ temporal: gateway }, 'rollout', histories);
  await gateway.close();
  await db.end();
  await connection.close();
});

const send = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Reply> =>
  world.send(method, `/api/_platform/${path}`, { token, body, headers });
const FIELDS = [
  { name: 'title', type: 'string' },
  { name: 'code', type: 'string' },
];
const document = (book: object = {}) => ({
  version: 1,
  entities: [
    { name: 'book', fields: FIELDS, ...book },
    { name: 'shelf', fields: FIELDS },
  ],
});
/** Migrations can take this back. */
const INDEXED = document({ indexes: [{ fields: ['title'] }] });
/** Two records of one title are in its way. */
const UNIQUE = document({ unique: [['title']] });

/** A schema that nobody owns with apps that follow it at version 1; answers their names. `next` is its version 2. */
async function fleet(schema: string, count: number, next: object): Promise<string[]> {
  expect((await send('POST', 'schemas', { name: schema })).status).toBe(201);
  expect((await send('POST', `schemas/${schema}/versions`, document())).status).toBe(201);
  const first = `${schema}-`;
  expect((await send('POST', 'apps', { name: first, schema })).status).toBe(201);
  const copies = await copyApp(world.databaseUrl, first, count - 1);
  expect((await send('POST', `schemas/${schema}/versions`, next)).status).toBe(201);
  return [first, ...copies];
}

async function start(body: object, headers: Record<string, string> = {}): Promise<string> {
  const started = await send('POST', 'rollouts', { version: 2, ...body }, headers);
  expect(started.status, started.text).toBe(202);
  return started.body.data.id as string;
}

const rollout = async (id: string) => (await send('GET', `rollouts/${id}`)).body.data;
async function until(id: string, holds: (view: { status: string; bake_until: string | null; apps: object }) => boolean) {
  let last: unknown;
  await vi
    .waitUntil(async () => holds((last = await rollout(id)) as never), { timeout: 40_000, interval: 50 })
    .catch(() => expect.fail(`not reached: ${JSON.stringify(last)}`));
  return rollout(id);
}
const ask = (id: string, verb: string): Promise<Reply> => send('POST', `rollouts/${id}/${verb}`);
const served = async (schema: string): Promise<Record<string, number>> => {
  const { rows } = await db.query<{ name: string; served_version: number }>(
    'select name, served_version from durabase.apps where schema_name = $1 order by name',
    [schema],
  );
  return Object.fromEntries(rows.map((row) => [row.name, row.served_version]));
};
const inApp = async (app: string, text: (storage: string) => string): Promise<void> => {
  const { rows } = await db.query<{ storage: string }>('select storage from durabase.apps where name = $1', [app]);
  await db.query(text(rows[0]?.storage ?? ''));
};
const twoOfOneTitle = (app: string): Promise<void> =>
  inApp(app, (storage) => `insert into ${storage}.book (id, title) select gen_random_uuid(), 'same' from generate_series(1, 2)`);

describe('a rollout that goes well', () => {
  it('moves twelve apps ring by ring, skips the pinned and leaves the one that is there, each by its own migration', async () => {
    const apps = await fleet('good', 12, INDEXED);
    const [first = '', second = '', third = ''] = apps;
    await send('PUT', `apps/${second}`, { pinned_version: 1 });
    await world.send('POST', `/api/${third}/_admin/migrations`, { token, body: { to_version: 2 } });
    const id = await start({ schema: 'good', rings: [{ name: 'first', apps: [first, second, third] }, { percent: 50 }], bake: '300ms' });
    histories.set(`rollout/${id}`, 'completed');
    const done = await until(id, (view) => view.status === 'completed');
    expect(done.apps).toEqual({ total: 12, moved: 10, skipped: 1, unchanged: 1 });
    expect(done.rings.map((ring: { name: string; apps: { total: number } }) => [ring.name, ring.apps.total])).toEqual([
      ['first', 3],
      ['ring 2', 3],
      ['rest', 6],
    ]);
    const report = new Map(done.report.map((line: { app: string }) => [line.app, line]));
    expect(report.get(first)).toMatchObject({ ring: 'first', status: 'moved', from_version: 1, to_version: 2, error: null });
    expect(report.get(second)).toMatchObject({ status: 'skipped', error: expect.stringContaining('pinned to version 1') as string });
    expect(report.get(third)).toMatchObject({ status: 'unchanged' });
    expect(Object.values(await served('good')).filter((version) => version === 2)).toHaveLength(11);
    const { rows } = await db.query(
      "select app from durabase.migrations m join durabase.apps a on a.id = m.app where a.schema_name = 'good' and m.from_version = 1 group by app having count(*) > 1",
    );
    expect(rows).toEqual([]);
    const rings = done.report.map((line: { ring: string; started_at: string | null }) => line);
    const times = (ring: string): number[] =>
      rings.flatMap((line: { ring: string; started_at: string | null }) =>
        line.ring === ring && line.started_at !== null ? [Date.parse(line.started_at)] : [],
      );
    expect(Math.min(...times('ring 2')) - Math.max(...times('first'))).toBeGreaterThanOrEqual(300);
    expect(Math.min(...times('rest')) - Math.max(...times('ring 2'))).toBeGreaterThanOrEqual(300);
  }, 90_000);

  it('tells its story in Temporal', async () => {
    const [id] = histories.keys();
    const handle = temporal.workflow.getHandle(id ?? '');
    // The row is written within the last task of the workflow.
    await vi.waitUntil(async () => (await handle.describe()).searchAttributes['State']?.[0] === 'completed', {
      timeout: 20_000,
      interval: 50,
    });
    const history = await handle.fetchHistory();
    const children = (history.events ?? []).flatMap((event) => event.startChildWorkflowExecutionInitiatedEventAttributes?.workflowId ?? []);
    expect(children).toHaveLength(10);
    expect(children.every((child) => /^migration\/[a-z0-9]+\/\d+$/.test(child))).toBe(true);
  });
});

describe('a canary that fails', () => {
  let id: string;
  beforeAll(async () => {
    const apps = await fleet('canary', 6, UNIQUE);
    for (const app of apps) await twoOfOneTitle(app);
    id = await start({ schema: 'canary', canary: 20, parallel: 1 });
    histories.set(`rollout/${id}`, 'asked-after-its-end');
  }, 60_000);

  it('stops the rest', async () => {
    const stopped = await until(id, (view) => view.status === 'stopped');
    expect(stopped).toMatchObject({ ring: 'canary', apps: { total: 6, failed: 1, pending: 5 } });
    expect(stopped.error).toBe('1 of the apps failed; 0 may.');
    expect(stopped.report[0]).toMatchObject({ ring: 'canary', status: 'failed', error: expect.stringContaining('title') as string });
    expect(new Set(Object.values(await served('canary')))).toEqual(new Set([1]));
    const failed = await send('GET', `rollouts/${id}?status=failed`);
    expect(failed.body.data.report).toHaveLength(1);
  });

  it('goes on when it is resumed, and counts anew', async () => {
    expect((await ask(id, 'resume')).status).toBe(200);
    const again = await until(id, (view) => view.status === 'stopped' && !('failed' in view.apps && view.apps.failed === 1));
    expect(again.apps).toEqual({ total: 6, failed: 2, pending: 4 });
  });

  it('ends when it is aborted; asking again changes nothing, other requests are refused', async () => {
    const aborted = await ask(id, 'abort');
    expect(aborted.status, aborted.text).toBe(200);
    expect(aborted.body.data).toMatchObject({ status: 'aborted', apps: { total: 6, failed: 2, skipped: 4 } });
    expect((await ask(id, 'abort')).body.data.status).toBe('aborted');
    const refused = await ask(id, 'pause');
    expect([refused.status, refused.body.error.code], refused.text).toEqual([422, 'INVALID_STATE']);
  });
});

describe('a rollout under an operator', () => {
  let id: string;
  let apps: string[];
  beforeAll(async () => {
    apps = await fleet('steered', 4, INDEXED);
    id = await start({ schema: 'steered', rings: [{ name: 'first', apps: [apps[0], apps[1]] }], bake: '1h' });
    histories.set(`rollout/${id}`, 'steered');
    await until(id, (view) => view.bake_until !== null);
  }, 60_000);

  it('is paused and resumed while it bakes, and bakes no longer for it', async () => {
    const before = await rollout(id);
    expect(Date.parse(before.bake_until) - Date.now()).toBeGreaterThan(3_500_000);
    expect((await ask(id, 'pause')).body.data).toMatchObject({ status: 'paused', bake_until: before.bake_until });
    expect((await ask(id, 'resume')).body.data).toMatchObject({ status: 'running', bake_until: before.bake_until });
    expect((await rollout(id)).apps).toEqual({ total: 4, moved: 2, pending: 2 });
  });

  it('moves one app back', async () => {
    const back = await send('POST', `rollouts/${id}/apps/${apps[0]}/rollback`);
    expect(back.status, back.text).toBe(200);
    await until(id, (view) => 'rolled_back' in view.apps);
    expect(await served('steered')).toMatchObject({ [apps[0] ?? '']: 1, [apps[1] ?? '']: 2 });
    const none = await send('POST', `rollouts/${id}/apps/${apps[3]}/rollback`);
    expect([none.status, none.body.error.code], none.text).toEqual([422, 'INVALID_STATE']);
    expect((await send('POST', `rollouts/${id}/apps/nobody/rollback`)).body.error.code).toBe('APP_NOT_FOUND');
  });

  it('refuses a second one of the schema, and answers the same request with itself', async () => {
    const same = { schema: 'steered', version: 2, rings: [{ name: 'first', apps: [apps[0], apps[1]] }], bake: '1h' };
    const again = await Promise.all([send('POST', 'rollouts', same), send('POST', 'rollouts', same)]);
    expect(again.map((reply) => [reply.status, reply.body.data.id])).toEqual([
      [200, id],
      [200, id],
    ]);
    const other = await send('POST', 'rollouts', { schema: 'steered', version: 1 });
    expect([other.status, other.body.error.code]).toEqual([409, 'CONFLICT']);
  });

  it('is rolled back as a whole: what it moved moves back, what it did not stays', async () => {
    expect((await ask(id, 'rollback')).body.data.status).toBe('rolling_back');
    const back = await until(id, (view) => view.status === 'rolled_back');
    expect(back).toMatchObject({ error: null, apps: { total: 4, rolled_back: 2, skipped: 2 } });
    expect(new Set(Object.values(await served('steered')))).toEqual(new Set([1]));
  });

  it('that has ended wakes up to be rolled back, and a key answers it for good', async () => {
    const key = { 'Idempotency-Key': 'roll-1' };
    const next = await start({ schema: 'steered', parallel: 2 }, key);
    await until(next, (view) => view.status === 'completed');
    expect((await send('POST', 'rollouts', { schema: 'steered', version: 2, parallel: 2 }, key)).body.data).toMatchObject({
      id: next,
      status: 'completed',
    });
    const mismatch = await send('POST', 'rollouts', { schema: 'steered', version: 1 }, key);
    expect([mismatch.status, mismatch.body.error.code]).toEqual([422, 'IDEMPOTENCY_MISMATCH']);
    expect((await ask(next, 'rollback')).status).toBe(200);
    const back = await until(next, (view) => view.status === 'rolled_back');
    expect(back.apps).toEqual({ total: 4, rolled_back: 4 });
    histories.set(`rollout/${next}`, 'rolled-back-after-its-end');
    const listed = await send('GET', 'rollouts?schema=steered');
    expect(listed.body.data.map((one: { id: string; status: string }) => [one.id, one.status])).toEqual([
      [next, 'rolled_back'],
      [id, 'rolled_back'],
    ]);
  });

  it('leaves its steps in audit and events', async () => {
    const audit = (await send('GET', 'audit?per_page=200')).body.data as { action: string; target: string }[];
    expect(audit.filter((entry) => entry.target === id).map((entry) => entry.action)).toEqual([
      'rollout.rollback',
      'rollout.rollback',
      'rollout.resume',
      'rollout.pause',
      'rollout.start',
    ]);
    const events = (await send('GET', 'events?limit=500')).body.data as {
      type: string;
      body: { rollout_id?: string; status?: string };
    }[];
    expect(events.filter((event) => event.body.rollout_id === id).map((event) => event.body.status)).toEqual([
      'planned',
      'running',
      'paused',
      'running',
      'rolling_back',
      'rolled_back',
    ]);
  });
});

it('an app that cannot be read after its move stops the rollout, and is moved back with the rest', async () => {
  const apps = await fleet('gated', 4, INDEXED);
  await inApp(apps[0] ?? '', (storage) => `drop table ${storage}.shelf`);
  const id = await start({ schema: 'gated', rings: [{ name: 'first', apps: [apps[0]] }] });
  histories.set(`rollout/${id}`, 'unhealthy');
  const stopped = await until(id, (view) => view.status === 'stopped');
  expect(stopped.apps).toEqual({ total: 4, unhealthy: 1, pending: 3 });
  expect(stopped.report[0].error).toContain('Reading "shelf" fails since the move');
  await ask(id, 'rollback');
  expect((await until(id, (view) => view.status === 'rolled_back')).apps).toEqual({ total: 4, rolled_back: 1, skipped: 3 });
}, 60_000);

it('what cannot be moved back is named and left where it is', async () => {
  await fleet('forward', 2, document({ fields: [...FIELDS, { name: 'isbn', type: 'string' }] }));
  const id = await start({ schema: 'forward' });
  await until(id, (view) => view.status === 'completed');
  await ask(id, 'rollback');
  const back = await until(id, (view) => view.status === 'rolled_back');
  expect(back).toMatchObject({ error: '2 of the apps could not be moved back.', apps: { rollback_failed: 2 } });
  expect(back.report[0].error).toContain('isbn');
}, 60_000);

describe('the route', () => {
  it.each([
    [{}, 'schema'],
    [{ schema: 'good' }, 'version'],
    [{ schema: 'nothing', version: 1 }, 'schema'],
    [{ schema: 'good', version: 99 }, 'version'],
    [{ schema: 'good', version: 2, canary: 10, rings: [{ percent: 5 }] }, 'canary'],
    [{ schema: 'good', version: 2, canary: 100 }, 'canary'],
    [{ schema: 'good', version: 2, rings: [{ apps: ['stranger'] }] }, 'rings'],
    [{ schema: 'good', version: 2, rings: [{ apps: ['good-'] }, { apps: ['good-'] }] }, 'rings'],
    [{ schema: 'good', version: 2, rings: [{ percent: 5, apps: ['good-'] }] }, 'rings'],
    [{ schema: 'good', version: 2, bake: 'soon' }, 'bake'],
    [{ schema: 'good', version: 2, bake: '31d' }, 'bake'],
    [{ schema: 'good', version: 2, max_failures: -1 }, 'max_failures'],
    [{ schema: 'good', version: 2, speed: 'fast' }, 'speed'],
  ])('refuses %j', async (body, field) => {
    const refused = await send('POST', 'rollouts', body);
    expect([refused.status, refused.body.error.code], refused.text).toEqual([422, 'VALIDATION_FAILED']);
    expect(refused.body.error.details[0].field).toBe(field);
  });

  it('answers 404 for what is not there, 405 with the methods, and nobody but the platform', async () => {
    for (const [method, path] of [
      ['GET', 'rollouts/none'],
      ['POST', 'rollouts/00000000-0000-7000-8000-000000000001/pause'],
      ['POST', 'rollouts/none/stop'],
    ] as const) {
      expect((await send(method, path)).status, path).toBe(404);
    }
    expect((await send('POST', 'rollouts/none/pause', { reason: 'x' })).body.error.code).toBe('UNKNOWN_FIELD');
    expect((await send('GET', 'rollouts?state=running')).body.error.code).toBe('UNKNOWN_PARAMETER');
    const wrong = await send('DELETE', 'rollouts');
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST']);
    expect((await world.send('GET', '/api/_platform/rollouts', { token: await world.login('good-') })).status).toBe(401);
  });
});
