/** Whole reading statements: a page of records and one record, each a single SELECT whose JSON Postgres builds. */
import { VERSION_COLUMN, type EntityModel } from '../model/model.ts';
import type { JsonSettings } from '../sql/columns.ts';
import { and, id, join, literal, sql, value, type Sql } from '../sql/sql.ts';
import { checkFilter, checkSort } from './check.ts';
import { filterSql, orderSql, visibleRows } from './compile.ts';
import type { Bindings } from './operand.ts';
import { checkProjection, isPlain, projectionColumns, rowJson, type Projection } from './projection.ts';
import { DEFAULT_PER_PAGE, type ListQuery } from './query.ts';
import type { ReadScope } from './scope.ts';

const ALIAS = 't';
const ROW = 'x';

export interface ListStatement {
  /** Answers one row: `data`, the JSON array as text, and `total` when it was asked for. */
  readonly statement: Sql;
  readonly page: number;
  readonly perPage: number;
}

export interface ReadSettings extends JsonSettings {
  readonly max_per_page: number;
}

/** Checks a query and makes its statement. Throws 400s that name what is wrong. */
export function listStatement(
  scope: ReadScope,
  entity: EntityModel,
  query: ListQuery,
  bindings: Bindings,
  settings: ReadSettings,
): ListStatement {
  const projection = checkProjection(scope, entity, query);
  const sorts = checkSort(scope, entity, query.sort);
  const perPage = Math.min(query.perPage ?? DEFAULT_PER_PAGE, settings.max_per_page);
  const from = selectedRows(scope, entity, query, bindings);
  const columns = projectionColumns(scope, projection, ALIAS, settings);
  const order = orderSql(scope, entity, sorts, ALIAS);
  const rows = sql`select ${columns} ${from} order by ${order} ${pageSql(query.page, perPage)}`;
  // A window count would read every row with its columns; the plain count may use an index alone.
  const total = query.count === 'exact' ? sql`, (select count(*) ${from}) as total` : sql``;
  return {
    statement: sql`select coalesce(json_agg(${rowOf(projection)})::text, '[]') as data${total} from (${rows}) ${id(ROW)}`,
    page: query.page,
    perPage,
  };
}

/** `from ... where ...`: the rows under `ROWS_ALIAS` that a query means and the caller may see, in lists, aggregates and exports. */
export function selectedRows(
  scope: ReadScope,
  entity: EntityModel,
  query: Pick<ListQuery, 'filter'>,
  bindings: Bindings,
  joins: readonly Sql[] = [],
): Sql {
  const where = visibleRows(scope, entity, ALIAS);
  if (query.filter !== undefined) where.push(filterSql(scope, checkFilter(scope, entity, query.filter, bindings), ALIAS, bindings));
  return sql`from ${id(scope.storage, entity.table)} ${id(ALIAS)}${join(joins, '')}${whereSql(where)}`;
}

/** The first pages of a list stand in the statement as constants. */
const CONSTANT_PAGES = 10;

/**
 * With LIMIT or OFFSET as parameters Postgres takes its one-tenth-of-the-table guess for the plan it could keep, finds it dear
 * and plans every execution anew, which costs more than a short query itself. So the numbers are constants, except deep offsets.
 */
function pageSql(page: number, perPage: number): Sql {
  const limit = sql`limit ${literal(String(perPage))}`;
  if (page === 1) return limit;
  const offset = String(BigInt(page - 1) * BigInt(perPage));
  return sql`${limit} offset ${page <= CONSTANT_PAGES ? literal(offset) : value(offset, 'bigint')}`;
}

/** One record found by `key`: `data`, its JSON as text, and `version`. No row when it is outside of the caller's scope. */
export function recordStatement(
  scope: ReadScope,
  entity: EntityModel,
  key: Sql,
  query: Pick<ListQuery, 'fields' | 'include'>,
  settings: JsonSettings,
): Sql {
  const projection = checkProjection(scope, entity, query);
  const where = [key, ...visibleRows(scope, entity, ALIAS)];
  const row = sql`select ${projectionColumns(scope, projection, ALIAS, settings)}`;
  return sql`
    select (select ${rowJson(projection, ROW)} from (${row}) ${id(ROW)})::text as data, ${id(ALIAS, VERSION_COLUMN)}::text as version
    from ${id(scope.storage, entity.table)} ${id(ALIAS)}${whereSql(where)} limit 1`;
}

/** json_agg turns rows into objects itself; the detour over row_to_json would build each twice. */
const rowOf = (projection: Projection): Sql => (isPlain(projection) ? id(ROW) : rowJson(projection, ROW));

const whereSql = (conditions: readonly Sql[]): Sql => (conditions.length === 0 ? sql`` : sql` where ${and(conditions)}`);

/** The alias of the rows of `selectedRows`, and the one `key` conditions of `recordStatement` are made for. */
export const ROWS_ALIAS = ALIAS;
