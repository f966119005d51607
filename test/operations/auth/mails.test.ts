/** Invites, forgotten passwords, signing up: through HTTP, a worker and a real SMTP server. */
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startWorld, type Reply, type World } from '../../api/world.ts';
import { startSmtp, type Smtp } from '../../support/smtp.ts';

let smtp: Smtp;
let world: World;
let admin: string;
let database: pg.Client;

beforeAll(async () => {
  smtp = await startSmtp();
  world = await startWorld({ SMTP_URL: smtp.url, MAIL_FROM: 'Desk <desk@example.com>', PUBLIC_URL: 'https://api.example.com' });
  const token = await world.platformToken();
  const app = { name: 'main', display_name: 'Ann & <b>Co</b>\r\nBcc: eve@example.com' };
  const made = await world.send('POST', '/api/_platform/apps', { token, body: app });
  expect(made.status, made.text).toBe(201);
  admin = await world.login('main');
  const auth = { public_signup: true, default_roles: ['Member'] };
  await settings({ auth });
  expect((await world.send('POST', '/api/_platform/apps', { token, body: { name: 'closed' } })).status).toBe(201);
  database = new pg.Client({ connectionString: world.databaseUrl });
  await database.connect();
});
afterAll(() => database?.end());
/** Limits of the test before do not count. */
beforeEach(() => database.query('delete from durabase.rate_limits'));

async function settings(given: unknown): Promise<void> {
  const reply = await world.send('POST', '/api/main/_admin/import?mode=merge', { token: admin, body: { version: 1, settings: given } });
  expect(reply.status, reply.text).toBe(200);
}

const invites = (method: string, rest = '', body?: unknown, token = admin): Promise<Reply> =>
  world.send(method, `/api/main/_admin/invites${rest}`, body === undefined ? { token } : { token, body });
const auth = (verb: string, body: unknown): Promise<Reply> => world.send('POST', `/api/main/auth/${verb}`, { body });
const mailTo = async (email: string): Promise<string> =>
  await expect
    .poll(() => smtp.mails.findLast((mail) => mail.to.includes(email))?.text, { timeout: 8_000, interval: 20 })
    .toBeDefined()
    .then(() => smtp.mails.findLast((mail) => mail.to.includes(email))?.text ?? '');
const tokenIn = (mail: string): string => /#token=([\w.-]+)/.exec(mail)?.[1] ?? '';
const statusOf = async (email: string): Promise<{ status: string; tries: number; error: string | null }> =>
  (await invites('GET')).body.data.find((one: { email: string }) => one.email === email)?.mail;
/** Time until the next try, skipped. */
const dueNow = (): Promise<unknown> => database.query("update durabase.mails set due_at = now() where status = 'queued'");
let count = 0;
const someone = (): string => `p${count++}@example.com`;

