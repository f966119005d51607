/**
 * react-admin's contract of a data provider, once, for two subjects: the provider its authors test with, as the oracle, and ours over
 * a real server. Both hold the same records; what they answer must be the same.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import fakeRestProvider from 'ra-data-fakerest';
import { HttpError, type DataProvider, type Identifier, type RaRecord } from 'react-admin';
import { createClient } from '../../client/client.ts';
import { createDataProvider, type RecordProvider } from '../../admin/src/providers/data-provider.ts';
import type { RefusedBody } from '../../admin/src/providers/record-error.ts';
import type { Discovery } from '../../admin/src/discovery.ts';
import { type Caller } from '../support/api.ts';
import { freshDatabase } from '../support/database.ts';
import { httpWorld, type HttpWorld } from '../support/http-world.ts';

const DOCUMENT = {
  version: 1,
  settings: { max_per_page: 20 },
  entities: [
    { name: 'customer', fields: [{ name: 'name', type: 'string', required: true }] },
    {
      name: 'order',
      soft_delete: true,
      fields: [
        { name: 'title', type: 'string', required: true, min_length: 3 },
        { name: 'status', type: 'enum', enum: ['open', 'paid', 'gone'] },
        { name: 'amount', type: 'int', min: 0 },
        { name: 'due_on', type: 'date' },
        { name: 'price', type: 'decimal', precision: 2 },
        { name: 'customer', type: 'relation', target: 'customer' },
      ],
    },
    {
      name: 'line',
      fields: [
        { name: 'sku', type: 'string', required: true },
        { name: 'qty', type: 'int', min: 1 },
        { name: 'order', type: 'relation', target: 'order' },
      ],
    },
    { name: 'tag', fields: [{ name: 'name', type: 'string' }] },
  ],
};

let world: HttpWorld;
let admin: Caller;
let ours: RecordProvider;
let oracle: DataProvider;
let discovery: Discovery;
let requests: string[];
let orders: RaRecord[];
let customers: RaRecord[];

beforeAll(async () => {
  world = await httpWorld(await freshDatabase());
  await world.app('shop', DOCUMENT, []);
  admin = await world.platform();
  for (const name of ['Ada', 'Bob', 'Cleo']) await admin('POST', '/api/shop/customer', { name });
  customers = ((await admin('GET', '/api/shop/customer?sort=name')).at('data') as RaRecord[]) ?? [];
  const create = Array.from({ length: 45 }, (_, n) => ({
    title: `Order ${String(n).padStart(2, '0')}`,
    status: ['open', 'paid', 'gone'][n % 3],
    amount: n,
    due_on: `2026-06-${String((n % 28) + 1).padStart(2, '0')}`,
    price: `${n}.50`,
    customer_id: customers[n % 3]?.id,
  }));
  await admin('POST', '/api/shop/order/_bulk', { create });
  const pages = await Promise.all([1, 2, 3].map((page) => admin('GET', `/api/shop/order?sort=amount&per_page=20&page=${page}`)));
  orders = pages.flatMap((page) => page.at('data') as RaRecord[]);
  oracle = checked(fakeRestProvider({ order: structuredClone(orders), customer: structuredClone(customers), tag: [] }, false));
  discovery = (await admin('GET', '/api/shop/_discovery')).at('data') as Discovery;
  const client = createClient(world.url);
  await client.signIn({ kind: 'platform' }, 'platform@localhost', 'changeme');
  requests = [];
  ours = checked(
    createDataProvider(discovery, {
      call: (path, options) => {
        requests.push(`${options?.method ?? 'GET'} ${path}`);
        return client.call(path, options);
      },
    }),
  );
  return () => world.close();
}, 120_000);

/** What react-admin validates in development only, always: in production a provider that breaks the contract breaks pages instead. */
function checked<P extends DataProvider>(provider: P): P {
  const check = (verb: string, answer: Record<string, unknown>): void => {
    const { data } = answer;
    if (verb === 'getList' || verb === 'getMany' || verb === 'getManyReference') {
      expect(Array.isArray(data), `${verb} answers a list`).toBe(true);
      for (const row of data as object[]) expect(row, verb).toHaveProperty('id');
      if (verb !== 'getMany') expect(answer['total'] ?? answer['pageInfo'], `${verb} tells how far it goes`).toBeDefined();
    } else if (verb === 'updateMany' || verb === 'deleteMany') {
      expect(Array.isArray(data), `${verb} answers ids`).toBe(true);
    } else expect(data, verb).toHaveProperty('id');
  };
  const verbs = ['getList', 'getOne', 'getMany', 'getManyReference', 'create', 'update', 'updateMany', 'delete', 'deleteMany'];
  const wrapped = verbs.map((verb) => [
    verb,
    async (...given: unknown[]) => {
      const answer = (await (provider[verb] as (...args: unknown[]) => Promise<Record<string, unknown>>)(...given)) ?? {};
      check(verb, answer);
      return answer;
    },
  ]);
  return { ...provider, ...(Object.fromEntries(wrapped) as object) };
}

