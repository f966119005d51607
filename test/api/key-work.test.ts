/**
 * What is under way while records get another key, and the entity and a field other names with it: clocks, waits, functions and deliveries
 * of the right record, none of another. Ids and numbers cross: what is the id of one record is the number of another.
 */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { receiver, type Receiver } from '../support/event-world.ts';
import { startWorld, type Reply, type Send, type World } from './world.ts';

const NUMBER = { name: 'number', type: 'int', required: true, unique: true };
const STATUS = { name: 'status', type: 'string' };
const TOLD = { name: 'told', type: 'json' };
const SETTINGS = { migrations: { grace: '1h', retention: '1h' }, allowed_domains: ['127.0.0.1'] };

const documentOf = (hook: string, entity: string, name: string) => ({
  version: 1,
  settings: SETTINGS,
  slas: [{ name: 'answer', entity, start: "record.status = 'open'", stop: "record.status = 'done'", target: '8h' }],
  functions: [
    {
      name: 'ask',
      entity,
      on: 'after_update',
      field: 'status',
      when: "record.status = 'told'",
      function: 'http_request',
      params: { url: `${hook}/function`, body: { name: `record.${name}` } },
      into: 'told',
      retry: { initial: '1s', backoff: 'fixed', max_attempts: 50 },
    },
    {
      name: 'once',
      entity,
      on: 'after_update',
      field: 'status',
      when: "record.status = 'once'",
      function: 'http_request',
      params: { url: `${hook}/once`, body: { name: `record.${name}` } },
      into: 'told',
      retry: { max_attempts: 1 },
    },
  ],
  webhooks: [
    {
      name: 'sent',
      entity,
      hook: 'after_write',
      url: `${hook}/webhook`,
      async: true,
      condition: `record.${name} = 'late'`,
    },
  ],
  workflows: [
    {
      name: 'follow',
      trigger: { type: 'record_created', entity, condition: "record.status = 'open'" },
      steps: [
        { id: 'hold', type: 'wait', event: 'record_updated', match: `event.record.${name} = 'go'`, then: 'mark' },
        {
          id: 'mark',
          type: 'action',
          actions: [
            { type: 'set_field', field: name, value: 'followed' },
            { type: 'create_record', entity, fields: { number: { expression: 'record.number + 1000' }, [name]: 'made' }, save_as: 'made' },
            { type: 'update_record', entity, record_id: 'context.made.id', fields: { status: 'done' } },
          ],
        },
      ],
    },
    {
      name: 'act',
      trigger: { type: 'manual', entity },
      steps: [
        { id: 'ask', type: 'approval', allow_self_approval: true, on_approve: 'write' },
        { id: 'write', type: 'action', actions: [{ type: 'set_field', field: name, value: 'acted' }] },
      ],
    },
  ],
});

const before = (hook: string) => ({
  ...documentOf(hook, 'customer', 'name'),
  entities: [
    { name: 'customer', primary_key: { field: 'id', type: 'int' }, fields: [NUMBER, { name: 'name', type: 'string' }, STATUS, TOLD] },
  ],
});
const after = (hook: string) => ({
  ...documentOf(hook, 'client', 'title'),
  entities: [
    {
      name: 'client',
      was: 'customer',
      primary_key: { field: 'number', type: 'int', generated: false },
      fields: [{ name: 'id', type: 'int', unique: true }, NUMBER, { name: 'title', was: 'name', type: 'string' }, STATUS, TOLD],
    },
  ],
});

let world: World;
let send: Send;
let owner: pg.Client;
let hook: Receiver;
let isOpen = false;
beforeAll(async () => {
  hook = await receiver((_call, { path }) => (isOpen || path.endsWith('webhook') ? { status: 200, body: '{"heard":true}' } : 503));
  world = await startWorld();
  send = await world.asPlatformAdmin();
  owner = new pg.Client({ connectionString: world.databaseUrl });
  await owner.connect();
});
afterAll(() => owner.end());

const ok = async (...request: Parameters<Send>): Promise<Reply> => {
  const reply = await send(...request);
  expect(reply.status, `${request[0]} ${request[1]}: ${reply.text}`).toBeLessThan(300);
  return reply;
};
const dataOf = async (path: string): Promise<Record<string, unknown>> => (await ok('GET', path)).body.data as Record<string, unknown>;
const listOf = async (path: string): Promise<Record<string, unknown>[]> => (await ok('GET', path)).body.data as Record<string, unknown>[];
const eventually = (holds: () => Promise<void>): Promise<void> => vi.waitFor(holds, { timeout: 20_000, interval: 50 });

