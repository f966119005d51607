import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type Reply, type World } from '../../api/world.ts';

let world: World;
let platform: string;
let database: pg.Client;

beforeAll(async () => {
  world = await startWorld();
  platform = await world.platformToken();
  for (const name of ['main', 'other'])
    expect((await world.send('POST', '/api/_platform/apps', { token: platform, body: { name } })).status).toBe(201);
  database = new pg.Client({ connectionString: world.databaseUrl });
  await database.connect();
});
afterAll(() => database.end());

const login = (body: unknown, app = 'main'): Promise<Reply> => world.send('POST', `/api/${app}/auth/login`, { body });
const refresh = (token: unknown, app = 'main'): Promise<Reply> =>
  world.send('POST', `/api/${app}/auth/refresh`, { body: { refresh_token: token } });
const me = (token: string, app = 'main'): Promise<Reply> => world.send('GET', `/api/${app}/auth/me`, { token });
const admin = { email: 'admin@localhost', password: 'changeme' };

describe('signing in', () => {
  it('answers a pair of tokens and the user', async () => {
    const reply = await login({ email: ' ADMIN@localhost ', password: 'changeme' });
    expect(reply.status, reply.text).toBe(200);
    expect(reply.body.data).toMatchObject({ token_type: 'Bearer', expires_in: 900, user: { email: 'admin@localhost', roles: ['admin'] } });
    expect(reply.headers.get('cache-control')).toBe('no-store');
    expect(decodeProtectedHeader(reply.body.data.access_token)).toMatchObject({ alg: 'ES256' });
    const claims = decodeJwt(reply.body.data.access_token as string);
    expect(claims).toMatchObject({ sub: reply.body.data.user.id, roles: ['admin'], iss: 'durabase', epoch: 0 });
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(900);
    expect(reply.text).not.toContain('password_hash');
  });

  it.each([
    { email: 'admin@localhost', password: 'wrong' },
    { email: 'nobody@localhost', password: 'changeme' },
    { email: 'admin@localhost' },
    { password: 'changeme' },
    {},
    { email: ['admin@localhost'], password: 'changeme' },
    { email: "' or 1=1 --", password: 'x' },
    { email: 'a\0', password: 'x' },
  ])('answers 401 for %j', async (body) => {
    const reply = await login(body);
    expect(reply.status).toBe(401);
    expect(reply.body.error.code).toBe('UNAUTHORIZED');
  });

  it('is verified by anyone with the public keys, which say nothing private', async () => {
    const token = await world.login('main');
    const keys = await world.send('GET', '/api/main/auth/jwks.json');
    expect(keys.body.keys[0].d).toBeUndefined();
    const { payload } = await jwtVerify(token, createLocalJWKSet(keys.body));
    expect(payload.sub).toBeTruthy();
  });
});

describe('refresh tokens', () => {
  it('are replaced on use; a second use ends the whole family within seconds', async () => {
    const first = (await login(admin)).body.data;
    const second = (await refresh(first.refresh_token)).body.data;
    expect(second.refresh_token).not.toBe(first.refresh_token);
    expect((await me(second.access_token)).status).toBe(200);
    const { rows } = await database.query("select storage from durabase.apps where name = 'main'");
    await database.query(`update ${rows[0].storage}._sessions set used_at = now() - interval '11 seconds'`);
    expect((await refresh(first.refresh_token)).status).toBe(401);
    expect((await refresh(second.refresh_token)).status).toBe(401);
    await expect.poll(async () => (await me(second.access_token)).status, { timeout: 5_000 }).toBe(401);
  });

  it('race without harm: twins get the same new pair, and reuse after ten seconds still ends the family', async () => {
    const { refresh_token: token } = (await login(admin)).body.data;
    const replies = await Promise.all([refresh(token), refresh(token), refresh(token)]);
    expect(replies.map((reply) => reply.status)).toEqual([200, 200, 200]);
    const next = new Set(replies.map((reply) => reply.body.data.refresh_token as string));
    expect(next.size).toBe(1);
    const [second = ''] = next;
    const { rows } = await database.query("select storage from durabase.apps where name = 'main'");
    await database.query(`update ${rows[0].storage}._sessions set used_at = now() - interval '11 seconds' where id = $1`, [
      token.split('.')[0],
    ]);
    expect((await refresh(token)).status).toBe(401);
    expect((await refresh(second)).status).toBe(401);
  });

  it('that were replaced twice are no twins, however fast', async () => {
    const first = (await login(admin)).body.data.refresh_token as string;
    const second = (await refresh(first)).body.data.refresh_token as string;
    const third = (await refresh(second)).body.data.refresh_token as string;
    expect((await refresh(first)).status).toBe(401);
    expect((await refresh(third)).status).toBe(401);
  });

  it.each([undefined, null, '', 'x', 7, '00000000-0000-7000-8000-000000000000.' + 'a'.repeat(43)])('answer 401 for %j', async (token) => {
    expect((await refresh(token)).status).toBe(401);
  });

  it('of one app are nothing in another', async () => {
    const { refresh_token: token } = (await login(admin)).body.data;
    expect((await refresh(token, 'other')).status).toBe(401);
    expect((await refresh(token)).status).toBe(200);
  });

  it('end after seven days', async () => {
    const { refresh_token: token } = (await login(admin)).body.data;
    const { rows } = await database.query("select storage from durabase.apps where name = 'main'");
    await database.query(`update ${rows[0].storage}._sessions set expires_at = now() - interval '1 second' where id = $1`, [
      token.split('.')[0],
    ]);
    expect((await refresh(token)).status).toBe(401);
  });

  it('are stored as hashes only', async () => {
    const { refresh_token: token } = (await login(admin)).body.data;
    const { rows } = await database.query("select storage from durabase.apps where name = 'main'");
    const stored = JSON.stringify((await database.query(`select * from ${rows[0].storage}._sessions`)).rows);
    expect(stored).not.toContain(token.split('.')[1]);
  });
});

