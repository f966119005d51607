/** An app whose access tokens are signed with a secret of its own; other apps and the platform stay with key pairs. */
import { decodeJwt, decodeProtectedHeader, exportSPKI, importJWK, SignJWT, type CryptoKey, type JWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uuidv7 } from '../../adapters/ids.ts';
import { createKeyring } from '../../adapters/keys.ts';
import { createPool } from '../../adapters/postgres/pool.ts';
import { followRevocations } from '../../adapters/revocations.ts';
import { appRealm, createTokens, type Algorithm, type Realm, type Tokens } from '../../adapters/tokens.ts';
import { callerOf, type Reply } from '../support/api.ts';
import { freshDatabase } from '../support/database.ts';
import { httpWorld, type HttpWorld } from '../support/http-world.ts';

let world: HttpWorld;
let databaseUrl: string;
const boss = { id: uuidv7(), email: 'boss@example.com', roles: ['admin'] };

beforeAll(async () => {
  databaseUrl = await freshDatabase();
  world = await httpWorld(databaseUrl);
  await world.app('secret', { version: 1, settings: { auth: { algorithm: 'HS256' } } }, [boss]);
  await world.app('paired', { version: 1 }, [boss]);
}, 60_000);
afterAll(() => world.close());

const login = async (app: string): Promise<string> => {
  const body = { email: boss.email, password: 'correct horse' };
  return String((await callerOf(world.url)('POST', `/api/${app}/auth/login`, body)).at('data', 'access_token'));
};
const me = (app: string, token: string): Promise<Reply> => callerOf(world.url, token)('GET', `/api/${app}/auth/me`);
const jwks = async (app: string): Promise<JWK[]> => (await callerOf(world.url)('GET', `/api/${app}/auth/jwks.json`)).at('keys') as JWK[];
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('HS256', () => {
  it('signs the tokens of an app whose settings say so, and its secret is nowhere to be read', async () => {
    const token = await login('secret');
    expect(decodeProtectedHeader(token)).toMatchObject({ alg: 'HS256', typ: 'JWT' });
    expect((await me('secret', token)).status).toBe(200);
    expect((await me('paired', token)).status).toBe(401);
    expect(await jwks('secret')).toEqual([]);
    expect(decodeProtectedHeader(await login('paired')).alg).toBe('ES256');
    const listed = await callerOf(world.url, token)('GET', '/api/secret/_admin/signing-keys');
    expect(listed.at('data', 0)).toMatchObject({ algorithm: 'HS256', state: 'signing' });
    expect(JSON.stringify(listed.body)).not.toMatch(/sealed|private|"k"/);
    const { rows } = await world.pool.query<{ public_jwk: unknown; size: number }>(
      `select public_jwk, length(sealed_private) as size from durabase.signing_keys where app = 'secret'`,
    );
    expect(rows).toEqual([{ public_jwk: null, size: 1 + 12 + 32 + 16 }]);
  });

  it('rotates, and cuts at once', async () => {
    const before = await login('secret');
    const rotate = (token: string, query = ''): Promise<Reply> =>
      callerOf(world.url, token)('POST', `/api/secret/_admin/signing-keys/rotate${query}`);
    expect((await rotate(before)).status).toBe(201);
    const after = await login('secret');
    expect(decodeProtectedHeader(after)).toMatchObject({ alg: 'HS256' });
    expect(decodeProtectedHeader(after).kid).not.toBe(decodeProtectedHeader(before).kid);
    expect([(await me('secret', before)).status, (await me('secret', after)).status]).toEqual([200, 200]);
    expect((await rotate(after, '?revoke=true')).status).toBe(201);
    expect([(await me('secret', before)).status, (await me('secret', after)).status]).toEqual([401, 401]);
    expect((await me('secret', await login('secret'))).status).toBe(200);
  });

  it('believes no forger who knows what is public', async () => {
    const paired = await login('paired');
    const secret = await login('secret');
    const [jwk = {}] = await jwks('paired');
    const kid = decodeProtectedHeader(paired).kid ?? '';
    const secretKid = decodeProtectedHeader(secret).kid ?? '';
    const claims = decodeJwt(paired);
    const secretClaims = decodeJwt(secret);
    const pem = await exportSPKI((await importJWK(jwk, 'ES256', { extractable: true })) as CryptoKey);
    const signature = (token: string): string => token.split('.')[2] ?? '';
    const hmac = (body: object, header: { kid: string }, key: string): Promise<string> =>
      new SignJWT({ ...body }).setProtectedHeader({ alg: 'HS256', ...header }).sign(new TextEncoder().encode(key));
    const forged: [app: string, token: string][] = [
      ['paired', await hmac(claims, { kid }, pem)],
      ['paired', await hmac(claims, { kid }, pem.trim())],
      ['paired', await hmac(claims, { kid }, JSON.stringify(jwk))],
      ['paired', await hmac(claims, { kid }, String(jwk.x))],
      ['paired', `${part({ alg: 'ES256', kid: secretKid })}.${part(claims)}.${signature(paired)}`],
      ['paired', `${part({ alg: 'HS256', kid: secretKid })}.${part(claims)}.${signature(secret)}`],
      ['secret', await hmac(secretClaims, { kid: secretKid }, secretKid)],
      ['secret', await hmac(secretClaims, { kid: secretKid }, '\0')],
      ['secret', `${part({ alg: 'ES256', kid: secretKid })}.${part(secretClaims)}.${signature(secret)}`],
      ['secret', `${part({ alg: 'HS256', kid })}.${part(secretClaims)}.${signature(secret)}`],
      ['secret', `${part({ alg: 'HS384', kid: secretKid })}.${part(secretClaims)}.${signature(secret)}`],
      ['secret', `${part({ alg: 'none', kid: secretKid })}.${part(secretClaims)}.`],
      ['secret', `${part({ alg: 'HS256', kid: secretKid })}.${part({ ...secretClaims, email: 'x' })}.${signature(secret)}`],
      ['secret', `${part({ alg: 'HS256', kid: [secretKid] })}.${part(secretClaims)}.${signature(secret)}`],
      ['secret', `${part({ alg: 'HS256', kid: { toString: 1 } })}.${part(secretClaims)}.${signature(secret)}`],
      ['secret', `${part({ alg: 'HS256' })}.${part(secretClaims)}.${signature(secret)}`],
      // Signed by the other app's own key, with this app's claims.
      ['secret', paired],
      ['paired', secret],
    ];
    for (const [index, [app, token]] of forged.entries()) expect((await me(app, token)).status, String(index)).toBe(401);
    expect([(await me('paired', paired)).status, (await me('secret', secret)).status]).toEqual([200, 200]);
  });

  it('takes over when the setting changes, once for all who race, and what was signed before is good until it ends', async () => {
    const pool = createPool({ url: databaseUrl, max: 6, applicationName: 'test' });
    const keyring = createKeyring('k'.repeat(40));
    const processes = [1, 2].map(() => {
      const revocations = followRevocations(pool, () => undefined);
      return { revocations, tokens: createTokens({ pool, keyring, revocations }) };
    });
    await Promise.all(processes.map(({ revocations }) => revocations.refresh()));
    const realm = (algorithm: Algorithm): Realm => appRealm({ id: 'moving', storage: 'app_moving' }, algorithm);
    const subject = { userId: uuidv7(), email: 'a@b.c', roles: [], sessionId: uuidv7(), epoch: 0 };
    const [a, b] = processes.map(({ tokens }) => tokens) as [Tokens, Tokens];
    const old = await a.issue(realm('ES256'), subject);
    const made = await Promise.all([a, b, a, b].map((tokens) => tokens.issue(realm('HS256'), subject)));
    expect(new Set(made.map((token) => decodeProtectedHeader(token).kid)).size).toBe(1);
    for (const token of [old, ...made])
      for (const tokens of [a, b]) expect((await tokens.verify(token, realm('HS256'))).userId).toBe(subject.userId);
    await pool.query(
      `update durabase.signing_keys set retired_at = now() - interval '2 hours' where app = 'moving' and algorithm = 'ES256'`,
    );
    const late = createTokens({ pool, keyring, revocations: processes[0]?.revocations ?? followRevocations(pool, () => undefined) });
    await expect(late.verify(old, realm('HS256'))).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    expect(decodeProtectedHeader(await b.issue(realm('ES256'), subject)).alg).toBe('ES256');
    for (const { revocations } of processes) revocations.close();
    await pool.end();
  });
});