describe('invites', () => {
  it('are mailed, accepted once, and sign in with the roles given', async () => {
    const email = someone();
    const made = await invites('POST', '', { email, roles: ['Agent'] });
    expect(made.status, made.text).toBe(201);
    expect(made.body.data).toMatchObject({ email, roles: ['agent'], mailed: true });
    const mail = await mailTo(email);
    expect(tokenIn(mail)).toBe(made.body.data.token);
    expect(mail).toContain('https://api.example.com/api/main/auth/accept-invite#token=');
    await expect.poll(async () => (await statusOf(email)).status).toBe('sent');
    const accepted = await auth('accept-invite', { token: tokenIn(mail), password: 'long enough' });
    expect(accepted.status, accepted.text).toBe(201);
    expect(accepted.body.data.user).toMatchObject({ email, roles: ['agent'] });
    expect((await world.send('GET', '/api/main/auth/me', { token: accepted.body.data.access_token })).status).toBe(200);
    expect((await auth('accept-invite', { token: tokenIn(mail), password: 'long enough' })).status).toBe(400);
    const list = await invites('GET');
    expect(list.body.data[0]).toMatchObject({ email, status: 'accepted' });
    expect(list.text).not.toMatch(/hash|token/);
    const { rows } = await database.query('select sealed from durabase.mails where status = $1', ['sent']);
    expect(rows.every((row: { sealed: unknown }) => row.sealed === null)).toBe(true);
  });

  it('say 409 for a user and for a pending invite, 404 for an unknown token, 400 for an expired one', async () => {
    expect((await invites('POST', '', { email: 'ADMIN@localhost' })).status).toBe(409);
    const email = someone();
    const { token, id } = (await invites('POST', '', { email })).body.data;
    expect((await invites('POST', '', { email: email.toUpperCase() })).status).toBe(409);
    const wrong = `${token.split('.')[0]}.${'a'.repeat(43)}`;
    for (const unknown of [wrong, 'x', null, 7])
      expect((await auth('accept-invite', { token: unknown, password: 'long enough' })).status).toBe(404);
    expect((await auth('accept-invite', { token, password: 'short' })).status).toBe(422);
    const { rows } = await database.query("select storage from durabase.apps where name = 'main'");
    await database.query(`update ${rows[0].storage}._invites set expires_at = now() where id = $1`, [id]);
    expect((await auth('accept-invite', { token, password: 'long enough' })).status).toBe(400);
    expect((await invites('POST', '', { email })).status).toBe(201);
  });

  it('are made in bulk with a report', async () => {
    const email = someone();
    const reply = await invites('POST', '/bulk', { emails: [email, email, 'admin@localhost', 'nonsense'], roles: ['agent'] });
    expect(reply.status, reply.text).toBe(201);
    expect(reply.body.data).toMatchObject({ created: [{ email, mailed: true }], summary: { total: 4, created: 1, skipped: 3 } });
    expect(reply.body.data.skipped).toEqual([
      { email, reason: 'repeated' },
      { email: 'admin@localhost', reason: 'user_exists' },
      { email: 'nonsense', reason: 'invalid_email' },
    ]);
    expect((await invites('POST', '/bulk', { emails: Array(501).fill('a@b') })).status).toBe(413);
    expect((await invites('POST', '/bulk', { emails: 'a@b' })).status).toBe(422);
  });

  it('are sent again with a new token, and withdrawn', async () => {
    const { id, token } = (await invites('POST', '', { email: someone() })).body.data;
    const again = await invites('POST', `/${id}/resend`, {});
    expect(again.status, again.text).toBe(200);
    expect((await auth('accept-invite', { token, password: 'long enough' })).status).toBe(404);
    expect((await invites('DELETE', `/${id}`)).status).toBe(200);
    expect((await auth('accept-invite', { token: again.body.data.token, password: 'long enough' })).status).toBe(404);
    expect((await invites('DELETE', '/nonsense')).status).toBe(404);
  });

  it('invite to the platform too, and are for admins only', async () => {
    const token = await world.platformToken();
    const made = await world.send('POST', '/api/_platform/invites', { token, body: { email: someone(), roles: ['admin'] } });
    expect(made.status, made.text).toBe(201);
    const accepted = await world.send('POST', '/api/_platform/auth/accept-invite', {
      body: { token: made.body.data.token, password: 'long enough' },
    });
    expect(accepted.status, accepted.text).toBe(201);
    expect((await auth('accept-invite', { token: made.body.data.token, password: 'long enough' })).status).toBe(404);
    const email = someone();
    const member = (await auth('register', { email, password: 'long enough' })).body.data.access_token as string;
    expect((await invites('GET', '', undefined, member)).status).toBe(403);
  });
});

