import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type RunningApi } from '../../../api/main.ts';
import pino from 'pino';
import { startWorld, type Reply, type World } from '../../api/world.ts';

const DOCUMENT = {
  version: 1,
  entities: [
    {
      name: 'customer',
      fields: [
        { name: 'id', type: 'uuid', primary_key: true },
        { name: 'name', type: 'string' },
      ],
    },
    {
      name: 'ticket',
      fields: [
        { name: 'id', type: 'uuid', primary_key: true },
        { name: 'title', type: 'string' },
        { name: 'customer_id', type: 'uuid' },
      ],
    },
  ],
  relations: [{ name: 'tickets', type: 'has_many', from: 'customer', to: 'ticket', foreign_key: 'customer_id' }],
  permissions: [
    { entity: 'ticket', action: 'read', roles: ['agent'] },
    { entity: 'ticket', action: 'create', roles: ['agent'] },
    { entity: 'customer', action: 'read', roles: ['agent'] },
  ],
  roles: [{ name: 'agent' }],
};

let world: World;
let admin: string;
let agent: string;
let agentId: string;
let customer: string;
let other: RunningApi;
let database: pg.Client;

beforeAll(async () => {
  world = await startWorld();
  const platform = await world.platformToken();
  for (const name of ['main', 'other'])
    expect((await world.send('POST', '/api/_platform/apps', { token: platform, body: { name } })).status).toBe(201);
  admin = await world.login('main');
  const imported = await world.send('POST', '/api/main/_admin/import', { token: admin, body: DOCUMENT });
  expect(imported.status, imported.text).toBeLessThan(300);
  const made = await world.send('POST', '/api/main/_admin/users', {
    token: admin,
    body: { email: 'agent@example.com', password: 'correct horse', roles: ['agent'] },
  });
  agentId = made.body.data.id;
  agent = await world.login('main', 'agent@example.com', 'correct horse');
  customer = (await world.send('POST', '/api/main/customer', { token: admin, body: { name: 'Acme' } })).body.data.id;
  other = await startApi(world.config, pino({ level: 'silent' }));
  database = new pg.Client({ connectionString: world.databaseUrl });
  await database.connect();
});
afterAll(async () => {
  await database.end();
  await other.close();
});

const manage = (method: string, path: string, body?: unknown, token = admin): Promise<Reply> =>
  world.send(method, `/api/main/_admin/api-keys${path}`, { token, ...(body === undefined ? {} : { body }) });
const make = async (body: Record<string, unknown>): Promise<{ id: string; key: string; prefix: string }> => {
  const reply = await manage('POST', '', { name: 'test', ...body });
  expect(reply.status, reply.text).toBe(201);
  return reply.body.data;
};
const using = (key: string, method: string, path: string, body?: unknown): Promise<Reply> =>
  world.send(method, path, { headers: { 'X-Api-Key': key }, ...(body === undefined ? {} : { body }) });

