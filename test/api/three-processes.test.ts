/**
 * Three built api processes on one database follow what one of them publishes, by LISTEN/NOTIFY alone and by Redis Streams alone; and
 * so does one that comes late, is slow, or was killed and started again.
 */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { freePort } from '../../infra/local/system.ts';
import { signIn, type Caller } from '../support/api.ts';
import { freshDatabase } from '../support/database.ts';
import { buildAll, launchVerb, type Launched } from '../support/process.ts';
import { skipsRedis, testRedis, type TestRedis } from '../support/redis.ts';
import { temporalAddress } from '../support/temporal.ts';

interface Process {
  readonly url: string;
  readonly launched: Launched;
  readonly call: Caller;
}

const PUBLISHES = 20;
const AGREED_MS = 1_000;
/** A process that only polled would need half a second in the middle. */
const WOKEN_MS = 250;

const dirs: string[] = [];
const started: Launched[] = [];
afterAll(async () => {
  for (const one of started) {
    one.kill('SIGCONT');
    one.kill('SIGKILL');
  }
  await Promise.all(started.map((one) => one.ended));
  for (const dir of dirs) fs.rmSync(dir, { recursive: true, force: true });
});

async function api(env: NodeJS.ProcessEnv): Promise<Process> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const launched = launchVerb('api', { ...env, PORT: String(port) });
  started.push(launched);
  await vi.waitUntil(async () => (await fetch(`${url}/health/ready`).catch(() => undefined))?.status === 200, {
    timeout: 40_000,
    interval: 50,
  });
  return { url, launched, call: await signIn(url, 'platform@localhost', 'changeme') };
}

/** The version a process serves; undefined while it says that it does not know. */
const served = async ({ call }: Process): Promise<number | undefined> => {
  const reply = await call('GET', '/api/main/_discovery').catch(() => undefined);
  return reply?.status === 200 ? Number(reply.at('data', 'schema_version')) : undefined;
};

/** When each process first served the version, in milliseconds after the first of them did. */
async function agreement(all: readonly Process[], version: number): Promise<number> {
  const times = await Promise.all(
    all.map((one) =>
      vi.waitUntil(async () => ((await served(one)) ?? 0) >= version && performance.now(), { timeout: 10_000, interval: 5 }),
    ),
  );
  return Math.max(...times) - Math.min(...times);
}

let roles = 0;
const publish = (by: Process) => by.call('POST', '/api/main/_admin/roles', { name: `role_${++roles}` });

