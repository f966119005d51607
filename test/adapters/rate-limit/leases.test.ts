import { RateLimiterMemory } from 'rate-limiter-flexible';
import pg from 'pg';
import { afterAll, describe, expect, it } from 'vitest';
import { migrateControl } from '../../../adapters/postgres/migrate.ts';
import { leasedLimiter, type LeasedLimiter } from '../../../adapters/rate-limit/leases.ts';
import { createRateLimiter, limiterOver, type RateLimiter } from '../../../adapters/rate-limit/rate-limit.ts';
import { addressGroup } from '../../../core/address.ts';
import { freshDatabase } from '../../support/database.ts';
import { ownsRedis, skipsRedis, testRedis } from '../../support/redis.ts';

const inMemory = (): RateLimiter =>
  limiterOver((rule) => new RateLimiterMemory({ keyPrefix: rule.name, points: rule.points, duration: rule.seconds }));
const rule = (points: number) => ({ name: 'test', points, seconds: 60 });
const allowed = async (limiters: readonly LeasedLimiter[], points: number, tries: number): Promise<number> => {
  const answers = await Promise.all(Array.from({ length: tries }, async (_, i) => limiters[i % limiters.length]?.take(rule(points), 'k')));
  return answers.filter((answer) => answer?.isAllowed === true).length;
};

describe('leased limits', () => {
  it.each([1, 7, 100, 1_234])('of %i let exactly so many through, many at once', async (points) => {
    expect(await allowed([leasedLimiter(inMemory())], points, points + 50)).toBe(points);
  });

  it('shared by three processes are never passed, and at most a fiftieth each is held back', async () => {
    const shared = inMemory();
    const through = await allowed(
      [1, 2, 3].map(() => leasedLimiter(shared)),
      1_000,
      3_000,
    );
    expect(through).toBeLessThanOrEqual(1_000);
    expect(through).toBeGreaterThanOrEqual(1_000 - 2 * 20);
  });

  it('ask the counters fifty times at most, and are answered without waiting in between', async () => {
    let asked = 0;
    const store = inMemory();
    const limits = leasedLimiter({ ...store, take: (...given) => (asked++, store.take(...given)) });
    let waited = 0;
    for (let i = 0; i < 20_000; i++) {
      const taken = limits.take(rule(10_000), 'k');
      if (taken instanceof Promise) waited++;
      await taken;
    }
    expect(asked).toBeLessThanOrEqual(51);
    expect(waited).toBe(asked);
  });

  it('start anew when the window ends', async () => {
    let now = 0;
    const limits = leasedLimiter({ ...inMemory(), take: async () => ({ isAllowed: true, count: 1, resetMs: 60_000 }) }, () => now);
    expect(await limits.take(rule(1), 'k')).toMatchObject({ isAllowed: true, remaining: 0 });
    expect(await limits.take(rule(1), 'k')).toMatchObject({ isAllowed: false });
    now = 60_001;
    expect(await limits.take(rule(1), 'k')).toMatchObject({ isAllowed: true });
  });
});

describe('shared counters', () => {
  it('in Postgres are seen by every process', async () => {
    const url = await freshDatabase();
    await migrateControl(url);
    const pools = [1, 2].map(() => new pg.Pool({ connectionString: url, max: 2 }));
    afterAll(() => Promise.all(pools.map((pool) => pool.end())));
    const [first, second] = await Promise.all(pools.map((pool) => createRateLimiter(pool, undefined, () => undefined)));
    const results = await Promise.all(Array.from({ length: 20 }, async (_, i) => (i % 2 === 0 ? first : second)?.take(rule(7), 'a')));
    expect(results.filter((result) => result?.isAllowed === true)).toHaveLength(7);
    await first?.forget(rule(7), 'a');
    expect((await second?.take(rule(7), 'a'))?.count).toBe(1);
    await first?.block(rule(7), 'a', 60);
    expect((await second?.take(rule(7), 'a'))?.isAllowed).toBe(false);
  });

  it.skipIf(skipsRedis || !ownsRedis)('in Redis go on in Postgres while Redis is away', async () => {
    const url = await freshDatabase();
    await migrateControl(url);
    const redis = await testRedis();
    await redis.start();
    const pool = new pg.Pool({ connectionString: url, max: 2 });
    const troubles: string[] = [];
    const limiter = await createRateLimiter(pool, redis.url, (message) => troubles.push(message));
    afterAll(async () => {
      limiter.close();
      await pool.end();
      await redis.kill();
    });
    const stored = async (): Promise<number> => (await pool.query('select * from durabase.rate_limits')).rows.length;
    await expect
      .poll(async () => ((await limiter.take(rule(5_000), 'a')).isAllowed ? await limiter.forget(rule(5_000), 'a') : undefined, 1))
      .toBe(1);
    await redis.kill();
    await expect.poll(() => troubles.length).toBe(1);
    expect((await limiter.take(rule(2), 'b')).isAllowed).toBe(true);
    expect((await limiter.take(rule(2), 'b')).isAllowed).toBe(true);
    expect((await limiter.take(rule(2), 'b')).isAllowed).toBe(false);
    expect(await stored()).toBeGreaterThan(0);
  });
});

describe('addresses', () => {
  it.each([
    ['10.0.0.1', '10.0.0.1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:0db8::1', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    [null, 'unknown'],
  ])('%s is counted as %s', (address, group) => expect(addressGroup(address)).toBe(group));
});
