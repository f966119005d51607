/** What still runs for an app goes with it. */
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { dataConverter } from '../../adapters/temporal/data-converter.ts';
import { startWorld, type World } from '../api/world.ts';

let world: World;
let token: string;
let connection: Connection;
let client: Client;
beforeAll(async () => {
  world = await startWorld();
  token = await world.platformToken();
  connection = await Connection.connect({ address: world.config.temporal.address ?? '' });
  client = new Client({ connection, namespace: world.config.temporal.namespace, dataConverter });
}, 90_000);
afterAll(() => connection.close());

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
  await vi.waitUntil(async () => (await running(gone)).length === 0, { timeout: 5_000, interval: 50 });
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
  await vi.waitUntil(async () => (await states()).length === 1, { timeout: 5_000, interval: 50 });
  const [id] = await states();
  const details = await client.workflow.getHandle(String(id)).describe();
  expect(details.searchAttributes['State']).toEqual(['completed']);
});
