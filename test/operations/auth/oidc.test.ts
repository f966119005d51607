/** Signing in with OpenID Connect, against real providers in this process and over real HTTP. */
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { callerOf, type Caller, type Reply } from '../../support/api.ts';
import { freshDatabase } from '../../support/database.ts';
import { httpWorld, type HttpWorld } from '../../support/http-world.ts';
import { freePort } from '../../../infra/local/system.ts';
import { startIdp, TestBrowser, type Idp } from '../../support/oidc.ts';

let world: HttpWorld;
let google: Idp;
let okta: Idp;
let base: string;
let admin: Caller;
let shopAdmin: Caller;
const anyone = (): Caller => callerOf(base);

const documentOf = (auth: object): object => ({ version: 1, settings: { origins: ['https://desk.example'], auth } });
const users = (prefix: string): { id: string; email: string; roles: string[] }[] => [
  { id: `${prefix}0000000-0000-4000-8000-000000000001`, email: 'admin@localhost', roles: ['admin'] },
  { id: `${prefix}0000000-0000-4000-8000-000000000002`, email: 'Ann@Example.com', roles: ['agent'] },
];

beforeAll(async () => {
  const port = await freePort();
  base = `http://127.0.0.1:${port}`;
  const redirects = (provider: string): string[] =>
    ['desk', 'shop', '_platform'].map((app) => `${base}/api/${app}/auth/oidc/${provider}/callback`);
  const client = (client_id: string, provider: string): object => ({
    client_id,
    client_secret: 'a secret of tests',
    redirect_uris: redirects(provider),
  });
  google = await startIdp([client('durabase', 'google'), client('other', 'google'), client('limited', 'limited')] as never);
  okta = await startIdp([{ client_id: 'public', redirect_uris: redirects('okta'), token_endpoint_auth_method: 'none' }]);
  world = await httpWorld(await freshDatabase(), { PORT: String(port), PUBLIC_URL: base, CORS_ORIGINS: 'https://everywhere.example' });
  await world.app('desk', documentOf({ public_signup: true }), users('1'));
  await world.app('shop', documentOf({ public_signup: true, verify_email: false }), users('2'));
  admin = await world.login('desk', 'admin@localhost');
  shopAdmin = await world.login('shop', 'admin@localhost');
  const secret = { client_id: 'durabase', client_secret: 'a secret of tests' };
  for (const [caller, app] of [
    [admin, 'desk'],
    [shopAdmin, 'shop'],
  ] as const)
    expect(
      await caller('POST', `/api/${app}/_admin/auth-providers`, {
        name: 'google',
        display_name: 'Google',
        issuer: google.issuer,
        ...secret,
      }),
    ).toMatchObject({ status: 201 });
  const open = { name: 'okta', issuer: okta.issuer, client_id: 'public', allow_signup: true, default_roles: ['Member'] };
  expect(await admin('POST', '/api/desk/_admin/auth-providers', open)).toMatchObject({ status: 201 });
});
afterAll(async () => {
  await world?.close();
  await google?.close();
  await okta?.close();
});

beforeEach(async () => {
  for (const idp of [google, okta]) {
    idp.person = undefined;
    idp.tamper = undefined;
  }
  await world.pool.query('delete from durabase.rate_limits').catch(() => undefined);
});

const person = (idp: Idp, sub: string, email: string, verified: boolean | null = true): void => {
  idp.people.set(sub, { email, ...(verified === null ? {} : { email_verified: verified }) });
  idp.person = sub;
};

const PAGE = 'https://everywhere.example/back';
const start = (app: string, provider: string, page = PAGE): string =>
  `${base}/api/${app}/auth/oidc/${provider}/start?redirect_to=${encodeURIComponent(page)}`;
/** The whole walk; answers where the browser ends. */
const walk = (browser: TestBrowser, app: string, provider: string, alter?: (url: URL) => void): Promise<URL> =>
  browser.follow(start(app, provider), PAGE, alter);