describe('a key and a name that change at once', () => {
  const runs = new Map<number, string>();
  beforeAll(async () => {
    await ok('POST', '_platform/apps', { name: 'desk' });
    await ok('POST', 'desk/_admin/versions', before(hook.url));
    // By id: 1 to 6.
    for (const [number, name, status] of [
      [2, 'ann', 'open'],
      [1, 'ben', null],
      [4, 'cleo', null],
      [3, 'dora', null],
      [6, 'eve', null],
      [5, 'fay', null],
    ])
      await ok('POST', 'desk/customer', { number, name, status });
    await eventually(async () => expect(await listOf('desk/_workflows?status=running')).toHaveLength(1));
    await eventually(async () => expect(await listOf('desk/_slas?open=true')).toHaveLength(1));
    for (const id of [3, 5]) {
      const started = await ok('POST', 'desk/_workflows/start/act', { record_id: String(id) });
      runs.set(id, started.body.data.id as string);
    }
    for (const run of runs.values()) await eventually(async () => expect((await dataOf(`desk/_workflows/${run}`))['task']).not.toBeNull());
    for (const id of [3, 5]) await ok('PATCH', `desk/customer/${String(id)}`, { status: 'told' });
    await ok('PATCH', 'desk/customer/6', { status: 'once' });
    const waiting = async () => (await listOf('desk/_admin/functions/runs')).map(({ status, attempt }) => [status, Number(attempt) > 0]);
    await eventually(async () =>
      expect(await waiting()).toEqual([
        ['failed', true],
        ['pending', true],
        ['pending', true],
      ]),
    );
    // The number of the one is the id of the other: 3 and 4, 5 and 6.
    await ok('DELETE', 'desk/customer/3');
    await ok('POST', 'desk/_admin/versions', after(hook.url));
    isOpen = true;
  }, 60_000);

  it('lets clocks go on', async () => {
    await ok('PATCH', 'desk/client/2', { status: 'done' });
    await eventually(async () => expect(await listOf('desk/client/2/_slas')).toMatchObject([{ state: 'met', entity: 'client' }]));
    expect(await listOf('desk/client/1/_slas')).toEqual([]);
  });

  it('lets functions answer to the record that they were asked for, and to nobody where it is gone', async () => {
    await eventually(async () => expect((await dataOf('desk/client/6'))['told']).toEqual({ status: 200, body: { heard: true } }));
    const bodies = (): unknown[] => hook.received.filter(({ path }) => path.endsWith('function')).map(({ body }) => JSON.parse(body));
    expect(bodies()).toEqual(expect.arrayContaining([{ name: 'eve' }]));
    expect(bodies()).not.toContainEqual({ name: null });
  });
  it('lets a failed function be tried again for its record', async () => {
    const [failed] = await listOf('desk/_admin/functions/runs?status=failed&limit=100');
    await ok('POST', `desk/_admin/functions/runs/${String(failed?.['id'])}/retry`);
    await eventually(async () => expect((await dataOf('desk/client/5'))['told']).toEqual({ status: 200, body: { heard: true } }));
  });

  it('lets a run find its record, and the one it makes', async () => {
    await ok('PATCH', 'desk/client/2', { title: 'go' });
    await eventually(async () =>
      expect((await send('GET', 'desk/client/1002')).body.data).toMatchObject({ title: 'made', status: 'done' }),
    );
    const [ann, ben] = [await dataOf('desk/client/2'), await dataOf('desk/client/1')];
    expect([ann['title'], ben['title']]).toEqual(['followed', 'ben']);
    expect(await listOf('desk/client?filter[status]=done&sort=number')).toMatchObject([{ number: 2 }, { number: 1002 }]);
  });

  it('stops a run whose record is gone instead of writing another', async () => {
    for (const id of [3, 5]) await ok('POST', `desk/_workflows/${runs.get(id) ?? ''}/approve`, {});
    await eventually(async () => expect((await dataOf('desk/client/6'))['title']).toBe('acted'));
    await eventually(async () => expect((await dataOf(`desk/_workflows/${runs.get(3) ?? ''}`))['is_stuck']).toBe(true));
    expect(await dataOf('desk/client/3')).toMatchObject({ id: 4, title: 'dora', told: null });
  });

  it('tells what was written a moment before the switch under the names of now', async () => {
    const insert = `insert into durabase.events (app, entity, record_id, action, record_version, schema_version, actor, record, old)
      select a.id, 'customer', '4', 'update', 2, 1, '{"kind":"user","id":null,"roles":[]}', $1, $2 from durabase.apps a where a.name = 'desk'`;
    await owner.query(insert, [
      { id: 4, number: 3, name: 'late', status: 'told', told: null },
      { name: 'dora', status: null },
    ]);
    await ok('PATCH', 'desk/client/3', { status: null });
    await eventually(async () =>
      expect(hook.received.filter(({ path }) => path.endsWith('webhook')).map(({ body }) => JSON.parse(body) as unknown)).toEqual([
        expect.objectContaining({ entity: 'client', record: expect.objectContaining({ id: 4, number: 3, title: 'late' }) }),
      ]),
    );
    await eventually(async () => expect((await dataOf('desk/client/3'))['told']).toEqual({ status: 200, body: { heard: true } }));
  });
});

