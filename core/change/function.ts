/** Functions of a migration in the database: what its triggers, views and batches call. */
import { empty, id, inlined, literal, raw, render, sql, type Sql } from '../sql/sql.ts';

export interface FunctionHead {
  /** Qualified. */
  readonly name: Sql;
  readonly takes?: Sql;
  readonly returns: Sql;
  readonly is?: 'volatile' | 'stable';
  /** The text of a time must not depend on who writes. */
  readonly inUtc?: boolean;
}

/** Sessions of others may use another path than ours. */
export const plpgsql = ({ name, takes = empty, returns, is = 'volatile', inUtc = false }: FunctionHead, body: Sql): Sql =>
  sql`create or replace function ${name}(${takes}) returns ${returns}
    language plpgsql ${raw(is)} set search_path to pg_catalog${inUtc ? sql` set timezone to 'UTC'` : empty} as ${literal(render(inlined(body)).text)}`;

/** So many transactions may begin, of savepoints too, while one lasts. */
const WINDOW = raw('1048576');

/**
 * Whether the row was written in this transaction, under a savepoint as well: that has a number of its own, greater than the
 * transaction's, and is in progress. What is not older than the statement's snapshot can only be seen by whoever wrote it; so ask in a
 * statement that begins after the row was locked. Numbers of rows are cut to 32 bits.
 */
export function isWrittenHere(row: string): Sql {
  const top = sql`pg_current_xact_id()::text::bigint`;
  const since = sql`((${id(row, 'xmin')}::text::bigint - ${top}) & 4294967295)`;
  const number = sql`(${top} + ${since})`;
  return sql`case when ${since} = 0 then true when ${since} > ${WINDOW} then false
    else ${number} >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint or pg_xact_status(${number}::text::xid8) = 'in progress' end`;
}