const pagination = (page = 1, perPage = 10): { page: number; perPage: number } => ({ page, perPage });
const byAmount = { field: 'amount', order: 'ASC' } as const;
const titles = ({ data }: { data: RaRecord[] }): unknown[] => data.map((record) => record['title']);

describe('reading, as the oracle does', () => {
  it.each([
    ['the first page', pagination(), byAmount],
    ['a page within', pagination(3), byAmount],
    ['the last, which is not full', pagination(5), byAmount],
    ['a page behind the last', pagination(9), byAmount],
    ['the other way round', pagination(), { field: 'amount', order: 'DESC' } as const],
    ['by a text', pagination(2), { field: 'title', order: 'DESC' } as const],
  ])('pages and sorts: %s', async (_, page, sort) => {
    const asked = { pagination: page, sort, filter: {} };
    const [theirs, mine] = [await oracle.getList('order', asked), await ours.getList('order', asked)];
    expect([titles(mine), mine.total]).toEqual([titles(theirs), theirs.total]);
  });

  it.each([
    [{ 'status|eq': 'paid' }, { status: 'paid' }],
    [{ status: 'paid' }, { status: 'paid' }],
    [{ 'status|neq': 'paid' }, { status_neq: 'paid' }],
    [{ 'status|in': ['open', 'gone'] }, { status_eq_any: ['open', 'gone'] }],
    [{ status: ['open', 'gone'] }, { status_eq_any: ['open', 'gone'] }],
    [
      { 'amount|gte': 10, 'amount|lt': 20 },
      { amount_gte: 10, amount_lt: 20 },
    ],
    [{ 'amount|gt': 42 }, { amount_gt: 42 }],
    [{ 'amount|between': [5, 7] }, { amount_gte: 5, amount_lte: 7 }],
    [{ 'title|icontains': 'oRDER 1' }, { title_q: 'order 1' }],
    [{ 'status|eq': '', 'amount|lte': 3 }, { amount_lte: 3 }],
  ])('filters by %j', async (mine, theirs) => {
    const asked = { pagination: pagination(1, 20), sort: byAmount };
    const [a, b] = [await oracle.getList('order', { ...asked, filter: theirs }), await ours.getList('order', { ...asked, filter: mine })];
    expect([titles(b), b.total]).toEqual([titles(a), a.total]);
    expect(b.total).toBeGreaterThan(0);
  });

  it('one record, in the shape of the list, with exact numbers as texts', async () => {
    const id = orders[7]?.id as Identifier;
    const [theirs, mine] = [await oracle.getOne('order', { id }), await ours.getOne('order', { id })];
    expect(mine.data).toMatchObject(theirs.data);
    expect(mine.data['price']).toBe('7.50');
    const { data } = await ours.getList('order', { pagination: pagination(), sort: byAmount, filter: {} });
    expect(
      Object.keys(mine.data)
        .filter((name) => name !== '_etag')
        .sort(),
    ).toEqual(Object.keys(data[0] ?? {}).sort());
  });

  it('refuses one that is not there', async () => {
    const id = '01980000-0000-7000-8000-0000000000ff';
    await expect(oracle.getOne('order', { id })).rejects.toThrow();
    await expect(ours.getOne('order', { id })).rejects.toMatchObject({ status: 404 });
  });

  it('many at once, in one request; unknown ones are left out, on which the oracle throws', async () => {
    const ids = orders.slice(3, 8).map(({ id }) => id);
    const theirs = await oracle.getMany('order', { ids });
    requests.length = 0;
    const mine = await ours.getMany('order', { ids: [...ids, '01980000-0000-7000-8000-0000000000ff'] });
    expect(requests).toHaveLength(1);
    expect(titles(mine).sort()).toEqual(titles(theirs).sort());
    expect((await ours.getMany('order', { ids: [] })).data).toEqual([]);
  });

  it('more at once than a page of the app may hold', async () => {
    const mine = await ours.getMany('order', { ids: orders.map(({ id }) => id) });
    expect(new Set(mine.data.map(({ id }) => id)).size).toBe(orders.length);
  });

  it('those that refer to a record', async () => {
    const id = customers[1]?.id as Identifier;
    const asked = { target: 'customer_id', id, pagination: pagination(), sort: byAmount, filter: { status: 'paid' } };
    const [theirs, mine] = [await oracle.getManyReference('order', asked), await ours.getManyReference('order', asked)];
    expect([titles(mine), mine.total]).toEqual([titles(theirs), theirs.total]);
  });

  it('nothing, where there is nothing', async () => {
    const asked = { pagination: pagination(), sort: { field: 'id', order: 'ASC' } as const, filter: {} };
    expect(await oracle.getList('tag', asked)).toMatchObject({ data: [], total: 0 });
    expect(await ours.getList('tag', asked)).toMatchObject({ data: [], total: 0 });
  });
});

