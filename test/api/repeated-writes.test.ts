/** `Idempotency-Key` beside the records: kept for the accounts of an app, refused wherever no answer is kept. */
import { Secret, TOTP } from 'otpauth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOf } from '../../adapters/digest.ts';
import type { Caller, Reply } from '../support/api.ts';
import { callerOf } from '../support/api.ts';
import { freshDatabase } from '../support/database.ts';
import { HELPDESK } from '../support/helpdesk.ts';
import { httpWorld, type HttpWorld } from '../support/http-world.ts';

const ID = '00000000-0000-7000-8000-000000000001';
const USERS = '/api/desk/_admin/users';
let world: HttpWorld;
let admin: Caller;
let platform: Caller;
beforeAll(async () => {
  world = await httpWorld(await freshDatabase());
  await world.app('desk', HELPDESK, [{ id: ID, email: 'boss@desk.test', roles: ['admin'] }]);
  admin = await world.login('desk', 'boss@desk.test');
  platform = await world.platform();
});
afterAll(() => world.close());

let keys = 0;
const fresh = (): string => `key-${String(++keys)}`;
const audited = async (action: string): Promise<number> =>
  Number((await world.pool.query<{ n: string }>('select count(*) as n from durabase.audit where action = $1', [action])).rows[0]?.n);
const made = async (email: string): Promise<string> =>
  String((await admin('POST', USERS, { email, password: 'correct horse', roles: ['agent'] })).at('data', 'id'));

/** The request twice under one key: answered twice, done once. */
async function repeated(action: string, method: string, path: string, body?: unknown): Promise<Reply> {
  const before = await audited(action);
  const headers = { 'idempotency-key': fresh() };
  const [first, second] = [await admin(method, path, body, headers), await admin(method, path, body, headers)];
  expect(first.status, first.text).toBeLessThan(300);
  expect([second.status, second.text]).toEqual([first.status, first.text]);
  expect([first.headers.get('idempotent-replayed'), second.headers.get('idempotent-replayed')]).toEqual([null, 'true']);
  expect((await audited(action)) - before).toBe(1);
  return first;
}

describe('an Idempotency-Key on accounts of an app', () => {
  it('makes, changes and deletes a user once', async () => {
    const one = await repeated('user.create', 'POST', USERS, { email: 'ann@desk.test', password: 'correct horse', roles: ['agent'] });
    const path = `${USERS}/${String(one.at('data', 'id'))}`;
    await repeated('user.update', 'PATCH', path, { roles: ['agent', 'lead'] });
    await repeated('user.delete', 'DELETE', path);
  });

  it('ends sessions and takes a second factor away once', async () => {
    const path = `${USERS}/${await made('bob@desk.test')}`;
    const bob = await world.login('desk', 'bob@desk.test');
    const begun = await bob('POST', '/api/desk/auth/totp', { password: 'correct horse' });
    const code = new TOTP({ secret: Secret.fromBase32(String(begun.at('data', 'secret'))) }).generate();
    expect((await bob('POST', '/api/desk/auth/totp/confirm', { code })).status).toBe(200);
    await repeated('totp.reset', 'DELETE', `${path}/totp`);
    const session = String((await admin('GET', `${path}/sessions`)).at('data', 0, 'id'));
    await repeated('session.end', 'DELETE', `${path}/sessions/${session}`);
    await repeated('session.end', 'DELETE', `${path}/sessions`);
  });

  it('makes one user of two requests at once', async () => {
    const body = { email: 'eve@desk.test', password: 'correct horse', roles: [] };
    const headers = { 'idempotency-key': fresh() };
    const replies = await Promise.all([admin('POST', USERS, body, headers), admin('POST', USERS, body, headers)]);
    expect(replies.map((reply) => reply.status)).toEqual([201, 201]);
    expect(replies[0]?.text).toBe(replies[1]?.text);
  });

  it('refuses the key for another request, and after a refusal takes it again', async () => {
    const headers = { 'idempotency-key': fresh() };
    expect((await admin('POST', USERS, { email: 'no address' }, headers)).status).toBe(422);
    const body = { email: 'joe@desk.test', password: 'correct horse' };
    expect((await admin('POST', USERS, body, headers)).status).toBe(201);
    expect((await admin('POST', USERS, { ...body, password: 'another one' }, headers)).at('error', 'code')).toBe('IDEMPOTENCY_MISMATCH');
    expect((await admin('POST', USERS, body, { 'idempotency-key': 'a b' })).at('error', 'code')).toBe('INVALID_VALUE');
  });

  it('keeps nothing of a password that guesses could be tried at', async () => {
    const body = { email: 'kim@desk.test', password: 'correct horse' };
    const key = fresh();
    await admin('POST', USERS, body, { 'idempotency-key': key });
    const { rows } = await world.pool.query<{ hash: string; answer: string }>(
      'select hash, answer from app_desk._idempotency where key = $1',
      [key],
    );
    expect(rows).toHaveLength(1);
    expect(rows[0]?.hash).not.toBe(digestOf(JSON.stringify(['POST', ['desk', '_admin', 'users'], [], null, body])));
    expect(rows[0]?.answer).not.toContain('correct horse');
  });
});

