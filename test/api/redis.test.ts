/** An installation with Redis beside it: away at the start, there, hung, killed. Requests and publishes never notice. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import pino from 'pino';
import { createPool } from '../../adapters/postgres/pool.ts';
import { createRegistry } from '../../operations/registry-follow.ts';
import type { Registry } from '../../operations/registry.ts';
import { ownsRedis, skipsRedis, testRedis, type TestRedis } from '../support/redis.ts';
import { startWorld, type World } from './world.ts';

describe.skipIf(skipsRedis)('with REDIS_URL set', () => {
  let redis: TestRedis;
  let world: World;
  let token: string;
  let entities = 0;
  beforeAll(async () => {
    redis = await testRedis();
    world = await startWorld({ REDIS_URL: redis.url });
    token = await world.platformToken();
    expect((await world.send('POST', '/api/_platform/apps', { token, body: { name: 'main' } })).status).toBe(201);
  }, 90_000);
  afterAll(async () => {
    redis.wake();
    await redis.kill();
  });

  const ready = async (): Promise<unknown> => {
    const { status, body } = await world.send('GET', '/health/ready');
    return [status, body.status, body.dependencies.redis];
  };
  const publish = async (): Promise<number> => {
    const name = `thing_${++entities}`;
    const at = performance.now();
    const made = await world.send('POST', '/api/main/_admin/entities', {
      token,
      body: { name, fields: [{ name: 'title', type: 'string' }] },
    });
    expect(made.status, made.text).toBe(201);
    const tookMs = performance.now() - at;
    expect((await world.send('POST', `/api/main/${name}`, { token, body: { title: 'x' } })).status).toBe(201);
    return tookMs;
  };

  it.skipIf(!ownsRedis)('api and worker start, serve and publish while Redis is away', async () => {
    expect(await ready()).toEqual([200, 'degraded', 'degraded']);
    await publish();
  });

  it('health shows Redis once it is there', async () => {
    await redis.start();
    await vi.waitUntil(async () => JSON.stringify(await ready()) === '[200,"ok","ok"]', { timeout: 10_000, interval: 100 });
    await publish();
  });

  it('a process whose LISTEN connection is dead hears of a publish through the stream', async () => {
    const pool = createPool({ url: world.databaseUrl, max: 2, applicationName: 'deaf' });
    const deaf: Registry = await createRegistry({
      pool,
      listenUrl: 'postgres://127.0.0.1:1/none',
      log: pino({ level: 'silent' }),
      redisUrl: redis.url,
      role: 'worker',
    });
    await new Promise((resolve) => setTimeout(resolve, 500));
    const delays: number[] = [];
    for (let round = 0; round < 7; round++) {
      const before = deaf.seenEvent;
      await publish();
      const at = performance.now();
      await vi.waitUntil(() => deaf.seenEvent >= before + 4, { timeout: 3_000, interval: 2 });
      delays.push(performance.now() - at);
    }
    await deaf.close();
    await pool.end();
    // Polling alone would take half a second in the middle.
    expect(delays.sort((a, b) => a - b)[3]).toBeLessThan(250);
  }, 30_000);

  it.skipIf(!ownsRedis)(
    'a Redis that hangs costs a publish half a second at most, one that is gone nothing',
    async () => {
      redis.hang();
      expect(await publish()).toBeLessThan(3_000);
      redis.wake();
      await redis.kill();
      await publish();
      await vi.waitUntil(async () => JSON.stringify(await ready()) === '[200,"degraded","degraded"]', { timeout: 10_000, interval: 100 });
    },
    30_000,
  );
});
