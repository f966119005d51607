import type pg from 'pg';
import { RateLimiterPostgres } from 'rate-limiter-flexible';
import type { CounterFactory } from './rule.ts';

/** Counters in `durabase.rate_limits`, one statement each. */
export function inPostgres(pool: pg.Pool): CounterFactory {
  return (rule) =>
    new RateLimiterPostgres({
      storeClient: pool,
      storeType: 'pool',
      schemaName: 'durabase',
      tableName: 'rate_limits',
      tableCreated: true,
      clearExpiredByTimeout: true,
      keyPrefix: rule.name,
      points: rule.points,
      duration: rule.seconds,
    });
}