const APP_WRITES: readonly (readonly [string, string])[] = [
  ...[
    'login',
    'login/totp',
    'refresh',
    'logout',
    'register',
    'accept-invite',
    'forgot',
    'reset',
    'verify',
    'verify/send',
    'password',
    'totp',
    'totp/confirm',
    'oidc/token',
    'api-keys',
    `api-keys/${ID}/rotate`,
  ].map((verb) => ['POST', `auth/${verb}`] as const),
  ...['sessions', `sessions/${ID}`, 'totp', `oidc/links/any`, `api-keys/${ID}`].map((verb) => ['DELETE', `auth/${verb}`] as const),
  ...[
    'entities',
    'relations',
    'rules',
    'state-machines',
    'workflows',
    'permissions',
    'webhooks',
    'roles',
    'invites',
    'invites/bulk',
    `invites/${ID}/resend`,
    'api-keys',
    `api-keys/${ID}/rotate`,
    'auth-providers',
    'signing-keys/rotate',
    'rules/try',
    'permissions/simulate',
    'permissions/matrix',
    'permissions/impact',
    'import',
    'versions',
    'versions/1/rollback',
    'migrations',
    `deliveries/${ID}/replay`,
    `webhooks/${ID}/test`,
    `webhooks/${ID}/secret`,
    `webhooks/${ID}/enable`,
    'deliveries/replay',
  ].map((part) => ['POST', `_admin/${part}`] as const),
  ...['entities/ticket', `invites/${ID}`, `api-keys/${ID}`, 'auth-providers/any', 'secrets/ANY'].map(
    (part) => ['DELETE', `_admin/${part}`] as const,
  ),
  ['PUT', '_admin/secrets/ANY'],
  ['POST', '_workflows/start/any'],
  ['POST', `_workflows/${ID}/approve`],
  ['DELETE', `_workflows/${ID}`],
];
const PLATFORM_WRITES: readonly (readonly [string, string])[] = [
  ['POST', 'auth/login'],
  ['POST', 'apps'],
  ['DELETE', 'apps/desk'],
  ['POST', 'schemas'],
  ['POST', 'users'],
  ['POST', 'invites'],
  ['POST', 'api-keys'],
];

describe('where no answer is kept', () => {
  const refused = (reply: Reply): void => {
    expect(reply.status, reply.text).toBe(400);
    expect([reply.at('error', 'code'), reply.at('error', 'details', 0, 'field')]).toEqual(['INVALID_VALUE', 'Idempotency-Key']);
  };

  it.each(APP_WRITES)('an Idempotency-Key is refused by %s %s', async (method, path) => {
    refused(await admin(method, `/api/desk/${path}`, {}, { 'idempotency-key': fresh() }));
  });

  it.each(PLATFORM_WRITES)('an Idempotency-Key is refused by %s _platform/%s', async (method, path) => {
    refused(await platform(method, `/api/_platform/${path}`, {}, { 'idempotency-key': fresh() }));
  });

  it('does nothing that it refused, signed in or not', async () => {
    const body = { email: 'platform@localhost', password: 'changeme' };
    refused(await callerOf(world.url)('POST', '/api/_platform/auth/login', body, { 'idempotency-key': fresh() }));
    refused(await admin('POST', '/api/desk/_admin/invites', { email: 'new@desk.test' }, { 'idempotency-key': fresh() }));
    expect((await admin('GET', '/api/desk/_admin/invites')).at('data')).toEqual([]);
  });

  it('is no matter to reads', async () => {
    for (const path of ['ticket', '_admin/users', '_admin/entities', 'auth/me', '_discovery', '_workflows'])
      expect((await admin('GET', `/api/desk/${path}`, undefined, { 'idempotency-key': fresh() })).status, path).toBe(200);
    expect((await admin('POST', '/api/desk/ticket/_query', {}, { 'idempotency-key': fresh() })).status).toBe(200);
  });
});
