/** An app pinned to a version of its schema stays there; pinning elsewhere and unpinning move it by its own migration. */
import { beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type Reply, type World } from './world.ts';

let world: World;
let token: string;
beforeAll(async () => {
  world = await startWorld();
  token = await world.platformToken();
  await send('POST', '_platform/apps', { name: 'shop' });
  await send('POST', 'shop/_admin/versions', book({}));
  for (const app of ['east', 'west']) expect((await send('POST', '_platform/apps', { name: app, schema: 'shop' })).status).toBe(201);
}, 90_000);

const send = (method: string, path: string, body?: unknown): Promise<Reply> => world.send(method, `/api/${path}`, { token, body });
const pin = (app: string, version: unknown): Promise<Reply> => send('PUT', `_platform/apps/${app}`, { pinned_version: version });
const appOf = async (app: string) => (await send('GET', `_platform/apps/${app}`)).body.data;
const publish = async (body: unknown): Promise<Reply> => send('POST', '_platform/schemas/shop/versions', body);
const FIELDS = [
  { name: 'title', type: 'string' },
  { name: 'pages', type: 'int' },
];
const book = (entity: object, fields: readonly object[] = FIELDS) => ({ version: 1, entities: [{ name: 'book', fields, ...entity }] });
const indexed = book({ indexes: [{ fields: ['title'] }] });
const widened = book({ indexes: [{ fields: ['title'] }] }, [...FIELDS, { name: 'isbn', type: 'string' }]);

describe('an app that owns its schema', () => {
  it('stays at the version it is pinned to when newer ones are published', async () => {
    const pinned = await pin('shop', 1);
    expect(pinned.status, pinned.text).toBe(200);
    expect(pinned.body.data).toMatchObject({ schema_version: 1, pinned_version: 1 });
    const published = await publish(indexed);
    expect(published.status, published.text).toBe(201);
    expect(published.body.data).toMatchObject({ schema_version: 2 });
    expect(await appOf('shop')).toMatchObject({ schema_version: 1, pinned_version: 1 });
    expect((await send('GET', '_platform/schemas/shop')).body.data).toMatchObject({ latest_version: 2, served_version: 1 });
  });

  it('has its definitions changed nowhere else, and is told why', async () => {
    const refused = await send('POST', 'shop/_admin/entities', { name: 'shelf', fields: [{ name: 'at', type: 'string' }] });
    expect(refused.status, refused.text).toBe(409);
    expect(refused.body.error).toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('pinned to version 1') as string });
    expect((await send('POST', 'shop/_admin/versions?dry_run=true', widened)).status).toBe(409);
    expect((await send('POST', 'shop/_admin/migrations', { to_version: 2 })).status).toBe(409);
    expect((await send('POST', 'shop/_admin/migrations?dry_run=true', { to_version: 2 })).status).toBe(409);
    expect((await send('GET', 'shop/_admin/versions')).body.meta).toMatchObject({
      served_version: 1,
      latest_version: 2,
      pinned_version: 1,
    });
    // What changes no definition is no version.
    expect((await send('POST', 'shop/_admin/versions', (await send('GET', 'shop/_admin/export')).body)).status).toBe(200);
  });

  it('moves to the newest version when it is unpinned', async () => {
    const free = await pin('shop', null);
    expect(free.status, free.text).toBe(200);
    expect(free.body.data).toMatchObject({ schema_version: 2, pinned_version: null });
    const [migration] = (await send('GET', 'shop/_admin/migrations')).body.data;
    expect(migration).toMatchObject({ from_version: 1, to_version: 2, status: 'completed' });
    const next = await publish(widened);
    expect(next.body.data).toMatchObject({ schema_version: 3, migration: { app: 'shop', status: 'completed' } });
  });
});

describe('a follower', () => {
  it('moves to a newer version when it is pinned there, and back where migrations can', async () => {
    expect((await pin('east', 2)).body.data).toMatchObject({ schema_version: 2, pinned_version: 2 });
    expect((await send('POST', 'east/_admin/migrations', { to_version: 3 })).body.error.code).toBe('CONFLICT');
    expect((await pin('east', 1)).body.data).toMatchObject({ schema_version: 1, pinned_version: 1 });
    const schema = (await send('GET', '_platform/schemas/shop')).body.data;
    expect(schema.followers).toEqual([
      { app: 'east', schema_version: 1, pinned_version: 1 },
      { app: 'west', schema_version: 1, pinned_version: null },
    ]);
  });

  it('is refused a version that only a loss leads to, which is named, and nothing changes', async () => {
    expect((await pin('west', 3)).body.data).toMatchObject({ schema_version: 3 });
    const refused = await pin('west', 1);
    expect([refused.status, refused.body.error.code], refused.text).toEqual([409, 'UNSAFE_CHANGE']);
    expect(refused.body.error.details[0]).toMatchObject({ entity: 'book', field: 'isbn' });
    expect(await appOf('west')).toMatchObject({ schema_version: 3, pinned_version: 3 });
    // A second look at what was sent back changes nothing and migrates nothing.
    const before = (await send('GET', 'west/_admin/migrations')).body.data.length;
    expect((await send('PUT', '_platform/apps/west', await appOf('west'))).status).toBe(200);
    expect((await send('GET', 'west/_admin/migrations')).body.data).toHaveLength(before);
  });

  it('that was never pinned does not move because its view is sent back', async () => {
    expect((await send('POST', '_platform/apps', { name: 'south', schema: 'shop', version: 1 })).body.data.pinned_version).toBe(null);
    expect((await send('PUT', '_platform/apps/south', { ...(await appOf('south')), display_name: 'South' })).body.data).toMatchObject({
      schema_version: 1,
      pinned_version: null,
      display_name: 'South',
    });
  });
});

it.each([['two'], [0], [1.5], [99], [1e12]])('refuses %s as a version', async (version) => {
  const refused = await pin('east', version);
  expect([refused.status, refused.body.error.code], refused.text).toEqual([422, 'VALIDATION_FAILED']);
  expect(refused.body.error.details).toMatchObject([{ field: 'pinned_version' }]);
});

it('pins are in the audit and in the events', async () => {
  const audit = (await send('GET', '_platform/audit?app=shop&action=app.pin')).body.data;
  expect(audit).toMatchObject([{ target: 'shop', detail: { from: null, to: 1 }, actor: { email: 'platform@localhost' } }]);
  expect((await send('GET', '_platform/audit?app=shop&action=app.unpin')).body.data).toHaveLength(1);
  const events = (await send('GET', '_platform/events?limit=500')).body.data as { type: string; app: string; body: object }[];
  const pins = events.filter((event) => event.type === 'app.updated' && 'pinned_version' in event.body);
  expect(pins.map((event) => [event.app, event.body])).toEqual(
    [
      ['shop', 1],
      ['shop', null],
      ['east', 2],
      ['east', 1],
      ['west', 3],
    ].map(([app, version]) => [app, { pinned_version: version }]),
  );
});
