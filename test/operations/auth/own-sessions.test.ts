/** Sessions seen and ended, passwords changed: in force in a second api process within five seconds. */
import pg from 'pg';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type RunningApi } from '../../../api/main.ts';
import { startWorld, type Reply, type World } from '../../api/world.ts';

let world: World;
let other: RunningApi;
let admin: string;
beforeAll(async () => {
  world = await startWorld();
  other = await startApi(world.config, pino({ level: 'silent' }));
  const token = await world.platformToken();
  expect((await world.send('POST', '/api/_platform/apps', { token, body: { name: 'main' } })).status).toBe(201);
  admin = await world.login('main');
});
afterAll(() => other.close());

interface User {
  readonly id: string;
  readonly email: string;
  readonly access: string;
  readonly refresh: string;
}

let count = 0;
const login = (email: string, password: string): Promise<Reply> =>
  world.send('POST', '/api/main/auth/login', { body: { email, password }, headers: { 'User-Agent': 'test-agent' } });
async function account(roles: string[] = []): Promise<User> {
  const email = `user${count++}@example.com`;
  const { id } = (await world.send('POST', '/api/main/_admin/users', { token: admin, body: { email, password: 'first-one', roles } })).body
    .data as { id: string };
  return { id, email, ...(await again(email)) };
}
async function again(email: string, password = 'first-one'): Promise<{ access: string; refresh: string }> {
  const { data } = (await login(email, password)).body as { data: { access_token: string; refresh_token: string } };
  return { access: data.access_token, refresh: data.refresh_token };
}
/** At the second process, which nobody tells. */
const statusElsewhere = async (token: string): Promise<number> =>
  (await fetch(`http://127.0.0.1:${other.port}/api/main/auth/me`, { headers: { Authorization: `Bearer ${token}` } })).status;
const ofUser = (method: string, id: string, rest = ''): Promise<Reply> =>
  world.send(method, `/api/main/_admin/users/${id}${rest}`, { token: admin });

describe('one`s own sessions', () => {
  it('are listed with what tells them apart, and ended one by one', async () => {
    const user = await account();
    const second = await again(user.email);
    const list = await world.send('GET', '/api/main/auth/sessions', { token: user.access });
    expect(list.status, list.text).toBe(200);
    expect(list.body.data).toHaveLength(2);
    expect(list.body.data[0]).toMatchObject({ current: false, user_agent: 'test-agent', address: '127.0.0.1' });
    expect(list.body.data[1]).toMatchObject({ current: true });
    expect(list.text).not.toContain('hash');
    const ended = await world.send('DELETE', `/api/main/auth/sessions/${list.body.data[0].id}`, { token: user.access });
    expect(ended.status, ended.text).toBe(200);
    expect((await world.send('GET', '/api/main/auth/me', { token: second.access })).status).toBe(401);
    expect((await world.send('GET', '/api/main/auth/me', { token: user.access })).status).toBe(200);
    expect((await world.send('DELETE', `/api/main/auth/sessions/${list.body.data[0].id}`, { token: user.access })).status).toBe(404);
  });

  it('of others cannot be ended', async () => {
    const [mine, theirs] = [await account(), await account()];
    const list = await world.send('GET', '/api/main/auth/sessions', { token: theirs.access });
    const path = `/api/main/auth/sessions/${list.body.data[0].id}`;
    expect((await world.send('DELETE', path, { token: mine.access })).status).toBe(404);
    expect((await world.send('GET', '/api/main/auth/me', { token: theirs.access })).status).toBe(200);
    expect((await world.send('DELETE', '/api/main/auth/sessions/nonsense', { token: mine.access })).status).toBe(404);
  });

  it('end all but this one, or with all=true this one too', async () => {
    const user = await account();
    const second = await again(user.email);
    const ended = await world.send('DELETE', '/api/main/auth/sessions', { token: user.access });
    expect(ended.body.data).toEqual({ ended: 1 });
    expect((await world.send('GET', '/api/main/auth/me', { token: second.access })).status).toBe(401);
    expect((await world.send('DELETE', '/api/main/auth/sessions?all=maybe', { token: user.access })).status).toBe(400);
    expect((await world.send('DELETE', '/api/main/auth/sessions?al=true', { token: user.access })).status).toBe(400);
    expect((await world.send('DELETE', '/api/main/auth/sessions?all=true', { token: user.access })).body.data).toEqual({ ended: 1 });
    expect((await world.send('GET', '/api/main/auth/me', { token: user.access })).status).toBe(401);
  });

  it('are seen and ended by admins; the platform has the same routes', async () => {
    const user = await account();
    const list = await ofUser('GET', user.id, '/sessions');
    expect(list.body.data).toHaveLength(1);
    expect((await world.send('GET', `/api/main/_admin/users/${user.id}/sessions`, { token: user.access })).status).toBe(403);
    expect((await ofUser('DELETE', user.id, '/sessions')).body.data).toEqual({ ended: 1 });
    expect((await ofUser('GET', user.id, '/sessions')).body.data).toEqual([]);
    expect((await ofUser('GET', 'nonsense', '/sessions')).status).toBe(404);
    const platform = await world.platformToken();
    const own = await world.send('GET', '/api/_platform/auth/sessions', { token: platform });
    expect(own.body.data.some((session: { current: boolean }) => session.current)).toBe(true);
  });
});

