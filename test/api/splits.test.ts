/** An entity that is split into two and merged again, on live data, through the API alone. */
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { startWorld, type Reply, type Send, type World } from './world.ts';

let world: World;
let send: Send;
beforeAll(async () => {
  world = await startWorld();
  send = await world.asPlatformAdmin();
});

const version = (number: number): Record<string, string> => ({ 'Schema-Version': String(number) });
const NAME = { name: 'name', type: 'string' };
const STREET = { name: 'street', type: 'string' };
const CITY = { name: 'city', type: 'string' };
const HOME = { name: 'home', type: 'one_to_one', source: 'customer', target: 'address', source_name: 'address', on_delete: 'cascade' };

const inOne = (more: object = {}, fields: object[] = [STREET, CITY]): object => ({
  version: 1,
  entities: [{ name: 'customer', fields: [NAME, ...fields] }],
  ...more,
});
const inTwo = (more: object = {}, fields: object[] = [STREET, CITY]): object => ({
  version: 1,
  entities: [
    { name: 'customer', fields: [NAME] },
    { name: 'address', fields },
  ],
  relations: [HOME],
  ...more,
});
const SPLIT = { split: { entity: 'customer', fields: ['street', 'city'], into: 'address', via: 'customer' } };
const MERGE = { merge: { entity: 'address', into: 'customer', fields: ['street', 'city'], via: 'home' } };

const publish = (app: string, document: object, query = ''): Promise<Reply> => send('POST', `${app}/_admin/versions${query}`, document);
async function makeApp(name: string, document: object): Promise<void> {
  expect((await send('POST', '_platform/apps', { name })).status).toBe(201);
  const made = await publish(name, document);
  expect(made.status, made.text).toBe(201);
}
async function make(path: string, body: object, headers: Record<string, string> = {}): Promise<string> {
  const made = await send('POST', path, body, headers);
  expect(made.status, made.text).toBe(201);
  return made.body.data.id as string;
}
const read = async (path: string, headers: Record<string, string> = {}): Promise<Record<string, unknown>> =>
  (await send('GET', path, undefined, headers)).body.data as Record<string, unknown>;
async function contract(app: string, id: string): Promise<void> {
  await send('POST', `${app}/_admin/migrations/${id}/contract`, { drop: true });
  await vi.waitUntil(async () => (await read(`${app}/_admin/migrations/${id}`))['status'] === 'completed', {
    timeout: 30_000,
    interval: 50,
  });
}
async function ready(app: string, document: object): Promise<string> {
  const asked = await publish(app, document);
  expect(asked.body.data?.migration.status, asked.text).toBe('ready');
  return asked.body.data.migration.id as string;
}

describe('a split', () => {
  it('says what it does, asks for no word about what goes, and makes stale what the other shape has in hand', async () => {
    await makeApp('splits', inOne());
    const ada = await make('splits/customer', { name: 'Ada', street: 'Baker St', city: 'London' });
    const plan = await publish('splits', inTwo({ migrate: [SPLIT] }), '?dry_run=true');
    expect(plan.body.data?.questions, plan.text).toEqual([]);
    expect(plan.body.data.changes).toContainEqual(
      expect.objectContaining({ kind: 'split_entity', class: 'breaking', from: 'customer', to: 'address' }),
    );
    expect((plan.body.data.review as { rule: string }[]).filter(({ rule }) => rule !== 'backup-first')).toEqual([]);
    const migration = await ready('splits', inTwo({ migrate: [SPLIT] }));
    const address = (await read(`splits/customer/${ada}?include=address`))['address'] as { id: string };
    expect(address).toMatchObject({ street: 'Baker St', city: 'London' });
    const { etag } = (await send('GET', `splits/customer/${ada}`, undefined, version(1))).headers as unknown as { etag: string };
    expect((await send('PATCH', `splits/address/${address.id}`, { city: 'Rome' })).status).toBe(200);
    const stale = await send('PATCH', `splits/customer/${ada}`, { city: 'Oslo' }, { ...version(1), 'If-Match': etag });
    expect(stale.status, stale.text).toBe(412);
    expect(await read(`splits/customer/${ada}`, version(1))).toMatchObject({ street: 'Baker St', city: 'Rome' });
    await contract('splits', migration);
    expect(await read(`splits/address/${address.id}`)).toMatchObject({ city: 'Rome' });
  });

  it('takes writers of both shapes of one record at once', async () => {
    await makeApp('both', inOne());
    const ada = await make('both/customer', { name: 'Ada', street: 's', city: 'c' });
    await ready('both', inTwo({ migrate: [SPLIT] }));
    const { id } = (await read(`both/customer/${ada}?include=address`))['address'] as { id: string };
    const statuses: number[] = [];
    const write = async (path: string, body: (n: number) => object, headers: Record<string, string>): Promise<void> => {
      for (let n = 0; n < 20; n++) statuses.push((await send('PATCH', path, body(n), headers)).status);
    };
    await Promise.all([
      write(`both/customer/${ada}`, (n) => ({ street: `o${String(n)}` }), version(1)),
      write(`both/customer/${ada}`, (n) => ({ street: `o${String(n)}`, name: 'Eve' }), version(1)),
      write(`both/address/${id}`, (n) => ({ city: `n${String(n)}` }), version(2)),
    ]);
    expect(new Set(statuses)).toEqual(new Set([200]));
    const expected = { street: 'o19', city: 'n19' };
    expect(await read(`both/customer/${ada}`, version(1))).toMatchObject(expected);
    expect(await read(`both/address/${id}`)).toMatchObject(expected);
  }, 30_000);

  it('is taken back in grace, once, and merged afterwards by an instruction of its own', async () => {
    await makeApp('returns', inOne());
    const ada = await make('returns/customer', { name: 'Ada', street: 's', city: 'c' });
    await ready('returns', inTwo({ migrate: [SPLIT] }));
    const back = await send('POST', 'returns/_admin/versions/1/rollback');
    expect([back.status, back.body.data?.migration.status], back.text).toEqual([201, 'ready']);
    await send('PATCH', `returns/customer/${ada}?include=address`, { address: { city: 'Rome' } }, version(2));
    expect(await read(`returns/customer/${ada}`)).toMatchObject({ city: 'Rome' });
    const again = await send('POST', 'returns/_admin/versions/2/rollback?confirm=drop');
    expect([again.status, again.body.error?.code], again.text).toEqual([409, 'CONFLICT']);
    await contract('returns', back.body.data.migration.id as string);
    const split = await ready('returns', inTwo({ migrate: [SPLIT] }));
    await contract('returns', split);
    const merged = await ready('returns', inOne({ migrate: [MERGE] }, [STREET, { ...CITY, default: 'nowhere' }]));
    expect(await read(`returns/customer/${ada}`)).toMatchObject({ street: 's', city: 'Rome' });
    const bob = await make('returns/customer', { name: 'Bob' }, version(4));
    expect(await read(`returns/customer/${bob}`)).toMatchObject({ city: null });
    await contract('returns', merged);
    expect((await read(`returns/customer/${await make('returns/customer', {})}`))['city']).toBe('nowhere');
  }, 60_000);

  it('goes with the version to an app that follows, one version at a time', async () => {
    await makeApp('leads', inOne());
    for (const name of ['follows', 'lags']) expect((await send('POST', '_platform/apps', { name, schema: 'leads' })).status).toBe(201);
    const ada = await make('follows/customer', { street: 's', city: 'c' });
    await ready('leads', inTwo({ migrate: [SPLIT] }));
    expect((await send('POST', 'follows/_admin/migrations', { to_version: 2 })).body.data.schema_version).toBe(2);
    expect((await read(`follows/customer/${ada}?include=address`))['address']).toMatchObject({ street: 's', city: 'c' });
    expect((await publish('leads', inTwo({}, [STREET, CITY, { name: 'zip', type: 'string' }]))).status).toBe(201);
    const skipped = await send('POST', 'lags/_admin/migrations', { to_version: 3 });
    expect([skipped.status, skipped.body.error?.message], skipped.text).toEqual([
      409,
      expect.stringContaining('Version 2 splits or merges'),
    ]);
  });
});