describe.each([
  { transport: 'LISTEN/NOTIFY', isSkipped: false },
  { transport: 'Redis Streams', isSkipped: skipsRedis },
])('three api processes that hear by $transport', ({ transport, isSkipped }) => {
  describe.skipIf(isSkipped)('alone', () => {
    let env: NodeJS.ProcessEnv;
    let redis: TestRedis | undefined;
    let three: Process[];
    beforeAll(async () => {
      await buildAll();
      const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'durabase-three-'));
      dirs.push(dataDir);
      const common = {
        DATABASE_URL: await freshDatabase(),
        DATA_DIR: dataDir,
        TEMPORAL_ADDRESS: await temporalAddress(),
        TEMPORAL_NAMESPACE: `t-${randomBytes(4).toString('hex')}`,
        SECRET_KEY: 'k'.repeat(40),
        LOG_LEVEL: 'error',
      };
      if (transport === 'Redis Streams') {
        redis = await testRedis();
        await redis.start();
      }
      const heard = redis === undefined ? {} : { REDIS_URL: redis.url };
      // Nothing answers where these would listen: only the stream can wake them.
      env = { ...common, ...heard, ...(redis === undefined ? {} : { DATABASE_DIRECT_URL: 'postgres://127.0.0.1:1/none' }) };
      started.push(launchVerb('worker', { ...common, ...heard }));
      three = await Promise.all([api(env), api(env), api(env)]);
      const isMade = async (): Promise<boolean> =>
        [201, 409].includes((await first().call('POST', '/api/_platform/apps', { name: 'main' })).status);
      await vi.waitUntil(isMade, { timeout: 40_000, interval: 200 });
    }, 150_000);
    afterAll(() => redis?.kill());

    const first = (): Process => three[0] as Process;
    const head = async (): Promise<number> => (await served(first())) ?? 0;
    /** The version with an entity "item" of one field. */
    const publishItem = async (field: string, migrate: object[] = []): Promise<number> => {
      const { body } = await first().call('GET', '/api/main/_admin/export');
      const document = (body as { data: { entities: { name: string }[] } }).data;
      const entities = [
        ...document.entities.filter(({ name }) => name !== 'item'),
        { name: 'item', fields: [{ name: field, type: 'string' }] },
      ];
      const version = (await head()) + 1;
      const reply = await first().call('POST', '/api/main/_admin/versions', { ...document, entities, migrate });
      expect([201, 202], reply.text).toContain(reply.status);
      return version;
    };
    const publishAndAgree = async (): Promise<number> => {
      const version = (await head()) + 1;
      const [reply, spread] = await Promise.all([publish(first()), agreement(three, version)]);
      expect([201, 202], JSON.stringify(reply.body)).toContain(reply.status);
      return spread;
    };

    it(`agree within a second of each of ${PUBLISHES} publishes`, async () => {
      const spreads: number[] = [];
      for (let round = 0; round < PUBLISHES; round++) spreads.push(await publishAndAgree());
      spreads.sort((a, b) => a - b);
      const [p50 = Infinity, worst = Infinity] = [spreads[PUBLISHES / 2], spreads.at(-1)];
      process.stdout.write(
        `${transport}: ${PUBLISHES} publishes, three processes agree after p50 ${p50.toFixed(0)} ms, worst ${worst.toFixed(0)} ms\n`,
      );
      expect(p50).toBeLessThan(WOKEN_MS);
      expect(worst).toBeLessThan(AGREED_MS);
    }, 120_000);

    it('a late one is at the head with its first answer, and follows', async () => {
      const late = await api(env);
      expect(await served(late)).toBe(await head());
      const version = (await head()) + 1;
      const [, spread] = await Promise.all([publish(first()), agreement([...three, late], version)]);
      expect(spread).toBeLessThan(AGREED_MS);
      late.launched.kill('SIGKILL');
      await late.launched.ended;
    }, 90_000);

    it('a slow one, stopped over several publishes, is at the head within a second of going on', async () => {
      const slow = three[2] as Process;
      const before = await head();
      slow.launched.kill('SIGSTOP');
      // Publishes wait for its lease to run out, once.
      for (let round = 0; round < 3; round++) await publish(first());
      const version = before + 3;
      await vi.waitUntil(async () => (await head()) >= version, { timeout: 15_000, interval: 50 });
      const at = performance.now();
      slow.launched.kill('SIGCONT');
      await vi.waitUntil(async () => (await served(slow)) === version, { timeout: 10_000, interval: 5 });
      expect(performance.now() - at).toBeLessThan(AGREED_MS);
      expect(await publishAndAgree()).toBeLessThan(AGREED_MS);
    }, 90_000);

    it('serve both shapes of a migration in grace, each of them right or not at all, also one that is behind', async () => {
      const path = '/api/main/item';
      const before = await publishItem('name');
      const made = await first().call('POST', path, { name: 'one' });
      expect(made.status, made.text).toBe(201);
      const slow = three[2] as Process;
      slow.launched.kill('SIGSTOP');
      const after = await publishItem('title', [{ rename: { entity: 'item', field: 'name', to: 'title' } }]);
      await vi.waitUntil(async () => (await served(first())) === after, { timeout: 20_000, interval: 20 });
      const shapes = [
        { version: before, field: 'name' },
        { version: after, field: 'title' },
      ];
      let value = 'one';
      /** The answers of a process to clients of both versions; what is answered must be right. */
      const asked = async ({ call }: Process): Promise<number[]> => {
        const replies = await Promise.all(shapes.map(({ version }) => call('GET', path, undefined, { 'Schema-Version': String(version) })));
        for (const [at, { status, body, headers }] of replies.entries()) {
          const { version, field = '' } = shapes[at] ?? {};
          if (status !== 200) continue;
          expect(headers.get('schema-version')).toBe(String(version));
          expect((body as { data: Record<string, unknown>[] }).data).toEqual([{ id: made.at('data', 'id'), [field]: value }]);
        }
        return replies.map(({ status }) => status);
      };
      slow.launched.kill('SIGCONT');
      const at = performance.now();
      const seen: number[] = [];
      await vi.waitUntil(
        async () => {
          const statuses = (await Promise.all(three.map(asked))).flat();
          seen.push(...statuses);
          return statuses.every((status) => status === 200);
        },
        { timeout: 10_000, interval: 5 },
      );
      expect(performance.now() - at).toBeLessThan(AGREED_MS);
      expect(seen.filter((status) => ![200, 409, 503].includes(status))).toEqual([]);
      // What one process takes in one shape, every other answers in both.
      for (const [n, { call }] of three.entries()) {
        const { version, field = '' } = shapes[n % 2] ?? {};
        value = `from ${n}`;
        const wrote = await call(
          'PATCH',
          `${path}/${String(made.at('data', 'id'))}`,
          { [field]: value },
          { 'Schema-Version': String(version) },
        );
        expect(wrote.status, wrote.text).toBe(200);
        expect((await Promise.all(three.map(asked))).flat()).toEqual(Array(6).fill(200));
      }
      const late = await api(env);
      expect(await asked(late)).toEqual([200, 200]);
      late.launched.kill('SIGKILL');
      await late.launched.ended;
      // The end of the grace is one for all: nobody serves the older shape after the contract has begun its steps.
      const migration = String(((await first().call('GET', '/api/main/_admin/migrations')).at('data', 0) as { id: string }).id);
      await first().call('POST', `/api/main/_admin/migrations/${migration}/contract`, { drop: true });
      await vi.waitUntil(
        async () => (await first().call('GET', `/api/main/_admin/migrations/${migration}`)).at('data', 'status') === 'completed',
        { timeout: 20_000, interval: 20 },
      );
      expect((await Promise.all(three.map(asked))).flat()).toEqual([409, 200, 409, 200, 409, 200]);
    }, 120_000);

    it('one that was killed and started again is at the head with its first answer, and follows', async () => {
      const old = three[1] as Process;
      old.launched.kill('SIGKILL');
      await old.launched.ended;
      await publish(first());
      await publish(first());
      const again = await api(env);
      expect(await served(again)).toBe(await head());
      three[1] = again;
      expect(await publishAndAgree()).toBeLessThan(AGREED_MS);
    }, 90_000);
  });
});