describe('mails', () => {
  it('hold no foreign markup and no foreign header', async () => {
    const email = someone();
    await invites('POST', '', { email });
    const mail = await mailTo(email);
    expect(mail).toContain('Ann &amp; &lt;b&gt;Co&lt;/b&gt;');
    expect(mail).not.toMatch(/^Bcc:/im);
    expect(mail).toMatch(/^From: Desk <desk@example.com>/m);
    expect(smtp.mails.at(-1)?.to).toEqual([email]);
  });

  it('refused for now are sent later; refused for good are not tried again', async () => {
    const [later, never] = [someone(), someone()];
    smtp.refuse = { code: 451, message: 'greylisted' };
    await invites('POST', '', { email: later });
    await expect.poll(async () => (await statusOf(later)).error, { timeout: 5_000 }).toMatch(/greylisted/);
    expect(await statusOf(later)).toMatchObject({ status: 'queued', tries: 1 });
    smtp.refuse = undefined;
    await dueNow();
    await mailTo(later);
    smtp.refuse = { code: 550, message: 'no such box' };
    await invites('POST', '', { email: never });
    await expect.poll(() => statusOf(never), { timeout: 5_000 }).toMatchObject({ status: 'failed', tries: 1 });
    smtp.refuse = undefined;
  });

  it('wait for a server that is down or that does not let us in', async () => {
    const [down, locked] = [someone(), someone()];
    await smtp.stop();
    expect((await invites('POST', '', { email: down })).status).toBe(201);
    await expect.poll(async () => (await statusOf(down)).error, { timeout: 5_000 }).toMatch(/ECONNREFUSED/);
    await smtp.start();
    smtp.password = 'another';
    await invites('POST', '', { email: locked });
    await expect.poll(async () => (await statusOf(locked)).error, { timeout: 5_000 }).toMatch(/535/);
    expect(await statusOf(locked)).toMatchObject({ status: 'queued' });
    smtp.password = 'right';
    await dueNow();
    await Promise.all([mailTo(down), mailTo(locked)]);
  });
});

describe('a forgotten password', () => {
  it('is set anew by mail, once, and ends every session', async () => {
    const email = someone();
    const old = (await auth('register', { email, password: 'first one' })).body.data.access_token as string;
    const asked = await auth('forgot', { email });
    expect(asked.status, asked.text).toBe(200);
    const token = tokenIn(await mailTo(email));
    expect((await auth('reset', { token, password: 'short' })).status).toBe(422);
    const twice = await Promise.all([1, 2].map(() => auth('reset', { token, password: 'second one' })));
    expect(twice.map((reply) => reply.status).sort()).toEqual([200, 400]);
    expect((await world.send('GET', '/api/main/auth/me', { token: old })).status).toBe(401);
    expect((await auth('login', { email, password: 'first one' })).status).toBe(401);
    expect((await auth('login', { email, password: 'second one' })).status).toBe(200);
  });

  it('is answered alike for nobody, and nothing is sent', async () => {
    const [nobody, known] = [someone(), 'admin@localhost'];
    const [a, b] = [await auth('forgot', { email: nobody }), await auth('forgot', { email: known })];
    expect([a.status, a.text]).toEqual([b.status, b.text]);
    await mailTo(known);
    await expect
      .poll(async () => (await database.query("select count(*)::int as n from durabase.mails where status = 'void'")).rows[0].n)
      .toBe(1);
    expect(smtp.mails.some((mail) => mail.to.includes(nobody))).toBe(false);
  });

  it('may be asked for three times in five minutes, known or not', async () => {
    for (const email of [someone(), 'admin@localhost']) {
      const statuses = [];
      for (let i = 0; i < 4; i++) statuses.push((await auth('forgot', { email })).status);
      expect(statuses).toEqual([200, 200, 200, 429]);
    }
  });

  it.each([undefined, null, 7, 'x', `00000000-0000-7000-8000-000000000000.${'a'.repeat(43)}`])(
    'answers 400 for the token %j',
    async (token) => {
      expect((await auth('reset', { token, password: 'long enough' })).status).toBe(400);
    },
  );
});