/** Ids 1, 2, 3 with the numbers 2, 1, 30. */
async function makeCrossed(app: string): Promise<void> {
  for (const number of [2, 1, 30]) await ok('POST', `${app}/thing`, { number, name: `n${String(number)}` });
}
const ID = { name: 'id', type: 'int', unique: true };
const NAME = { name: 'name', type: 'string' };
const BY_ID = { field: 'id', type: 'int' };
const BY_NUMBER = { field: 'number', type: 'int', generated: false };
const things = (key: object, fields: object[], more: object = {}, rest: object = {}) => ({
  version: 1,
  settings: SETTINGS,
  entities: [{ name: 'thing', primary_key: key, fields, ...more }],
  ...rest,
});
const isIn = (app: string, migration: string, status: string): Promise<void> =>
  eventually(async () => {
    const { status: is, error } = await dataOf(`${app}/_admin/migrations/${migration}`);
    expect([is, error]).toEqual([status, null]);
  });
/** Up to its grace. */
async function publish(app: string, document: object, query = ''): Promise<string> {
  const migration = (await ok('POST', `${app}/_admin/versions${query}`, document)).body.data.migration.id as string;
  await isIn(app, migration, 'ready');
  return migration;
}
/** Up to its end. */
async function publishWhole(app: string, document: object, query = ''): Promise<void> {
  await contract(app, await publish(app, document, query));
}
async function contract(app: string, migration: string): Promise<void> {
  await ok('POST', `${app}/_admin/migrations/${migration}/contract`, { drop: true });
  await isIn(app, migration, 'completed');
}
const happened = async (path: string): Promise<unknown[]> => (await listOf(path)).map(({ action }) => action).reverse();

describe('a key of records that are deleted softly', () => {
  const OLD = { 'Schema-Version': '1' };
  let migration: string;
  beforeAll(async () => {
    await ok('POST', '_platform/apps', { name: 'soft' });
    await ok('POST', 'soft/_admin/versions', things(BY_ID, [NUMBER, NAME], { soft_delete: true }));
    await makeCrossed('soft');
    await ok('DELETE', 'soft/thing/1');
    migration = await publish('soft', things(BY_NUMBER, [ID, NUMBER, NAME], { soft_delete: true }));
  });

  it('is kept by what was deleted: nobody else gets it, either name brings it back', async () => {
    const refused = await send('POST', 'soft/thing', { number: 2, name: 'again' });
    expect([refused.status, refused.body.error.code], refused.text).toEqual([409, 'CONFLICT']);
    expect((await send('POST', 'soft/thing', { number: 2, name: 'again' }, OLD)).status).toBe(409);
    expect(await happened('soft/thing/2/_history')).toEqual(['create', 'delete']);
    expect((await send('POST', 'soft/thing/30/_restore', {}, OLD)).status).toBe(404);
    expect((await ok('POST', 'soft/thing/2/_restore')).body.data).toMatchObject({ id: 1, number: 2 });
    await ok('DELETE', 'soft/thing/1', undefined, OLD);
    expect((await send('GET', 'soft/thing/2')).status).toBe(404);
    expect((await ok('POST', 'soft/thing/1/_restore', {}, OLD)).body.data).toMatchObject({ id: 1, number: 2 });
    expect(await happened('soft/thing/2/_history')).toEqual(['create', 'delete', 'restore', 'delete', 'restore']);
    expect(await happened('soft/thing/1/_history')).toEqual(['create']);
  });

  it('is upserted by the name of the version that is asked', async () => {
    const rows = (key: string) => ({ upsert: { on: key, rows: [{ [key]: 2, name: `by ${key}` }] } });
    expect((await send('POST', 'soft/thing/_bulk', rows('number'))).text).toContain('by number');
    expect((await dataOf('soft/thing/2'))['name']).toBe('by number');
    await ok('DELETE', 'soft/thing/2');
    const again = await send('POST', 'soft/thing/_bulk', { create: [{ number: 2, name: 'taken' }] });
    expect(again.status, again.text).toBe(409);
  });

  it('goes over with the contract, and is still one', async () => {
    await contract('soft', migration);
    expect((await send('POST', 'soft/thing', { number: 2 })).status).toBe(409);
    expect((await ok('POST', 'soft/thing/2/_restore')).body.data).toMatchObject({ id: 1, number: 2 });
    expect((await ok('POST', 'soft/thing', { number: 4 })).body.data).toMatchObject({ id: expect.any(Number), number: 4 });
  });
});

