/** The other workflow types, run for real once: an app is made, changed, delivers, and goes. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDefinition, deleteDefinition } from '../../operations/schemas/definitions.ts';
import type { AppContext } from '../../operations/context.ts';
import { contractWorkflowId, migrationWorkflowId, provisionWorkflowId, retireWorkflowId } from '../../workflows/contracts/ids.ts';
import { contractNowUpdate } from '../../workflows/contracts/messages.ts';
import { CONTROL_QUEUE } from '../../workflows/contracts/queues.ts';
import { recordHistories } from '../replay/record.ts';
import { processWorld, type ProcessWorld } from './process-world.ts';

let world: ProcessWorld;
beforeAll(async () => {
  world = await processWorld([]);
}, 60_000);

const keep = async (type: string, workflowId: string, name: string): Promise<void> =>
  recordHistories(world.services, type, new Map([[workflowId, name]]));

const now = async (): Promise<AppContext> => {
  await world.services.registry.refresh();
  return { ...world.admin, app: (await world.services.registry.byId(world.app.id)) ?? world.app };
};

async function start(type: string, workflowId: string, input: unknown): Promise<unknown> {
  const client = await world.services.temporal.client();
  return (await client.workflow.start(type, { taskQueue: CONTROL_QUEUE, workflowId, args: [input] })).result();
}

describe('an app', () => {
  const id = 'bbbbbbbbbbbb';
  const status = async (): Promise<unknown> =>
    (await world.services.pool.query<{ status: string }>('select status from durabase.apps where id = $1', [id])).rows[0]?.status;

  it('is provisioned and retired by workflows', async () => {
    await world.services.pool.query(
      `insert into durabase.apps (id, name, display_name, storage, schema_name) values ($1, 'new', 'New', 'app_bbbbbbbbbbbb', 'new')`,
      [id],
    );
    await start('provision', provisionWorkflowId(id), { app: id });
    expect(await status()).toBe('active');
    await keep('provision', provisionWorkflowId(id), 'active');
    await world.services.pool.query(`update durabase.apps set status = 'retiring' where id = $1`, [id]);
    await expect(start('retire', retireWorkflowId(id, 1), { app: id, removeAt: new Date().toISOString() })).resolves.toEqual({
      status: 'retired',
    });
    expect(await status()).toBe('retired');
    await keep('retire', retireWorkflowId(id, 1), 'removed');
  });

  it('grows by a workflow', async () => {
    await createDefinition(await now(), 'entities', { name: 'note', fields: [{ name: 'text', type: 'text' }] });
    await keep('schemaMigration', migrationWorkflowId(world.app.id, 1), 'new-entity');
    expect((await now()).app.model.entities.has('note')).toBe(true);
  });

  it('drops what is not wanted any more, and another workflow sees it through its grace and retention', async () => {
    await deleteDefinition(await now(), 'entities', 'note', { confirm: ['drop'] });
    await keep('schemaMigration', migrationWorkflowId(world.app.id, 2), 'dropped-entity');
    const handle = (await world.services.temporal.client()).workflow.getHandle(contractWorkflowId(world.app.id, 2));
    await handle.executeUpdate(contractNowUpdate, { args: [{ drop: true, actor: { kind: 'system', id: null, roles: [] } }] });
    await expect(handle.result()).resolves.toEqual({ status: 'completed' });
    await keep('contract', contractWorkflowId(world.app.id, 2), 'contracted-at-once');
    const tables = await world.services.pool.query(`select to_regclass('${world.app.storage}.note') as there`);
    expect(tables.rows).toEqual([{ there: null }]);
  });
});

describe('a delivery whose first attempt failed', () => {
  const answers = [500, 500, 204];
  const ids: unknown[] = [];
  const receiver = http.createServer((request, response) => {
    ids.push(request.headers['webhook-id']);
    response.writeHead(answers[ids.length - 1] ?? 204).end();
  });
  afterAll(() => new Promise((resolve) => receiver.close(resolve)));

  it('is repeated by a workflow under one id', async () => {
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
    await createDefinition(await now(), 'webhooks', {
      name: 'w',
      entity: 'ticket',
      url,
      retry: { max_attempts: 5, backoff: 'fixed', initial: '1s' },
    });
    await world.change('t1', 'create', { id: 't1', title: 'x' }, null);
    await expect
      .poll(async () => (await world.services.pool.query(`select status from ${world.app.storage}._deliveries`)).rows, { timeout: 20_000 })
      .toEqual([{ status: 'delivered' }]);
    expect(ids).toHaveLength(3);
    expect(new Set(ids).size).toBe(1);
    const {
      rows: [started],
    } = await world.services.pool.query<{ workflow_id: string }>(
      `select workflow_id from ${world.app.storage}._starts where kind = 'delivery'`,
    );
    const client = await world.services.temporal.client();
    await client.workflow.getHandle(started?.workflow_id ?? '').result();
    await keep('delivery', started?.workflow_id ?? '', 'second-retry');
    const found = async (): Promise<string[]> => {
      const ids: string[] = [];
      const query = `AppId = "${world.app.id}" and WorkflowType = "delivery" and State = "delivered" and Entity = "ticket" and RecordId = "t1"`;
      for await (const { workflowId } of client.workflow.list({ query })) ids.push(workflowId);
      return ids;
    };
    await expect.poll(found, { timeout: 10_000 }).toEqual([started?.workflow_id]);
  });
});
