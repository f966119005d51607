/** A field that moves to the record its own refers to, on live data, through the API alone. */
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { startWorld, type Reply, type Send, type World } from './world.ts';

let world: World;
let send: Send;
beforeAll(async () => {
  world = await startWorld();
  send = await world.asPlatformAdmin();
});

const OLD = { 'Schema-Version': '1' };
const CITY = { name: 'city', type: 'string' };

const documentOf = (from: object[], to: object[], more: object = {}): object => ({
  version: 1,
  entities: [
    { name: 'customer', fields: [{ name: 'name', type: 'string' }, ...to] },
    { name: 'order', fields: [{ name: 'amount', type: 'int' }, ...from] },
  ],
  relations: [{ name: 'customer_orders', type: 'one_to_many', source: 'customer', target: 'order' }],
  ...more,
});
const MOVE = { move: { from: 'order.city', to: 'customer.city', via: 'customer' } };
const moving = (to: object = CITY, more: object = {}): object => documentOf([], [to], { migrate: [MOVE], ...more });

async function makeApp(name: string, field: object = CITY, settings: object = {}): Promise<void> {
  expect((await send('POST', '_platform/apps', { name })).status).toBe(201);
  const made = await send('POST', `${name}/_admin/versions`, documentOf([field], [], { settings }));
  expect(made.status, made.text).toBe(201);
}
async function make(app: string, entity: string, body: object, headers: Record<string, string> = {}): Promise<string> {
  const made = await send('POST', `${app}/${entity}`, body, headers);
  expect(made.status, made.text).toBe(201);
  return made.body.data.id as string;
}
const publish = (app: string, document: object): Promise<Reply> => send('POST', `${app}/_admin/versions`, document);
const read = async (app: string, path: string, headers: Record<string, string> = {}): Promise<Record<string, unknown>> =>
  (await send('GET', `${app}/${path}`, undefined, headers)).body.data as Record<string, unknown>;
const until = (app: string, id: string, status: string): Promise<true> =>
  vi.waitUntil(async () => (await send('GET', `${app}/_admin/migrations/${id}`)).body.data.status === status, {
    timeout: 30_000,
    interval: 50,
  });