describe('a former key in the document of an app', () => {
  beforeAll(async () => {
    await ok('POST', '_platform/apps', { name: 'origin' });
    await ok('POST', 'origin/_admin/versions', things(BY_ID, [NUMBER, NAME]));
    await makeCrossed('origin');
    await publishWhole('origin', things(BY_NUMBER, [ID, NUMBER, NAME]));
    // Its column is not its name any more.
    await publishWhole('origin', things(BY_NUMBER, [{ ...ID, name: 'old_id', was: 'id' }, NUMBER, NAME]));
  }, 60_000);

  it('is exported and imported: the engine goes on making its values, and nothing is called by it', async () => {
    const document = (await ok('GET', 'origin/_admin/export')).body as object;
    const same = await ok('POST', 'origin/_admin/import', document);
    expect(same.body.changes ?? same.body.data?.changes, same.text).toEqual([]);
    await ok('POST', '_platform/apps', { name: 'copy' });
    await ok('POST', 'copy/_admin/import', document);
    for (const number of [2, 1]) await ok('POST', 'copy/thing', { number, name: `n${String(number)}` });
    const made = await listOf('copy/thing?sort=number');
    expect(made).toMatchObject([{ number: 1 }, { number: 2 }]);
    expect(new Set(made.map(({ old_id }) => old_id))).toEqual(new Set([1, 2]));
    expect(await happened('copy/thing/1/_history')).toEqual(['create']);
    expect((await send('PATCH', 'copy/thing/1', { number: 7 })).status).toBe(422);
  });

  it('may be dropped: history is found by what was told since, and runs of before write nobody else', async () => {
    const flow = (steps: object[]) => ({ workflows: [{ name: 'late', trigger: { type: 'manual', entity: 'thing' }, steps }] });
    const steps = [
      { id: 'ask', type: 'approval', allow_self_approval: true, on_approve: 'write' },
      { id: 'write', type: 'action', actions: [{ type: 'set_field', field: 'name', value: 'written' }] },
    ];
    await ok('POST', '_platform/apps', { name: 'dropped' });
    await ok('POST', 'dropped/_admin/versions', things(BY_ID, [NUMBER, NAME], {}, flow(steps)));
    await makeCrossed('dropped');
    const runs = new Map<number, string>();
    for (const id of [1, 3]) {
      const started = await ok('POST', 'dropped/_workflows/start/late', { record_id: String(id) });
      runs.set(id, started.body.data.id as string);
      await eventually(async () => expect((await dataOf(`dropped/_workflows/${runs.get(id) ?? ''}`))['task']).not.toBeNull());
    }
    await publishWhole('dropped', things(BY_NUMBER, [ID, NUMBER, NAME], {}, flow(steps)));
    await ok('PATCH', 'dropped/thing/2', { name: 'since' });
    await publishWhole('dropped', things(BY_NUMBER, [NUMBER, NAME], {}, flow(steps)), '?confirm=drop');
    expect((await ok('POST', 'dropped/thing', { number: 3, name: 'new' })).body.data).toEqual(
      expect.not.objectContaining({ id: expect.anything() }),
    );
    expect(await happened('dropped/thing/2/_history')).toEqual(['create', 'update']);
    // Nothing was told of it since; what was called 1 then is another.
    expect(await happened('dropped/thing/1/_history')).toEqual([]);
    for (const run of runs.values()) await ok('POST', `dropped/_workflows/${run}/approve`, {});
    const isAt = async (id: number) => {
      const { status, error } = await dataOf(`dropped/_workflows/${runs.get(id) ?? ''}`);
      return [status, error];
    };
    for (const id of [1, 3]) await eventually(async () => expect(await isAt(id)).toEqual(['completed', null]));
    expect((await listOf('dropped/thing?sort=number')).map(({ number, name }) => [number, name])).toEqual([
      [1, 'n1'],
      [2, 'written'],
      [3, 'new'],
      [30, 'written'],
    ]);
  }, 120_000);
});