describe('API keys', () => {
  it('are shown once, kept as a hash, and sent as X-Api-Key or bearer', async () => {
    const reply = await manage('POST', '', { name: ' CI ', scopes: ['ticket:read'], roles: ['Agent'] });
    expect(reply.headers.get('cache-control')).toBe('no-store');
    const { id, key, prefix } = reply.body.data;
    expect(key).toMatch(/^dbk_[\w-]{43}[0-9a-z]{7}$/);
    expect(key.startsWith(prefix)).toBe(true);
    expect(reply.body.data).toMatchObject({ name: 'CI', scopes: ['ticket:read'], roles: ['agent'], user_id: null });
    expect((await using(key, 'GET', '/api/main/ticket')).status).toBe(200);
    expect((await world.send('GET', '/api/main/ticket', { token: key })).status).toBe(200);
    const listed = await manage('GET', '');
    expect(listed.body.data.find((one: { id: string }) => one.id === id)).toMatchObject({ prefix, revoked: false });
    for (const seen of [listed, await manage('GET', `/${id}`)]) {
      expect(seen.text).not.toContain(key);
      expect(seen.text).not.toContain('hash');
    }
    const stored = await database.query(`select t::text from ${await storage()}._api_keys t`);
    expect(JSON.stringify(stored.rows)).not.toContain(key);
  });

  it.each([
    ['reads', ['ticket:read'], 'GET', '/ticket', 200],
    ['reads by any entity', ['*:read'], 'GET', '/customer', 200],
    ['reads another entity', ['ticket:read'], 'GET', '/customer', 403],
    ['reads one record of another entity', ['ticket:read'], 'GET', '/customer/:customer', 403],
    ['includes an entity without its scope', ['customer:read'], 'GET', '/customer?include=tickets', 400],
    ['includes with both', ['customer:read', 'ticket:read'], 'GET', '/customer?include=tickets', 200],
    ['filters through an entity without its scope', ['customer:read'], 'GET', '/customer?filter[tickets.title]=x', 400],
    ['queries', ['ticket:read'], 'POST', '/customer/_query', 403],
    ['aggregates', ['ticket:read'], 'GET', '/customer/_aggregate?count=*', 403],
    ['aggregates with the scope', ['customer:read'], 'GET', '/customer/_aggregate?count=*', 200],
    ['exports', ['ticket:read'], 'GET', '/customer/_export.csv', 403],
    ['creates with read', ['ticket:read'], 'POST', '/ticket', 403],
    ['creates', ['ticket:create', 'ticket:read'], 'POST', '/ticket', 201],
    ['creates nested without its scope', ['customer:*'], 'POST', '/customer+nested', 403],
    ['updates with create', ['ticket:create'], 'PUT', '/customer/:customer', 403],
    ['deletes with read', ['*:read'], 'DELETE', '/customer/:customer', 403],
    ['administrates with everything of entities', ['*:*'], 'GET', '/_admin/users', 403],
    ['administrates with its scope', ['_admin:read'], 'GET', '/_admin/users', 200],
    ['writes definitions with read', ['_admin:read'], 'POST', '/_admin/roles', 403],
    ['lists workflows', ['*:*'], 'GET', '/_workflows', 403],
    ['lists workflows with their scope', ['_workflows:read'], 'GET', '/_workflows', 200],
    ['starts a workflow with read', ['_workflows:read'], 'POST', '/_workflows/start/x', 403],
    ['reaches the platform', ['*:*', '_admin:*', '_platform:*'], 'GET', '/../_platform/apps', 401],
  ])('of an admin: %s with %j: %s %s answers %i', async (_what, scopes, method, path, status) => {
    const { key } = await make({ scopes, roles: ['admin'] });
    const isNested = path.endsWith('+nested');
    const target = path.startsWith('/../')
      ? `/api${path.slice(3)}`
      : `/api/main${path.replace('+nested', '').replace(':customer', customer)}`;
    const body = isNested ? { name: 'n', tickets: [{ title: 't' }] } : path === '/ticket' ? { title: 't' } : { name: 'n' };
    const reply = await using(
      key,
      method,
      target,
      method === 'GET' || method === 'DELETE' ? undefined : path.includes('_query') ? {} : body,
    );
    const answered = isNested && reply.status === 422 ? 403 : reply.status;
    expect(answered, reply.text).toBe(status);
  });

  it('tell nothing of entities outside their scopes in discovery', async () => {
    const { key } = await make({ scopes: ['ticket:read'], roles: ['admin'] });
    const reply = await using(key, 'GET', '/api/main/_discovery');
    expect(reply.body.data.entities.map((entity: { name: string }) => entity.name)).toEqual(['ticket']);
  });

  it('never grant: a key of an agent cannot do what an agent cannot', async () => {
    const { key } = await make({ scopes: ['*:*', '_admin:*'], roles: ['agent'] });
    expect((await using(key, 'GET', '/api/main/customer')).status).toBe(200);
    expect((await using(key, 'DELETE', `/api/main/customer/${customer}`)).status).toBe(403);
    expect((await using(key, 'GET', '/api/main/_admin/users')).status).toBe(403);
  });

  it('of an account are made by itself, act as it, and follow its roles', async () => {
    const own = (method: string, path = '', body?: unknown, token = agent): Promise<Reply> =>
      world.send(method, `/api/main/auth/api-keys${path}`, { token, ...(body === undefined ? {} : { body }) });
    const made = (await own('POST', '', { name: 'mine', scopes: ['*:*', '_admin:*'] })).body.data;
    expect(made).toMatchObject({ user_id: agentId, roles: null });
    expect((await using(made.key, 'GET', '/api/main/ticket')).status).toBe(200);
    expect((await using(made.key, 'GET', '/api/main/_admin/users')).status).toBe(403);
    expect((await own('POST', '', { name: 'x', scopes: ['*:*'], roles: ['admin'] })).status).toBe(422);
    expect((await own('GET')).body.meta.total).toBe(1);
    const foreign = await make({ scopes: ['*:read'], roles: ['admin'] });
    for (const [method, path] of [
      ['GET', `/${foreign.id}`],
      ['DELETE', `/${foreign.id}`],
      ['POST', `/${foreign.id}/rotate`],
    ] as const)
      expect((await own(method, path)).status).toBe(404);
    await world.send('PUT', `/api/main/_admin/users/${agentId}`, { token: admin, body: { roles: ['guest'] } });
    expect((await using(made.key, 'GET', '/api/main/ticket')).status).toBe(403);
    await world.send('PUT', `/api/main/_admin/users/${agentId}`, { token: admin, body: { roles: ['agent'], active: false } });
    expect((await using(made.key, 'GET', '/api/main/ticket')).status).toBe(401);
    await world.send('PUT', `/api/main/_admin/users/${agentId}`, { token: admin, body: { active: true } });
    expect((await using(made.key, 'GET', '/api/main/ticket')).status).toBe(200);
  });

  it('appear as who acted, in events and in the audit', async () => {
    const { id, key } = await make({ scopes: ['ticket:create', '_admin:*'], roles: ['admin'] });
    const record = await using(key, 'POST', '/api/main/ticket', { title: 'by a key' });
    const events = await database.query('select actor from durabase.events where record_id = $1', [record.body.data.id]);
    expect(events.rows[0]?.actor).toMatchObject({ kind: 'api_key', id, key: id });
    await using(key, 'POST', '/api/main/_admin/users', { email: `${randomUUID()}@example.com`, password: 'a password' });
    const audited = await database.query("select actor from durabase.audit where action = 'user.create' order by id desc limit 1");
    expect(audited.rows[0]?.actor).toMatchObject({ kind: 'api_key', key: id });
  });

  it('end in every process within five seconds of being revoked, narrowed or rotated', async () => {
    const elsewhere = async (key: string): Promise<number> =>
      (await fetch(`http://127.0.0.1:${other.port}/api/main/ticket`, { headers: { 'X-Api-Key': key } })).status;
    const [revoked, narrowed, rotated] = [
      await make({ scopes: ['ticket:read'], roles: ['agent'] }),
      await make({ scopes: ['ticket:read'], roles: ['agent'] }),
      await make({ scopes: ['ticket:read'], roles: ['agent'] }),
    ];
    for (const { key } of [revoked, narrowed, rotated]) {
      expect((await using(key, 'GET', '/api/main/ticket')).status).toBe(200);
      expect(await elsewhere(key)).toBe(200);
    }
    expect((await manage('DELETE', `/${revoked.id}`)).body.data).toMatchObject({ revoked: true });
    expect((await manage('PATCH', `/${narrowed.id}`, { scopes: ['customer:read'] })).status).toBe(200);
    const next = (await manage('POST', `/${rotated.id}/rotate`)).body.data;
    expect((await using(revoked.key, 'GET', '/api/main/ticket')).status).toBe(401);
    expect((await using(narrowed.key, 'GET', '/api/main/ticket')).status).toBe(403);
    expect((await using(rotated.key, 'GET', '/api/main/ticket')).status).toBe(401);
    expect((await using(next.key, 'GET', '/api/main/ticket')).status).toBe(200);
    const all = async (): Promise<number[]> => [await elsewhere(revoked.key), await elsewhere(narrowed.key), await elsewhere(rotated.key)];
    await expect.poll(all, { timeout: 5_000 }).toEqual([401, 403, 401]);
    expect((await manage('POST', `/${revoked.id}/rotate`)).status).toBe(409);
  });

  it('note when they were used last, and end when they expire', async () => {
    const { id, key } = await make({ scopes: ['ticket:read'], roles: ['agent'], expires_at: new Date(Date.now() + 60_000).toISOString() });
    expect((await manage('GET', `/${id}`)).body.data.last_used_at).toBeNull();
    expect((await using(key, 'GET', '/api/main/ticket')).status).toBe(200);
    await expect.poll(async () => (await manage('GET', `/${id}`)).body.data.last_used_at).not.toBeNull();
    await database.query(`update ${await storage()}._api_keys set expires_at = now() - interval '1 second' where id = $1`, [id]);
    const reply = await fetch(`http://127.0.0.1:${other.port}/api/main/ticket`, { headers: { 'X-Api-Key': key } });
    expect(reply.status).toBe(401);
  });

  it('are nothing in another app; a key of the platform works in all, within its scopes', async () => {
    const { key } = await make({ scopes: ['*:*', '_admin:*'], roles: ['admin'] });
    expect((await using(key, 'GET', '/api/other/_admin/users')).status).toBe(401);
    const platform = await world.platformToken();
    const make2 = await world.send('POST', '/api/_platform/api-keys', {
      token: platform,
      body: { name: 'p', scopes: ['_admin:read', '_platform:read'] },
    });
    const text = make2.body.data.key;
    expect(text).toMatch(/^dbp_/);
    expect((await using(text, 'GET', '/api/other/_admin/users')).status).toBe(200);
    expect((await using(text, 'GET', '/api/_platform/apps')).status).toBe(200);
    expect((await using(text, 'POST', '/api/_platform/apps', { name: 'nope' })).status).toBe(403);
    expect((await using(text, 'GET', '/api/main/ticket')).status).toBe(403);
  });

  it('cannot manage keys or accounts of their own', async () => {
    const { id, key } = await make({ scopes: ['*:*', '_admin:*'], roles: ['admin'] });
    expect((await using(key, 'POST', '/api/main/_admin/api-keys', { name: 'more', scopes: ['*:*'] })).status).toBe(403);
    expect((await using(key, 'PATCH', `/api/main/_admin/api-keys/${id}`, { scopes: ['*:*'] })).status).toBe(403);
    expect((await using(key, 'POST', '/api/main/auth/api-keys', { name: 'more', scopes: ['*:*'] })).status).toBe(403);
    expect((await using(key, 'GET', '/api/main/auth/me')).body.data).toMatchObject({ kind: 'api_key', key_id: id });
  });

  it.each(['dbk_', `dbk_${'a'.repeat(50)}`, 'x'.repeat(7_000), 'dbp_x', ' ', 'dbk_\u00e9'])('answer 401 for the text %j', async (key) => {
    expect((await using(key, 'GET', '/api/main/ticket')).status).toBe(401);
  });

  it('are refused beside a token', async () => {
    const { key } = await make({ scopes: ['ticket:read'], roles: ['agent'] });
    expect((await world.send('GET', '/api/main/ticket', { token: admin, headers: { 'X-Api-Key': key } })).status).toBe(401);
  });

  it.each([
    {},
    { name: '', scopes: ['ticket:read'] },
    { name: 'x', scopes: [] },
    { name: 'x', scopes: 'ticket:read' },
    { name: 'x', scopes: ['ticket'] },
    { name: 'x', scopes: Array.from({ length: 101 }, (_, n) => `e${n}:read`) },
    { name: 'x', scopes: ['ticket:read'], expires_at: '2020-01-01T00:00:00Z' },
    { name: 'x', scopes: ['ticket:read'], expires_at: 'soon' },
    { name: 'x', scopes: ['ticket:read'], user_id: randomUUID() },
    { name: 'x', scopes: ['ticket:read'], user_id: 7 },
    { name: 'x', scopes: ['ticket:read'], roles: [] },
    { name: 'x', scopes: ['ticket:read'], colour: 'red' },
    { name: 'a\0b', scopes: ['ticket:read'] },
    { name: 'x', scopes: ['ticket:read'], roles: ['a'], user_id: randomUUID() },
  ])('are not made of %j', async (body) => {
    const reply = await manage('POST', '', body);
    expect(reply.status, reply.text).toBe(422);
    expect(reply.body.error.details.length).toBeGreaterThan(0);
  });

  it.each(['nonsense', randomUUID(), '%00'])('answer 4xx for the id %j', async (id) => {
    expect((await manage('GET', `/${id}`)).status).toBeGreaterThanOrEqual(400);
    expect((await manage('DELETE', `/${id}`)).status).toBeLessThan(500);
  });
});

async function storage(): Promise<string> {
  const { rows } = await database.query<{ storage: string }>("select storage from durabase.apps where name = 'main'");
  return rows[0]?.storage ?? '';
}
