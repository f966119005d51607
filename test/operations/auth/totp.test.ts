/** Second factors over real HTTP; time is moved by the clock of the process. */
import { Secret, TOTP } from 'otpauth';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { uuidv7 } from '../../../adapters/ids.ts';
import { callerOf, type Caller, type Reply } from '../../support/api.ts';
import { freshDatabase } from '../../support/database.ts';
import { httpWorld, type HttpWorld } from '../../support/http-world.ts';

const PASSWORD = 'correct horse';
const APP = { version: 1, entities: [], settings: { auth: { require_totp_for: ['Guarded'] } } };
const START = Date.UTC(2027, 0, 1);

let world: HttpWorld;
let anyone: Caller;
let now = START;
const users = Array.from({ length: 20 }, (_, index) => ({ id: uuidv7(), email: `u${index}@example.com`, roles: ['agent'] }));

beforeAll(async () => {
  world = await httpWorld(await freshDatabase());
  anyone = callerOf(world.url);
  const boss = { id: uuidv7(), email: 'boss@example.com', roles: ['admin'] };
  const guarded = { id: uuidv7(), email: 'guarded@example.com', roles: ['guarded'] };
  await world.app('shop', APP, [boss, guarded, ...users]);
  await world.app('other', { version: 1 }, users.slice(0, 1));
}, 60_000);
afterAll(() => world.close());
beforeEach(() => {
  now += 3600_000;
  vi.useFakeTimers({ toFake: ['Date'], now });
});
afterEach(() => {
  now = Date.now();
  vi.useRealTimers();
});

const pass = (seconds: number): void => void vi.setSystemTime(Date.now() + seconds * 1_000);
const codeOf = (secret: string, seconds = 0): string =>
  TOTP.generate({ secret: Secret.fromBase32(secret), timestamp: Date.now() + seconds * 1_000 });
const wrong = (secret: string): string => {
  const near = [-30, 0, 30].map((seconds) => codeOf(secret, seconds));
  return ['111111', '222222', '333333', '444444'].find((code) => !near.includes(code)) ?? '';
};
const login = (email: string, app = 'shop'): Promise<Reply> => anyone('POST', `/api/${app}/auth/login`, { email, password: PASSWORD });
const answer = (token: unknown, code: unknown, app = 'shop'): Promise<Reply> =>
  anyone('POST', `/api/${app}/auth/login/totp`, { mfa_token: token, code });
const tokenOf = async (email: string): Promise<string> => String((await login(email)).at('data', 'mfa_token'));

interface Enrolled {
  readonly id: string;
  readonly email: string;
  readonly me: Caller;
  readonly secret: string;
  readonly recovery: readonly string[];
}

let next = 0;
/** A user of its own with a factor that is on; the next code is of a later step. */
async function enrolled(): Promise<Enrolled> {
  const user = users[next++];
  if (user === undefined) throw new Error('Make more users.');
  const me = await world.login('shop', user.email);
  const begun = await me('POST', '/api/shop/auth/totp', { password: PASSWORD });
  expect(begun.status, JSON.stringify(begun.body)).toBe(200);
  const secret = String(begun.at('data', 'secret'));
  const confirmed = await me('POST', '/api/shop/auth/totp/confirm', { code: codeOf(secret) });
  expect(confirmed.status, JSON.stringify(confirmed.body)).toBe(200);
  pass(30);
  return { ...user, me, secret, recovery: confirmed.at('data', 'recovery_codes') as string[] };
}

async function audited(target: string): Promise<string[]> {
  const { rows } = await world.pool.query<{ action: string }>('select action from durabase.audit where target = $1 order by id', [target]);
  return rows.map((row) => row.action);
}

