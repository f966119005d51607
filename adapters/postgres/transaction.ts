import type pg from 'pg';
import { sqlState } from './run.ts';

/** Failures that mean "run it again": serialization, deadlock, lock not available. */
const RETRYABLE = new Set(['40001', '40P01', '55P03']);

/**
 * One transaction; committed when `work` resolves, rolled back when it throws. A serialization failure, a deadlock or a
 * refused lock runs the whole of it again, up to three times with jitter, so `work` must have no effect outside the database.
 */
export async function transaction<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
  options: TransactionOptions = {},
): Promise<T> {
  const begin = options.waitsUpToMs === undefined ? 'begin' : waiting(options.waitsUpToMs);
  for (let attempt = 1; ; attempt++) {
    try {
      return await once(pool, begin, work);
    } catch (error) {
      if (attempt > 3 || !RETRYABLE.has(sqlState(error) ?? '')) throw error;
      await new Promise((resolve) => setTimeout(resolve, 5 * attempt * (1 + Math.random())));
    }
  }
}

export interface TransactionOptions {
  /** The longest a statement may wait for a lock; the pool's statement timeout makes room for it. */
  readonly waitsUpToMs?: number;
}

/** Both settings travel with `begin` and end with the transaction. */
const waiting = (ms: number): string => `begin; set local lock_timeout = ${String(ms)}; set local statement_timeout = ${String(ms + 2000)}`;

async function once<T>(pool: pg.Pool, begin: string, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query(begin);
    const result = await work(client);
    await client.query('commit');
    return result;
  } catch (error) {
    try {
      await client.query('rollback');
    } catch (rollbackError) {
      broken = rollbackError as Error;
    }
    throw error;
  } finally {
    client.release(broken);
  }
}