const swap = async (browser: TestBrowser, app: string, code: string | null, more: object = {}): Promise<Reply> => {
  const cookie = browser.cookieHeader(new URL(`${base}/api/${app}/auth/oidc/token`));
  return anyone()('POST', `/api/${app}/auth/oidc/token`, { code, ...more }, { cookie });
};
const signInAt = async (app: string, provider: string): Promise<Reply> => {
  const browser = new TestBrowser();
  const end = await walk(browser, app, provider);
  expect(end.searchParams.get('error'), end.href).toBeNull();
  return swap(browser, app, end.searchParams.get('code'));
};
const errorAt = async (app: string, provider: string, alter?: (url: URL) => void): Promise<string | null> => {
  const end = await walk(new TestBrowser(), app, provider, alter);
  expect(end.searchParams.get('code')).toBeNull();
  return end.searchParams.get('error');
};
const callbackOf = (app: string, provider: string): string => `${base}/api/${app}/auth/oidc/${provider}/callback`;

describe('a sign-in at a provider', () => {
  it('gives the tokens of the account with the proved address, and never in an address', async () => {
    person(google, 'g-ann', 'ann@example.com');
    const browser = new TestBrowser();
    const visited: string[] = [];
    const end = await walk(browser, 'desk', 'google', (url) => visited.push(url.href));
    expect(end.origin + end.pathname).toBe(PAGE);
    const asked = new URL(visited[1] ?? '');
    expect(asked.origin).toBe(google.issuer);
    expect(Object.fromEntries(asked.searchParams)).toMatchObject({
      code_challenge_method: 'S256',
      response_type: 'code',
      scope: 'openid email profile',
    });
    expect(browser.seen[0]).toMatch(/^durabase_oidc=[\w-]{43}; Path=\/api\/desk\/auth\/oidc; Max-Age=600; HttpOnly; SameSite=Lax$/);
    const reply = await swap(browser, 'desk', end.searchParams.get('code'));
    expect(reply.status, JSON.stringify(reply.body)).toBe(200);
    expect(reply.at('data', 'user')).toMatchObject({ email: 'Ann@Example.com', roles: ['agent'] });
    const access = String(reply.at('data', 'access_token'));
    expect((await callerOf(base, access)('GET', '/api/desk/auth/me')).status).toBe(200);
    expect((await callerOf(base, access)('GET', '/api/shop/auth/me')).status).toBe(401);
    expect(visited.join('\n')).not.toContain(access);
    expect((await swap(browser, 'desk', end.searchParams.get('code'))).status).toBe(401);
  });

  it('knows its people by subject when their address changes', async () => {
    person(google, 'g-ann', 'ann@elsewhere.example', false);
    expect((await signInAt('desk', 'google')).at('data', 'user', 'email')).toBe('Ann@Example.com');
  });

  it('puts the refresh token into a cookie when asked', async () => {
    person(google, 'g-ann', 'ann@example.com');
    const browser = new TestBrowser();
    const end = await walk(browser, 'desk', 'google');
    const reply = await swap(browser, 'desk', end.searchParams.get('code'), { cookie: true });
    expect(reply.at('data', 'refresh_token')).toBeUndefined();
    expect(reply.headers.get('set-cookie')).toMatch(/^durabase_refresh=.+; Path=\/api\/desk\/auth; .*SameSite=Strict/);
    expect((await swap(browser, 'desk', 'x', { other: 1 })).status).toBe(400);
  });

  it('is of one app: the same address in two apps is two accounts', async () => {
    person(google, 'g-ann', 'ann@example.com');
    const [desk, shop] = [await signInAt('desk', 'google'), await signInAt('shop', 'google')];
    expect(desk.at('data', 'user', 'id')).toBe(users('1')[1]?.id);
    expect(shop.at('data', 'user', 'id')).toBe(users('2')[1]?.id);
    const browser = new TestBrowser();
    const end = await walk(browser, 'desk', 'google');
    const cookie = browser.cookieHeader(new URL(`${base}/api/desk/auth/oidc/token`));
    expect((await anyone()('POST', '/api/shop/auth/oidc/token', { code: end.searchParams.get('code') }, { cookie })).status).toBe(401);
  });

  it('makes an account with the default roles where a provider may, for a public client too', async () => {
    person(okta, 'new', 'new@example.com');
    const reply = await signInAt('desk', 'okta');
    expect(reply.at('data', 'user')).toMatchObject({ email: 'new@example.com', roles: ['member'] });
    expect((await signInAt('desk', 'okta')).at('data', 'user', 'id')).toBe(reply.at('data', 'user', 'id'));
  });

  it('works on the platform, for accounts there are', async () => {
    const platform = await world.platform();
    const provider = { name: 'google', issuer: google.issuer, client_id: 'durabase', client_secret: 'a secret of tests' };
    const open = await platform('POST', '/api/_platform/auth-providers', { ...provider, allow_signup: true });
    expect(open.status).toBe(422);
    expect((await platform('POST', '/api/_platform/auth-providers', provider)).status).toBe(201);
    person(google, 'g-new', 'stranger@example.com');
    expect(await errorAt('_platform', 'google')).toBe('signup_disabled');
    await platform('POST', '/api/_platform/users', { email: 'op@example.com', password: 'correct horse', roles: ['admin'] });
    person(google, 'g-op', 'op@example.com');
    expect((await signInAt('_platform', 'google')).at('data', 'user', 'email')).toBe('op@example.com');
  });
});

