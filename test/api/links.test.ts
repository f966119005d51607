/** A relation that becomes many_to_many and back on live data, through the API alone. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startWorld, type Reply, type Send, type World } from './world.ts';

let world: World;
let send: Send;
let db: pg.Client;
beforeAll(async () => {
  world = await startWorld();
  send = await world.asPlatformAdmin();
  db = new pg.Client({ connectionString: world.databaseUrl });
  await db.connect();
});
afterAll(() => db.end());

const OLD = { 'Schema-Version': '1' };

const entities = [
  { name: 'customer', fields: [{ name: 'name', type: 'string' }] },
  {
    name: 'ticket',
    fields: [
      { name: 'title', type: 'string' },
      { name: 'code', type: 'string', unique: true },
    ],
  },
];
const relation = { name: 'customer_tickets', source: 'customer', target: 'ticket', source_name: 'tickets' };
const KEYED = { version: 1, entities, relations: [{ ...relation, type: 'one_to_many', on_delete: 'set_null', target_name: 'customer' }] };
const LINKED = { version: 1, entities, relations: [{ ...relation, type: 'many_to_many', target_name: 'customers' }] };

async function makeApp(app: string, document: object): Promise<void> {
  expect((await send('POST', '_platform/apps', { name: app })).status).toBe(201);
  const made = await send('POST', `${app}/_admin/versions`, document);
  expect(made.status, made.text).toBe(201);
}
async function make(path: string, body: object, headers: Record<string, string> = {}): Promise<string> {
  const made = await send('POST', path, body, headers);
  expect(made.status, made.text).toBe(201);
  return made.body.data.id as string;
}
async function patch(path: string, body: object, headers: Record<string, string> = {}): Promise<void> {
  const reply = await send('PATCH', path, body, headers);
  expect(reply.status, reply.text).toBe(200);
}
async function publish(app: string, document: object): Promise<string> {
  const asked = await send('POST', `${app}/_admin/versions`, document);
  expect(asked.body.data?.migration?.status, asked.text).toBe('ready');
  return asked.body.data.migration.id as string;
}
async function finish(app: string, migration: string): Promise<void> {
  const ended = await send('POST', `${app}/_admin/migrations/${migration}/contract`, { drop: true });
  expect(ended.status, ended.text).toBe(200);
  await vi.waitUntil(async () => (await send('GET', `${app}/_admin/migrations/${migration}`)).body.data.status === 'completed', {
    timeout: 30_000,
    interval: 50,
  });
}
const keyOf = async (app: string, ticket: string, headers: Record<string, string> = {}): Promise<unknown> =>
  (await send('GET', `${app}/ticket/${ticket}`, undefined, headers)).body.data.customer_id;
async function linksOf(app: string, ticket: string, headers: Record<string, string> = {}): Promise<string[]> {
  const reply = await send('GET', `${app}/ticket/${ticket}?include=customers`, undefined, headers);
  return (reply.body.data.customers as { name: string }[]).map(({ name }) => name).sort();
}
async function storageOf(app: string): Promise<string> {
  const { rows } = await db.query<{ storage: string }>('select storage from durabase.apps where name = $1', [app]);
  return rows[0]?.storage ?? '';
}
/** What migrations made beside tables and columns. */
async function leftovers(app: string): Promise<unknown[]> {
  const { rows } = await db.query(
    `select tgname as name from pg_trigger t join pg_class c on c.oid = t.tgrelid
     where c.relnamespace = $1::regnamespace and not tgisinternal
     union all select proname from pg_proc where pronamespace = $1::regnamespace and proname like '%\\_m%'`,
    [await storageOf(app)],
  );
  return rows;
}