describe('a split or a merge that cannot be done', () => {
  it('is refused with the place, or the number of records, and the way out', async () => {
    await makeApp('errors', inOne());
    await make('errors/customer', { street: 's' });
    await make('errors/customer', { city: 'c' });
    const required = await publish('errors', inTwo({ migrate: [SPLIT] }, [{ ...STREET, required: true }, CITY]));
    expect([required.status, required.body.error?.code], required.text).toEqual([409, 'UNSAFE_CHANGE']);
    expect(required.body.error.message).toContain(
      '1 record of it has some of the values of "address", but not all that it requires (street)',
    );
    const cases: [object, string][] = [
      [{ ...SPLIT.split, fields: ['town'] }, 'no field of "customer" in the served version "town"'],
      [{ ...SPLIT.split, fields: [{ from: 'street', to: 'road' }] }, 'no field of "address" in the new document "road"'],
      [{ ...SPLIT.split, entity: 'client' }, 'no entity of the served version "client"'],
      [{ ...SPLIT.split, via: 'owner' }, 'no relation "owner" that leads to one record; it has: customer'],
    ];
    for (const [split, words] of cases) {
      const refused = await publish('errors', inTwo({ migrate: [{ split }] }));
      expect([refused.status, refused.body.error?.code], refused.text).toEqual([422, 'VALIDATION_FAILED']);
      expect(refused.body.error.message).toContain(words);
    }
    const twice = await publish('errors', inTwo({ migrate: [SPLIT, { convert: { entity: 'customer', field: 'street' } }] }));
    expect(twice.status, twice.text).toBe(422);
  });

  it('names what still refers to the part, and the parts that belong to nobody', async () => {
    await makeApp('refers', inTwo());
    await make('refers/address', { city: 'nowhere' });
    const loose = await publish('refers', inOne({ migrate: [MERGE] }));
    expect([loose.status, loose.body.error?.code], loose.text).toEqual([409, 'UNSAFE_CHANGE']);
    expect(loose.body.error.message).toContain('1 record of it with values belongs to no "customer"');
    const rules = [{ name: 'r', entity: 'address', type: 'field', definition: { field: 'city', operator: 'required', message: 'm' } }];
    const ruled = await publish('refers', inOne({ migrate: [MERGE], rules }));
    expect([ruled.status, ruled.body.error?.message], ruled.text).toEqual([422, expect.stringContaining('address')]);
  });

  it('is called off without a trace', async () => {
    await makeApp('stops', inOne({ settings: { migrations: { approval: 'always' } } }));
    const ada = await make('stops/customer', { street: 's', city: 'c' });
    const asked = await publish('stops', inTwo({ migrate: [SPLIT] }));
    expect(asked.status, asked.text).toBe(202);
    expect((await send('POST', `stops/_admin/migrations/${String(asked.body.data.migration.id)}/reject`)).status).toBe(200);
    expect(await read(`stops/customer/${ada}`)).toMatchObject({ street: 's' });
  });
});
