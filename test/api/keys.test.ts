/**
 * Records that get another key while clients of both versions go on: what their history, relations, clocks, runs, events and webhooks say
 * of them before the switch, after it, and when it was taken back. Ids and numbers cross: what is the id of one record is the number of
 * another, so nothing can be found by taking the one for the other.
 */
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { startWorld, type Reply, type Send, type World } from './world.ts';

const OLD = { 'Schema-Version': '1' };
const NUMBER = { name: 'number', type: 'int', required: true, unique: true };
const FIELDS = [NUMBER, { name: 'name', type: 'string' }, { name: 'status', type: 'string' }];
const customer = (fields: readonly object[], key: object) => ({ name: 'customer', primary_key: key, fields });
const LATER = [
  {
    name: 'order',
    fields: [
      { name: 'what', type: 'string' },
      { name: 'customer', type: 'relation', target: 'customer', on_delete: 'cascade' },
    ],
  },
  { name: 'tag', fields: [{ name: 'word', type: 'string' }] },
];
const MORE = {
  relations: [{ name: 'tagged', type: 'many_to_many', source: 'customer', target: 'tag', source_name: 'tags' }],
  slas: [{ name: 'answer', entity: 'customer', start: "record.status = 'open'", stop: "record.status = 'done'", target: '8h' }],
  workflows: [
    {
      name: 'follow',
      trigger: { type: 'record_created', entity: 'customer', condition: "record.status = 'open'" },
      steps: [
        { id: 'hold', type: 'wait', event: 'record_updated', match: "event.record.name = 'go'", then: 'mark' },
        { id: 'mark', type: 'action', actions: [{ type: 'set_field', field: 'name', value: 'followed' }], then: 'named' },
        {
          id: 'named',
          type: 'action',
          actions: [{ type: 'update_record', entity: 'customer', record_id: 'trigger.record_id', fields: { status: 'done' } }],
        },
      ],
    },
  ],
};
const SETTINGS = { migrations: { grace: '1h', retention: '1h' } };
const BEFORE = { version: 1, settings: SETTINGS, entities: [customer(FIELDS, { field: 'id', type: 'int' }), ...LATER], ...MORE };
const BY_NUMBER = { field: 'number', type: 'int', generated: false };
const AFTER = {
  version: 1,
  settings: SETTINGS,
  entities: [customer([{ name: 'id', type: 'int', unique: true }, ...FIELDS], BY_NUMBER), ...LATER],
  ...MORE,
};

let world: World;
let send: Send;
beforeAll(async () => {
  world = await startWorld();
  send = await world.asPlatformAdmin();
});
const ok = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Reply> => {
  const reply = await send(method, path, body, headers);
  expect(reply.status, `${method} ${path}: ${reply.text}`).toBeLessThan(300);
  return reply;
};
const dataOf = async (path: string, headers: Record<string, string> = {}): Promise<Record<string, unknown>> =>
  (await ok('GET', path, undefined, headers)).body.data as Record<string, unknown>;
const refusedWith = async (document: object): Promise<string> => {
  const reply = await send('POST', 'shop/_admin/versions?dry_run=true', document);
  expect([reply.status, reply.body.error?.code], reply.text).toEqual([409, 'UNSAFE_CHANGE']);
  return String(reply.body.error.message);
};
const changesOf = async (path: string): Promise<unknown[]> => {
  const { data } = (await ok('GET', path)).body as { data: { action: string; changes: Record<string, { new: unknown }> }[] };
  return data.map(({ action, changes }) => [action, changes['name']?.new ?? null]).reverse();
};
const comment = (record: string, body: string, headers: Record<string, string> = {}): Promise<Reply> =>
  ok('POST', `${record}/_comments`, { body }, headers);
const commentsOf = async (record: string, headers: Record<string, string> = {}): Promise<string[]> =>
  ((await ok('GET', `${record}/_comments`, undefined, headers)).body.data as { body: string }[]).map(({ body }) => body).reverse();

