import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Secret, TOTP } from 'otpauth';
import { ApiError, createClient } from '../../client/client.ts';
import { typesOf } from '../../core/openapi/types.ts';
import { repositoryRoot } from '../../infra/local/repository.ts';
import { startWorld, type World } from '../api/world.ts';
import { complaintsAbout } from '../support/openapi-check.ts';

let world: World;
let description: Record<string, unknown>;

beforeAll(async () => {
  world = await startWorld();
  const token = await world.platformToken();
  await world.send('POST', '/api/_platform/apps', { token, body: { name: 'helpdesk' } });
  const example = fs.readFileSync(new URL('../../examples/helpdesk-ticketing.json', import.meta.url), 'utf8');
  await world.send('POST', '/api/helpdesk/_admin/import', { token, body: example, headers: { 'Content-Type': 'application/json' } });
  description = (await world.send('GET', '/api/helpdesk/_openapi.json', { token })).body;
}, 120_000);

interface Seen {
  readonly method: string;
  readonly path: string;
  readonly status: number;
}

/** Every request and answer must be in the description. */
function watched(seen: Seen[]): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    const { pathname, search } = new URL(String(input));
    const answer = { method: init?.method ?? 'GET', path: pathname + search, status: response.status };
    seen.push(answer);
    const text = await response.clone().text();
    expect(complaintsAbout(description, { ...answer, headers: response.headers, text })).toEqual([]);
    return response;
  };
}

async function signedIn(seen: Seen[] = []) {
  const client = createClient(world.url, { app: 'helpdesk', fetch: watched(seen) });
  await client.auth.login('admin@localhost', 'changeme');
  return client;
}