describe('a field that moves', () => {
  let migration: string;
  let ada: string;
  let orders: string[];
  beforeAll(async () => {
    await makeApp('moves');
    ada = await make('moves', 'customer', { name: 'Ada' });
    orders = await Promise.all([
      make('moves', 'order', { customer_id: ada, city: 'London' }),
      make('moves', 'order', { customer_id: ada, city: null }),
    ]);
  });
  const cities = async (): Promise<unknown[]> => [
    (await read('moves', `customer/${ada}`))['city'],
    ...(await Promise.all(orders.map(async (id) => (await read('moves', `order/${id}`, OLD))['city']))),
  ];

  it('is refused with the number of records that disagree, and the way out', async () => {
    const odd = await make('moves', 'order', { customer_id: ada, city: 'Paris' });
    const refused = await publish('moves', moving());
    expect([refused.status, refused.body.error.code]).toEqual([409, 'UNSAFE_CHANGE']);
    expect(refused.body.error.message).toContain('for 1 record of "customer" the records of "order" hold different values');
    expect(refused.body.error.hint).toContain('equal for each "customer"');
    expect((await send('DELETE', `moves/order/${odd}`)).status).toBe(200);
  });

  it('needs no word that its old place is dropped, and is served in both shapes', async () => {
    const plan = await send('POST', 'moves/_admin/versions?dry_run=true', moving());
    expect(plan.body.data?.questions, plan.text).toEqual([]);
    expect(plan.body.data.changes).toContainEqual(expect.objectContaining({ kind: 'move_field', class: 'breaking', from: 'order.city' }));
    const asked = await publish('moves', moving());
    expect(asked.body.data?.migration.status, asked.text).toBe('ready');
    migration = asked.body.data.migration.id as string;
    expect(await cities()).toEqual(['London', 'London', 'London']);
    expect(await read('moves', `order/${orders[0] ?? ''}`)).not.toHaveProperty('city');
    expect(await read('moves', `customer/${ada}`, OLD)).not.toHaveProperty('city');
  });

  it('is written and filtered in both', async () => {
    expect((await send('PATCH', `moves/order/${orders[0] ?? ''}`, { city: 'Rome' }, OLD)).status).toBe(200);
    expect(await cities()).toEqual(['Rome', 'Rome', 'Rome']);
    expect((await send('PATCH', `moves/customer/${ada}`, { city: 'Bonn' })).status).toBe(200);
    expect(await cities()).toEqual(['Bonn', 'Bonn', 'Bonn']);
    expect((await send('GET', 'moves/customer?filter[city]=Bonn')).body.data).toHaveLength(1);
    expect((await send('GET', 'moves/order?filter[city]=Bonn', undefined, OLD)).body.data).toHaveLength(2);
    const born = await send('POST', 'moves/order', { customer_id: ada }, OLD);
    expect(born.body.data).toMatchObject({ city: 'Bonn' });
    orders.push(born.body.data.id as string, await make('moves', 'order', { customer_id: ada }));
    expect(await cities()).toEqual(Array(5).fill('Bonn'));
  });

  it('takes writers of both shapes at once without a failed request', async () => {
    const statuses: number[] = [];
    const write = async (path: string, headers: Record<string, string>, name: string): Promise<void> => {
      for (let n = 0; n < 15; n++) statuses.push((await send('PATCH', path, { city: `${name}${String(n)}` }, headers)).status);
    };
    await Promise.all([
      ...orders.map((id, at) => write(`moves/order/${id}`, OLD, `old${String(at)}-`)),
      write(`moves/customer/${ada}`, {}, 'new-'),
      write(`moves/customer/${ada}`, {}, 'other-'),
    ]);
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(new Set(await cities()).size).toBe(1);
  }, 60_000);

  it('leaves no one in the old shape in the end', async () => {
    const [city] = await cities();
    await send('POST', `moves/_admin/migrations/${migration}/contract`, { drop: true });
    await until('moves', migration, 'completed');
    expect(await read('moves', `customer/${ada}`)).toMatchObject({ city });
    expect((await send('PATCH', `moves/customer/${ada}`, { city: 'Oslo' })).body.data).toMatchObject({ city: 'Oslo' });
    expect((await send('GET', 'moves/order', undefined, OLD)).status).toBe(409);
    expect(await make('moves', 'order', { customer_id: ada })).toBeTypeOf('string');
  });
});