describe('nobody comes in', () => {
  it('with an address the provider does not vouch for, whether an account has it or not', async () => {
    for (const [email, verified] of [
      ['ann@example.com', false],
      ['ann@example.com', null],
      ['nobody@example.com', false],
    ] as const) {
      person(okta, `o-${email}-${verified}`, email, verified);
      expect(await errorAt('desk', 'okta')).toBe('email_not_verified');
    }
    okta.people.set('o-text', { email: 'ann@example.com', email_verified: 'true' as never });
    okta.person = 'o-text';
    expect(await errorAt('desk', 'okta')).toBe('email_not_verified');
  });

  it('without an account where signing up is off', async () => {
    person(google, 'g-nobody', 'nobody@example.com');
    expect(await errorAt('desk', 'google')).toBe('signup_disabled');
  });

  it('to an account that is not active, linked or not', async () => {
    const made = await admin('POST', '/api/desk/_admin/users', { email: 'off@example.com', password: 'correct horse', roles: [] });
    person(google, 'g-off', 'off@example.com');
    await signInAt('desk', 'google');
    const browser = new TestBrowser();
    const end = await walk(browser, 'desk', 'google');
    await admin('PUT', `/api/desk/_admin/users/${String(made.at('data', 'id'))}`, { active: false });
    expect((await swap(browser, 'desk', end.searchParams.get('code'))).status).toBe(401);
    expect(await errorAt('desk', 'google')).toBe('account_inactive');
    person(google, 'g-off-2', 'off@example.com');
    expect(await errorAt('desk', 'google')).toBe('account_inactive');
  });

  it('with a state that is wrong, repeated, used or not of this browser', async () => {
    person(google, 'g-ann', 'ann@example.com');
    const browser = new TestBrowser();
    const callback = await browser.follow(start('desk', 'google'), callbackOf('desk', 'google'));
    const wrong = new URL(callback);
    wrong.searchParams.set('state', `${(callback.searchParams.get('state') ?? '').slice(0, -1)}_`);
    expect((await browser.fetch(wrong.href)).status).toBe(400);
    const twice = new URL(callback);
    twice.searchParams.append('state', 'another');
    expect((await browser.fetch(twice.href)).status).toBe(400);
    expect((await browser.fetch(`${callbackOf('desk', 'google')}?code=a&state=%00`)).status).toBe(400);
    expect((await new TestBrowser().fetch(callback.href)).status).toBe(400);
    const stranger = new TestBrowser();
    await stranger.fetch(start('desk', 'google'));
    const refused = await stranger.fetch(callback.href);
    expect(refused.status).toBe(400);
    expect(refused.headers.get('location')).toBeNull();
    expect((await browser.fetch(callback.href, { method: 'HEAD' })).status).toBe(404);
    expect((await browser.fetch(callback.href)).status).toBe(302);
    expect((await browser.fetch(callback.href)).status).toBe(400);
  });

  it('with a state that is too old, or a code that is', async () => {
    person(google, 'g-ann', 'ann@example.com');
    const age = (): Promise<unknown> => world.pool.query(`update app_desk._oidc_logins set expires_at = now() - interval '1 second'`);
    const browser = new TestBrowser();
    const callback = await browser.follow(start('desk', 'google'), callbackOf('desk', 'google'));
    await age();
    expect((await browser.fetch(callback.href)).status).toBe(400);
    const end = await walk(browser, 'desk', 'google');
    const left = await world.pool.query(
      `select extract(epoch from expires_at - now()) as s from app_desk._oidc_logins where user_id is not null`,
    );
    expect(Number((left.rows[0] as { s: string }).s)).toBeLessThanOrEqual(60);
    await age();
    expect((await swap(browser, 'desk', end.searchParams.get('code'))).status).toBe(401);
  });

  it('with a code in another browser, which leaves it good in its own', async () => {
    person(google, 'g-ann', 'ann@example.com');
    const browser = new TestBrowser();
    const code = (await walk(browser, 'desk', 'google')).searchParams.get('code');
    const stranger = new TestBrowser();
    await stranger.fetch(start('desk', 'google'));
    expect((await swap(new TestBrowser(), 'desk', code)).status).toBe(401);
    expect((await swap(stranger, 'desk', code)).status).toBe(401);
    expect((await swap(browser, 'desk', code)).status).toBe(200);
    for (const garbage of [null, 5, {}, [], '', 'x'.repeat(100_000), '\u0000'])
      expect((await swap(browser, 'desk', garbage as never)).status).toBe(401);
  });

  it('with an ID token for another nonce, client or issuer, too old, or signed by somebody else', async () => {
    person(google, 'g-ann', 'ann@example.com');
    expect(await errorAt('desk', 'google', (url) => url.searchParams.has('nonce') && url.searchParams.set('nonce', 'another'))).toBe(
      'invalid_answer',
    );
    const withClaims = (change: object): void => {
      google.tamper = async (token) => google.sign({ ...decodeJwt(token), ...change });
    };
    withClaims({});
    expect((await signInAt('desk', 'google')).status).toBe(200);
    for (const change of [{ aud: 'other' }, { iss: okta.issuer }, { exp: 1 }, { nonce: undefined }, { sub: 'g-off' }]) {
      withClaims(change);
      expect(await errorAt('desk', 'google'), JSON.stringify(change)).toBe('invalid_answer');
    }
    google.tamper = async (token) => okta.sign(decodeJwt(token));
    expect(await errorAt('desk', 'google')).toBe('invalid_answer');
  });

  it('with a code meant for another client', async () => {
    person(google, 'g-ann', 'ann@example.com');
    expect(await errorAt('desk', 'google', (url) => url.searchParams.has('client_id') && url.searchParams.set('client_id', 'other'))).toBe(
      'invalid_answer',
    );
  });

  it('with an answer of another provider', async () => {
    person(google, 'g-ann', 'ann@example.com');
    expect(await errorAt('desk', 'google', (url) => void (url.pathname = url.pathname.replace('/google/callback', '/okta/callback')))).toBe(
      'invalid_answer',
    );
  });

  it('when the provider refuses: its code is told, its words are not', async () => {
    const end = await walk(new TestBrowser(), 'desk', 'google');
    expect(end.searchParams.get('error')).toBe('access_denied');
    expect(end.searchParams.get('error_description')).toBe('The sign-in provider did not sign you in.');
    const browser = new TestBrowser();
    const refused = await browser.follow(start('desk', 'google'), callbackOf('desk', 'google'));
    refused.searchParams.set('error', '<script>');
    const landed = new URL((await browser.fetch(refused.href)).headers.get('location') ?? '');
    expect(landed.searchParams.get('error')).toBe('provider_error');
  });

  it('while the provider is away: 503 at the start, an error at the end', async () => {
    const away = await startIdp([]);
    await away.close();
    const made = await admin('POST', '/api/desk/_admin/auth-providers', { name: 'away', issuer: away.issuer, client_id: 'x' });
    expect(made.status).toBe(201);
    const reply = await new TestBrowser().fetch(start('desk', 'away'));
    expect(reply.status).toBe(503);
    expect(await reply.text()).not.toContain('ECONNREFUSED');
    const limited = await startIdp([
      { client_id: 'limited', redirect_uris: [callbackOf('desk', 'limited')], token_endpoint_auth_method: 'none' },
    ]);
    await admin('POST', '/api/desk/_admin/auth-providers', { name: 'limited', issuer: limited.issuer, client_id: 'limited' });
    person(limited, 'l', 'ann@example.com');
    const browser = new TestBrowser();
    const callback = await browser.follow(start('desk', 'limited'), callbackOf('desk', 'limited'));
    await limited.close();
    const end = new URL((await browser.fetch(callback.href)).headers.get('location') ?? '');
    expect(end.searchParams.get('error')).toBe('provider_unavailable');
  });

  it('more often than the limit of the address', async () => {
    const statuses = new Set<number>();
    for (let i = 0; i < 62; i++) statuses.add((await new TestBrowser().fetch(start('shop', 'nothing', '/admin/'))).status);
    expect([...statuses]).toEqual([404, 429]);
  });
});

