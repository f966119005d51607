/** Apps that share one schema: a published version reaches each by its own migration. */
import { beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type Reply, type World } from './world.ts';

let world: World;
let token: string;
beforeAll(async () => {
  world = await startWorld();
  token = await world.platformToken();
}, 90_000);

const send = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Reply> =>
  world.send(method, `/api/${path}`, { token, body, headers });
const makeApp = async (body: Record<string, unknown>): Promise<Reply> => send('POST', '_platform/apps', body);
const book = (...more: object[]) => ({
  version: 1,
  entities: [{ name: 'book', fields: [{ name: 'title', type: 'string', required: true }, ...more] }],
});

describe('an app that follows the schema of another', () => {
  it('serves what the other serves when its making returns', async () => {
    expect((await makeApp({ name: 'shop' })).status).toBe(201);
    expect((await send('POST', 'shop/_admin/versions', book())).status).toBe(201);
    const made = await makeApp({ name: 'branch', schema: 'shop' });
    expect(made.status, made.text).toBe(201);
    expect(made.body.data).toMatchObject({ schema: 'shop', schema_version: 1 });
    expect((await send('POST', 'branch/book', { title: 'mine' })).status).toBe(201);
    expect((await send('GET', 'shop/book')).body.data).toEqual([]);
  });

  it.each([
    ['POST', 'branch/_admin/entities', { name: 'x', fields: [{ name: 'a', type: 'string' }] }],
    ['PUT', 'branch/_admin/entities/book', book().entities[0]],
    ['DELETE', 'branch/_admin/entities/book', undefined],
    ['POST', 'branch/_admin/versions', book()],
    ['POST', 'branch/_admin/versions/1/rollback', {}],
    ['POST', 'branch/_admin/import', book()],
  ])('refuses %s %s and says where to publish', async (method, path, body) => {
    const refused = await send(method, path, body);
    expect(refused.status, refused.text).toBe(409);
    expect(refused.body.error).toMatchObject({ code: 'SHARED_SCHEMA', hint: 'Publish to POST /api/_platform/schemas/shop/versions.' });
  });

  it('keeps its version when a new one is published, until it is told to move', async () => {
    const published = await send(
      'POST',
      '_platform/schemas/shop/versions',
      book({ name: 'pages', type: 'int' }, { name: 'code', type: 'string', unique: true }),
    );
    expect(published.status, published.text).toBe(201);
    expect(published.body.data).toMatchObject({ schema_version: 2, migration: { app: 'shop', status: 'completed' } });
    expect((await send('POST', 'shop/book', { title: 'a', pages: 1 })).status).toBe(201);
    expect((await send('POST', 'branch/book', { title: 'b', pages: 1 })).status).toBe(422);
    const listed = await send('GET', '_platform/schemas/shop');
    expect(listed.body.data).toMatchObject({
      name: 'shop',
      owner: 'shop',
      latest_version: 2,
      served_version: 2,
      followers: [{ app: 'branch', schema_version: 1 }],
    });
    const standing = { schema: 'shop', served_version: 1, latest_version: 2, pinned_version: null };
    expect((await send('GET', 'branch/_admin/versions')).body.meta).toEqual({ ...standing, is_owner: false });
    expect((await send('GET', 'shop/_admin/versions')).body.meta).toEqual({ ...standing, served_version: 2, is_owner: true });
    const dry = await send('POST', 'branch/_admin/migrations?dry_run=true', { to_version: 2 });
    expect([dry.status, dry.body.data.from_version, dry.body.data.questions], dry.text).toEqual([200, 1, []]);
    expect(dry.body.data.changes).toMatchObject([{ field: 'pages' }, { kind: 'add_field', entity: 'book', field: 'code' }]);
    const moved = await send('POST', 'branch/_admin/migrations', { to_version: 2 });
    expect(moved.status, moved.text).toBe(201);
    expect(moved.body.data.migration.plan_hash).toBe(dry.body.data.plan_hash);
    expect(moved.body.data).toMatchObject({
      schema_version: 2,
      migration: { app: 'branch', from_version: 1, to_version: 2, status: 'completed' },
    });
    expect((await send('POST', 'branch/book', { title: 'b', pages: 1, code: 'x' })).status).toBe(201);
    expect((await send('POST', 'branch/book', { title: 'c', code: 'x' })).status).toBe(409);
    expect((await send('POST', 'branch/_admin/migrations', { to_version: 2 })).status).toBe(200);
  });

  it('moves forward only, to versions there are', async () => {
    const back = await send('POST', 'branch/_admin/migrations', { to_version: 1 });
    expect([back.status, back.body.error.code]).toEqual([409, 'UNSAFE_CHANGE']);
    const dry = await send('POST', 'branch/_admin/migrations?dry_run=true', { to_version: 1 });
    expect(dry.body.data.questions, dry.text).toMatchObject([
      { kind: 'drop_field', entity: 'book', field: 'pages' },
      { kind: 'drop_field', field: 'code' },
    ]);
    expect((await send('POST', 'branch/_admin/migrations', { to_version: 9 })).status).toBe(404);
    expect((await send('POST', 'branch/_admin/migrations', { to_version: 'two' })).status).toBe(422);
    expect((await send('GET', '_platform/apps/branch')).body.data.schema_version).toBe(2);
  });

  it('may begin at an older version, and starts at none that is not there', async () => {
    const made = await makeApp({ name: 'museum', schema: 'shop', version: 1 });
    expect(made.status, made.text).toBe(201);
    expect(made.body.data.schema_version).toBe(1);
    expect((await makeApp({ name: 'nowhere', schema: 'missing' })).body.error).toMatchObject({
      code: 'VALIDATION_FAILED',
      details: [{ field: 'schema' }],
    });
    expect((await makeApp({ name: 'nowhere', schema: 'shop', version: 7 })).body.error).toMatchObject({
      code: 'VALIDATION_FAILED',
      details: [{ field: 'version' }],
    });
  });
});