describe('reading, beyond the oracle', () => {
  it('puts in the titles of related records with the same request', async () => {
    requests.length = 0;
    const meta = { fields: ['title', 'customer_id'], include: { customer: ['name'] }, count: 'estimated' };
    const { data } = await ours.getList('order', { pagination: pagination(), sort: byAmount, filter: {}, meta });
    expect(requests).toHaveLength(1);
    expect(data[1]).toEqual({ id: orders[1]?.id, title: 'Order 01', customer_id: customers[1]?.id, customer: { name: 'Bob' } });
  });

  it('searches words', async () => {
    const { data } = await ours.getList('order', { pagination: pagination(), sort: byAmount, filter: { q: 'order 03' } });
    expect(titles({ data })).toEqual(['Order 03']);
  });

  it('tells whether there is a further page when it does not count', async () => {
    const asked = { sort: byAmount, filter: {}, meta: { count: 'none' } };
    const first = await ours.getList('order', { ...asked, pagination: pagination(1, 20) });
    const last = await ours.getList('order', { ...asked, pagination: pagination(3, 20) });
    expect([first.pageInfo, last.pageInfo]).toEqual([
      { hasNextPage: true, hasPreviousPage: false },
      { hasNextPage: false, hasPreviousPage: true },
    ]);
  });

  it('asks what is too long for an address in a body', async () => {
    requests.length = 0;
    const $tree = { field: 'id', op: 'in', value: Array.from({ length: 120 }, (_, n) => orders[n % 45]?.id) };
    const answer = await ours.getList('order', {
      pagination: pagination(),
      sort: byAmount,
      filter: { $tree },
      meta: { include: { customer: ['name'] } },
    });
    expect(requests[0]).toBe('POST /api/shop/order/_query');
    expect([answer.total, answer.data[0]?.['customer']]).toEqual([45, { name: 'Ada' }]);
  });

  it('stops when nobody wants the answer any more', async () => {
    expect(ours.supportAbortSignal).toBe(true);
    const abort = new AbortController();
    const answer = ours.getList('order', { pagination: pagination(), sort: byAmount, filter: {}, signal: abort.signal });
    abort.abort();
    await expect(answer).rejects.toMatchObject({ name: 'AbortError' });
  });
});

const refusedBy = async (attempt: Promise<unknown>): Promise<{ readonly status: number; readonly body: RefusedBody }> => {
  const error = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(HttpError);
  return error as { status: number; body: RefusedBody };
};

