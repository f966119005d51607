/** Two built api processes and one worker on one database: what one publishes the other serves, and a process that fell behind says so. */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { freePort } from '../../infra/local/system.ts';
import { signIn, type Caller, type Reply } from '../support/api.ts';
import { freshDatabase } from '../support/database.ts';
import { openGate, type Gate } from '../support/gate.ts';
import { buildAll, launchVerb, type Launched } from '../support/process.ts';
import { temporalAddress } from '../support/temporal.ts';

interface Process {
  readonly url: string;
  readonly launched: Launched;
  readonly call: Caller;
}

let env: NodeJS.ProcessEnv;
let gate: Gate;
let worker: Launched;
let first: Process;
let second: Process;
const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'durabase-two-'));

async function api(databaseUrl: string): Promise<Process> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const launched = launchVerb('api', { ...env, DATABASE_URL: databaseUrl, PORT: String(port) });
  await vi.waitUntil(async () => (await fetch(`${url}/health/ready`).catch(() => undefined))?.status === 200, {
    timeout: 30_000,
    interval: 50,
  });
  return { url, launched, call: await signIn(url, 'platform@localhost', 'changeme') };
}

/** The same database through the gate. */
function throughGate(databaseUrl: string): string {
  const url = new URL(databaseUrl);
  url.hostname = '127.0.0.1';
  url.port = String(gate.port);
  return url.href;
}

let databaseUrl: string;
beforeAll(async () => {
  await buildAll();
  databaseUrl = await freshDatabase();
  const { hostname, port } = new URL(databaseUrl);
  gate = await openGate({ host: hostname, port: Number(port) });
  env = {
    DATABASE_URL: databaseUrl,
    DATA_DIR: dataDir,
    TEMPORAL_ADDRESS: await temporalAddress(),
    TEMPORAL_NAMESPACE: `t-${randomBytes(4).toString('hex')}`,
    SECRET_KEY: 'k'.repeat(40),
    LOG_LEVEL: 'warn',
  };
  worker = launchVerb('worker', env);
  [first, second] = await Promise.all([api(databaseUrl), api(throughGate(databaseUrl))]);
  // The worker may still be on its way.
  await vi.waitUntil(async () => [201, 409].includes((await first.call('POST', '/api/_platform/apps', { name: 'main' })).status), {
    timeout: 40_000,
    interval: 200,
  });
}, 120_000);
afterAll(async () => {
  second?.launched.kill('SIGCONT');
  for (const one of [first?.launched, second?.launched, worker]) one?.kill('SIGKILL');
  await Promise.all([first?.launched, second?.launched, worker].map((one) => one?.ended));
  gate?.close();
  fs.rmSync(dataDir, { recursive: true, force: true });
});

const entity = (by: Process, name: string): Promise<Reply> =>
  by.call('POST', '/api/main/_admin/entities', { name, fields: [{ name: 'title', type: 'string' }] });
const field = (by: Process, of: string, name: string): Promise<Reply> =>
  by.call('PUT', `/api/main/_admin/entities/${of}`, {
    name: of,
    fields: [
      { name: 'title', type: 'string' },
      { name, type: 'int' },
    ],
  });