describe('a second factor', () => {
  it('is begun with the password, counts for nothing until confirmed, and then asks for a code', async () => {
    const user = users[next++] ?? users[0];
    const email = user?.email ?? '';
    const me = await world.login('shop', email);
    expect((await me('POST', '/api/shop/auth/totp', { password: 'wrong' })).status).toBe(401);
    const begun = await me('POST', '/api/shop/auth/totp', { password: PASSWORD });
    const uri = new URL(String(begun.at('data', 'uri')));
    expect(uri.protocol).toBe('otpauth:');
    expect(uri.searchParams.get('secret')).toBe(begun.at('data', 'secret'));
    expect((await me('GET', '/api/shop/auth/totp')).at('data')).toEqual({ enabled: false, recovery_codes_left: 0 });
    expect((await login(email)).at('data', 'access_token')).toBeTypeOf('string');
    const secret = String(begun.at('data', 'secret'));
    expect((await me('POST', '/api/shop/auth/totp/confirm', { code: wrong(secret) })).status).toBe(401);
    const confirmed = await me('POST', '/api/shop/auth/totp/confirm', { code: codeOf(secret) });
    expect(new Set(confirmed.at('data', 'recovery_codes') as string[]).size).toBe(10);
    expect((await me('GET', '/api/shop/auth/totp')).at('data')).toEqual({ enabled: true, recovery_codes_left: 10 });
    expect((await me('POST', '/api/shop/auth/totp', { password: PASSWORD })).status).toBe(409);
    expect((await me('POST', '/api/shop/auth/totp/confirm', { code: codeOf(secret, 30) })).status).toBe(409);
    const half = await login(email);
    expect(half.status).toBe(200);
    expect(half.at('data')).toEqual({ mfa_required: true, mfa_token: expect.any(String) as string, expires_in: 300 });
    pass(30);
    const whole = await answer(half.at('data', 'mfa_token'), codeOf(secret));
    expect(whole.status).toBe(200);
    const token = String(whole.at('data', 'access_token'));
    expect((await callerOf(world.url, token)('GET', '/api/shop/auth/me')).at('data', 'email')).toBe(email);
    expect(await audited(user?.id ?? '')).toEqual(['totp.enable']);
  });

  it('keeps neither its secret nor its recovery codes nor its tokens in the clear', async () => {
    const user = await enrolled();
    const token = await tokenOf(user.email);
    const { rows } = await world.pool.query<{ text: string }>(
      `select f::text || encode(f.sealed_secret, 'escape') || c::text as text from app_shop._factors f join app_shop._challenges c using (user_id)`,
    );
    const stored = rows.map((row) => row.text).join('\n');
    expect(stored).toContain(user.id);
    const hidden = [user.secret, ...user.recovery, ...user.recovery.map((code) => code.replaceAll('-', '')), token.split('.')[1] ?? ''];
    for (const text of hidden) expect(stored).not.toContain(text);
  });

  it('takes the code of the step before and after, and no other', async () => {
    const user = await enrolled();
    pass(300);
    for (const [seconds, status] of [
      [-60, 401],
      [-30, 200],
      [60, 401],
      [30, 200],
    ] as const)
      expect((await answer(await tokenOf(user.email), codeOf(user.secret, seconds))).status, String(seconds)).toBe(status);
  });

  it('takes a code once, even when it is sent many times at once', async () => {
    const user = await enrolled();
    const tokens = await Promise.all([1, 2, 3, 4].map(() => tokenOf(user.email)));
    const replies = await Promise.all(tokens.map((token) => answer(token, codeOf(user.secret))));
    expect(replies.map((reply) => reply.status).sort()).toEqual([200, 401, 401, 401]);
    expect((await answer(await tokenOf(user.email), codeOf(user.secret, -30))).status).toBe(401);
    pass(30);
    const token = await tokenOf(user.email);
    const twice = await Promise.all([answer(token, codeOf(user.secret)), answer(token, codeOf(user.secret, 30))]);
    expect(twice.map((reply) => reply.status).sort()).toEqual([200, 401]);
  });

  it('takes each recovery code once, however it is written', async () => {
    const user = await enrolled();
    const [first = '', second = ''] = user.recovery;
    const replies = await Promise.all((await Promise.all([1, 2, 3].map(() => tokenOf(user.email)))).map((token) => answer(token, first)));
    expect(replies.map((reply) => reply.status).sort()).toEqual([200, 401, 401]);
    expect((await answer(await tokenOf(user.email), second.toUpperCase().replaceAll('-', ' '))).status).toBe(200);
    expect((await user.me('GET', '/api/shop/auth/totp')).at('data')).toEqual({ enabled: true, recovery_codes_left: 8 });
    expect(await audited(user.id)).toEqual(['totp.enable', 'totp.recovery', 'totp.recovery']);
  });

  it('ends the token of the first half after five wrong codes, use, time, and in another app', async () => {
    const user = await enrolled();
    const guessed = await tokenOf(user.email);
    for (let i = 0; i < 5; i++) expect((await answer(guessed, wrong(user.secret))).status).toBe(401);
    expect((await answer(guessed, codeOf(user.secret))).status).toBe(401);
    expect(await audited(user.id)).toContain('totp.refused');
    const elsewhere = await tokenOf(user.email);
    expect((await answer(elsewhere, codeOf(user.secret), 'other')).status).toBe(401);
    expect((await answer(elsewhere, codeOf(user.secret), '_platform')).status).toBe(401);
    expect((await answer(elsewhere, codeOf(user.secret))).status).toBe(200);
    pass(30);
    expect((await answer(elsewhere, codeOf(user.secret))).status).toBe(401);
    const late = await tokenOf(user.email);
    pass(301);
    expect((await answer(late, codeOf(user.secret))).status).toBe(401);
  });

  it('locks out whoever guesses on with new tokens', async () => {
    const user = await enrolled();
    const statuses = new Set<number>();
    for (let round = 0; round < 3; round++) {
      const token = await tokenOf(user.email);
      for (let i = 0; i < 4; i++) statuses.add((await answer(token, wrong(user.secret))).status);
    }
    expect(statuses).toEqual(new Set([401, 429]));
    expect((await answer(await tokenOf(user.email), codeOf(user.secret))).headers.get('retry-after')).not.toBeNull();
  });

  it('answers with a cookie where one is asked for', async () => {
    const user = await enrolled();
    const body = { mfa_token: await tokenOf(user.email), code: codeOf(user.secret), cookie: true };
    const reply = await anyone('POST', '/api/shop/auth/login/totp', body);
    expect(reply.headers.get('set-cookie')).toMatch(/^durabase_refresh=.+; Path=\/api\/shop\/auth; .*HttpOnly/);
    expect(reply.at('data', 'refresh_token')).toBeUndefined();
  });

  it('is turned off with password and code', async () => {
    const user = await enrolled();
    const off = (body: object): Promise<Reply> => user.me('DELETE', '/api/shop/auth/totp', body);
    expect((await off({ password: 'wrong', code: codeOf(user.secret) })).status).toBe(401);
    expect((await off({ password: PASSWORD, code: wrong(user.secret) })).status).toBe(401);
    expect((await off({ password: PASSWORD, code: user.recovery[3] })).status).toBe(200);
    expect((await off({ password: PASSWORD, code: codeOf(user.secret) })).status).toBe(404);
    expect((await login(user.email)).at('data', 'access_token')).toBeTypeOf('string');
    expect(await audited(user.id)).toEqual(['totp.enable', 'totp.disable']);
  });

  it('is turned off by an admin, and by nobody else', async () => {
    const user = await enrolled();
    const boss = await world.login('shop', 'boss@example.com');
    const path = `/api/shop/_admin/users/${user.id}/totp`;
    const waiting = await tokenOf(user.email);
    expect((await user.me('DELETE', path)).status).toBe(403);
    expect((await boss('GET', path)).at('data')).toEqual({ enabled: true, recovery_codes_left: 10 });
    expect((await boss('DELETE', path)).status).toBe(200);
    expect((await boss('DELETE', path)).status).toBe(404);
    expect((await answer(waiting, codeOf(user.secret))).status).toBe(401);
    expect((await login(user.email)).at('data', 'access_token')).toBeTypeOf('string');
    expect(await audited(user.id)).toEqual(['totp.enable', 'totp.reset']);
  });

  it('is taken back before it is confirmed, by its owner without a code and by an admin', async () => {
    const user = await enrolled();
    const boss = await world.login('shop', 'boss@example.com');
    const path = `/api/shop/_admin/users/${user.id}/totp`;
    await boss('DELETE', path);
    for (const takeBack of [() => user.me('DELETE', '/api/shop/auth/totp', { password: PASSWORD }), () => boss('DELETE', path)]) {
      const begun = await user.me('POST', '/api/shop/auth/totp', { password: PASSWORD });
      expect((await takeBack()).at('data')).toEqual({ enabled: false, recovery_codes_left: 0 });
      const code = codeOf(String(begun.at('data', 'secret')));
      expect((await user.me('POST', '/api/shop/auth/totp/confirm', { code })).status).not.toBe(200);
      expect((await takeBack()).status).toBe(404);
    }
  });

  it('stays when the password changes, and what waited for a code is dead', async () => {
    const user = await enrolled();
    const waiting = await tokenOf(user.email);
    expect((await user.me('POST', '/api/shop/auth/password', { current: PASSWORD, new: 'another horse' })).status).toBe(200);
    expect((await answer(waiting, codeOf(user.secret))).status).toBe(401);
    const half = await anyone('POST', '/api/shop/auth/login', { email: user.email, password: 'another horse' });
    expect(half.at('data', 'mfa_required')).toBe(true);
    expect((await answer(half.at('data', 'mfa_token'), codeOf(user.secret))).status).toBe(200);
  });

  it('works for platform accounts too', async () => {
    const platform = await world.platform();
    const begun = await platform('POST', '/api/_platform/auth/totp', { password: 'changeme' });
    const secret = String(begun.at('data', 'secret'));
    const confirmed = await platform('POST', '/api/_platform/auth/totp/confirm', { code: codeOf(secret) });
    expect(confirmed.status).toBe(200);
    const half = await anyone('POST', '/api/_platform/auth/login', { email: 'platform@localhost', password: 'changeme' });
    expect((await answer(half.at('data', 'mfa_token'), codeOf(secret, 30), '_platform')).status).toBe(200);
    const id = String((await platform('GET', '/api/_platform/auth/me')).at('data', 'id'));
    expect((await platform('DELETE', `/api/_platform/users/${id}/totp`)).status).toBe(200);
    await world.platform();
  });

  it('refuses garbage clearly', async () => {
    const user = await enrolled();
    const token = await tokenOf(user.email);
    const codes = [null, 123456, {}, ['123456'], '\0', '\ud800', '１２３４５６', '9'.repeat(100_000), '', '12345', '1234567', '-12345'];
    for (const code of codes.slice(0, 4)) expect((await answer(token, code)).status).toBe(401);
    for (const code of codes.slice(4, 8)) expect((await answer(await tokenOf(user.email), code)).status).toBe(401);
    for (const given of [null, 7, {}, 'x', '\0', token.slice(0, -1), 'a'.repeat(100_000)])
      expect((await answer(given, '123456')).status).toBe(401);
    for (const body of [[], 'x', { mfa_token: token, code: '123456', extra: 1 }])
      expect((await anyone('POST', '/api/shop/auth/login/totp', body)).status).toBe(400);
    expect((await anyone('GET', '/api/shop/auth/totp')).status).toBe(401);
    expect((await anyone('POST', '/api/shop/auth/totp', { password: PASSWORD })).status).toBe(401);
    expect((await anyone('GET', '/api/shop/auth/login/totp')).status).toBe(405);
    expect((await anyone('PUT', '/api/shop/auth/totp', {})).status).toBe(405);
  });
});