describe('a one_to_many that becomes many_to_many', () => {
  const people: Record<string, string> = {};
  const tickets: Record<string, string> = {};
  const who = (name: string): string => people[name] ?? '';
  const which = (title: string): string => tickets[title] ?? '';
  let migration: string;

  beforeAll(async () => {
    await makeApp('linked', KEYED);
    for (const name of ['ann', 'bob', 'cat']) people[name] = await make('linked/customer', { name });
    tickets['with'] = await make('linked/ticket', { title: 'with', customer_id: who('ann') });
    tickets['without'] = await make('linked/ticket', { title: 'without' });
    migration = await publish('linked', LINKED);
  });

  it('has a link where there was a key', async () => {
    expect(await linksOf('linked', which('with'))).toEqual(['ann']);
    expect(await linksOf('linked', which('without'))).toEqual([]);
    expect((await send('GET', `linked/ticket/${which('with')}`)).body.data).not.toHaveProperty('customer_id');
    expect((await send('GET', `linked/ticket/${which('with')}?include=customer`, undefined, OLD)).body.data).toMatchObject({
      customer_id: who('ann'),
      customer: { name: 'ann' },
    });
  });

  it('takes the key of an older client for a link, and keeps the other links', async () => {
    const id = await make('linked/ticket', { title: 'old', customer_id: who('ann') }, OLD);
    expect(await linksOf('linked', id)).toEqual(['ann']);
    await patch(`linked/ticket/${id}`, { customers: [{ id: who('cat') }] });
    expect(await linksOf('linked', id)).toEqual(['ann', 'cat']);
    await patch(`linked/ticket/${id}`, { customer_id: who('bob') }, OLD);
    expect([await linksOf('linked', id), await keyOf('linked', id, OLD)]).toEqual([['bob', 'cat'], who('bob')]);
    await patch(`linked/ticket/${id}`, { customer_id: null }, OLD);
    expect([await linksOf('linked', id), await keyOf('linked', id, OLD)]).toEqual([['cat'], who('cat')]);
    await patch(`linked/ticket/${id}`, { customer_id: null }, OLD);
    expect([await linksOf('linked', id), await keyOf('linked', id, OLD)]).toEqual([[], null]);
  });

  it('gives older clients one of the links as the key, from whichever side they are made', async () => {
    const id = await make('linked/ticket', { title: 'new', customers: [{ id: who('bob') }, { id: who('ann') }] });
    const first = await keyOf('linked', id, OLD);
    expect([who('ann'), who('bob')]).toContain(first);
    const other = first === who('ann') ? who('bob') : who('ann');
    await patch(`linked/customer/${String(first)}`, { tickets: [{ id, _delete: true }] });
    expect(await keyOf('linked', id, OLD)).toBe(other);
    await patch(`linked/ticket/${id}`, { customers: { _write_mode: 'replace', data: [] } });
    const nested = await make('linked/customer', { name: 'dan', tickets: [{ title: 'nested' }] }, OLD);
    const reply = await send('GET', `linked/customer/${nested}?include=tickets`);
    expect(reply.body.data.tickets, reply.text).toMatchObject([{ title: 'nested' }]);
    const seen = await send('GET', `linked/customer/${nested}?include=tickets`, undefined, OLD);
    expect(seen.body.data.tickets).toMatchObject([{ title: 'nested', customer_id: nested }]);
  });

  it('lets records go at both ends, in both shapes', async () => {
    for (const [headers, name] of [
      [OLD, 'eve'],
      [{}, 'fay'],
    ] as const) {
      const gone = await make('linked/customer', { name });
      const kept = await make('linked/ticket', { title: name, customers: [{ id: gone }, { id: who('ann') }] });
      await patch(`linked/ticket/${kept}`, { customer_id: gone }, OLD);
      await patch(`linked/ticket/${kept}`, { customers: [{ id: who('ann') }] });
      const deleted = await send('DELETE', `linked/customer/${gone}`, undefined, headers);
      expect(deleted.status, deleted.text).toBeLessThan(300);
      expect([await linksOf('linked', kept), await keyOf('linked', kept, OLD)]).toEqual([['ann'], who('ann')]);
      const ended = await send('DELETE', `linked/ticket/${kept}`, undefined, headers);
      expect(ended.status, ended.text).toBeLessThan(300);
      expect((await db.query(`select from ${await storageOf('linked')}.customer_tickets where ticket_id = $1`, [kept])).rowCount).toBe(0);
    }
  });

  /** The one a write may ask for; a read's also tells the shape. */
  const versionOf = (reply: Reply): string => (reply.headers.get('etag') ?? '').replace(/-[^"]*"$/, '"');
  const retitle = (id: string, tag: string, headers: Record<string, string>): Promise<Reply> =>
    send('PATCH', `linked/ticket/${id}`, { title: 'again' }, { ...headers, 'If-Match': tag });

  it('has another version for older clients when a link of another record changes its key', async () => {
    const id = await make('linked/ticket', { title: 'tagged', customers: [{ id: who('ann') }, { id: who('bob') }] });
    const known = await send('GET', `linked/ticket/${id}`, undefined, OLD);
    await patch(`linked/customer/${String(known.body.data.customer_id)}`, { tickets: [{ id, _delete: true }] });
    expect((await retitle(id, versionOf(known), OLD)).status).toBe(412);
    const fresh = await send('GET', `linked/ticket/${id}`, undefined, { ...OLD, 'If-None-Match': known.headers.get('etag') ?? '' });
    expect([fresh.status, fresh.body?.data.customer_id === known.body.data.customer_id], fresh.text).toEqual([200, false]);
    const own = await send('PATCH', `linked/ticket/${id}`, {
      title: 'own',
      customers: { _write_mode: 'replace', data: [{ id: who('cat') }] },
    });
    expect(own.status, own.text).toBe(200);
    const next = await retitle(id, versionOf(own), {});
    expect(next.status, 'what a client was answered is the version that is stored').toBe(200);
    const linksOnly = await send('PATCH', `linked/ticket/${id}`, { customers: { _write_mode: 'replace', data: [{ id: who('bob') }] } });
    expect((await retitle(id, versionOf(linksOnly), {})).status, 'so it is after a write of links alone').toBe(200);
  });

  it('is stored with the version that an upsert with links answered, under a savepoint as well', async () => {
    const rows = (customer: string) => ({
      upsert: { on: 'code', rows: [{ code: 'once', title: customer, customers: [{ id: who(customer) }] }] },
    });
    let id = '';
    for (const customer of ['ann', 'bob']) {
      const reply = await send('POST', 'linked/ticket/_bulk', rows(customer));
      expect(reply.status, reply.text).toBe(200);
      const [{ version, data }] = reply.body.data as [{ version: string; data: { id: string } }];
      id = data.id;
      expect((await retitle(id, version, {})).status, `after ${customer}`).toBe(200);
    }
    expect(await keyOf('linked', id, OLD)).toBe(who('ann'));
  });

  it('takes writers of both ends at once without a failed request', async () => {
    const id = await make('linked/ticket', { title: 'busy', customers: [{ id: who('ann') }] });
    const statuses: number[] = [];
    const write = async (path: string, body: object, headers: Record<string, string>): Promise<void> => {
      const reply = await send('PATCH', path, body, headers);
      statuses.push(reply.status);
      expect(reply.status, reply.text).toBe(200);
    };
    for (let round = 0; round < 25; round++) {
      const [here, there] = round % 2 === 0 ? [who('ann'), who('bob')] : [who('bob'), who('ann')];
      await Promise.all([
        write(`linked/ticket/${id}`, { customer_id: there }, OLD),
        write(`linked/customer/${here}`, { tickets: [{ id, _delete: true }] }, {}),
        write(`linked/customer/${who('cat')}`, { tickets: [{ id, ...(round % 3 === 0 ? { _delete: true } : {}) }] }, {}),
      ]);
      const key = await keyOf('linked', id, OLD);
      const names = await linksOf('linked', id);
      const name = Object.keys(people).find((one) => people[one] === key);
      expect(name === undefined ? names : names.includes(name), `${String(name)} of ${names.join(', ')}`).toEqual(
        name === undefined ? [] : true,
      );
    }
    expect(statuses).toHaveLength(75);
  }, 60_000);

  it.each(['the key', 'a link'])('runs a write of %s again that Postgres ended in a deadlock', async (what) => {
    const id = await make('linked/ticket', { title: what, customers: [{ id: who('ann') }] });
    const storage = await storageOf('linked');
    const record = `select from ${storage}.ticket where id = '${id}' for update`;
    const link = `select from ${storage}.customer_tickets where ticket_id = '${id}' for update`;
    const deadlocks = async (): Promise<number> =>
      (await db.query<{ n: number }>('select deadlocks::int as n from pg_stat_database where datname = current_database()')).rows[0]?.n ??
      0;
    const before = await deadlocks();
    const other = new pg.Client({ connectionString: world.databaseUrl });
    await other.connect();
    try {
      // The client waits first, so it is the one whose wait Postgres finds to go round in a circle.
      await other.query('begin');
      await other.query(what === 'the key' ? link : record);
      const writing =
        what === 'the key'
          ? send('PATCH', `linked/ticket/${id}`, { customer_id: who('bob') }, OLD)
          : send('PATCH', `linked/customer/${who('ann')}`, { tickets: [{ id, _delete: true }] });
      await vi.waitUntil(
        async () =>
          (await db.query("select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")).rowCount !== 0,
        { timeout: 5_000, interval: 5 },
      );
      await other.query(what === 'the key' ? record : link);
      await other.query('commit');
      const reply = await writing;
      expect(reply.status, reply.text).toBe(200);
    } finally {
      await other.end();
    }
    await vi.waitUntil(async () => (await deadlocks()) > before, { timeout: 10_000, interval: 50 });
    expect([await linksOf('linked', id), await keyOf('linked', id, OLD)]).toEqual(what === 'the key' ? [['bob'], who('bob')] : [[], null]);
  });

  it('is held by its migration meanwhile', async () => {
    const reply = await send('POST', 'linked/_admin/versions', {
      ...LINKED,
      relations: [{ ...relation, name: 'x', was: relation.name, type: 'many_to_many' }],
    });
    expect([reply.status, reply.body.error.code], reply.text).toEqual([409, 'CONFLICT']);
  });

  it('has its links for itself when the grace is over, and the key is gone with the retention', async () => {
    await finish('linked', migration);
    expect(await linksOf('linked', which('with'))).toEqual(['ann']);
    expect(await leftovers('linked')).toEqual([]);
    const { rows } = await db.query("select from pg_attribute where attrelid = $1::regclass and attname = 'customer_id'", [
      `${await storageOf('linked')}.ticket`,
    ]);
    expect(rows).toEqual([]);
    expect((await send('DELETE', `linked/customer/${who('ann')}`)).status).toBeLessThan(300);
    expect(await linksOf('linked', which('with'))).toEqual([]);
    expect((await send('GET', `linked/ticket/${which('with')}`, undefined, OLD)).status).toBe(409);
  });
});

describe('a many_to_many that becomes one_to_many', () => {
  it('is refused while a record has several links, naming how many and the way out', async () => {
    await makeApp('doubled', LINKED);
    const [ann, bob] = [await make('doubled/customer', { name: 'ann' }), await make('doubled/customer', { name: 'bob' })];
    const id = await make('doubled/ticket', { title: 'two', customers: [{ id: ann }, { id: bob }] });
    const refused = await send('POST', 'doubled/_admin/versions', KEYED);
    expect([refused.status, refused.body.error.code], refused.text).toEqual([409, 'UNSAFE_CHANGE']);
    expect(refused.body.error.message).toContain('1 record of "ticket" has more than one "customer"');
    expect(refused.body.error.hint).toContain('one link of "customer_tickets" at most');
    await patch(`doubled/ticket/${id}`, { customers: [{ id: ann, _delete: true }] });
    await publish('doubled', KEYED);
    expect(await keyOf('doubled', id)).toBe(bob);
  });

  it('keeps key and links in step until the grace ends', async () => {
    await makeApp('keyed', LINKED);
    const [ann, bob] = [await make('keyed/customer', { name: 'ann' }), await make('keyed/customer', { name: 'bob' })];
    const linked = await make('keyed/ticket', { title: 'a', customers: [{ id: ann }] });
    const bare = await make('keyed/ticket', { title: 'b' });
    const migration = await publish('keyed', KEYED);
    expect([await keyOf('keyed', linked), await keyOf('keyed', bare)]).toEqual([ann, null]);
    await patch(`keyed/ticket/${linked}`, { customer_id: bob });
    expect(await linksOf('keyed', linked, OLD)).toEqual(['bob']);
    await patch(`keyed/ticket/${bare}`, { customers: [{ id: bob }] }, OLD);
    await patch(`keyed/ticket/${bare}`, { customers: [{ id: ann }] }, OLD);
    // The key stays while its link does; then the next link takes its place.
    expect(await keyOf('keyed', bare)).toBe(bob);
    await patch(`keyed/ticket/${bare}`, { customers: [{ id: bob, _delete: true }] }, OLD);
    expect(await keyOf('keyed', bare)).toBe(ann);
    expect((await send('DELETE', `keyed/customer/${ann}`)).status).toBeLessThan(300);
    expect([await keyOf('keyed', bare), await linksOf('keyed', bare, OLD)]).toEqual([null, []]);
    expect((await send('DELETE', `keyed/customer/${bob}`, undefined, OLD)).status).toBeLessThan(300);
    expect(await keyOf('keyed', linked)).toBe(null);
    await finish('keyed', migration);
    expect(await leftovers('keyed')).toEqual([]);
    expect((await db.query('select to_regclass($1) as links', [`${await storageOf('keyed')}.customer_tickets`])).rows).toEqual([
      { links: null },
    ]);
    const cat = await make('keyed/customer', { name: 'cat', tickets: [{ title: 'c' }] });
    expect((await send('GET', `keyed/customer/${cat}?include=tickets`)).body.data.tickets).toMatchObject([{ customer_id: cat }]);
  });
});

describe('a move of links in grace', () => {
  it('is taken back with what was written meanwhile, in either shape', async () => {
    await makeApp('back', KEYED);
    const [ann, bob] = [await make('back/customer', { name: 'ann' }), await make('back/customer', { name: 'bob' })];
    const id = await make('back/ticket', { title: 'a', customer_id: ann });
    await publish('back', LINKED);
    await patch(`back/ticket/${id}`, { customers: [{ id: bob }] });
    const back = await send('POST', 'back/_admin/versions/1/rollback');
    expect([back.status, back.body.data?.migration.status], back.text).toEqual([201, 'ready']);
    const NEW = { 'Schema-Version': '2' };
    expect([await keyOf('back', id), await linksOf('back', id, NEW)]).toEqual([ann, ['ann', 'bob']]);
    await patch(`back/ticket/${id}`, { customers: [{ id: ann, _delete: true }] }, NEW);
    expect(await keyOf('back', id)).toBe(bob);
    const again = await send('POST', 'back/_admin/versions/2/rollback');
    expect([again.status, again.body.error?.code], again.text).toEqual([409, 'CONFLICT']);
    await finish('back', back.body.data.migration.id as string);
    expect(await leftovers('back')).toEqual([]);
    expect(await keyOf('back', id)).toBe(bob);
    const lost = await send('PATCH', `back/ticket/${id}`, { customer_id: '00000000-0000-4000-8000-000000000000' });
    expect(lost.status, lost.text).toBe(422);
    await expect(
      db.query(`update ${await storageOf('back')}.ticket set customer_id = gen_random_uuid() where id = $1`, [id]),
      'its foreign key is there',
    ).rejects.toMatchObject({ code: '23503' });
  });

  it('starts anew after its retention has begun: links that were left are not read again', async () => {
    await makeApp('anew', LINKED);
    const [ann, bob] = [await make('anew/customer', { name: 'ann' }), await make('anew/customer', { name: 'bob' })];
    const id = await make('anew/ticket', { title: 'a', customers: [{ id: ann }] });
    const migration = await publish('anew', KEYED);
    await send('POST', `anew/_admin/migrations/${migration}/contract`);
    await vi.waitUntil(async () => (await leftovers('anew')).length === 0, { timeout: 20_000, interval: 50 });
    await patch(`anew/ticket/${id}`, { customer_id: bob });
    await publish('anew', LINKED);
    expect(await linksOf('anew', id)).toEqual(['bob']);
  });
});