describe('where one comes back to', () => {
  it.each([
    '',
    'https://evil.example/',
    '//evil.example',
    '/\\evil.example',
    'javascript:alert(1)',
    'https://desk.example@evil.example/',
    'https://u:p@desk.example/',
    'http://desk.example/',
    'data:text/html,x',
  ])('is never %j', async (page) => {
    expect((await new TestBrowser().fetch(start('desk', 'google', page))).status).toBe(400);
  });
  it('is a path, an origin of the app or one of the installation', async () => {
    person(google, 'g-ann', 'ann@example.com');
    for (const [given, expected] of [
      ['/admin/?a=1#top', `${base}/admin/?a=1&code=`],
      ['https://desk.example/x', 'https://desk.example/x?code='],
    ] as const) {
      const end = await new TestBrowser().follow(start('desk', 'google', given), given.startsWith('/') ? base + given.slice(0, 7) : given);
      expect(end.href.startsWith(expected), end.href).toBe(true);
    }
    for (const wrong of ['&more=1', 'a'.repeat(3_000)])
      expect((await new TestBrowser().fetch(start('desk', 'google') + wrong)).status).toBe(400);
  });
});

describe('an account that a stranger made with one`s address', () => {
  it('is taken over by its owner: the stranger loses the password, the session and the keys', async () => {
    const made = await anyone()('POST', '/api/desk/auth/register', { email: 'victim@example.com', password: 'of a stranger' });
    expect(made.status).toBe(201);
    const stranger = callerOf(base, String(made.at('data', 'access_token')));
    const key = await stranger('POST', '/api/desk/auth/api-keys', { name: 'stays', scopes: ['*:*'] });
    expect(key.status).toBe(201);
    person(google, 'g-victim', 'victim@example.com');
    const reply = await signInAt('desk', 'google');
    expect(reply.at('data', 'user', 'id')).toBe(made.at('data', 'user', 'id'));
    const refresh = { refresh_token: made.at('data', 'refresh_token') };
    expect((await anyone()('POST', '/api/desk/auth/refresh', refresh)).status).toBe(401);
    expect((await anyone()('POST', '/api/desk/auth/login', { email: 'victim@example.com', password: 'of a stranger' })).status).toBe(401);
    const keys = await callerOf(base, String(reply.at('data', 'access_token')))('GET', '/api/desk/auth/api-keys');
    expect(keys.at('data', 0, 'revoked')).toBe(true);
    // Now that the address is proved, a second provider only links.
    person(okta, 'o-victim', 'victim@example.com');
    await signInAt('desk', 'okta');
    expect((await callerOf(base, String(reply.at('data', 'access_token')))('GET', '/api/desk/auth/me')).status).toBe(200);
  });
});

