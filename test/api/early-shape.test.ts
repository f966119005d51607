/** An app whose migration is on the way to its switch: clients of the new version are served already, beside those of the served one. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startWorld, type Reply, type Send, type World } from './world.ts';

let world: World;
let send: Send;
let db: pg.Client;
/** Holds the record of the backfill, which then cannot commit a batch. */
let holder: pg.Client;
beforeAll(async () => {
  world = await startWorld();
  send = await world.asPlatformAdmin();
  db = new pg.Client({ connectionString: world.databaseUrl });
  holder = new pg.Client({ connectionString: world.databaseUrl });
  await Promise.all([db.connect(), holder.connect()]);
});
afterAll(() => Promise.all([db.end(), holder.end()]));

const NEW = { 'Schema-Version': '2' };
const asNew = (method: string, path: string, body?: unknown): Promise<Reply> => send(method, path, body, NEW);
const data = async (reply: Promise<Reply>, status = 200): Promise<Record<string, unknown>> => {
  const { status: got, text, body } = await reply;
  expect(got, text).toBe(status);
  return body.data as Record<string, unknown>;
};

const AMOUNT = { name: 'amount', type: 'string' };
const NAME = { name: 'name', type: 'string' };
const NOTE = { name: 'note', type: 'string' };
const settings = { migrations: { approval: 'breaking' } };
const BEFORE = { version: 1, settings, entities: [{ name: 'item', fields: [AMOUNT, NAME, NOTE, { name: 'place', type: 'string' }] }] };
const AFTER = {
  version: 1,
  settings,
  entities: [
    {
      name: 'thing',
      fields: [
        { ...AMOUNT, type: 'int' },
        { name: 'first', type: 'string' },
        { name: 'last', type: 'string' },
        NOTE,
        { name: 'place', type: 'string', required: true },
      ],
    },
    { name: 'extra', fields: [{ name: 'label', type: 'string' }] },
  ],
  rules: [
    {
      name: 'not_much',
      entity: 'thing',
      type: 'validation',
      definition: { field: 'amount', operator: 'max', value: 100, condition: 'record.note = "checked"', message: 'too much' },
    },
  ],
  migrate: [
    { rename: { entity: 'item', to: 'thing' } },
    { convert: { entity: 'thing', field: 'amount' } },
    { fill: { entity: 'thing', field: 'place', expression: '"here"' } },
    {
      transform: {
        entity: 'thing',
        from: ['name'],
        to: ['first', 'last'],
        up: { first: '$substringBefore(record.name, " ")', last: '$substringAfter(record.name, " ")' },
        down: { name: 'record.first & " " & record.last' },
      },
    },
  ],
};
const RECORDS = [
  { amount: '12', name: 'Ada Lovelace' },
  { amount: '7', name: 'Alan Turing', place: 'there' },
  { amount: 'a dozen', name: 'Grace Hopper' },
  { amount: '400', name: 'Kurt Goedel' },
  { amount: '5', name: 'Emmy Noether' },
];

interface App {
  readonly name: string;
  readonly storage: string;
  readonly migration: string;
  readonly ids: readonly string[];
}

/** An app whose migration has done its expand phase and cannot come to a single row. */
async function heldApp(name: string): Promise<App> {
  await data(send('POST', '_platform/apps', { name }), 201);
  await data(send('POST', `${name}/_admin/versions`, BEFORE), 201);
  const ids: string[] = [];
  for (const record of RECORDS) ids.push((await data(send('POST', `${name}/item`, record), 201))['id'] as string);
  const { rows } = await db.query<{ storage: string }>('select storage from durabase.apps where name = $1', [name]);
  const storage = rows[0]?.storage ?? '';
  const asked = await send('POST', `${name}/_admin/versions?confirm=drop`, AFTER);
  expect(asked.status, asked.text).toBe(202);
  const migration = asked.body.data.migration.id as string;
  await holder.query('begin');
  await holder.query("select from durabase.migration_steps where migration = $1 and phase = 'backfill' for update", [migration]);
  await data(send('POST', `${name}/_admin/migrations/${migration}/approve`));
  await vi.waitUntil(async () => (await asNew('GET', `${name}/thing`)).status === 200, WAIT);
  return { name, storage, migration, ids };
}
const WAIT = { timeout: 30_000, interval: 50 };

