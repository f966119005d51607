/** Rollouts, migrations and their contracts that Temporal asks to be continued as new, by a server that asks early: every word counts. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { dataConverter } from '../../adapters/temporal/data-converter.ts';
import { startTemporal, type RunningTemporal } from '../../infra/local/temporal.ts';
import { startWorld, type Reply, type World } from '../api/world.ts';

const WAIT = { timeout: 40_000, interval: 50 };
/** More than the server lets into a history before it asks, at some ten events each. */
const WORDS = 8;

let temporal: RunningTemporal;
let world: World;
let token: string;
let connection: Connection;
let client: Client;
let db: pg.Pool;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'durabase-continued-'));
beforeAll(async () => {
  temporal = await startTemporal({
    logFile: path.join(folder, 'temporal.log'),
    // Without a pause between two executions, so that what comes meets the end of one as often as its beginning.
    dynamicConfig: { 'limit.historyCount.suggestContinueAsNew': 24, 'history.workflowIdReuseMinimalInterval': '0s' },
  });
  world = await startWorld({ TEMPORAL_ADDRESS: temporal.address });
  token = await world.platformToken();
  connection = await Connection.connect({ address: temporal.address });
  client = new Client({ connection, namespace: world.config.temporal.namespace, dataConverter });
  db = new pg.Pool({ connectionString: world.databaseUrl, max: 2 });
  db.on('error', () => undefined);
}, 120_000);
afterAll(async () => {
  await db.end();
  await connection.close();
  await temporal.stop();
  fs.rmSync(folder, { recursive: true, force: true });
});

const send = (method: string, to: string, body?: unknown): Promise<Reply> => world.send(method, `/api/${to}`, { token, body });

async function good(method: string, to: string, body?: unknown): Promise<Reply['body']> {
  const reply = await send(method, to, body);
  expect(reply.status, `${method} ${to}: ${reply.text}`).toBeLessThan(300);
  return reply.body.data;
}

/** How the executions under an id have ended. */
async function executions(workflowId: string): Promise<string[]> {
  const statuses: string[] = [];
  for await (const one of client.workflow.list({ query: `WorkflowId = "${workflowId}"` })) statuses.push(one.status.name);
  return statuses;
}
const continued = async (workflowId: string): Promise<number> =>
  (await executions(workflowId)).filter((status) => status === 'CONTINUED_AS_NEW').length;

const document = (type: string) => ({
  version: 1,
  settings: { migrations: { grace: '1h', retention: '1h' } },
  entities: [{ name: 'item', fields: [{ name: 'amount', type }] }],
  ...(type === 'string' ? {} : { migrate: [{ convert: { entity: 'item', field: 'amount' } }] }),
});

it('a rollout obeys every pause and resume, and moves its apps at the end', async () => {
  await good('POST', '_platform/schemas', { name: 'fleet' });
  await good('POST', '_platform/schemas/fleet/versions', document('string'));
  for (const name of ['fleet-a', 'fleet-b']) await good('POST', '_platform/apps', { name, schema: 'fleet' });
  await good('POST', '_platform/schemas/fleet/versions', {
    ...document('string'),
    entities: [{ name: 'item', fields: [{ name: 'amount', type: 'string' }], indexes: [{ fields: ['amount'] }] }],
  });
  const { id } = await good('POST', '_platform/rollouts', {
    schema: 'fleet',
    version: 2,
    rings: [{ name: 'first', apps: ['fleet-a'] }],
    bake: '3s',
  });
  await vi.waitUntil(async () => (await good('GET', `_platform/rollouts/${id}`)).bake_until !== null, WAIT);
  for (let word = 0; word < WORDS; word++) {
    expect((await good('POST', `_platform/rollouts/${id}/pause`)).status).toBe('paused');
    expect((await good('POST', `_platform/rollouts/${id}/resume`)).status).toBe('running');
  }
  await vi.waitUntil(async () => (await good('GET', `_platform/rollouts/${id}`)).status === 'completed', WAIT);
  expect((await good('GET', `_platform/rollouts/${id}`)).apps).toEqual({ total: 2, moved: 2 });
  expect(await continued(`rollout/${id}`)).toBeGreaterThan(1);
}, 90_000);

it('a rollout whose workflow is cancelled in Temporal is aborted', async () => {
  const { id } = await good('POST', '_platform/rollouts', {
    schema: 'fleet',
    version: 1,
    rings: [{ name: 'first', apps: ['fleet-a'] }],
    bake: '1h',
  });
  await vi.waitUntil(async () => (await good('GET', `_platform/rollouts/${id}`)).bake_until !== null, WAIT);
  await client.workflow.getHandle(`rollout/${id}`).cancel();
  await vi.waitUntil(async () => (await good('GET', `_platform/rollouts/${id}`)).status === 'aborted', WAIT);
  await vi.waitUntil(async () => !(await executions(`rollout/${id}`)).includes('RUNNING'), WAIT);
}, 90_000);

it('a migration looks again at every word, and its contract keeps what was asked of it before', async () => {
  await good('POST', '_platform/apps', { name: 'slow' });
  await good('POST', 'slow/_admin/versions', document('string'));
  const [item, later] = await Promise.all([good('POST', 'slow/item', { amount: 'many' }), good('POST', 'slow/item', { amount: '7' })]);
  await send('POST', 'slow/_admin/versions', document('int'));
  // The value that does not fit holds it before its switch: it looks again whenever it is resumed.
  const { id, workflow_id: workflowId } = await held();
  for (let word = 0; word < WORDS; word++) {
    await good('POST', `slow/_admin/migrations/${id}/resume`);
    await held();
  }
  await good('PATCH', `slow/item/${item.id}`, { amount: '5' });
  await good('POST', `slow/_admin/migrations/${id}/resume`);
  await vi.waitUntil(async () => (await newest()).phase === 'grace', WAIT);
  expect(await continued(workflowId)).toBeGreaterThan(0);

  const older = await world.send('PATCH', `/api/slow/item/${later.id}`, {
    token,
    body: { amount: 'none' },
    headers: { 'Schema-Version': '1' },
  });
  expect(older.status, older.text).toBe(200);
  const contract = workflowId.replace('migration/', 'contract/');
  for (let word = 0; word < WORDS; word++) await good('POST', `slow/_admin/migrations/${id}/contract`, { drop: word === 0 });
  await vi.waitUntil(async () => (await continued(contract)) > 0, WAIT);
  await good('PATCH', `slow/item/${later.id}`, { amount: 9 });
  await good('POST', `slow/_admin/migrations/${id}/contract`, { drop: false });
  await vi.waitUntil(async () => (await newest()).status === 'completed', WAIT);
}, 120_000);

interface Open {
  readonly id: string;
  readonly status: string;
  readonly phase: string;
  readonly workflow_id: string;
}
const newest = async (): Promise<Open> =>
  (await db.query<Open>('select id, status, phase, workflow_id from durabase.migrations order by created_at desc limit 1')).rows[0] as Open;
async function held(): Promise<Open> {
  await vi.waitUntil(async () => (await newest()).status === 'paused', WAIT);
  return newest();
}
