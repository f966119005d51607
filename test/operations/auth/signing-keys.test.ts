import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, exportSPKI, importJWK, jwtVerify, SignJWT, type CryptoKey } from 'jose';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type RunningApi } from '../../../api/main.ts';
import { startWorld, type Reply, type World } from '../../api/world.ts';

let world: World;
let other: RunningApi;
let admin: string;
let refreshToken: string;

beforeAll(async () => {
  world = await startWorld();
  const token = await world.platformToken();
  expect((await world.send('POST', '/api/_platform/apps', { token, body: { name: 'main' } })).status).toBe(201);
  other = await startApi(world.config, pino({ level: 'silent' }));
});
afterAll(() => other.close());

const signIn = async (): Promise<void> => {
  const reply = await world.send('POST', '/api/main/auth/login', { body: { email: 'admin@localhost', password: 'changeme' } });
  ({ access_token: admin, refresh_token: refreshToken } = reply.body.data);
};
const rotate = (query = '', token = admin): Promise<Reply> => world.send('POST', `/api/main/_admin/signing-keys/rotate${query}`, { token });
const kidOf = (token: string): string | undefined => decodeProtectedHeader(token).kid;
const me = (token: string): Promise<Reply> => world.send('GET', '/api/main/auth/me', { token });
const elsewhere = async (token: string): Promise<number> =>
  (await fetch(`http://127.0.0.1:${other.port}/api/main/auth/me`, { headers: { Authorization: `Bearer ${token}` } })).status;

describe('signing keys', () => {
  it('are replaced: the new one signs, the one before verifies, both are published', async () => {
    await signIn();
    const before = admin;
    const reply = await rotate();
    expect(reply.status, reply.text).toBe(201);
    expect(reply.body.data).toMatchObject({ retired: [kidOf(before)], revoked: false });
    await signIn();
    expect(kidOf(admin)).toBe(reply.body.data.kid);
    for (const token of [before, admin]) expect([(await me(token)).status, await elsewhere(token)]).toEqual([200, 200]);
    const published = (await world.send('GET', '/api/main/auth/jwks.json')).body;
    for (const token of [before, admin]) await jwtVerify(token, createLocalJWKSet(published));
    const listed = (await world.send('GET', '/api/main/_admin/signing-keys', { token: admin })).body.data;
    expect(listed.map((key: { state: string }) => key.state)).toEqual(['signing', 'verifying']);
    expect(JSON.stringify(listed)).not.toMatch(/private|"d"/);
  });

  it('are replaced without a failed request, in either process', async () => {
    await signIn();
    let isDone = false;
    const statuses: number[] = [];
    const client = async (port: number): Promise<void> => {
      while (!isDone) {
        const answer = await fetch(`http://127.0.0.1:${port}/api/main/auth/refresh`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify({ refresh_token: 'x' }),
        });
        expect([401, 429]).toContain(answer.status);
        for (const at of [world.api.port, other.port]) {
          const asked = await fetch(`http://127.0.0.1:${at}/api/main/auth/me`, { headers: { Authorization: `Bearer ${admin}` } });
          statuses.push(asked.status);
        }
      }
    };
    const clients = [client(world.api.port), client(other.port)];
    for (let round = 0; round < 4; round++) {
      expect((await rotate()).status).toBe(201);
      await signIn();
    }
    isDone = true;
    await Promise.all(clients);
    expect(statuses.length).toBeGreaterThan(10);
    expect(new Set(statuses)).toEqual(new Set([200]));
  });

  it('leave one that signs when many are made at once', async () => {
    const replies = await Promise.all([rotate(), rotate(), rotate()]);
    expect(replies.map((reply) => reply.status)).toEqual([201, 201, 201]);
    const listed = (await world.send('GET', '/api/main/_admin/signing-keys', { token: admin })).body.data;
    expect(listed.filter((key: { state: string }) => key.state === 'signing')).toHaveLength(1);
  });

  it('cut at once refuse all they signed, in every process; sessions go on', async () => {
    await signIn();
    const before = admin;
    const session = refreshToken;
    expect(await elsewhere(before)).toBe(200);
    expect((await rotate('?revoke=true')).status).toBe(201);
    expect((await me(before)).status).toBe(401);
    await expect.poll(() => elsewhere(before), { timeout: 5_000 }).toBe(401);
    const renewed = await fetch(`http://127.0.0.1:${other.port}/api/main/auth/refresh`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ refresh_token: session }),
    });
    const { data } = (await renewed.json()) as { data: { access_token: string } };
    expect([(await me(data.access_token)).status, await elsewhere(data.access_token)]).toEqual([200, 200]);
    const published = (await world.send('GET', '/api/main/auth/jwks.json')).body.keys;
    expect(published.map((key: { kid: string }) => key.kid)).not.toContain(kidOf(before));
  });

  it('are not believed from a forger who knows the public half', async () => {
    await signIn();
    const jwk = (await world.send('GET', '/api/main/auth/jwks.json')).body.keys[0];
    const claims = decodeJwt(admin);
    const kid = kidOf(admin) ?? '';
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const pem = await exportSPKI((await importJWK(jwk, 'ES256', { extractable: true })) as CryptoKey);
    const forged = [
      `${part({ alg: 'none', kid })}.${part(claims)}.`,
      `${part({ alg: 'None', kid })}.${part(claims)}.`,
      await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid }).sign(new TextEncoder().encode(pem)),
      await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid }).sign(new TextEncoder().encode(JSON.stringify(jwk))),
      `${part({ alg: 'ES256', kid, jwk })}.${part({ ...claims, roles: ['admin', 'x'] })}.${admin.split('.')[2] ?? ''}`,
      `${part({ alg: 'ES256', kid: 'nobody' })}.${part(claims)}.${admin.split('.')[2] ?? ''}`,
      `${part({ alg: 'ES256', kid })}.${part(claims)}.${Buffer.alloc(64).toString('base64url')}`,
    ];
    for (const token of forged) expect((await me(token)).status).toBe(401);
  });

  it('are the platform\u2019s and each app\u2019s own, and no business of others', async () => {
    const token = await world.platformToken();
    expect((await world.send('POST', '/api/_platform/signing-keys/rotate', { token })).status).toBe(201);
    expect((await world.send('GET', '/api/_platform/auth/me', { token })).status).toBe(200);
    const body = { email: 'someone@example.com', password: 'a password', roles: [] };
    await world.send('POST', '/api/main/_admin/users', { token: admin, body });
    const plain = await world.login('main', body.email, body.password);
    expect((await rotate('', plain)).status).toBe(403);
    expect((await rotate('?revoke=maybe')).status).toBe(400);
    expect((await rotate('?force=1')).status).toBe(400);
  });
});