describe('a move', () => {
  it('is taken back in grace with what was written meanwhile, in either shape', async () => {
    await makeApp('returns', { ...CITY, default: 'Rome' });
    const ada = await make('returns', 'customer', { name: 'Ada' });
    const order = await make('returns', 'order', { customer_id: ada });
    const asked = await publish('returns', moving({ ...CITY, default: 'Rome' }));
    expect(asked.body.data?.migration.status, asked.text).toBe('ready');
    await send('PATCH', `returns/customer/${ada}`, { city: 'Bonn' });
    const back = await send('POST', 'returns/_admin/versions/1/rollback');
    expect([back.status, back.body.data?.migration.status], back.text).toEqual([201, 'ready']);
    expect(await read('returns', `order/${order}`)).toMatchObject({ city: 'Bonn' });
    const NEW = { 'Schema-Version': '2' };
    await send('PATCH', `returns/customer/${ada}`, { city: 'Oslo' }, NEW);
    expect(await read('returns', `order/${order}`)).toMatchObject({ city: 'Oslo' });
    await send('PATCH', `returns/order/${order}`, { city: 'Kyiv' });
    expect(await read('returns', `customer/${ada}`, NEW)).toMatchObject({ city: 'Kyiv' });
    const migration = back.body.data.migration.id as string;
    await send('POST', `returns/_admin/migrations/${migration}/contract`, { drop: true });
    await until('returns', migration, 'completed');
    expect(await read('returns', `order/${order}`)).toMatchObject({ city: 'Kyiv' });
    expect((await send('POST', 'returns/order', {})).body.data).toMatchObject({ city: 'Rome' });
  });

  it('that is called off or rejected leaves everything as it was', async () => {
    await makeApp('stops', CITY, { migrations: { approval: 'breaking' } });
    const ada = await make('stops', 'customer', { name: 'Ada' });
    const order = await make('stops', 'order', { customer_id: ada, city: 'Rome' });
    const asked = await publish('stops', moving());
    expect(asked.status, asked.text).toBe(202);
    const migration = asked.body.data.migration.id as string;
    const stopped = await send('POST', `stops/_admin/migrations/${migration}/reject`);
    expect(stopped.status, stopped.text).toBe(200);
    await until('stops', migration, 'aborted');
    expect(await read('stops', `order/${order}`)).toMatchObject({ city: 'Rome' });
    expect(await read('stops', `customer/${ada}`)).not.toHaveProperty('city');
  });

  it('that is called off in mid-way is taken back', async () => {
    await makeApp('aborts');
    const ada = await make('aborts', 'customer', { name: 'Ada' });
    const order = await make('aborts', 'order', { customer_id: ada, city: 'Rome' });
    // A quarantined value of another instruction holds it before its switch.
    const odd = await publish('aborts', {
      ...documentOf([CITY, { name: 'size', type: 'string' }], []),
    });
    expect(odd.status, odd.text).toBe(201);
    await send('PATCH', `aborts/order/${order}`, { size: 'big' });
    const asked = await publish(
      'aborts',
      documentOf([{ name: 'size', type: 'int' }], [CITY], { migrate: [MOVE, { convert: { entity: 'order', field: 'size' } }] }),
    );
    expect(asked.status, asked.text).toBe(202);
    const migration = asked.body.data.migration.id as string;
    await until('aborts', migration, 'paused');
    expect((await send('POST', `aborts/_admin/migrations/${migration}/abort`)).status).toBe(200);
    await until('aborts', migration, 'aborted');
    await send('PATCH', `aborts/order/${order}`, { city: 'Bonn' });
    const again = await publish('aborts', documentOf([{ name: 'size', type: 'string' }], [CITY], { migrate: [MOVE] }));
    expect(again.body.data?.migration.status, again.text).toBe('ready');
    expect(await read('aborts', `customer/${ada}`)).toMatchObject({ city: 'Bonn' });
  });

  it('whose records come to disagree after they were counted says which, and is taken back', async () => {
    await makeApp('disagrees');
    const ada = await make('disagrees', 'customer', { name: 'Ada' });
    const orders = [
      await make('disagrees', 'order', { customer_id: ada, city: 'Rome' }),
      await make('disagrees', 'order', { customer_id: ada, city: 'Rome' }),
    ];
    const { default: pg } = await import('pg');
    const reader = new pg.Client({ connectionString: world.databaseUrl });
    await reader.connect();
    let migration: string;
    try {
      const { db_name: storage } = (await send('GET', '_platform/apps/disagrees')).body.data as { db_name: string };
      await reader.query('begin');
      await reader.query(`select from ${storage}.customer`);
      // Its first step waits for the reader.
      const asked = await publish('disagrees', moving());
      expect(asked.status, asked.text).toBe(202);
      migration = asked.body.data.migration.id as string;
      expect((await send('PATCH', `disagrees/order/${orders[0] ?? ''}`, { city: 'Bonn' })).status).toBe(200);
      await reader.query('commit');
    } finally {
      await reader.end();
    }
    await until('disagrees', migration, 'failed');
    const { error } = (await send('GET', `disagrees/_admin/migrations/${migration}`)).body.data as { error: string };
    expect(error).toContain('records of "order" were given different values under one "customer"');
    expect(error).toContain(ada);
    expect(await Promise.all(orders.map(async (id) => (await read('disagrees', `order/${id}`))['city']))).toEqual(['Bonn', 'Rome']);
    expect(await read('disagrees', `customer/${ada}`)).not.toHaveProperty('city');
  });

  it('makes a required field, with its default for who has none', async () => {
    await makeApp('needs', { ...CITY, required: true });
    const ada = await make('needs', 'customer', { name: 'Ada' });
    await make('needs', 'customer', { name: 'Bob' });
    await make('needs', 'order', { customer_id: ada, city: 'Rome' });
    const bare = await publish('needs', moving({ ...CITY, required: true }));
    expect([bare.status, bare.body.error.message], bare.text).toEqual([
      409,
      expect.stringContaining('1 record of "customer" would get no value'),
    ]);
    const asked = await publish('needs', moving({ ...CITY, required: true, default: 'nowhere' }));
    expect(asked.body.data?.migration.status, asked.text).toBe('ready');
    expect((await send('GET', 'needs/customer?sort=name')).body.data).toMatchObject([{ city: 'Rome' }, { city: 'nowhere' }]);
    const made = await make('needs', 'customer', { name: 'Cy' }, OLD);
    expect(await read('needs', `customer/${made}`)).toMatchObject({ city: 'nowhere' });
    const migration = asked.body.data.migration.id as string;
    await send('POST', `needs/_admin/migrations/${migration}/contract`, { drop: true });
    await until('needs', migration, 'completed');
  });

  it('goes with the version to an app that follows, one version at a time', async () => {
    await makeApp('leads');
    expect((await send('POST', '_platform/apps', { name: 'follows', schema: 'leads' })).status).toBe(201);
    expect((await send('POST', '_platform/apps', { name: 'lags', schema: 'leads' })).status).toBe(201);
    const ada = await make('follows', 'customer', { name: 'Ada' });
    const order = await make('follows', 'order', { customer_id: ada, city: 'Rome' });
    expect((await publish('leads', moving())).body.data?.migration.status).toBe('ready');
    expect((await send('POST', 'follows/_admin/migrations', { to_version: 2 })).body.data.schema_version).toBe(2);
    expect(await read('follows', `customer/${ada}`)).toMatchObject({ city: 'Rome' });
    expect(await read('follows', `order/${order}`, OLD)).toMatchObject({ city: 'Rome' });
    expect((await publish('leads', documentOf([{ name: 'size', type: 'int' }], [CITY]))).status).toBe(201);
    const skipped = await send('POST', 'lags/_admin/migrations', { to_version: 3 });
    expect([skipped.status, skipped.body.error?.message], skipped.text).toEqual([409, expect.stringContaining('Version 2 moves a field')]);
    expect((await send('POST', 'lags/_admin/migrations', { to_version: 2 })).body.data.schema_version).toBe(2);
  });

  it('that names what is not there, or goes where values cannot go, is refused with its place', async () => {
    await makeApp('errors');
    const to = (move: object): Promise<Reply> => publish('errors', documentOf([], [CITY], { migrate: [{ move }] }));
    const cases: [object, string, string][] = [
      [
        { from: 'order.town', to: 'customer.city', via: 'customer' },
        'VALIDATION_FAILED',
        'no field of "order" in the served version "town"',
      ],
      [
        { from: 'order.city', to: 'customer.town', via: 'customer' },
        'VALIDATION_FAILED',
        'no field of "customer" in the new document "town"',
      ],
      [{ from: 'order.city', to: 'customer.city', via: 'buyer' }, 'VALIDATION_FAILED', 'no relation "buyer"'],
      [{ from: 'order.amount', to: 'customer.city', via: 'customer' }, 'VALIDATION_FAILED', 'is in the new document too'],
      [{ from: 'customer.name', to: 'order.name', via: 'customer_orders' }, 'UNSUPPORTED', 'to many records'],
    ];
    for (const [move, code, words] of cases) {
      const isBack = code === 'UNSUPPORTED';
      const document = {
        version: 1,
        entities: [
          { name: 'customer', fields: [{ name: 'mail', type: 'string' }] },
          { name: 'order', fields: ['amount', 'city', 'name'].map((name) => ({ name, type: name === 'amount' ? 'int' : 'string' })) },
        ],
        relations: [{ name: 'customer_orders', type: 'one_to_many', source: 'customer', target: 'order' }],
        migrate: [{ move }],
      };
      const reply = await (isBack ? publish('errors', document) : to(move));
      expect([reply.status, reply.body.error?.code], reply.text).toEqual([422, code]);
      expect(reply.body.error.message).toContain(words);
    }
  });
});
