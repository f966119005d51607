/**
 * The order of a list, and the rows behind a place in it. A place is the texts of the sort keys of one row, as Postgres writes
 * them: microseconds, decimals and bigints stay whole. Nulls are last ascending and first descending; the record's key is last.
 */
import type { EntityModel } from '../model/model.ts';
import { COLUMN_TYPES } from '../sql/columns.ts';
import { and, id, join, or, sql, value, type Sql, type SqlType } from '../sql/sql.ts';
import type { CheckedSort } from './check.ts';
import { scalarSql } from './compile.ts';
import type { ReadScope } from './scope.ts';

export interface SortKey {
  readonly sql: Sql;
  readonly type: SqlType;
  readonly descending: boolean;
  /** False for columns of the primary key alone: other columns may hold nulls while a migration is on its way. */
  readonly isNullable: boolean;
  /** A column of the table itself, which may have an index. */
  readonly isStored: boolean;
}

/** What a row is placed by: one text, or null, per sort key. */
export type Place = readonly (string | null)[];

/** The sort keys of a list; the record's key comes last, in the direction of the last item, so that no two rows are equal. */
export function sortKeys(scope: ReadScope, entity: EntityModel, sorts: readonly CheckedSort[], alias: string, rank?: Sql): SortKey[] {
  const keys = sorts.map(({ hops, column, descending }): SortKey => ({
    sql: scalarSql(scope, hops, column, alias),
    type: COLUMN_TYPES[column.field.type],
    descending,
    isNullable: hops.length > 0 || !column.field.isKey,
    isStored: hops.length === 0 && column.access.mode === 'always',
  }));
  if (sorts.length === 0 && rank !== undefined)
    keys.push({ sql: rank, type: 'double precision', descending: true, isNullable: false, isStored: false });
  const descending = keys.at(-1)?.descending ?? false;
  const own = new Set(sorts.filter((sort) => sort.hops.length === 0).map((sort) => sort.column.field.column));
  for (const field of entity.key) {
    if (own.has(field.column)) continue;
    keys.push({ sql: id(alias, field.column), type: COLUMN_TYPES[field.type], descending, isNullable: false, isStored: true });
  }
  return keys;
}

/** ORDER BY items. */
export const orderSql = (keys: readonly SortKey[]): Sql => join(keys.map((key) => (key.descending ? sql`${key.sql} desc` : key.sql)));

/** The place of a row as JSON text. */
export const placeSql = (keys: readonly SortKey[]): Sql => sql`json_build_array(${join(keys.map((key) => sql`${key.sql}::text`))})::text`;

/**
 * The rows behind `place` as one or two conditions: all rows of the first come before all rows of the second. Two where the
 * first column may have an index, since `c > v or c is null` in one condition would not be looked up in it.
 */
export function rowsAfter(keys: readonly SortKey[], place: Place): Sql[] {
  const [first, ...rest] = keys;
  const [start = null, ...others] = place;
  if (first === undefined) return [];
  if (start === null) {
    const within = and([sql`${first.sql} is null`, behind(rest, others)]);
    if (!first.descending) return [within];
    const values = sql`${first.sql} is not null`;
    return first.isStored ? [within, values] : [or([within, values])];
  }
  const isRow = isRowComparable(keys, place);
  if (!isRow && !first.isStored) return [behind(keys, place)];
  const among = isRow ? rowBehind(keys, place) : and([notBefore(first, start), behind([{ ...first, isNullable: false }, ...rest], place)]);
  if (first.descending || !first.isNullable) return [among];
  const nulls = sql`${first.sql} is null`;
  return first.isStored ? [among, nulls] : [or([among, nulls])];
}

/** One row comparison says it all when every key goes the same way and no null but the first column's lies ahead. */
const isRowComparable = (keys: readonly SortKey[], place: Place): boolean =>
  keys.every(
    (key, index) => key.descending === keys[0]?.descending && place[index] !== null && (key.descending || index === 0 || !key.isNullable),
  );

function rowBehind(keys: readonly SortKey[], place: Place): Sql {
  const columns = join(keys.map((key) => key.sql));
  const values = join(keys.map((key, index) => value(place[index], key.type)));
  return keys[0]?.descending === true ? sql`(${columns}) < (${values})` : sql`(${columns}) > (${values})`;
}

/** Follows from the rest of the condition; said so that an index on the column finds its beginning. */
const notBefore = (key: SortKey, start: string): Sql =>
  key.descending ? sql`${key.sql} <= ${value(start, key.type)}` : sql`${key.sql} >= ${value(start, key.type)}`;

/** Equal in the first columns and behind in the next one, for each column in turn. */
function behind(keys: readonly SortKey[], place: Place): Sql {
  const equal: Sql[] = [];
  const arms: Sql[] = [];
  keys.forEach((key, index) => {
    const at = place[index] ?? null;
    const further = behindOne(key, at);
    if (further !== undefined) arms.push(and([...equal, further]));
    equal.push(at === null ? sql`${key.sql} is null` : sql`${key.sql} = ${value(at, key.type)}`);
  });
  return or(arms);
}

function behindOne(key: SortKey, at: string | null): Sql | undefined {
  if (at === null) return key.descending ? sql`${key.sql} is not null` : undefined;
  const bound = value(at, key.type);
  if (key.descending) return sql`${key.sql} < ${bound}`;
  return key.isNullable ? sql`(${key.sql} > ${bound} or ${key.sql} is null)` : sql`${key.sql} > ${bound}`;
}
