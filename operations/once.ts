/** Writes beside the records that happen once under an Idempotency-Key: the row of the key is written in their transaction. */
import type pg from 'pg';
import { transaction } from '../adapters/postgres/transaction.ts';
import type { AppContext, Services } from './context.ts';
import { answeredOnce, KEY_WAIT_MS, pruneNowAndThen } from './records/idempotency.ts';
import type { Idempotency } from './records/write-state.ts';

/** Does the work, or gives the answer that is kept already. */
export type Once = <T>(client: pg.PoolClient, work: () => Promise<T>) => Promise<T>;

/** One use of the caller's key. No record is told of: who may call the route at all may hear the answer once more. */
export function onceUnder(ctx: AppContext, idempotency: Idempotency): Once {
  return async (client, work) => {
    const result = await answeredOnce(ctx, client, idempotency, { work, touched: () => [] });
    pruneNowAndThen(ctx);
    return result;
  };
}

/** One transaction, whose result is kept when the scope has a key. The result is JSON, and holds no secret. */
export function writeOnce<T>(
  { services, once }: { readonly services: Services; readonly once?: Once | undefined },
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  if (once === undefined) return transaction(services.pool, work);
  return transaction(services.pool, (client) => once(client, () => work(client)), { waitsUpToMs: KEY_WAIT_MS });
}