const until = ({ name, migration }: App, status: string): Promise<true> =>
  vi.waitUntil(async () => (await send('GET', `${name}/_admin/migrations/${migration}`)).body.data.status === status, WAIT);
const unfilled = async ({ storage }: App): Promise<number> =>
  (await db.query<{ n: number }>(`select count(*)::int as n from ${storage}.item where amount is not null and amount__2 is null`)).rows[0]
    ?.n ?? 0;

describe('before the backfill has come to any row', () => {
  let app: App;
  beforeAll(async () => {
    app = await heldApp('early');
  });
  afterAll(() => holder.query('rollback'));
  const thing = (n: number): string => `early/thing/${app.ids[n] ?? ''}`;
  const item = (n: number): string => `early/item/${app.ids[n] ?? ''}`;

  it('the new shape is read, filtered and sorted by what the rows will hold', async () => {
    expect(await unfilled(app)).toBe(RECORDS.length);
    const list = await asNew('GET', 'early/thing?sort=amount&filter[amount.gt]=6');
    expect(list.body.data, list.text).toMatchObject([
      { amount: 7, first: 'Alan', last: 'Turing', place: 'there' },
      { amount: 12, first: 'Ada', last: 'Lovelace', place: 'here' },
      { amount: 400 },
    ]);
    expect(list.headers.get('schema-version')).toBe('2');
    expect(await data(asNew('GET', thing(2)))).toMatchObject({ amount: null, first: 'Grace' });
    expect((await asNew('GET', 'early/thing/_aggregate?sum=amount')).body.data).toMatchObject([{ sum_amount: 424 }]);
    expect((await asNew('GET', 'early/_openapi.json')).text).toContain('/thing');
    expect(await data(send('GET', item(0)))).toMatchObject({ amount: '12', name: 'Ada Lovelace', place: null });
    expect(await unfilled(app)).toBe(RECORDS.length);
  });

  it('a write in it is judged by the values that its row will hold, and leaves the others as they are', async () => {
    const refused = await asNew('PATCH', thing(3), { note: 'checked' });
    expect([refused.status, refused.body.error.details[0].message], refused.text).toEqual([422, 'too much']);
    expect(await data(asNew('PATCH', thing(0), { note: 'checked' }))).toMatchObject({
      amount: 12,
      first: 'Ada',
      place: 'here',
      note: 'checked',
    });
    expect(await data(asNew('PATCH', thing(1), { last: null }))).toMatchObject({ amount: 7, first: 'Alan', last: null, place: 'there' });
    expect(await data(asNew('PATCH', thing(0), { amount: 13 }))).toMatchObject({ amount: 13 });
    expect(await data(send('GET', item(0)))).toMatchObject({ amount: '13', name: 'Ada Lovelace' });
  });

  it('creates, deletes and writes of old clients are seen on the other side', async () => {
    const made = await data(asNew('POST', 'early/thing', { amount: 1, first: 'Rosa', last: 'Parks', place: 'bus' }), 201);
    const id = String(made['id']);
    expect(await data(send('GET', `early/item/${id}`))).toMatchObject({ amount: '1', name: 'Rosa Parks', place: 'bus' });
    await data(send('PATCH', `early/item/${id}`, { amount: '2', name: 'Rosa Luxemburg' }));
    expect(await data(asNew('GET', `early/thing/${id}`))).toMatchObject({ amount: 2, last: 'Luxemburg' });
    expect((await asNew('DELETE', thing(3))).status).toBeLessThan(300);
    expect((await send('GET', item(3))).status).toBe(404);
    const { rows } = await db.query<Record<string, unknown>>(
      `select entity, action, schema_version, record, old from durabase.events where record_id = any($1) and action <> 'create' order by seq`,
      [[app.ids[3], app.ids[0]]],
    );
    expect(rows).toMatchObject([
      { entity: 'item', action: 'update', schema_version: 1, record: { amount: '12', note: 'checked' }, old: { note: null } },
      { entity: 'item', action: 'update', record: { amount: '13', name: 'Ada Lovelace' }, old: { amount: '12' } },
      { entity: 'item', action: 'delete', schema_version: 1, old: { amount: '400', name: 'Kurt Goedel' } },
    ]);
    for (const row of rows) expect(JSON.stringify(row)).not.toContain('first');
  });

  it('what is new in it has no events yet, and is not there for who does not ask for it', async () => {
    const made = await data(asNew('POST', 'early/extra', { label: 'x' }), 201);
    expect((await db.query('select from durabase.events where record_id = $1', [made['id']])).rowCount).toBe(0);
    expect((await send('GET', 'early/thing')).status).toBe(404);
  });
});