describe('one`s links', () => {
  it('are listed and given up, but not the last way in', async () => {
    person(okta, 'o-links', 'links@example.com');
    const own = callerOf(base, String((await signInAt('desk', 'okta')).at('data', 'access_token')));
    person(google, 'g-links', 'links@example.com');
    await signInAt('desk', 'google');
    const list = await own('GET', '/api/desk/auth/oidc/links');
    expect(list.body).toMatchObject({ data: [{ provider: 'okta', email: 'links@example.com' }, { provider: 'google' }] });
    expect((await own('DELETE', '/api/desk/auth/oidc/links/nothing')).status).toBe(404);
    expect((await own('DELETE', '/api/desk/auth/oidc/links/google')).status).toBe(200);
    expect((await own('DELETE', '/api/desk/auth/oidc/links/okta')).status).toBe(409);
    expect((await own('GET', '/api/desk/auth/oidc/links')).body).toMatchObject({ data: [{ provider: 'okta' }] });
    expect((await anyone()('GET', '/api/desk/auth/oidc/links')).status).toBe(401);
  });
});

describe('providers', () => {
  const path = '/api/desk/_admin/auth-providers';
  it('are kept by admins; the secret is never read back, and everybody sees only the names', async () => {
    const text = JSON.stringify((await admin('GET', path)).body);
    expect(text).not.toContain('a secret of tests');
    expect((await admin('GET', `${path}/google`)).body).toMatchObject({
      data: { name: 'google', has_secret: true, scopes: ['openid', 'email', 'profile'] },
    });
    const shown = (await anyone()('GET', '/api/desk/auth/providers')).at('data') as object[];
    expect(shown).toContainEqual({ name: 'google', display_name: 'Google' });
    expect(Object.keys(shown[0] ?? {})).toEqual(['name', 'display_name']);
    const ann = await world.login('desk', 'Ann@Example.com');
    expect((await ann('GET', path)).status).toBe(403);
    const stored = await world.pool.query('select sealed_secret from app_desk._auth_providers where sealed_secret is not null');
    expect(stored.rows.map((row: { sealed_secret: Buffer }) => row.sealed_secret.toString('latin1')).join()).not.toContain('a secret');
  });

  it('are changed, switched off and removed, with a record of it', async () => {
    const provider = { name: 'third', issuer: okta.issuer, client_id: 'public', client_secret: 'x' };
    expect((await admin('POST', path, provider)).status).toBe(201);
    expect((await admin('POST', path, provider)).status).toBe(409);
    expect((await admin('PATCH', `${path}/third`, { active: false, client_secret: null })).body).toMatchObject({
      data: { active: false, has_secret: false, client_id: 'public' },
    });
    expect((await new TestBrowser().fetch(start('desk', 'third'))).status).toBe(404);
    expect(JSON.stringify((await anyone()('GET', '/api/desk/auth/providers')).body)).not.toContain('third');
    expect((await admin('DELETE', `${path}/third`)).status).toBe(200);
    expect((await admin('GET', `${path}/third`)).status).toBe(404);
    const audited = await world.pool.query(`select action from durabase.audit where target = 'third' order by id`);
    expect(audited.rows.map((row: { action: string }) => row.action)).toEqual([
      'auth_provider.create',
      'auth_provider.update',
      'auth_provider.delete',
    ]);
  });

  it('are asked what they say of themselves before they are added, and what answers wrongly is not shown', async () => {
    const check = (issuer: string): Promise<Reply> => admin('POST', `${path}/check`, { issuer });
    expect((await check(okta.issuer)).at('data')).toMatchObject({
      answers: true,
      facts: { authorization_endpoint: `${okta.issuer}/auth`, token_endpoint: `${okta.issuer}/token` },
    });
    expect((await admin('GET', path)).at('meta', 'callback')).toBe(`${base}/api/desk/auth/oidc/{name}/callback`);
    const away = await startIdp([]);
    await away.close();
    expect((await check(away.issuer)).at('data')).toEqual({ answers: false, problem: 'unavailable', facts: null });
    // This server is none.
    expect((await check(base)).at('data')).toEqual({ answers: false, problem: 'invalid', facts: null });
    expect((await check('https://10.0.0.1')).status).toBe(422);
    expect((await admin('POST', path, { name: 'check', issuer: okta.issuer, client_id: 'x' })).status).toBe(422);
    expect((await admin('GET', `${path}/check`)).status).toBe(405);
  });

  it('are not changed with an API key', async () => {
    const key = await admin('POST', '/api/desk/_admin/api-keys', { name: 'ci', scopes: ['_admin:*'] });
    const caller = callerOf(base, String(key.at('data', 'key')));
    expect((await caller('GET', path)).status).toBe(200);
    expect((await caller('PATCH', `${path}/google`, { active: true })).status).toBe(403);
  });

  it.each([
    [{ name: 'token' }, 'name'],
    [{ name: 'A b' }, 'name'],
    [{ issuer: 'http://idp.example' }, 'issuer'],
    [{ issuer: 'https://10.0.0.1' }, 'issuer'],
    [{ issuer: 'https://idp.example/?a' }, 'issuer'],
    [{ issuer: 'https://u:p@idp.example' }, 'issuer'],
    [{ issuer: 'nonsense' }, 'issuer'],
    [{ client_id: '' }, 'client_id'],
    [{ client_id: 'a\u0000' }, 'client_id'],
    [{ scopes: ['email'] }, 'scopes'],
    [{ scopes: ['openid', 'a b'] }, 'scopes'],
    [{ default_roles: ['Admin'] }, 'default_roles'],
    [{ allow_signup: 'yes' }, 'allow_signup'],
    [{ client_secret: 5 }, 'client_secret'],
    [{ extra: 1 }, 'extra'],
  ])('are refused with %j', async (change, field) => {
    const reply = await admin('POST', path, { name: 'bad', issuer: google.issuer, client_id: 'x', ...change });
    expect(reply.status).toBe(422);
    expect(reply.at('error', 'details', 0, 'field')).toBe(field);
  });
});