describe('writing', () => {
  it('creates, changes and deletes as the oracle does', async () => {
    const data = { title: 'Brand new', status: 'open', amount: 900 };
    for (const provider of [oracle, ours]) {
      const made = (await provider.create('order', { data })).data as RaRecord;
      expect(made).toMatchObject(data);
      const changed = await provider.update('order', { id: made.id, data: { ...made, amount: 901 }, previousData: made });
      expect(changed.data).toMatchObject({ id: made.id, title: 'Brand new', amount: 901 });
      const gone = await provider.delete('order', { id: made.id, previousData: made });
      expect(gone.data).toMatchObject({ id: made.id });
      await expect(provider.getOne('order', { id: made.id })).rejects.toThrow();
    }
  });

  it('many in one request', async () => {
    const made = await Promise.all([1, 2, 3].map((n) => ours.create('order', { data: { title: `Bulk ${n}`, amount: n } })));
    const ids = made.map(({ data }) => data.id);
    requests.length = 0;
    expect((await ours.updateMany('order', { ids, data: { status: 'paid' } })).data).toEqual(ids);
    expect((await ours.deleteMany('order', { ids })).data).toEqual(ids);
    expect(requests).toEqual(['POST /api/shop/order/_bulk?atomic=false', 'POST /api/shop/order/_bulk?atomic=false']);
    expect(await ours.bulk('order', { kind: 'restore' }, ids)).toEqual(ids.map((id) => ({ id })));
    expect((await ours.getMany('order', { ids })).data.map((record) => record['status'])).toEqual(['paid', 'paid', 'paid']);
    await ours.deleteMany('order', { ids });
  });

  it('does what it may of many, and tells of the rest', async () => {
    const { data } = await ours.create('order', { data: { title: 'Alone', amount: 1 } });
    const ids = [data.id, '01980000-0000-7000-8000-0000000000ff'];
    const refused = await refusedBy(ours.updateMany('order', { ids, data: { amount: 77 } }));
    expect(String((refused as unknown as Error).message)).toContain('1 of 2 were done, 1 refused');
    const results = await ours.bulk('order', { kind: 'update', data: { amount: 78 } }, ids);
    expect(results).toEqual([{ id: ids[0] }, { id: ids[1], error: { code: 'NOT_FOUND', message: expect.any(String) as string } }]);
    expect((await ours.getOne('order', { id: ids[0] as Identifier })).data['amount']).toBe(78);
    await ours.delete('order', { id: data.id, previousData: data });
  });

  it('shows only what was deleted', async () => {
    const { data } = await ours.create('order', { data: { title: 'Thrown away' } });
    await ours.delete('order', { id: data.id, previousData: data });
    const asked = { pagination: pagination(1, 20), sort: byAmount };
    const gone = await ours.getList('order', { ...asked, filter: { $deleted: true, 'title|eq': 'Thrown away' } });
    expect(gone.data.map(({ id }) => id)).toEqual([data.id]);
    expect((await ours.getList('order', { ...asked, filter: { 'title|eq': 'Thrown away' } })).total).toBe(0);
  });

  it('does not lose what somebody else changed meanwhile: a conflict with the record of now, which can be gone over knowingly', async () => {
    const { data: made } = await ours.create('order', { data: { title: 'Fought over', amount: 1 } });
    const { data: mine } = await ours.getOne('order', { id: made.id });
    await admin('PATCH', `/api/shop/order/${String(made.id)}`, { amount: 50 });
    // A refetch in between does not make the form's own version a newer one.
    await ours.getOne('order', { id: made.id });
    const change = { id: made.id, data: { ...mine, amount: 2 }, previousData: mine };
    const refused = await refusedBy(ours.update('order', change));
    expect(refused.status).toBe(412);
    expect(refused.body.current).toMatchObject({ id: made.id, amount: 50 });
    expect(refused.body.errors['root']).toEqual({ serverError: 'the record has another version' });
    const again = await ours.update('order', { ...change, meta: { ifMatch: refused.body.current?.['_etag'] } });
    expect(again.data).toMatchObject({ amount: 2 });
    await ours.delete('order', { id: made.id, previousData: made });
  });

  it('says at each field what is wrong with it, in nested rows too', async () => {
    const own = await refusedBy(ours.create('order', { data: { title: 'x', amount: -1 } }));
    expect([own.status, own.body.errors['title'], own.body.errors['amount']]).toEqual([
      422,
      expect.stringContaining('3'),
      expect.stringContaining('0'),
    ]);
    expect(own.body.error).toMatchObject({ code: 'VALIDATION_FAILED', request_id: expect.any(String) as string });
    const lines = [
      { sku: 'A', qty: 1 },
      { sku: 'B', qty: 0 },
    ];
    const order = discovery.entities.find(({ name }) => name === 'order');
    const relation = order?.relations.find(({ target }) => target === 'line')?.name;
    const nested = await refusedBy(ours.create('order', { data: { title: 'With rows', [String(relation)]: lines } }));
    expect(nested.body.errors[String(relation)]).toEqual([{}, { qty: expect.any(String) as string }]);
  });

  it('keeps to what a form may write', async () => {
    const { data } = await ours.create('order', {
      data: { title: 'No extras', nonsense: 1, id: 'mine', _etag: '"9"', amount: '' } as never,
    });
    expect(data).toMatchObject({ title: 'No extras', amount: null });
    await ours.delete('order', { id: data.id, previousData: data });
  });

  it('knows a session that has ended by its 401', async () => {
    const nobody = createDataProvider(discovery, createClient(world.url));
    const refused = await refusedBy(nobody.getList('order', { pagination: pagination(), sort: byAmount, filter: {} }));
    expect(refused.status).toBe(401);
  });
});
