/** The statements of a backfill and of its verification: the next rows in the order of their key, see `Batch` in step.ts. */
import type { FieldModel } from '../../model/model.ts';
import { COLUMN_TYPES } from '../../sql/columns.ts';
import { id, join, literal, raw, sql, type Sql } from '../../sql/sql.ts';
import { LOCKS, type Batch, type Step } from '../step.ts';

export interface Rows {
  readonly storage: string;
  readonly table: string;
  readonly key: readonly FieldModel[];
}

const CURSOR = raw('$1::jsonb');
const SIZE = raw('$2::integer');

const keyOf = ({ key }: Rows, row: string): Sql => join(key.map((field) => id(row, field.column)));

/** A key is stored as a list of texts; a JSON number would lose digits of a bigint. */
const cursorText = (rows: Rows, row: string): Sql =>
  sql`jsonb_build_array(${join(rows.key.map((field) => sql`${id(row, field.column)}::text`))})::text`;

function isAfter(rows: Rows, row: string): Sql {
  const bounds = rows.key.map((field, n) => sql`(${CURSOR} ->> ${raw(String(n))})::${raw(COLUMN_TYPES[field.type])}`);
  return sql`(${CURSOR} = 'null' or (${keyOf(rows, row)}) > (${join(bounds)}))`;
}

/** Order and cursor of the last row, from a CTE "b" that holds the key columns of the batch. */
const answer = (rows: Rows, done: Sql, more: Sql): Sql =>
  sql`select (select ${cursorText(rows, 'b')} from "b" order by ${descending(rows, 'b')} limit 1) as cursor, ${done} as done${more}`;

const descending = ({ key }: Rows, row: string): Sql => join(key.map((field) => sql`${id(row, field.column)} desc`));

/** Locks the next rows that need it, and writes to them; what is written makes a trigger fill them. */
export function fillBatch(rows: Rows, isDue: Sql, assignment: Sql): Sql {
  const at = id(rows.storage, rows.table);
  const same = sql`(${keyOf(rows, 't')}) = (${keyOf(rows, 'b')})`;
  return sql`with "b" as (select ${keyOf(rows, 't')} from ${at} "t" where ${isDue} and ${isAfter(rows, 't')}
      order by ${keyOf(rows, 't')} limit ${SIZE} for no key update),
    "u" as (update ${at} "t" set ${assignment} from "b" where ${same} returning 1)
  ${answer(rows, sql`(select count(*)::integer from "u")`, sql``)}`;
}

/** Calls a function for each of the next rows that need it; what it reads it locks itself, and sees as it is by then. */
export function callBatch(rows: Rows, isDue: Sql, call: Sql): Sql {
  const at = id(rows.storage, rows.table);
  return sql`with "b" as (select ${keyOf(rows, 't')} from ${at} "t" where ${isDue} and ${isAfter(rows, 't')}
      order by ${keyOf(rows, 't')} limit ${SIZE}),
    "u" as materialized (select ${call} as "_done" from "b" order by ${keyOf(rows, 'b')})
  ${answer(rows, sql`(select count("_done")::integer from "u")`, sql``)}`;
}

/** Reads the next rows and counts those for which the condition does not hold. */
export function checkBatch(rows: Rows, holds: Sql): Sql {
  const at = id(rows.storage, rows.table);
  return sql`with "b" as (select ${keyOf(rows, 't')}, (${holds}) as "_holds" from ${at} "t" where ${isAfter(rows, 't')}
      order by ${keyOf(rows, 't')} limit ${SIZE})
  ${answer(
    rows,
    sql`(select count(*)::integer from "b")`,
    sql`, (select count(*)::integer from "b" where "b"."_holds" is not true) as wrong,
      (select ${cursorText(rows, 'b')} from "b" where "b"."_holds" is not true limit 1) as sample`,
  )}`;
}

/** Smaller tables are counted: what is told of their progress is right. */
const COUNTED_BYTES = 4_000_000;

/** Of a table that grew since its last ANALYZE, or had none, its bytes tell how many there are; about a hundred make a row. */
const rowEstimate = ({ storage, table }: Rows): Sql =>
  sql`select case
      when pg_relation_size(c.oid) <= ${raw(String(COUNTED_BYTES))} then (select count(*) from ${id(storage, table)})
      when c.reltuples > 0 and c.relpages > 0
        then ceil(c.reltuples::double precision / c.relpages * (pg_relation_size(c.oid) / current_setting('block_size')::integer))::bigint
      else pg_relation_size(c.oid) / 100 end as total
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = ${literal(storage)} and c.relname = ${literal(table)}`;

/** All of a step but its statement. Its record is the state of the step; a repeated run finds nothing to do. */
export const batchStep = (rows: Rows, key: string, phase: Step['phase'], refusal?: Batch['refusal']): Omit<Step, 'statements'> => ({
  key,
  phase,
  mode: 'batch',
  table: rows.table,
  lock: phase === 'verify' ? LOCKS.reads : LOCKS.rows,
  rewrite: false,
  isDone: sql`false`,
  undo: [],
  batch: { total: rowEstimate(rows), ...(refusal === undefined ? {} : { refusal }) },
});
