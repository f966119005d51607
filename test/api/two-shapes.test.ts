/** An app whose migration is in grace: clients of the older version are served in its shape, beside those of the newer one. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startWorld, type Reply, type Send, type World } from './world.ts';

let world: World;
let send: Send;
let db: pg.Client;
beforeAll(async () => {
  world = await startWorld({ WEBHOOK_ALLOW_CIDRS: '127.0.0.0/8' });
  send = await world.asPlatformAdmin();
  db = new pg.Client({ connectionString: world.databaseUrl });
  await db.connect();
});
afterAll(() => db.end());

const OLD = { 'Schema-Version': '1' };
const NEW = { 'Schema-Version': '2' };

const person = (...fields: object[]) => ({ name: 'person', fields });
const NAME = { name: 'name', type: 'string', required: true };
const AGE = { name: 'age', type: 'int', required: true };
const NOTE = { name: 'note', type: 'text' };
const pet = { name: 'pet', fields: [{ name: 'kind', type: 'string' }] };
const pets = { name: 'pets', type: 'one_to_many', source: 'person', target: 'pet', on_delete: 'cascade' };
const BEFORE = {
  version: 1,
  entities: [person(NAME, AGE, NOTE), pet],
  relations: [pets],
  permissions: [
    { name: 'own', entity: 'person', action: '*', roles: ['member'], conditions: [{ field: 'name', operator: 'starts_with', value: 'm' }] },
  ],
};
const AFTER = {
  version: 1,
  entities: [{ ...person({ ...NAME, name: 'title' }, NOTE), name: 'human' }, pet],
  relations: [{ ...pets, name: 'animals', source: 'human' }],
  permissions: [
    { name: 'own', entity: 'human', action: '*', roles: ['member'], conditions: [{ field: 'title', operator: 'starts_with', value: 'm' }] },
  ],
  migrate: [
    { rename: { entity: 'person', to: 'human' } },
    { rename: { entity: 'person', field: 'name', to: 'title' } },
    { rename: { relation: 'pets', to: 'animals' } },
    { drop: { entity: 'person', field: 'age' } },
  ],
};

describe('while a migration is in grace', () => {
  let first: string;
  let migration: string;
  beforeAll(async () => {
    expect((await send('POST', '_platform/apps', { name: 'two' })).status).toBe(201);
    expect((await send('POST', 'two/_admin/versions', BEFORE)).status).toBe(201);
    first = (await send('POST', 'two/person', { name: 'mia', age: 7, pets: [{ kind: 'cat' }] })).body.data.id as string;
    const published = await send('POST', 'two/_admin/versions', AFTER);
    expect(published.status, published.text).toBe(201);
    migration = published.body.data.migration.id as string;
    expect(published.body.data.migration).toMatchObject({ status: 'ready', phase: 'grace' });
  });

  it('what happened before is told in the names of now, and in no older shape', async () => {
    const history = await send('GET', `two/human/${first}/_history`);
    expect(history.body.data, history.text).toMatchObject([
      { action: 'create', changes: { title: { old: null, new: 'mia' } }, gone_fields: ['age'] },
    ]);
    const told = await vi.waitUntil(
      async () => {
        const page = await send('GET', 'two/_events?entities=human&after=oldest');
        return (page.body.data as { record_id: string }[]).find(({ record_id: id }) => id === first);
      },
      { timeout: 5_000, interval: 50 },
    );
    expect(told).toMatchObject({ type: 'record.created', entity: 'human' });
    for (const path of ['two/_events', `two/person/${first}/_history`]) {
      const refused = await send('GET', path, undefined, OLD);
      expect([refused.status, refused.body.error.code], path).toEqual([422, 'UNSUPPORTED']);
    }
  });

  it('each client reads and writes in its own shape', async () => {
    expect((await send('GET', `two/human/${first}?include=animals`)).body.data).toMatchObject({ title: 'mia', animals: [{ kind: 'cat' }] });
    const old = await send('GET', `two/person/${first}?include=pets`, undefined, OLD);
    expect(old.body.data, old.text).toMatchObject({ name: 'mia', age: 7, pets: [{ kind: 'cat' }] });
    expect(old.body.data).not.toHaveProperty('title');
    expect(old.headers.get('schema-version')).toBe('1');
    const made = await send('POST', 'two/person', { name: 'max', age: 3, pets: [{ kind: 'dog' }] }, OLD);
    expect(made.status, made.text).toBe(201);
    const id = made.body.data.id as string;
    expect((await send('GET', `two/human/${id}`, undefined, NEW)).body.data).toMatchObject({ title: 'max' });
    expect((await send('PATCH', `two/human/${id}`, { title: 'moritz' })).status).toBe(200);
    expect((await send('PATCH', `two/person/${id}`, { age: 4 }, OLD)).body.data).toMatchObject({ name: 'moritz', age: 4 });
    expect((await send('GET', 'two/person?filter[name.eq]=moritz&sort=-name', undefined, OLD)).body.data).toHaveLength(1);
    expect((await send('POST', 'two/person', { name: 'x' }, OLD)).status).toBe(422);
    expect((await send('DELETE', `two/person/${id}`, undefined, OLD)).status).toBeLessThan(300);
    expect((await send('GET', `two/human/${id}`)).status).toBe(404);
  });

  it('bulk, batches, aggregates and the description speak the older shape too', async () => {
    const bulk = await send(
      'POST',
      'two/person/_bulk',
      {
        create: [
          { name: 'a', age: 1 },
          { name: 'b', age: 2 },
        ],
      },
      OLD,
    );
    expect(bulk.status, bulk.text).toBeLessThan(300);
    const batch = await send('POST', 'two/_batch', { operations: [{ op: 'create', entity: 'person', body: { name: 'c', age: 3 } }] }, OLD);
    expect(batch.status, batch.text).toBeLessThan(300);
    const sums = await send('GET', 'two/person/_aggregate?sum=age&filter[age.lte]=3', undefined, OLD);
    expect(sums.body.data, sums.text).toMatchObject([{ sum_age: 6 }]);
    const paths = Object.keys((await send('GET', 'two/_openapi.json', undefined, OLD)).body.paths as object);
    expect([paths.some((path) => path.endsWith('/person')), paths.some((path) => path.endsWith('/human'))]).toEqual([true, false]);
  });

  it('events tell every change in the shape that is served', async () => {
    const made = (await send('POST', 'two/person', { name: 'eve', age: 9 }, OLD)).body.data as { id: string };
    await send('PATCH', `two/person/${made.id}`, { name: 'eva', age: 10 }, OLD);
    await send('DELETE', `two/person/${made.id}`, undefined, OLD);
    const { rows } = await db.query<Record<string, unknown>>(
      'select entity, action, schema_version, record, old from durabase.events where record_id = $1 order by seq',
      [made.id],
    );
    expect(rows).toMatchObject([
      { entity: 'human', action: 'create', schema_version: 2, record: { title: 'eve' } },
      { entity: 'human', action: 'update', record: { title: 'eva' }, old: { title: 'eve' } },
      { entity: 'human', action: 'delete', record: null, old: { title: 'eva' } },
    ]);
    for (const row of rows) expect(JSON.stringify(row)).not.toContain('"age"');
  });

  it('an older name without the header is understood, and counted', async () => {
    const seen = await send('GET', `two/person/${first}`);
    expect([seen.status, seen.body.data.name], seen.text).toEqual([200, 'mia']);
    expect([seen.headers.get('schema-version'), seen.headers.get('vary')]).toEqual(['1', expect.stringContaining('Schema-Version')]);
    expect((await send('GET', `two/human/${first}`)).headers.get('schema-version')).toBe(null);
    expect((await send('GET', 'two/human?filter[name.eq]=mia')).status).toBe(400);
    const made = await send('POST', 'two/person', { name: 'ali', age: 1 });
    expect(made.status, made.text).toBe(201);
    await vi.waitUntil(
      async () => ((await send('GET', `two/_admin/migrations/${migration}`)).body.data.old_traffic.requests as number) >= 12,
      { timeout: 10_000, interval: 100 },
    );
    const { old_traffic: traffic, older_clients: clients } = (await send('GET', `two/_admin/migrations/${migration}`)).body.data;
    expect(traffic.clients).toBe(clients.length);
    expect(clients).toContainEqual(expect.objectContaining({ version: 1, kind: 'platform', name: 'platform@localhost' }));
    const counted = /^durabase_older_shape_requests_total\{(?=[^}]*app="two")(?=[^}]*version="1")[^}]*\} (\d+)$/m;
    expect(Number(counted.exec((await world.send('GET', '/metrics')).text)?.[1])).toBeGreaterThanOrEqual(12);
  });

  it('permissions hold in both shapes', async () => {
    const member = { email: 'member@two.test', password: 'correct horse battery staple', roles: ['member'] };
    expect((await send('POST', 'two/_admin/users', member)).status).toBe(201);
    const theirs = await world.login('two', member.email, member.password);
    const asMember = (method: string, path: string, body: object | undefined, headers: Record<string, string>): Promise<Reply> =>
      world.send(method, `/api/${path}`, { token: theirs, headers, ...(body === undefined ? {} : { body }) });
    expect((await send('POST', 'two/human', { title: 'zoe' })).status).toBe(201);
    for (const [path, name, headers] of [
      ['two/person', 'name', OLD],
      ['two/human', 'title', NEW],
    ] as const) {
      const seen = await asMember('GET', `${path}?per_page=100`, undefined, headers);
      const names = (seen.body.data as Record<string, string>[]).map((record) => record[name]);
      expect([names.includes('mia'), names.every((one) => one?.startsWith('m'))], seen.text).toEqual([true, true]);
      expect((await asMember('POST', path, { [name]: 'xenia', age: 1 }, headers)).status).toBeGreaterThanOrEqual(400);
      expect((await asMember('PATCH', `${path}/${first}`, { [name]: 'xenia' }, headers)).status).toBe(403);
      expect((await asMember('PATCH', `${path}/${first}`, { [name]: 'mia' }, headers)).status).toBe(200);
    }
  });

  it("versions, keys of repeated requests and exports are each shape's own", async () => {
    const read = await send('GET', `two/person/${first}`, undefined, OLD);
    const etag = read.headers.get('etag') ?? '';
    expect((await send('GET', `two/person/${first}`, undefined, { ...OLD, 'If-None-Match': etag })).status).toBe(304);
    expect((await send('PATCH', `two/human/${first}`, { note: 'seen' }, NEW)).status).toBe(200);
    expect((await send('GET', `two/person/${first}`, undefined, { ...OLD, 'If-None-Match': etag })).status).toBe(200);
    expect((await send('PATCH', `two/person/${first}`, { age: 8 }, { ...OLD, 'If-Match': etag })).status).toBe(412);
    const key = { 'Idempotency-Key': 'a-key-of-two-shapes' };
    const once = await send('POST', 'two/person', { name: 'ben', age: 2 }, { ...OLD, ...key });
    const again = await send('POST', 'two/person', { name: 'ben', age: 2 }, { ...OLD, ...key });
    expect([once.status, again.body.data.id], again.text).toEqual([201, once.body.data.id]);
    const other = await send('POST', 'two/human', { title: 'ben' }, { ...NEW, ...key });
    expect([other.status, other.body.error.code]).toEqual([422, 'IDEMPOTENCY_MISMATCH']);
    const lines = (await send('GET', 'two/person/_export.ndjson', undefined, OLD)).text.trim().split('\n');
    expect(lines.map((line) => Object.keys(JSON.parse(line) as object))).toSatisfy((rows: string[][]) =>
      rows.every((names) => names.includes('age') && !names.includes('title')),
    );
    const page = await send('GET', 'two/person?limit=1&sort=name', undefined, OLD);
    const next = await send(
      'GET',
      `two/person?limit=1&sort=name&cursor=${encodeURIComponent(String(page.body.page.next_cursor))}`,
      undefined,
      OLD,
    );
    expect([next.status, next.body.data[0].name > page.body.data[0].name], next.text).toEqual([200, true]);
  });

  it('a version that is not served is refused with the way out', async () => {
    for (const [version, status] of [
      ['9', 404],
      ['one', 400],
    ] as const) {
      const reply = await send('GET', 'two/human', undefined, { 'Schema-Version': version });
      expect([reply.status, reply.body.error.hint !== undefined], reply.text).toEqual([status, true]);
    }
  });

  it('the older shape ends with the grace, and what was dropped is gone with the retention', async () => {
    const ended = await send('POST', `two/_admin/migrations/${migration}/contract`, { drop: true });
    expect(ended.status, ended.text).toBe(200);
    await vi.waitUntil(async () => (await send('GET', `two/_admin/migrations/${migration}`)).body.data.status === 'completed', {
      timeout: 20_000,
      interval: 50,
    });
    const reply = await send('GET', `two/person/${first}`, undefined, OLD);
    expect([reply.status, reply.body.error.code]).toEqual([409, 'CONFLICT']);
    expect((await send('GET', `two/person/${first}`)).status).toBe(404);
    expect((await send('GET', `two/human/${first}`)).body.data).toMatchObject({ title: 'mia' });
  });
});

describe('a webhook that may refuse', () => {
  const calls: { record: Record<string, unknown> }[] = [];
  const receiver = http.createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      calls.push(JSON.parse(text) as (typeof calls)[number]);
      response.writeHead(409).end();
    });
  });
  afterAll(() => receiver.close());

  it('is asked in the older shape too, where its condition is on a value the database converts', async () => {
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${String((receiver.address() as AddressInfo).port)}/`;
    const order = (type: string) => ({
      version: 1,
      entities: [
        {
          name: 'order',
          fields: [
            { name: 'price', type },
            { name: 'size', type: 'int' },
          ],
        },
      ],
      webhooks: [
        { entity: 'order', hook: 'before_write', url, condition: 'record.price = "13"' },
        { entity: 'order', hook: 'before_write', url, condition: 'record.size = 13' },
      ],
    });
    expect((await send('POST', '_platform/apps', { name: 'asked' })).status).toBe(201);
    expect((await send('POST', 'asked/_admin/versions', order('int'))).status).toBe(201);
    const published = await send('POST', 'asked/_admin/versions', {
      ...order('string'),
      migrate: [{ convert: { entity: 'order', field: 'price' } }],
    });
    expect(published.body.data.migration, published.text).toMatchObject({ status: 'ready' });
    const refused = await send('POST', 'asked/order', { price: 13, size: 1 }, OLD);
    expect([refused.status, refused.body.error.code, calls.length], refused.text).toEqual([422, 'WEBHOOK_REJECTED', 1]);
    expect(calls[0]?.record).toMatchObject({ size: 1 });
    expect((await send('POST', 'asked/order', { price: '12', size: 1 }, NEW)).status).toBe(201);
    expect(calls).toHaveLength(1);
  });
});

describe('two migrations in grace', () => {
  const item = (...names: string[]) => ({
    version: 1,
    entities: [{ name: 'item', fields: names.map((name) => ({ name, type: 'string' })) }],
  });
  const published = async (document: object): Promise<string> => {
    const reply = await send('POST', 'three/_admin/versions', document);
    expect(reply.body.data?.migration?.status, reply.text).toBe(document === FIRST ? 'completed' : 'ready');
    return reply.body.data.migration.id as string;
  };
  const FIRST = item('name', 'size');

  it('serve three versions, and each ends by itself', async () => {
    expect((await send('POST', '_platform/apps', { name: 'three' })).status).toBe(201);
    await published(FIRST);
    const second = await published({ ...item('title', 'size'), migrate: [{ rename: { entity: 'item', field: 'name', to: 'title' } }] });
    await published({ ...item('title', 'length'), migrate: [{ rename: { entity: 'item', field: 'size', to: 'length' } }] });
    const shapes = [
      ['1', { name: 'a', size: 'b' }],
      ['2', { title: 'a', size: 'b' }],
      ['3', { title: 'a', length: 'b' }],
    ] as const;
    for (const [version, record] of shapes) {
      const made = await send('POST', 'three/item', record, { 'Schema-Version': version });
      expect(made.status, made.text).toBe(201);
      for (const [other, expected] of shapes) {
        const read = await send('GET', `three/item/${String(made.body.data.id)}`, undefined, { 'Schema-Version': other });
        expect(read.body.data, read.text).toMatchObject(expected);
        expect(Object.keys(read.body.data as object)).toHaveLength(3);
      }
    }
    expect((await send('POST', `three/_admin/migrations/${second}/contract`, {})).status).toBe(200);
    await vi.waitUntil(async () => (await send('GET', 'three/item', undefined, OLD)).status === 409, { timeout: 20_000, interval: 50 });
    for (const [version] of shapes.slice(1))
      expect((await send('GET', 'three/item', undefined, { 'Schema-Version': version })).status).toBe(200);
  });
});
