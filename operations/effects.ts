/**
 * Effects of durable steps. A step's activity may run again after its effect was committed: the worker can die between commit
 * and acknowledgement. The result is therefore written under the step's key in the transaction of the effect.
 */
import { type Db, execute, run } from '../adapters/postgres/run.ts';
import { id, sql, value } from '../core/sql/sql.ts';

/** The result of an effect that has happened already; undefined when it has not. */
export async function findEffect(db: Db, storage: string, key: string): Promise<unknown> {
  const rows = await run<{ result: unknown }>(db, sql`select result from ${id(storage, '_effects')} where key = ${value(key)}`);
  return rows[0]?.result;
}

/** Records the result; call it in the transaction of the effect. False when another worker was first: then roll back and read. */
export async function saveEffect(db: Db, storage: string, key: string, result: unknown): Promise<boolean> {
  const inserted = await execute(
    db,
    sql`insert into ${id(storage, '_effects')} (key, result) values (${value(key)}, ${value(JSON.stringify(result ?? null), 'jsonb')}) on conflict (key) do nothing`,
  );
  return inserted === 1;
}