describe('hashes of another product', () => {
  const users = (body: unknown): Promise<Reply> => world.send('POST', '/api/main/_admin/users', { token: admin, body });

  it.each(['$2a$', '$2b$', '$2y$'])('of the form %s verify once and are replaced', async (form) => {
    const { default: bcrypt } = await import('bcryptjs');
    const hash = (await bcrypt.hash('correct horse', 4)).replace(/^\$2[aby]\$/, form);
    const email = `${form.replaceAll('$', '')}@example.com`;
    const made = await users({ email, password_hash: hash, roles: [] });
    expect(made.status, made.text).toBe(201);
    expect(made.text).not.toContain(hash);
    const login = (password: string): Promise<Reply> => world.send('POST', '/api/main/auth/login', { body: { email, password } });
    expect((await login('wrong')).status).toBe(401);
    expect((await login('correct horse')).status).toBe(200);
    const { default: pg } = await import('pg');
    const client = new pg.Client({ connectionString: world.databaseUrl });
    await client.connect();
    const { rows: apps } = await client.query<{ storage: string }>("select storage from durabase.apps where name = 'main'");
    const { rows } = await client.query(`select password_hash from ${apps[0]?.storage}._users where email = $1`, [email]);
    await client.end();
    expect(rows[0]?.password_hash).toMatch(/^\$scrypt\$/);
    expect((await login('correct horse')).status).toBe(200);
  });

  it.each([
    [`$2b$31$${'a'.repeat(53)}`, /cost 31/],
    [`$2b$13$${'a'.repeat(53)}`, /at most 12/],
    [`$2b$03$${'a'.repeat(53)}`, /bcrypt/],
    [`$2x$10$${'a'.repeat(53)}`, /faulty/],
    ['$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA', /argon2/],
    ['$scrypt$ln=30,r=8,p=1$AAAA$AAAA', /scrypt/],
    ['5f4dcc3b5aa765d61d8327deb882cf99', /bare digest/],
    ['', /bcrypt/],
    [7, /bcrypt/],
    ['x'.repeat(100_000), /bcrypt/],
  ])('like %j are refused, by name', async (hash, message) => {
    const started = performance.now();
    const reply = await users({ email: 'foreign@example.com', password_hash: hash });
    expect(reply.status).toBe(422);
    expect(reply.body.error.details[0]).toMatchObject({ field: 'password_hash' });
    expect(reply.body.error.details[0].message).toMatch(message);
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it('are refused beside a password', async () => {
    const reply = await users({ email: 'two@example.com', password: 'a password', password_hash: `$2b$10$${'a'.repeat(53)}` });
    expect(reply.status).toBe(422);
  });
});