describe('require_totp_for', () => {
  it('lets who has the role in only far enough to set up a factor', async () => {
    const half = await login('guarded@example.com');
    expect(half.at('data')).toEqual({ mfa_enrol_required: true, mfa_token: expect.any(String) as string, expires_in: 900 });
    const token = half.at('data', 'mfa_token');
    expect((await answer(token, '123456')).status).toBe(401);
    expect((await callerOf(world.url, String(token))('GET', '/api/shop/auth/me')).status).toBe(401);
    const begun = await anyone('POST', '/api/shop/auth/totp', { mfa_token: token });
    const secret = String(begun.at('data', 'secret'));
    const confirm = (given: unknown, code: string): Promise<Reply> =>
      anyone('POST', '/api/shop/auth/totp/confirm', { mfa_token: given, code });
    expect((await confirm(token, wrong(secret))).status).toBe(401);
    const another = await tokenOf('guarded@example.com');
    const done = await confirm(token, codeOf(secret));
    expect(done.at('data', 'recovery_codes')).toHaveLength(10);
    expect(done.at('data', 'access_token')).toBeTypeOf('string');
    expect((await confirm(token, codeOf(secret, 30))).status).toBe(401);
    expect((await anyone('POST', '/api/shop/auth/totp', { mfa_token: another })).status).toBe(409);
    expect((await confirm(another, codeOf(secret, 30))).status).toBe(409);
    expect((await login('guarded@example.com')).at('data', 'mfa_required')).toBe(true);
  });

  it('ends the session of who is given the role later, at the next refresh', async () => {
    const user = users[next++];
    const signedIn = await login(user?.email ?? '');
    const boss = await world.login('shop', 'boss@example.com');
    expect((await boss('PATCH', `/api/shop/_admin/users/${user?.id ?? ''}`, { roles: ['guarded'] })).status).toBe(200);
    const refreshed = await anyone('POST', '/api/shop/auth/refresh', { refresh_token: signedIn.at('data', 'refresh_token') });
    expect(refreshed.status).toBe(401);
    expect((await login(user?.email ?? '')).at('data', 'mfa_enrol_required')).toBe(true);
  });
});