describe('signing up', () => {
  it('is closed by default and on the platform', async () => {
    for (const where of ['closed', '_platform']) {
      const reply = await world.send('POST', `/api/${where}/auth/register`, { body: { email: someone(), password: 'long enough' } });
      expect(reply.status).toBe(403);
    }
  });

  it('gives the default roles and nothing else; a taken address is 409', async () => {
    const email = someone();
    const greedy = await auth('register', { email, password: 'long enough', roles: ['admin'] });
    expect(greedy.body.error.code).toBe('UNKNOWN_FIELD');
    const reply = await auth('register', { email, password: 'long enough' });
    expect(reply.status, reply.text).toBe(201);
    expect(reply.body.data.user.roles).toEqual(['member']);
    expect((await auth('register', { email, password: 'long enough' })).status).toBe(409);
    expect((await auth('register', { email: 'x', password: 'long enough' })).status).toBe(422);
  });

  it('is three times a minute from one address', async () => {
    const statuses = [];
    for (let i = 0; i < 4; i++) statuses.push((await auth('register', { email: someone(), password: 'long enough' })).status);
    expect(statuses).toEqual([201, 201, 201, 429]);
  });

  it('waits for the address to be confirmed, by whoever knows the password', async () => {
    await settings({
      auth: { public_signup: true, verify_email: true, verify_url: 'https://shop.example/#/verify' },
      origins: ['https://shop.example'],
    });
    const email = someone();
    const made = await auth('register', { email, password: 'long enough' });
    expect(made.status, made.text).toBe(202);
    expect((await auth('login', { email, password: 'long enough' })).status).toBe(401);
    const taken = await auth('register', { email: 'admin@localhost', password: 'long enough' });
    expect([taken.status, taken.text]).toEqual([made.status, made.text]);
    const mail = await mailTo(email);
    const token = /https:\/\/shop\.example\/#\/verify\?token=([\w.-]+)/.exec(mail)?.[1];
    expect((await auth('verify', { token, password: 'somebody else' })).status).toBe(401);
    const opened = await auth('verify', { token, password: 'long enough' });
    expect(opened.status, opened.text).toBe(200);
    expect((await auth('verify', { token, password: 'long enough' })).status).toBe(400);
    expect((await auth('login', { email, password: 'long enough' })).status).toBe(200);
  });

  it('cannot open what an admin closed', async () => {
    await settings({ auth: { public_signup: true, verify_email: true } });
    const email = someone();
    await auth('register', { email, password: 'long enough' });
    const token = tokenIn(await mailTo(email));
    const list = await world.send('GET', `/api/main/_admin/users?q=${email}`, { token: admin });
    await world.send('PUT', `/api/main/_admin/users/${list.body.data[0].id}`, { token: admin, body: { active: false } });
    expect((await auth('verify', { token, password: 'long enough' })).status).toBe(400);
  });

  it.each([
    [{ auth: { reset_url: 'https://evil.example/x' } }, 'a page at an origin that is not listed'],
    [{ auth: { default_roles: ['Admin'] } }, 'admins by signing up'],
    [{ auth: { signup: true } }, 'an unknown setting'],
  ])('settings refuse %j: %s', async (given, _why) => {
    const reply = await world.send('POST', '/api/main/_admin/import?mode=merge', { token: admin, body: { version: 1, settings: given } });
    expect(reply.status, reply.text).toBe(422);
  });
});

describe('the page of a mail', () => {
  it.each(['accept-invite', 'reset', 'verify'])('%s runs its own script and no other', async (page) => {
    const reply = await world.send('GET', `/api/main/auth/${page}`);
    expect(reply.status).toBe(200);
    expect(reply.headers.get('content-type')).toContain('text/html');
    expect(reply.headers.get('content-security-policy')).toMatch(/default-src 'none'; script-src 'nonce-/);
    expect(reply.text).not.toContain('<b>Co</b>');
  });
});
