import { beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type Reply, type World } from '../../api/world.ts';

let world: World;
let admin: string;
beforeAll(async () => {
  world = await startWorld();
  const token = await world.platformToken();
  expect((await world.send('POST', '/api/_platform/apps', { token, body: { name: 'main' } })).status).toBe(201);
  admin = await world.login('main');
});

const users = (method: string, id = '', body?: unknown, token = admin): Promise<Reply> =>
  world.send(method, `/api/main/_admin/users${id === '' ? '' : `/${id}`}`, body === undefined ? { token } : { token, body });
const signIn = (email: string, password: string): Promise<Reply> =>
  world.send('POST', '/api/main/auth/login', { body: { email, password } });

describe('users of an app', () => {
  it('are made, shown, listed, changed and removed; no answer holds a hash', async () => {
    const made = await users('POST', '', { email: 'ann@example.com', password: '1234567', roles: ['Agent', 'agent'] });
    expect(made.status, made.text).toBe(201);
    const { id } = made.body.data;
    expect(made.body.data).toMatchObject({ email: 'ann@example.com', roles: ['agent'], active: true });
    expect((await users('GET', id)).body.data.email).toBe('ann@example.com');
    const list = await world.send('GET', '/api/main/_admin/users?q=ANN&sort=-email', { token: admin });
    expect(list.body).toMatchObject({ data: [{ id }], meta: { page: 1, per_page: 25, total: 1 } });
    const changed = await users('PUT', id, { email: 'ann@example.org' });
    expect(changed.body.data).toMatchObject({ email: 'ann@example.org', roles: ['agent'] });
    expect((await signIn('ann@example.org', '1234567')).status).toBe(200);
    for (const reply of [made, list, changed]) expect(reply.text).not.toMatch(/hash|scrypt/);
    expect((await users('DELETE', id)).body.data).toEqual({ id });
    expect((await users('GET', id)).status).toBe(404);
    expect((await signIn('ann@example.org', '1234567')).status).toBe(401);
  });

  it('need email and password, and answer every mistake at once', async () => {
    const reply = await users('POST', '', { roles: 'admin', active: 'yes', colour: 1 });
    expect(reply.status).toBe(422);
    expect(reply.body.errors.map((error: { field: string }) => error.field).sort()).toEqual([
      'active',
      'colour',
      'email',
      'password',
      'roles',
    ]);
    expect((await users('POST', '', { email: 'not-an-email', password: 'x' })).status).toBe(422);
  });

  it('have one account per email, whatever the case', async () => {
    await users('POST', '', { email: 'bob@example.com', password: 'x' });
    const again = await users('POST', '', { email: 'BOB@example.com', password: 'x' });
    expect(again.status).toBe(409);
    expect(again.body.error.details[0]).toMatchObject({ field: 'email', rule: 'unique' });
  });

  it('are for admins only', async () => {
    await users('POST', '', { email: 'eve@example.com', password: 'x', roles: ['agent'] });
    const eve = (await signIn('eve@example.com', 'x')).body.data.access_token as string;
    expect((await users('GET', '', undefined, eve)).status).toBe(403);
    expect((await users('POST', '', { email: 'f@example.com', password: 'x' }, eve)).status).toBe(403);
  });

  it.each(['0', 'x', "' or 1=1", '00000000-0000-7000-8000-000000000000'])('answer 404 for the id %j', async (id) => {
    expect((await users('GET', encodeURIComponent(id))).status).toBe(404);
    expect((await users('PUT', encodeURIComponent(id), {})).status).toBe(404);
    expect((await users('DELETE', encodeURIComponent(id))).status).toBe(404);
  });
});

describe('changes that cut sessions', () => {
  const account = async (roles: string[]): Promise<{ id: string; access: string; refresh: string }> => {
    const email = `u${Math.random().toString(36).slice(2)}@example.com`;
    const { id } = (await users('POST', '', { email, password: 'first', roles })).body.data as { id: string };
    const { access_token: access, refresh_token: refresh } = (await signIn(email, 'first')).body.data as {
      access_token: string;
      refresh_token: string;
    };
    return { id, access, refresh };
  };
  const isAlive = async (access: string): Promise<boolean> =>
    (await world.send('GET', '/api/main/auth/me', { token: access })).status === 200;
  const canRefresh = async (refresh: string): Promise<boolean> =>
    (await world.send('POST', '/api/main/auth/refresh', { body: { refresh_token: refresh } })).status === 200;

  it('a new password ends the sessions', async () => {
    const user = await account(['agent']);
    expect(await isAlive(user.access)).toBe(true);
    await users('PUT', user.id, { password: 'second' });
    expect(await isAlive(user.access)).toBe(false);
    expect(await canRefresh(user.refresh)).toBe(false);
  });

  it('other roles are in force with the next refresh; the old access token is dead', async () => {
    const user = await account(['agent']);
    await users('PUT', user.id, { roles: ['manager'] });
    expect(await isAlive(user.access)).toBe(false);
    const next = await world.send('POST', '/api/main/auth/refresh', { body: { refresh_token: user.refresh } });
    expect(next.body.data.user.roles).toEqual(['manager']);
    expect(await isAlive(next.body.data.access_token)).toBe(true);
  });

  it('a deactivated or removed account is out', async () => {
    const [off, gone] = [await account([]), await account([])];
    await users('PUT', off.id, { active: false });
    await users('DELETE', gone.id);
    for (const user of [off, gone]) {
      expect(await isAlive(user.access)).toBe(false);
      expect(await canRefresh(user.refresh)).toBe(false);
    }
  });

  it('a new email alone cuts nothing', async () => {
    const user = await account(['agent']);
    await users('PUT', user.id, { email: `n${Math.random().toString(36).slice(2)}@example.com`, roles: ['agent'] });
    expect(await isAlive(user.access)).toBe(true);
  });
});

describe('the last admin', () => {
  it('cannot be removed, demoted or deactivated', async () => {
    const list = await world.send('GET', '/api/main/_admin/users?filter[role]=admin', { token: admin });
    expect(list.body.data).toHaveLength(1);
    const { id } = list.body.data[0] as { id: string };
    for (const reply of [
      await users('DELETE', id),
      await users('PUT', id, { roles: ['agent'] }),
      await users('PUT', id, { active: false }),
    ]) {
      expect(reply.status).toBe(409);
      expect(reply.body.error.message).toMatch(/last active admin/);
    }
  });

  it('stays one when two admins remove each other at the same moment', async () => {
    const token = await world.platformToken();
    expect((await world.send('POST', '/api/_platform/apps', { token, body: { name: 'pair' } })).status).toBe(201);
    const at = '/api/pair/_admin/users';
    const first = (await world.send('GET', at, { token })).body.data[0].id as string;
    const second = (await world.send('POST', at, { token, body: { email: 'b@b', password: 'x', roles: ['admin'] } })).body.data
      .id as string;
    const replies = await Promise.all([first, second].map((id) => world.send('DELETE', `${at}/${id}`, { token })));
    expect(replies.map((reply) => reply.status).sort()).toEqual([200, 409]);
  });
});
