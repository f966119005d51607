import pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type World } from '../../api/world.ts';

let world: World;
let token: string;
beforeAll(async () => {
  world = await startWorld();
  token = await world.platformToken();
});

const create = (body: unknown) => world.send('POST', '/api/_platform/apps', { token, body });

describe('making an app', () => {
  it('is usable when the call returns: its admin signs in', async () => {
    const made = await create({ name: 'acme', display_name: 'Acme Ltd' });
    expect(made.status, made.text).toBe(201);
    expect(made.body.data).toMatchObject({
      name: 'acme',
      display_name: 'Acme Ltd',
      db_driver: 'postgres',
      status: 'active',
      isolation: 'schema',
      schema_version: 0,
    });
    expect(made.body.data.db_name).toMatch(/^app_[a-z2-7]{12}$/);
    const admin = await world.login('acme');
    const me = await world.send('GET', '/api/acme/auth/me', { token: admin });
    expect(me.body.data).toMatchObject({ email: 'admin@localhost', roles: ['admin'], must_change: true });
  });

  it('takes names with hyphens, and the display name defaults to the name', async () => {
    const made = await create({ name: 'my-app_2' });
    expect(made.status, made.text).toBe(201);
    expect(made.body.data.display_name).toBe('my-app_2');
    expect((await world.send('GET', '/api/my-app_2/auth/me')).status).toBe(401);
  });

  it.each(['Acme', '2acme', '', 'a b', 'a'.repeat(64), "a';drop schema public", '_x', 'äpp', 7, null])(
    'refuses the name %j with 422',
    async (name) => {
      const made = await create({ name });
      expect(made.status, made.text).toBe(422);
      expect(made.body.error).toMatchObject({ code: 'VALIDATION_FAILED', details: [{ field: 'name' }] });
      expect(made.body.errors[0]).toMatchObject({ field: 'name' });
    },
  );

  it.each(['auth', 'projects', 'v1', 'platform', 'control-plane', 'health', 'metrics', 'admin', 'temporal'])(
    'refuses the reserved word %s',
    async (name) => {
      expect((await create({ name })).body.error.details[0].rule).toBe('reserved');
    },
  );

  it('answers 409 for a taken name, 422 for unknown keys and for what is not built', async () => {
    expect((await create({ name: 'acme' })).status).toBe(409);
    expect((await create({ name: 'x1', colour: 'red' })).body.error.details[0]).toMatchObject({ field: 'colour', rule: 'unknown' });
    expect((await create({ name: 'x1', isolation: 'database' })).body.error.code).toBe('UNSUPPORTED');
  });

  it('needs a platform account', async () => {
    const admin = await world.login('acme');
    expect((await world.send('POST', '/api/_platform/apps', { token: admin, body: { name: 'y1' } })).status).toBe(401);
    expect((await world.send('GET', '/api/_platform/apps')).status).toBe(401);
  });
});

describe('apps', () => {
  it('are listed, shown and renamed for display', async () => {
    const list = await world.send('GET', '/api/_platform/apps', { token });
    expect(list.body.data.map((app: { name: string }) => app.name)).toContain('acme');
    expect(list.body.meta.total).toBe(list.body.data.length);
    const changed = await world.send('PUT', '/api/_platform/apps/acme', { token, body: { display_name: 'ACME' } });
    expect(changed.body.data).toMatchObject({ name: 'acme', display_name: 'ACME' });
    expect((await world.send('GET', '/api/_platform/apps/nobody', { token })).body.error.code).toBe('APP_NOT_FOUND');
  });

  it('that are deleted stop at once, come back when restored, and keep their data', async () => {
    await create({ name: 'gone' });
    const gone = await world.send('DELETE', '/api/_platform/apps/gone', { token });
    expect(gone.status, gone.text).toBe(200);
    expect(gone.body).toMatchObject({ message: 'App deleted', data: { status: 'retiring' } });
    expect((await world.send('GET', '/api/gone/_admin/users', { token })).body.error.code).toBe('APP_NOT_FOUND');
    expect((await world.send('DELETE', '/api/_platform/apps/gone', { token })).body.data.retire_at).toBe(gone.body.data.retire_at);
    const back = await world.send('POST', '/api/_platform/apps/gone/restore', { token });
    expect(back.status, back.text).toBe(200);
    expect(back.body.data).toMatchObject({ status: 'active', retire_at: null });
    expect((await world.send('GET', '/api/gone/_admin/users', { token })).body.data).toHaveLength(1);
  });

  it('with now=true are removed with their storage, and the name is free again', async () => {
    const { db_name: storage } = (await create({ name: 'brief' })).body.data as { db_name: string };
    const gone = await world.send('DELETE', '/api/_platform/apps/brief?now=true', { token });
    expect(gone.body.data, gone.text).toMatchObject({ status: 'retired' });
    const client = new pg.Client({ connectionString: world.databaseUrl });
    await client.connect();
    expect((await client.query('select from pg_namespace where nspname = $1', [storage])).rowCount).toBe(0);
    await client.end();
    expect((await world.send('GET', '/api/_platform/apps/brief', { token })).status).toBe(404);
    const again = await create({ name: 'brief' });
    expect(again.status, again.text).toBe(201);
    expect(again.body.data.db_name).not.toBe(storage);
  });
});
