/** Wake-ups through a real Redis Stream. Postgres stays the source, so every case is about being woken, never about what is read. */
import { Redis } from 'ioredis';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createSchemaEventStream, type SchemaEventStream } from '../../../adapters/schema-events/redis.ts';
import { ownsRedis, skipsRedis, testRedis, type TestRedis } from '../../support/redis.ts';

const log = pino({ level: 'silent' });
const open: SchemaEventStream[] = [];

interface Consumer {
  wakes: number;
  stream: SchemaEventStream;
}

/** Resolves when it has found its place in the stream. */
async function consumer(redis: TestRedis, onWake: () => void = () => undefined): Promise<Consumer> {
  const made = { wakes: 0 } as Consumer;
  made.stream = createSchemaEventStream(redis.url, log, () => {
    made.wakes += 1;
    onWake();
  });
  open.push(made.stream);
  await vi.waitUntil(() => made.wakes > 0, { timeout: 5_000, interval: 10 });
  return made;
}

const woken = (one: Consumer, after: number): Promise<unknown> => vi.waitUntil(() => one.wakes > after, { timeout: 8_000, interval: 5 });

describe.skipIf(skipsRedis)('schema events over Redis', () => {
  let redis: TestRedis;
  let writer: SchemaEventStream;
  beforeAll(async () => {
    redis = await testRedis();
    await redis.start();
    writer = createSchemaEventStream(redis.url, log);
    open.push(writer);
    await consumer(redis);
  });
  afterAll(async () => {
    redis.wake();
    await Promise.all(open.map((stream) => stream.close()));
    await redis.kill();
  });

  it('wake every consumer within a moment', async () => {
    const both = [await consumer(redis), await consumer(redis)];
    const before = both.map((one) => one.wakes);
    const at = performance.now();
    await writer.announce(1, 'a');
    await Promise.all(both.map((one, index) => woken(one, before[index] ?? 0)));
    expect(performance.now() - at).toBeLessThan(900);
  });

  it('a late consumer is woken once for what was before it, and by what comes', async () => {
    for (let event = 2; event < 50; event++) await writer.announce(event, 'a');
    const late = await consumer(redis);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(late.wakes).toBe(1);
    await writer.announce(50, 'a');
    await woken(late, 1);
  });

  it('a slow consumer is woken after more entries than the stream keeps', async () => {
    let isSlow = false;
    const slow = await consumer(redis, () => {
      // Holds up the whole process, as a long computation does.
      if (isSlow) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
    });
    isSlow = true;
    const flood = new Redis(redis.url);
    const pipeline = flood.pipeline();
    for (let event = 0; event < 5_000; event++)
      pipeline.xadd('durabase:schema-events', 'MAXLEN', '~', 1_000, '*', 'event', String(event), 'app', 'a');
    const before = slow.wakes;
    await pipeline.exec();
    await woken(slow, before);
    isSlow = false;
    const after = slow.wakes;
    await writer.announce(6_000, 'a');
    await woken(slow, after);
    expect(await flood.xlen('durabase:schema-events')).toBeLessThan(2_000);
    flood.disconnect();
  });

  it('a consumer that was restarted is woken at once, and by what comes', async () => {
    const first = await consumer(redis);
    await first.stream.close();
    await writer.announce(7_000, 'a');
    const again = await consumer(redis);
    const before = again.wakes;
    await writer.announce(7_001, 'a');
    await woken(again, before);
  });

  it.skipIf(!ownsRedis)(
    'a server that comes back empty wakes its consumers, and announcing meanwhile harms nothing',
    async () => {
      const one = await consumer(redis);
      const known = one.wakes;
      await redis.kill();
      await writer.announce(8_000, 'a');
      await redis.start();
      await woken(one, known);
      await vi.waitUntil(
        async () => {
          const before = one.wakes;
          await writer.announce(8_001, 'a');
          await new Promise((resolve) => setTimeout(resolve, 50));
          return one.wakes > before;
        },
        { timeout: 10_000, interval: 50 },
      );
    },
    30_000,
  );

  it.skipIf(!ownsRedis)('a server that hangs holds up an announcement for less than a second', async () => {
    redis.hang();
    const at = performance.now();
    await writer.announce(9_000, 'a');
    expect(performance.now() - at).toBeLessThan(1_000);
    redis.wake();
  });
});