describe('a schema that no app owns', () => {
  it('is made, published and followed', async () => {
    expect((await send('POST', '_platform/schemas', { name: 'chain' })).status).toBe(201);
    expect((await send('POST', '_platform/schemas', { name: 'chain' })).status).toBe(409);
    expect((await send('POST', '_platform/schemas', { name: 'No!' })).status).toBe(422);
    const plan = await send('POST', '_platform/schemas/chain/versions?dry_run=true', book());
    expect(plan.body.data.changes).toMatchObject([{ kind: 'add_entity', entity: 'book' }]);
    const first = await send('POST', '_platform/schemas/chain/versions', book());
    expect(first.status, first.text).toBe(201);
    expect((await send('POST', '_platform/schemas/chain/versions', book())).status).toBe(200);
    expect((await makeApp({ name: 'north', schema: 'chain' })).status).toBe(201);
    expect((await send('POST', 'north/book', { title: 'a' })).status).toBe(201);
    const stale = await send('POST', '_platform/schemas/chain/versions', book({ name: 'isbn', type: 'string' }), { 'If-Match': '"7"' });
    expect(stale.status).toBe(412);
    expect((await send('POST', '_platform/schemas/chain/versions', book({ name: 'isbn', type: 'string' }))).body.data.schema_version).toBe(
      2,
    );
    expect((await send('POST', '_platform/schemas/chain/versions', { version: 1, entities: [] })).body.error.code).toBe('UNSAFE_CHANGE');
    expect((await send('POST', 'north/_admin/migrations', { to_version: 2 })).status).toBe(201);
    expect((await send('POST', 'north/book', { title: 'b', isbn: '1' })).status).toBe(201);
    const versions = await send('GET', '_platform/schemas/chain/versions');
    expect(versions.body.data.map((version: { version: number; class: string }) => [version.version, version.class])).toEqual([
      [2, 'compatible'],
      [1, 'initial'],
    ]);
    expect((await send('GET', '_platform/schemas/chain/versions/2')).body.data.document.entities[0].fields).toHaveLength(2);
    expect((await send('GET', '_platform/schemas')).body.data.map((schema: { name: string }) => schema.name)).toEqual(['chain', 'shop']);
  });

  it('needs a platform account', async () => {
    const admin = await world.login('shop');
    expect((await world.send('GET', '/api/_platform/schemas', { token: admin })).status).toBe(401);
  });
});