describe('a key becomes another field', () => {
  let migration: string;
  beforeAll(async () => {
    await ok('POST', '_platform/apps', { name: 'shop' });
    await ok('POST', 'shop/_admin/versions', BEFORE);
    // Ids 1, 2, 3 with the numbers 2, 1, 30.
    for (const [number, name, status] of [
      [2, 'ann', 'open'],
      [1, 'ben', 'open'],
      [30, 'cleo', null],
    ]) {
      const tag = (await ok('POST', 'shop/tag', { word: `of ${String(name)}` })).body.data.id as string;
      await ok('POST', 'shop/customer', { number, name, status, tags: [{ id: tag }] });
    }
    for (const id of [1, 2]) await ok('POST', 'shop/order', { what: `of ${String(id)}`, customer_id: id });
    await ok('PATCH', 'shop/customer/1', { name: 'anna' });
    await comment('shop/customer/1', 'of ann, by id');
    await comment('shop/customer/2', 'of ben, by id');
    for (const path of ['_workflows?status=running', '_slas?open=true'])
      await vi.waitUntil(async () => ((await ok('GET', `shop/${path}`)).body.data as unknown[]).length === 2, {
        timeout: 20_000,
        interval: 50,
      });
  });

  it('is refused where older clients or stored records would lose their way', async () => {
    const changed = (fields: readonly object[], key: object = BY_NUMBER, more: object = {}) => ({
      ...BEFORE,
      entities: [{ ...customer(fields, key), ...more }, ...LATER],
    });
    const ID = { name: 'id', type: 'int', unique: true };
    expect(await refusedWith(changed(FIELDS))).toContain('former key "customer.id" must stay a unique field');
    expect(await refusedWith(changed([ID, ...FIELDS], { field: 'number', type: 'int' }))).toContain('cannot become a generated key');
    expect(await refusedWith(changed([ID, ...FIELDS], { field: 'name', type: 'string', generated: false }))).toContain(
      'every record has it and no two share it',
    );
    expect(await refusedWith(changed([ID, ...FIELDS], { fields: ['id', 'number'], type: 'int', generated: false }))).toContain('one field');
    expect(await refusedWith(changed([ID, ...FIELDS], BY_NUMBER, { soft_delete: true }))).toContain('and its soft delete');
    const renamed = changed([ID, { ...NUMBER, name: 'no', was: 'number' }, ...FIELDS.slice(1)], { ...BY_NUMBER, field: 'no' });
    expect(await refusedWith(renamed)).toContain('and the name of "number"');
    const retyped = changed(FIELDS, { field: 'id', type: 'bigint' });
    expect(await refusedWith(retyped)).toContain('the same field as before');
  });

  it('is planned with a swap that comes last, and nothing that the reviewer minds', async () => {
    const plan = await ok('POST', 'shop/_admin/versions?dry_run=true', AFTER);
    const { steps, review } = plan.body.data as { steps: { key: string; phase: string; sql: string }[]; review: { severity: string }[] };
    expect(review.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(steps.find(({ key }) => key === 'swap-key/customer')).toMatchObject({ phase: 'contract' });
    expect(steps.filter(({ phase, key }) => phase === 'contract' && key.startsWith('validate-foreign-key/'))).toHaveLength(2);
  });

  describe('in its grace', () => {
    beforeAll(async () => {
      const published = await ok('POST', 'shop/_admin/versions', AFTER);
      migration = published.body.data.migration.id as string;
      expect(published.body.data.migration.status).toBe('ready');
    });

    it('finds records by the key of the version that is asked for', async () => {
      expect([(await dataOf('shop/customer/2'))['name'], (await dataOf('shop/customer/2', OLD))['name']]).toEqual(['anna', 'ben']);
      expect((await send('GET', 'shop/customer/3')).status).toBe(404);
      expect((await send('GET', 'shop/customer/30', undefined, OLD)).status).toBe(404);
    });

    it('makes values of the former key, and lets nobody change either of them', async () => {
      const made = (await ok('POST', 'shop/customer', { number: 4, name: 'dora' })).body.data as Record<string, unknown>;
      expect(made['id']).toEqual(expect.any(Number));
      expect((await send('POST', 'shop/customer', { name: 'nobody' })).body.error.details).toMatchObject([
        { field: 'number', rule: 'required' },
      ]);
      const [byNumber, byId] = [
        await send('PATCH', 'shop/customer/4', { number: 5 }),
        await send('PATCH', `shop/customer/${String(made['id'])}`, { number: 5 }, OLD),
      ];
      for (const reply of [byNumber, byId])
        expect(reply.body.error.details, reply.text).toMatchObject([{ field: 'number', rule: 'read_only' }]);
      // As any value that the engine makes.
      expect((await ok('PATCH', 'shop/customer/4', { id: 99, name: 'dora2' })).body.data.id).toBe(made['id']);
      await ok('DELETE', 'shop/customer/4');
    });

    it('leaves relations where they are', async () => {
      const anna = await dataOf('shop/customer/2?include=tags,order');
      expect(anna).toMatchObject({ id: 1, tags: [{ word: 'of ann' }], order: [{ what: 'of 1', customer_id: 1 }] });
      const nested = (await ok('POST', 'shop/customer', { number: 7, name: 'eve', order: [{ what: 'nested' }] })).body.data as {
        id: number;
      };
      const orders = (await ok('GET', 'shop/order?filter[what.eq]=nested&include=customer')).body.data as unknown[];
      expect(orders).toMatchObject([{ customer_id: nested.id, customer: { number: 7 } }]);
      expect((await send('POST', 'shop/order', { what: 'lost', customer_id: 30 })).status).toBe(422);
      await ok('DELETE', 'shop/customer/7');
      const document = (await ok('GET', 'shop/_admin/export')).body as {
        data: { relations: object[]; entities: { name: string; fields: object[] }[] };
      };
      expect(document.data.relations).toMatchObject([{ name: 'tagged', source_key: 'id' }]);
      const order = document.data.entities.find(({ name }) => name === 'order');
      expect(order?.fields).toEqual(expect.arrayContaining([expect.objectContaining({ name: 'customer', target_field: 'id' })]));
    });

    it('tells what happened before and since, of this record alone', async () => {
      await ok('PATCH', 'shop/customer/3', { name: 'cleo2' }, OLD);
      expect(await changesOf('shop/customer/2/_history')).toEqual([
        ['create', 'ann'],
        ['update', 'anna'],
      ]);
      expect(await changesOf('shop/customer/1/_history')).toEqual([['create', 'ben']]);
      expect(await changesOf('shop/customer/30/_history')).toEqual([
        ['create', 'cleo'],
        ['update', 'cleo2'],
      ]);
      await ok('POST', 'shop/customer', { number: 8, name: 'gone' });
      await ok('DELETE', 'shop/customer/8');
      expect(await changesOf('shop/customer/8/_history')).toEqual([
        ['create', 'gone'],
        ['delete', null],
      ]);
    });

    it('keeps what was said of each record, in either shape, and takes it away with the record', async () => {
      await comment('shop/customer/2', 'of ann, by number');
      await comment('shop/customer/2', 'of ben, by id in its grace', OLD);
      const [ann, ben] = [
        ['of ann, by id', 'of ann, by number'],
        ['of ben, by id', 'of ben, by id in its grace'],
      ];
      expect([await commentsOf('shop/customer/2'), await commentsOf('shop/customer/1')]).toEqual([ann, ben]);
      expect([await commentsOf('shop/customer/1', OLD), await commentsOf('shop/customer/2', OLD)]).toEqual([ann, ben]);
      await ok('POST', 'shop/customer', { number: 9, name: 'short-lived' });
      await comment('shop/customer/9', 'gone');
      await ok('DELETE', 'shop/customer/9');
      await ok('POST', 'shop/customer', { number: 9, name: 'another' });
      expect(await commentsOf('shop/customer/9')).toEqual([]);
      await ok('DELETE', 'shop/customer/9');
    });

    it('goes on with runs and clocks about the right records', async () => {
      for (const number of [1, 2])
        await expect
          .poll(async () => (await ok('GET', `shop/customer/${String(number)}/_slas`)).body.data, {})
          .toMatchObject([{ state: 'running' }]);
      await ok('PATCH', 'shop/customer/2', { name: 'go' });
      await expect
        .poll(async () => [(await dataOf('shop/customer/2'))['name'], (await dataOf('shop/customer/2'))['status']], { timeout: 20_000 })
        .toEqual(['followed', 'done']);
      expect(await dataOf('shop/customer/1')).toMatchObject({ name: 'ben', status: 'open' });
      await expect
        .poll(async () => (await ok('GET', 'shop/customer/2/_slas')).body.data, { timeout: 20_000 })
        .toMatchObject([{ state: 'met' }]);
      expect((await ok('GET', 'shop/customer/1/_slas')).body.data).toMatchObject([{ state: 'running' }]);
      expect((await ok('GET', 'shop/customer/1/_slas', undefined, OLD)).body.data).toMatchObject([{ state: 'met' }]);
    });

    it('says in the log what the record is called in the served version, whoever wrote', async () => {
      await ok('PATCH', 'shop/customer/3', { name: 'cleo3' }, OLD);
      const page = (await ok('GET', 'shop/_events?entities=customer&after=oldest&limit=200')).body as {
        data: { record_id: string; type: string }[];
      };
      expect(page.data.map(({ record_id }) => record_id)).not.toContain('3');
      expect(page.data.filter(({ record_id }) => record_id === '30').length).toBeGreaterThan(0);
    });

    it('keeps every other change of the entity waiting, and says which key was', async () => {
      const back = await send('POST', 'shop/_admin/versions', BEFORE);
      expect([back.status, back.body.error.code]).toEqual([409, 'CONFLICT']);
      const { entities } = ((await ok('GET', 'shop/_admin/export')).body as { data: { entities: object[] } }).data;
      expect(entities[0]).toMatchObject({ primary_key: { field: 'number', former: [{ column: 'id', until: 2, generated: true }] } });
    });
  });

  describe('taken back', () => {
    beforeAll(async () => {
      const back = await ok('POST', 'shop/_admin/versions/1/rollback');
      expect(back.body.data.migration.status).toBe('ready');
      migration = back.body.data.migration.id as string;
    });

    it('names records as before, and knows what they were called meanwhile', async () => {
      expect((await dataOf('shop/customer/2'))['name']).toBe('ben');
      expect((await dataOf('shop/customer/2', { 'Schema-Version': '2' }))['name']).toBe('followed');
      expect(await commentsOf('shop/customer/1')).toEqual(['of ann, by id', 'of ann, by number']);
      await ok('PATCH', 'shop/customer/3', { name: 'cleo4' });
      expect(await changesOf('shop/customer/3/_history')).toEqual([
        ['create', 'cleo'],
        ['update', 'cleo2'],
        ['update', 'cleo3'],
        ['update', 'cleo4'],
      ]);
      expect((await ok('GET', 'shop/customer/2/_slas')).body.data).toMatchObject([{ state: 'running' }]);
      expect((await ok('GET', 'shop/customer/1/_slas')).body.data).toMatchObject([{ state: 'met' }]);
    });

    it('is made again, ended, and leaves one key and foreign keys that hold', async () => {
      await ok('POST', `shop/_admin/migrations/${migration}/contract`, { drop: true });
      const isOver = async (): Promise<unknown> => (await dataOf(`shop/_admin/migrations/${migration}`))['status'];
      await expect.poll(isOver, { timeout: 30_000 }).toBe('completed');
      const again = await ok('POST', 'shop/_admin/versions', AFTER);
      migration = again.body.data.migration.id as string;
      await ok('POST', `shop/_admin/migrations/${migration}/contract`, { drop: true });
      await expect.poll(isOver, { timeout: 30_000 }).toBe('completed');
      expect(await dataOf('shop/customer/2?include=tags,order')).toMatchObject({
        id: 1,
        name: 'followed',
        tags: [{ word: 'of ann' }],
        order: [{ customer_id: 1 }],
      });
      expect((await send('POST', 'shop/order', { customer_id: 999 })).status).toBe(422);
      expect(await changesOf('shop/customer/30/_history')).toHaveLength(4);
      expect((await send('GET', 'shop/customer/2', undefined, OLD)).status).toBe(409);
      // The former key may go now.
      const without = { ...AFTER, entities: [customer(FIELDS, BY_NUMBER), ...LATER] };
      const refused = await send('POST', 'shop/_admin/versions?confirm=drop', without);
      expect(refused.status, refused.text).toBe(422);
    });
  });
});
