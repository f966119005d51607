import { type Db, run } from '../../adapters/postgres/run.ts';
import { id, sql, value } from '../../core/sql/sql.ts';
import type { ItemRef } from '../../workflows/contracts/types.ts';
import type { AppRuntime } from '../context.ts';

/** The items at hand by the names they have in the context. */
export async function readItems(db: Db, app: AppRuntime, refs: readonly ItemRef[]): Promise<Record<string, unknown>> {
  if (refs.length === 0) return {};
  const rows = await run<{ key: string; item: unknown }>(
    db,
    sql`select e.key, e.result -> r.index as item
        from jsonb_to_recordset(${value(JSON.stringify(refs), 'jsonb')}) as r(key text, index integer)
        join ${id(app.storage, '_effects')} e on e.key = r.key`,
  );
  return Object.fromEntries(refs.map(({ as, key }) => [as, rows.find((row) => row.key === key)?.item ?? null]));
}
