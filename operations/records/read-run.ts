/** Runs a reading statement and gives the failures that a request can cause their own names. */
import { run, sqlState } from '../../adapters/postgres/run.ts';
import { AppError } from '../../core/errors.ts';
import { MAX_INCLUDED_ROWS } from '../../core/filter/query.ts';
import type { Sql } from '../../core/sql/sql.ts';
import type { AppContext } from '../context.ts';

export type ReadRow = { readonly data: string; readonly total?: string; readonly version?: string; readonly last?: string | null };

/** The first row of a prepared statement. */
export async function runRead(ctx: AppContext, statement: Sql): Promise<ReadRow | undefined> {
  try {
    const rows = await run<ReadRow>(ctx.services.pool, statement, { prepared: true, generation: ctx.app.generation });
    return rows[0];
  } catch (error) {
    throw named(error);
  }
}

/** The number of rows Postgres expects of the statement behind an EXPLAIN. */
export async function runEstimate(ctx: AppContext, explain: Sql): Promise<number> {
  try {
    const [row] = await run<{ 'QUERY PLAN': { Plan: { 'Plan Rows': number } }[] }>(ctx.services.pool, explain);
    return row?.['QUERY PLAN'][0]?.Plan['Plan Rows'] ?? 0;
  } catch (error) {
    throw named(error);
  }
}

/** A failure of a reading statement by its own name. */
export function named(error: unknown): unknown {
  switch (sqlState(error)) {
    case '2201E':
      return new AppError('TOO_LARGE', `An included relation has more than ${MAX_INCLUDED_ROWS} records.`, {
        hint: 'Read them as a list of their own, with a filter on the relation.',
        cause: error,
      });
    case '57014':
      return new AppError('UNAVAILABLE', 'The query took too long and was stopped.', {
        hint: 'Filter more narrowly, ask for count=none, or add an index on the filtered fields.',
        cause: error,
      });
    default:
      return error;
  }
}
