import { Redis } from 'ioredis';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import type { CounterFactory } from './rule.ts';

/** A server that hangs must not hold up a request. */
const COMMAND_MS = 250;

/** Counters in Redis; those of `fallback` while it is away. */
export function inRedis(
  url: string,
  fallback: CounterFactory,
  onTrouble: (message: string) => void,
): { readonly counterOf: CounterFactory; close(): void } {
  const client = new Redis(url, { lazyConnect: true, enableOfflineQueue: false, maxRetriesPerRequest: 0, commandTimeout: COMMAND_MS });
  let isAway = false;
  client.on('error', (error: Error) => {
    if (!isAway) onTrouble(error.message);
    isAway = true;
  });
  client.on('ready', () => (isAway = false));
  void client.connect().catch(() => undefined);
  return {
    counterOf: (rule) =>
      new RateLimiterRedis({
        storeClient: client,
        keyPrefix: `durabase:limit:${rule.name}`,
        points: rule.points,
        duration: rule.seconds,
        rejectIfRedisNotReady: true,
        insuranceLimiter: fallback(rule),
      }),
    close: () => client.disconnect(),
  };
}