describe('while the migration waits for a value to be repaired', () => {
  let app: App;
  beforeAll(async () => {
    app = await heldApp('waiting');
    await holder.query('rollback');
    await until(app, 'paused');
  });
  const thing = (n: number): string => `waiting/thing/${app.ids[n] ?? ''}`;

  it('filled rows and quarantined ones are read and written in both shapes', async () => {
    expect(await unfilled(app)).toBe(1);
    expect((await asNew('GET', 'waiting/thing?filter[amount.is_null]=true')).body.data).toMatchObject([{ first: 'Grace', amount: null }]);
    expect(await data(send('GET', `waiting/item/${app.ids[2] ?? ''}`))).toMatchObject({ amount: 'a dozen' });
    expect(await data(asNew('PATCH', thing(1), { amount: 8 }))).toMatchObject({ amount: 8, last: 'Turing' });
    expect(await data(send('GET', `waiting/item/${app.ids[1] ?? ''}`))).toMatchObject({ amount: '8' });
  });

  it('a repair in the new shape lets it switch, and its clients notice nothing', async () => {
    expect(await data(asNew('PATCH', thing(2), { amount: 14 }))).toMatchObject({ amount: 14 });
    expect((await send('GET', `waiting/_admin/migrations/${app.migration}/quarantine`)).body.data).toEqual([]);
    const seen: number[] = [];
    let isOver = false;
    const reading = (async () => {
      while (!isOver) seen.push((await asNew('PATCH', thing(4), { note: String(seen.length) })).status);
    })();
    await data(send('POST', `waiting/_admin/migrations/${app.migration}/resume`));
    await until(app, 'ready');
    isOver = true;
    await reading;
    expect(new Set(seen)).toEqual(new Set([200]));
    expect(await data(send('GET', thing(2)))).toMatchObject({ amount: 14, first: 'Grace', place: 'here' });
    const left = await db.query(
      `select from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relkind = 'v'`,
      [app.storage],
    );
    expect(left.rowCount).toBe(0);
  });

  it('only what was asked in the older shape counts as its use', async () => {
    await data(send('GET', `waiting/item/${app.ids[0] ?? ''}`, undefined, { 'Schema-Version': '1' }));
    await vi.waitUntil(async () => (await db.query('select from durabase.shape_uses where version = 1')).rowCount === 1, WAIT);
    expect((await db.query('select from durabase.shape_uses')).rowCount).toBe(1);
  });
});

describe('a migration that is called off', () => {
  it('takes the new shape back from under its clients without a failed request of anybody', async () => {
    const app = await heldApp('back');
    await holder.query('rollback');
    await until(app, 'paused');
    let isOver = false;
    const failed: string[] = [];
    const statuses = new Set<number>();
    const writer = async (isNew: boolean): Promise<void> => {
      for (let n = 0; !isOver; n++) {
        const path = `back/${isNew ? 'thing' : 'item'}/${app.ids[n % 2] ?? ''}`;
        const { status, text } = await send('PATCH', path, isNew ? { amount: n } : { amount: String(n) }, isNew ? NEW : {});
        if (isNew) statuses.add(status);
        if (status !== 200 && !(isNew && status === 409)) failed.push(text);
      }
    };
    const writers = [true, true, false, false].map((isNew) => writer(isNew));
    await data(send('POST', `back/_admin/migrations/${app.migration}/abort`));
    await until(app, 'aborted');
    const late = await asNew('GET', 'back/thing');
    expect([late.status, late.body.error.code, late.headers.get('retry-after')]).toEqual([409, 'CONFLICT', '5']);
    await vi.waitUntil(() => statuses.has(409), WAIT);
    isOver = true;
    await Promise.all(writers);
    expect(failed).toEqual([]);
    expect(await data(send('GET', `back/item/${app.ids[2] ?? ''}`))).toMatchObject({ amount: 'a dozen', name: 'Grace Hopper' });
    const { rows } = await db.query<{ name: string }>(
      `select attname as name from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
       where n.nspname = $1 and (c.relname = 'item' or c.relkind = 'v') and attname ~ '(__2|^_m2)' and not attisdropped`,
      [app.storage],
    );
    expect(rows).toEqual([]);
  });
});