describe('two api processes', () => {
  it('serve what was published through the other the moment the call returns', async () => {
    for (let round = 0; round < 5; round++) {
      const name = `thing_${round}`;
      expect((await entity(first, name)).status).toBe(201);
      const written = await second.call('POST', `/api/main/${name}`, { title: 'a' });
      expect(written.status, JSON.stringify(written.body)).toBe(201);
      expect((await field(second, name, 'size')).status).toBe(200);
      expect((await first.call('POST', `/api/main/${name}`, { title: 'b', size: 2 })).status).toBe(201);
      expect((await second.call('GET', `/api/main/${name}?sort=title`)).at('data', 1, 'size')).toBe(2);
    }
  }, 30_000);

  it('find in the bundle what lies beside it: pages, their files, and the thread of expressions', async () => {
    const docs = await (await fetch(`${first.url}/api/main/_docs`)).text();
    for (const file of ['docs.js', 'swagger-ui-bundle.js']) {
      const [, src] = new RegExp(`src="([^"]+/${file})"`).exec(docs) ?? [];
      expect((await fetch(new URL(src ?? '', first.url))).status).toBe(200);
    }
    expect(await (await fetch(`${first.url}/admin/`)).text()).toContain('/admin/assets/');
    expect((await entity(first, 'computed')).status).toBe(201);
    const rule = { field: 'title', expression: "$join($map(['a', 'b'], function($x) { $x }))" };
    expect(
      await first.call('POST', '/api/main/_admin/rules', { entity: 'computed', hook: 'before_write', type: 'computed', definition: rule }),
    ).toMatchObject({ status: 201 });
    expect((await first.call('POST', '/api/main/computed', {})).at('data', 'title')).toBe('ab');
  }, 30_000);

  it('a process cut off from the database answers 503 within six seconds, and serves again when it is back', async () => {
    gate.hold();
    const held = Date.now();
    const status = async (): Promise<number> =>
      (await fetch(`${second.url}/api/main/thing_0`, { signal: AbortSignal.timeout(500) }).catch(() => undefined))?.status ?? 0;
    await vi.waitUntil(async () => (await status()) === 503, { timeout: 6_500, interval: 50 });
    expect(Date.now() - held).toBeLessThan(6_500);
    // Others do not wait for it any longer.
    const published = await entity(first, 'while_cut_off');
    expect(published.status, JSON.stringify(published.body)).toBe(201);
    gate.release();
    await vi.waitUntil(
      async () => (await second.call('POST', '/api/main/while_cut_off', { title: 'x' }).catch(() => undefined))?.status === 201,
      { timeout: 10_000, interval: 50 },
    );
  }, 40_000);

  it('a process that was stopped and continued never answers from the schema it had', async () => {
    await entity(first, 'stopped');
    expect((await second.call('POST', '/api/main/stopped', { title: 'x' })).status).toBe(201);
    second.launched.kill('SIGSTOP');
    const publishing = field(first, 'stopped', 'size');
    // Sent into the stopped process: answered the moment it continues.
    const asked = Array.from({ length: 8 }, () => second.call('POST', '/api/main/stopped', { title: 'y', size: 1 }));
    const published = await publishing;
    expect([200, 202]).toContain(published.status);
    await vi.waitUntil(async () => (await first.call('GET', '/api/main/_admin/migrations')).at('data', 0, 'status') === 'completed', {
      timeout: 8_000,
      interval: 50,
    });
    second.launched.kill('SIGCONT');
    const statuses = (await Promise.all(asked)).map((reply) => reply.status);
    for (const status of statuses) expect([201, 503]).toContain(status);
    await vi.waitUntil(async () => (await second.call('POST', '/api/main/stopped', { title: 'z', size: 1 })).status === 201, {
      timeout: 5_000,
      interval: 50,
    });
  }, 40_000);

  it('a process killed with -9 holds up publishes for six seconds at most', async () => {
    second.launched.kill('SIGKILL');
    await second.launched.ended;
    const at = Date.now();
    const published = await entity(first, 'after_kill');
    expect([201, 202], JSON.stringify(published.body)).toContain(published.status);
    await vi.waitUntil(async () => (await first.call('GET', '/api/main/_admin/migrations')).at('data', 0, 'status') === 'completed', {
      timeout: 6_500,
      interval: 50,
    });
    expect(Date.now() - at).toBeLessThan(6_500);
    expect((await first.call('POST', '/api/main/after_kill', { title: 'x' })).status).toBe(201);
    const next = Date.now();
    expect((await entity(first, 'right_after')).status).toBe(201);
    expect(Date.now() - next).toBeLessThan(3_000);
  }, 30_000);
});
