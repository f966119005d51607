/** What still runs for an app goes with it. */
import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { dataConverter } from '../../adapters/temporal/data-converter.ts';
import { contractWorkflowId } from '../../workflows/contracts/ids.ts';
import { contractNowUpdate } from '../../workflows/contracts/messages.ts';
import { startWorld, type World } from '../api/world.ts';

let world: World;
let token: string;
let connection: Connection;
let client: Client;
let db: pg.Client;
beforeAll(async () => {
  world = await startWorld();
  token = await world.platformToken();
  connection = await Connection.connect({ address: world.config.temporal.address ?? '' });
  client = new Client({ connection, namespace: world.config.temporal.namespace, dataConverter });
  db = new pg.Client({ connectionString: world.databaseUrl });
  await db.connect();
}, 90_000);
afterAll(async () => {
  await db.end();
  await connection.close();
});

const send = (method: string, path: string, body?: unknown) => world.send(method, `/api/${path}`, { token, body });
const approval = {
  name: 'ask',
  trigger: { type: 'state_change', entity: 'ticket', field: 'title', to: 'x' },
  steps: [{ id: 'wait', type: 'approval', assignee: { type: 'role', role: 'admin' } }],
};

async function appWithRun(name: string): Promise<string> {
  const made = await send('POST', '_platform/apps', { name });
  expect(made.status, made.text).toBe(201);
  const imported = await send('POST', `${name}/_admin/import`, {
    version: 1,
    entities: [{ name: 'ticket', fields: [{ name: 'title', type: 'string' }] }],
    workflows: [approval],
  });
  expect(imported.status, imported.text).toBeLessThan(300);
  expect((await send('POST', `${name}/ticket`, { title: 'x' })).status).toBe(201);
  const id = made.body.data.id as string;
  await vi.waitUntil(async () => (await running(id)).length === 1, { timeout: 20_000, interval: 50 });
  return id;
}

async function running(app: string): Promise<string[]> {
  const found: string[] = [];
  for await (const run of client.workflow.list({ query: `AppId = "${app}" and ExecutionStatus = "Running"` })) found.push(run.type);
  return found;
}

it('removing an app ends its waiting processes, and nobody else is touched', async () => {
  const [kept, gone] = [await appWithRun('kept'), await appWithRun('gone')];
  const removed = await send('DELETE', '_platform/apps/gone?now=true');
  expect(removed.body.data, removed.text).toMatchObject({ status: 'retired' });
  await vi.waitUntil(async () => (await running(gone)).length === 0, { timeout: 20_000, interval: 50 });
  expect(await running(kept)).toEqual(['process']);
}, 60_000);

it('a migration can be found by its app and state', async () => {
  const { body } = await send('POST', '_platform/apps', { name: 'seen' });
  await send('POST', 'seen/_admin/entities', { name: 'note', fields: [{ name: 'text', type: 'text' }] });
  const states = async (): Promise<unknown[]> => {
    const found: unknown[] = [];
    for await (const run of client.workflow.list({
      query: `AppId = "${String(body.data.id)}" and WorkflowType = "schemaMigration" and State = "completed"`,
    }))
      found.push(run.workflowId);
    return found;
  };
  await vi.waitUntil(async () => (await states()).length === 1, { timeout: 20_000, interval: 50 });
  const [id] = await states();
  const details = await client.workflow.getHandle(String(id)).describe();
  expect(details.searchAttributes['State']).toEqual(['completed']);
});

describe('an app that is deleted while a migration is in its grace', () => {
  const settings = { migrations: { grace: '1h', retention: '1h' } };
  const named = (name: string, migrate: object[] = []) => ({
    version: 1,
    settings,
    entities: [{ name: 'item', fields: [{ name, type: 'string' }] }],
    migrate,
  });
  const inShape = (app: string, version: number) =>
    world.send('GET', `/api/${app}/item`, { token, headers: { 'Schema-Version': String(version) } });

  /** An app whose items were renamed from version 1 to 2; answers its id and the migration's. */
  async function renamed(app: string): Promise<{ readonly id: string; readonly migration: string }> {
    const { body } = await send('POST', '_platform/apps', { name: app });
    expect((await send('POST', `${app}/_admin/versions`, named('title'))).status).toBe(201);
    expect((await send('POST', `${app}/item`, { title: 'one' })).status).toBe(201);
    const asked = await send(
      'POST',
      `${app}/_admin/versions`,
      named('label', [{ rename: { entity: 'item', field: 'title', to: 'label' } }]),
    );
    expect(asked.body.data?.migration.status, asked.text).toBe('ready');
    return { id: body.data.id as string, migration: asked.body.data.migration.id as string };
  }
  const status = async (app: string, migration: string): Promise<string> =>
    (await send('GET', `${app}/_admin/migrations/${migration}`)).body.data.status as string;

  it('is served in both shapes when it is restored, and its grace ends as ever', async () => {
    const { migration } = await renamed('back');
    expect((await send('DELETE', '_platform/apps/back')).body.data).toMatchObject({ status: 'retiring' });
    expect((await inShape('back', 1)).status).toBe(404);
    const restored = await send('POST', '_platform/apps/back/restore');
    expect(restored.status, restored.text).toBe(200);
    expect((await inShape('back', 1)).body.data).toMatchObject([{ title: 'one' }]);
    expect((await inShape('back', 2)).body.data).toMatchObject([{ label: 'one' }]);
    expect((await send('POST', `back/_admin/migrations/${migration}/contract`, { drop: true })).status).toBe(200);
    await vi.waitUntil(async () => (await status('back', migration)) === 'completed', { timeout: 30_000, interval: 50 });
    expect((await inShape('back', 1)).status).toBe(409);
    expect((await inShape('back', 2)).body.data).toMatchObject([{ label: 'one' }]);
  }, 60_000);

  it('has its grace ended by a new workflow when that ended in vain meanwhile', async () => {
    const { id, migration } = await renamed('late');
    expect((await send('DELETE', '_platform/apps/late')).status).toBe(200);
    const contract = client.workflow.getHandle(contractWorkflowId(id, 2));
    await contract.executeUpdate(contractNowUpdate, { args: [{ drop: true, actor: { kind: 'system', id: null, roles: [] } }] });
    await expect(contract.result()).resolves.toEqual({ status: 'superseded' });
    expect((await send('POST', '_platform/apps/late/restore')).status).toBe(200);
    expect((await inShape('late', 1)).body.data).toMatchObject([{ title: 'one' }]);
    // As if its times had passed: the worker looks for such migrations every ten seconds.
    await db.query(
      "update durabase.migrations set grace_until = now() - interval '1 hour', grace_ms = 1, retention_ms = 1, updated_at = now() - interval '1 hour' where id = $1",
      [migration],
    );
    await vi.waitUntil(async () => (await status('late', migration)) === 'completed', { timeout: 45_000, interval: 100 });
    expect((await inShape('late', 1)).status).toBe(409);
  }, 90_000);

  it('leaves nothing running when it is removed for good', async () => {
    const { id } = await renamed('gone2');
    expect(await running(id)).toEqual(['contract']);
    expect((await send('DELETE', '_platform/apps/gone2?now=true')).body.data).toMatchObject({ status: 'retired' });
    await vi.waitUntil(async () => (await running(id)).length === 0, { timeout: 10_000, interval: 50 });
  }, 60_000);
});