describe('the client of an app', () => {
  it('imports a file, tells what is wrong with it, and takes it back', async () => {
    const client = await signedIn();
    const file = new Blob(['name;email\nIda;ida@example.com\nIvo;not an address\n'], { type: 'text/csv' });
    const sent = await client.imports.send('customer', file, { file_name: 'people.csv' });
    const checked = await client.imports.settled(sent.id);
    expect(checked).toMatchObject({ state: 'checked', mapping: { name: 'name', email: 'email' }, counts: { created: 1, failed: 1 } });
    const errors = [];
    for await (const error of client.imports.errors(sent.id)) errors.push(error);
    expect(errors).toMatchObject([{ line: 3, column: 'email', code: 'VALIDATION_FAILED' }]);
    await expect(client.imports.run(sent.id)).rejects.toMatchObject({ code: 'CONFLICT' });
    await client.imports.run(sent.id, { on_error: 'skip' });
    expect(await client.imports.settled(sent.id)).toMatchObject({ state: 'completed', counts: { created: 1 } });
    await client.imports.undo(sent.id);
    expect(await client.imports.settled(sent.id)).toMatchObject({ state: 'undone', undo: { removed: 1, kept: 0 } });
    expect((await client.imports.list({ entity: 'customer' })).map(({ id }) => id)).toEqual([sent.id]);
  });

  it('asks for the code of an account with a second factor, and says when nobody can be asked', async () => {
    const account = { email: 'two@desk.test', password: 'two-factors', roles: ['agent'] };
    await world.send('POST', '/api/helpdesk/_admin/users', { token: await world.login('helpdesk'), body: account });
    const token = await world.login('helpdesk', account.email, account.password);
    const begun = await world.send('POST', '/api/helpdesk/auth/totp', { token, body: { password: account.password } });
    const codes = new TOTP({ secret: Secret.fromBase32(String(begun.body.data.secret)) });
    const confirmed = await world.send('POST', '/api/helpdesk/auth/totp/confirm', { token, body: { code: codes.generate() } });
    expect(confirmed.status, confirmed.text).toBe(200);
    const client = createClient(world.url, { app: 'helpdesk' });
    await expect(client.auth.login(account.email, account.password)).rejects.toMatchObject({ code: 'MFA_REQUIRED' });
    const recovery = String(confirmed.body.data.recovery_codes[0]);
    await expect(client.auth.login(account.email, account.password, () => recovery)).resolves.toMatchObject({ email: account.email });
    expect((await client.auth.me()).email).toBe(account.email);
  });

  it('sends only what the description has, and gets only what it says', async () => {
    const client = await signedIn();
    const customers = client.collection('customer');
    const made = await customers.create({ name: 'Ada', email: 'ada@example.com' });
    const id = String(made.data['id']);
    const found = await customers.list({
      filter: { email: { starts_with: 'ada' }, or: [{ name: 'Ada' }, { name: 'Bob' }] },
      sort: ['-name'],
      include: ['tickets'],
    });
    expect(found.data.map((row) => row['id'])).toEqual([id]);
    const read = await customers.get(id, { fields: ['name'] });
    expect(read.data).toEqual({ name: 'Ada' });
    const changed = await customers.update(id, { phone: '1' }, { ifMatch: made.etag ?? '' });
    expect(changed.data['phone']).toBe('1');
    await expect(customers.update(id, { phone: '2' }, { ifMatch: made.etag ?? '' })).rejects.toMatchObject({
      status: 412,
      code: 'PRECONDITION_FAILED',
    });
    expect((await customers.upsert({ name: 'Ada L.', email: 'ada@example.com' }, 'email')).data['name']).toBe('Ada L.');
    const results = await client.batch([
      { op: 'create', entity: 'customer', ref: 'who', body: { name: 'Dora', email: 'dora@example.com' } },
      { op: 'create', entity: 'ticket', body: { title: 'It broke', description: 'x', customer_id: { $ref: 'who.id' } } },
    ]);
    expect(results.meta.created).toBe(2);
    const tickets = client.collection('ticket');
    const ticket = String(results.data[1]?.data?.['id']);
    await tickets.delete(ticket);
    expect((await tickets.restore(ticket)).data['title']).toBe('It broke');
    expect(await tickets.aggregate({ count: ['*'], filter: { title: 'It broke' } })).toEqual([{ count: 1 }]);
    expect((await client.auth.sessions()).some((session) => session.current)).toBe(true);
  });

  it('walks a list of any length, and moves long questions into a body', async () => {
    const seen: Seen[] = [];
    const client = await signedIn(seen);
    await client
      .collection('customer')
      .bulk({ create: Array.from({ length: 25 }, (_, i) => ({ name: `W ${String(i)}`, email: `w${String(i)}@example.com` })) });
    const emails: unknown[] = [];
    const filter = { email: { in: Array.from({ length: 200 }, (_, i) => `w${String(i)}@example.com`) } };
    for await (const row of client.collection('customer').iterate({ limit: 10, sort: ['email'], filter })) emails.push(row['email']);
    expect([emails.length, new Set(emails).size]).toEqual([25, 25]);
    expect(seen.filter(({ path: called }) => called.endsWith('/customer/_query'))).toHaveLength(3);
  });

  it('renews an ended token once for all calls that wait, and keeps the session in a storage', async () => {
    const kept = new Map<string, string>();
    const storage = {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
      removeItem: (key: string) => void kept.delete(key),
    };
    const first = createClient(world.url, { app: 'helpdesk', storage });
    await first.auth.login('admin@localhost', 'changeme');
    const seen: Seen[] = [];
    const later = createClient(world.url, { app: 'helpdesk', storage, token: 'no.such.token', fetch: watched(seen) });
    const answers = await Promise.all([1, 2, 3, 4].map(() => later.collection('agent').list({ per_page: 1 })));
    expect(answers.every((page) => page.data.length === 1)).toBe(true);
    expect(seen.filter(({ path: called }) => called.endsWith('/auth/refresh'))).toHaveLength(1);
    await later.auth.logout();
    expect(kept.size).toBe(0);
    await expect(later.auth.me()).rejects.toMatchObject({ status: 401 });
  });

  it('sends a write again whose answer was lost, and it happens once', async () => {
    let isCut = false;
    const cutting: typeof fetch = async (input, init) => {
      const response = await fetch(input, init);
      if (init?.method !== 'POST' || isCut || !String(input).endsWith('/customer')) return response;
      isCut = true;
      throw new TypeError('the connection was lost');
    };
    const client = createClient(world.url, { app: 'helpdesk', fetch: cutting });
    await client.auth.login('admin@localhost', 'changeme');
    const made = await client.collection('customer').create({ name: 'Once', email: 'once@example.com' });
    expect([isCut, made.data['name']]).toEqual([true, 'Once']);
  });

  it('says what was wrong, and stops when it is told to', async () => {
    const client = await signedIn();
    const failure = await client
      .collection('customer')
      .create({ name: 'x' })
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ApiError);
    expect((failure as ApiError).body?.error.details?.[0]).toMatchObject({ field: 'email', rule: 'required' });
    const stop = AbortSignal.abort();
    await expect(client.collection('customer').list({ signal: stop })).rejects.toMatchObject({ name: 'AbortError' });
  });
});

