/** Values that a migration could not carry over and that somebody must repair, by an ordinary write of the record, before it goes on. */
import type pg from 'pg';
import { run } from '../../adapters/postgres/run.ts';
import { QUARANTINE } from '../../core/change/conversion/quarantine.ts';
import { id, sql, value } from '../../core/sql/sql.ts';
import type { AppContext } from '../context.ts';
import { readPage } from '../paging.ts';

export interface QuarantinedValue extends pg.QueryResultRow {
  readonly entity: string;
  readonly record_id: string;
  /** The field that lacks a value: of the new version for `up`, of the old one for `down`. */
  readonly field: string;
  /** `conflict`: one statement wrote both shapes differently; it only tells what was overwritten and holds nothing up. */
  readonly direction: 'up' | 'down' | 'conflict';
  readonly value: string | null;
  readonly error: string;
  readonly created_at: string;
}

/** How many values keep the migration from its switch, and its contract from beginning. */
export async function openQuarantine(pool: pg.Pool | pg.PoolClient, storage: string, migration: string): Promise<number> {
  const [row] = await run<{ open: number }>(
    pool,
    sql`select count(*)::integer as open from ${id(storage, QUARANTINE)} q
    join durabase.migrations m on m.id = ${value(migration, 'uuid')}
    where q.direction <> 'conflict' and (q.version = m.to_version
      -- Of a migration that is taken back, what the shape that stays lacks.
      or q.direction = 'down' and q.version = (m.plan->'undone'->>'version')::integer)`,
  );
  return row?.open ?? 0;
}

const MOST_PER_PAGE = 500;

/** By the version that the migration leads to; `page` and `per_page`, as other lists take them. */
export async function listQuarantine(
  ctx: AppContext,
  version: number,
  query: URLSearchParams,
): Promise<{
  readonly data: QuarantinedValue[];
  readonly meta: { readonly page: number; readonly per_page: number; readonly total: number };
}> {
  const { page, perPage, offset } = readPage(query, MOST_PER_PAGE);
  const from = sql`from ${id(ctx.app.storage, QUARANTINE)} q where q.version = ${value(version, 'integer')}`;
  const [counted] = await run<{ total: number }>(ctx.services.pool, sql`select count(*)::integer as total ${from}`);
  const data = await run<QuarantinedValue>(
    ctx.services.pool,
    sql`select q.entity, q.record_id, q.field, q.direction, q.value, q.error, to_json(q.created_at)#>>'{}' as created_at ${from}
    order by q.entity, q.record_id, q.field, q.direction limit ${value(perPage, 'integer')} offset ${value(offset, 'integer')}`,
  );
  return { data, meta: { page, per_page: perPage, total: counted?.total ?? 0 } };
}