describe('signing out', () => {
  it('ends the refresh token and the access token', async () => {
    const { access_token: access, refresh_token: token } = (await login(admin)).body.data;
    const reply = await world.send('POST', '/api/main/auth/logout', { body: { refresh_token: token } });
    expect(reply.status).toBe(200);
    expect(reply.body.message).toBe('Logged out');
    expect((await refresh(token)).status).toBe(401);
    expect((await me(access)).status).toBe(401);
  });

  it('refuses a body with anything but the refresh token', async () => {
    const { access_token: access, refresh_token: token } = (await login(admin)).body.data;
    for (const verb of ['logout', 'refresh']) {
      const reply = await world.send('POST', `/api/main/auth/${verb}`, { body: { refresh_token: token, refreshToken: token } });
      expect([reply.status, reply.body.error.code]).toEqual([400, 'UNKNOWN_FIELD']);
    }
    for (const body of [{ refresh_token: [token] }, [token], { cookie: 'yes' }]) {
      const reply = await world.send('POST', '/api/main/auth/logout', { body });
      expect([reply.status, reply.body.error.code]).toEqual([400, 'INVALID_PAYLOAD']);
    }
    expect((await me(access)).status).toBe(200);
  });
});

describe('the back office', () => {
  it('keeps its refresh token in a cookie no script can read', async () => {
    const reply = await world.send('POST', '/api/_platform/auth/login', {
      body: { email: 'platform@localhost', password: 'changeme', cookie: true },
    });
    expect(reply.body.data.refresh_token).toBeUndefined();
    const cookie = reply.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/^durabase_refresh=\S+; Path=\/api\/_platform\/auth; Max-Age=604800; HttpOnly; SameSite=Strict$/);
    const next = await world.send('POST', '/api/_platform/auth/refresh', { headers: { Cookie: cookie.split(';')[0] ?? '' } });
    expect(next.status, next.text).toBe(200);
    expect(next.body.data.refresh_token).toBeUndefined();
    const renewed = (next.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    const out = await world.send('POST', '/api/_platform/auth/logout', { headers: { Cookie: renewed } });
    expect(out.headers.get('set-cookie')).toContain('Max-Age=0');
    expect((await world.send('POST', '/api/_platform/auth/refresh', { headers: { Cookie: renewed } })).status).toBe(401);
  });
});

describe('tokens between apps', () => {
  it('a platform token is an admin everywhere, an app token is nothing elsewhere', async () => {
    expect((await me(platform, 'other')).body.data).toMatchObject({ kind: 'platform', is_admin: true });
    const token = await world.login('main');
    expect((await me(token)).status).toBe(200);
    expect((await me(token, 'other')).status).toBe(401);
    expect((await world.send('GET', '/api/_platform/auth/me', { token })).status).toBe(401);
  });

  it.each([
    ['no header', undefined],
    ['another scheme', 'Basic YTpi'],
    ['an empty one', 'Bearer '],
    ['nonsense', 'Bearer a.b.c'],
    [
      'an unsigned one',
      `Bearer ${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from('{"sub":"x"}').toString('base64url')}.`,
    ],
    ['one of 100 kB', `Bearer ${'a'.repeat(16_000)}`],
  ])('%s is 401 with a challenge', async (_name, header) => {
    const reply = await world.send('GET', '/api/main/auth/me', header === undefined ? {} : { headers: { Authorization: header } });
    expect(reply.status).toBe(401);
    expect(reply.headers.get('www-authenticate')).toBe('Bearer');
  });

  it('a token whose claims were changed is refused', async () => {
    const [head, body, signature] = (await world.login('main')).split('.');
    const claims = { ...JSON.parse(Buffer.from(body ?? '', 'base64url').toString()), aud: 'other' };
    const forged = `${head}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`;
    expect((await me(forged)).status).toBe(401);
  });
});