const SAMPLE = `
import { createClient } from 'CLIENT';
import type { Schema } from './schema.ts';
export async function main(url: string): Promise<void> {
  const client = createClient<Schema>(url, { app: 'helpdesk' });
  const page = await client.collection('ticket').list({ filter: { priority: 'high' }, include: ['customer', 'responses'], sort: ['-created_at'] });
  for (const ticket of page.data) {
    const title: string = ticket.title;
    const name: string | undefined = ticket.customer?.name;
    const bodies: string[] = ticket.responses.map((response) => response.body);
    void [title, name, bodies];
  }
  await client.collection('customer').create({ name: 'Ada', email: 'ada@example.com' });
  LINE
}
`;

const MISTAKES = {
  field: ["await client.collection('ticket').list({ filter: { colour: 'red' } });", /colour/],
  value: ["await client.collection('ticket').list({ filter: { priority: 'urgent' } });", /urgent/],
  relation: ["await client.collection('ticket').list({ include: ['invoices'] });", /invoices/],
  entity: ["client.collection('invoice');", /invoice/],
  missing: ["await client.collection('customer').create({ name: 'Ada' });", /email/],
  unasked: ["(await client.collection('ticket').list({ fields: ['title'] })).data[0]?.status;", /status/],
} as const;

describe('durabase types', () => {
  it('lets tsc --strict pass right code, and refuse fields, values, relations and entities that are not there', () => {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'durabase-types-'));
    onTestFinished(() => fs.rmSync(dir, { recursive: true, force: true }));
    const root = repositoryRoot();
    const sample = (line: string): string => SAMPLE.replace('CLIENT', path.join(root, 'client/client.ts')).replace('LINE', line);
    fs.writeFileSync(path.join(dir, 'schema.ts'), typesOf(description));
    fs.writeFileSync(path.join(dir, 'right.ts'), sample(''));
    for (const [name, [line]] of Object.entries(MISTAKES)) fs.writeFileSync(path.join(dir, `${name}.ts`), sample(line));
    const flags =
      '--strict --noEmit --allowImportingTsExtensions --target es2023 --lib es2023,dom --module esnext --moduleResolution bundler';
    const files = fs.readdirSync(dir).map((file) => path.join(dir, file));
    const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
    const compiled = spawnSync(process.execPath, [tsc, ...flags.split(' '), ...files], { encoding: 'utf8', cwd: dir });
    const complaints = compiled.stdout.split(/\n(?=\S)/);
    expect(complaints.filter((line) => /^(right|schema)\.ts|client\//.test(line))).toEqual([]);
    for (const [name, [, mistake]] of Object.entries(MISTAKES)) {
      expect(complaints.find((line) => line.startsWith(`${name}.ts`)) ?? `${name} was not refused: ${compiled.stdout}`).toMatch(mistake);
    }
  }, 60_000);
});