describe('a cut is known to another process within five seconds', () => {
  const cuts: readonly [string, (user: User) => Promise<Reply>][] = [
    ['a session ended', (user) => world.send('DELETE', '/api/main/auth/sessions?all=true', { token: user.access })],
    [
      'a new password by an admin',
      (user) => world.send('PUT', `/api/main/_admin/users/${user.id}`, { token: admin, body: { password: 'x' } }),
    ],
    ['other roles', (user) => world.send('PUT', `/api/main/_admin/users/${user.id}`, { token: admin, body: { roles: ['agent'] } })],
    ['deactivation', (user) => world.send('PUT', `/api/main/_admin/users/${user.id}`, { token: admin, body: { active: false } })],
    ['deletion', (user) => ofUser('DELETE', user.id)],
  ];
  it.each(cuts)('%s', async (_name, cut) => {
    const user = await account();
    expect(await statusElsewhere(user.access)).toBe(200);
    expect((await cut(user)).status).toBe(200);
    await expect.poll(() => statusElsewhere(user.access), { timeout: 5_000, interval: 50 }).toBe(401);
  });
});

describe('changing one`s password', () => {
  const change = (token: string, body: unknown): Promise<Reply> => world.send('POST', '/api/main/auth/password', { token, body });

  it('ends the other sessions, keeps this one, and the old password is dead', async () => {
    const user = await account();
    const second = await again(user.email);
    const reply = await change(user.access, { current: 'first-one', new: 'second-one' });
    expect(reply.status, reply.text).toBe(200);
    expect(reply.body.data).toEqual({ ended_sessions: 1 });
    expect((await world.send('GET', '/api/main/auth/me', { token: user.access })).status).toBe(200);
    expect((await world.send('GET', '/api/main/auth/me', { token: second.access })).status).toBe(401);
    expect((await login(user.email, 'first-one')).status).toBe(401);
    expect((await login(user.email, 'second-one')).status).toBe(200);
  });

  it('clears must_change', async () => {
    const token = await world.platformToken();
    await world.send('POST', '/api/_platform/apps', { token, body: { name: 'fresh' } });
    const access = await world.login('fresh');
    expect((await world.send('GET', '/api/fresh/auth/me', { token: access })).body.data.must_change).toBe(true);
    const body = { current: 'changeme', new: 'a better one' };
    expect((await world.send('POST', '/api/fresh/auth/password', { token: access, body })).status).toBe(200);
    expect((await world.send('GET', '/api/fresh/auth/me', { token: access })).body.data.must_change).toBe(false);
  });

  it.each([
    {},
    { current: 'first-one' },
    { current: 'first-one', new: 'short' },
    { current: 'first-one', new: 7 },
    { new: 'x'.repeat(2_000) },
  ])('answers 422 for %j', async (body) => {
    expect((await change((await account()).access, body)).status).toBe(422);
  });

  it('needs the current one, and guessing it is limited', async () => {
    const user = await account();
    const guesses = [];
    for (let i = 0; i < 6; i++) guesses.push((await change(user.access, { current: `guess${i}`, new: 'second-one' })).status);
    expect(guesses).toEqual([401, 401, 401, 401, 401, 429]);
  });
});

describe('guessing passwords', () => {
  it('locks the pair of account and address after five tries, many at once included, unknown accounts alike', async () => {
    for (const email of [(await account()).email, 'nobody@example.com']) {
      const replies = await Promise.all(Array.from({ length: 8 }, (_, i) => login(email, `guess${i}`)));
      const statuses = replies.map((reply) => reply.status).sort();
      expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(3);
      expect(statuses.every((status) => status === 401 || status === 429)).toBe(true);
      const locked = await login(email, 'first-one');
      expect(locked.status).toBe(429);
      expect(locked.body.error.code).toBe('RATE_LIMITED');
      expect(Number(locked.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    const client = new pg.Client({ connectionString: world.databaseUrl });
    await client.connect();
    const { rows } = await client.query("select detail from durabase.audit where action = 'auth.locked'");
    await client.end();
    expect(rows.length).toBeGreaterThanOrEqual(2);
    expect(JSON.stringify(rows)).not.toContain('@');
  });

  it('is forgotten with a success', async () => {
    const { email } = await account();
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 4; i++) expect((await login(email, `guess${i}`)).status).toBe(401);
      expect((await login(email, 'first-one')).status).toBe(200);
    }
  });
});
