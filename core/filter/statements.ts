/** Whole reading statements: a list by pages or by cursors, and one record, each a single SELECT whose JSON Postgres builds. */
import { DELETED_COLUMN, VERSION_COLUMN, type EntityModel } from '../model/model.ts';
import type { JsonSettings } from '../sql/columns.ts';
import { and, id, join, literal, sql, value, type Sql } from '../sql/sql.ts';
import { checkFilter, checkSort, type CheckedFilter } from './check.ts';
import { filterSql, visibleRows } from './compile.ts';
import type { Bindings } from './operand.ts';
import { orderSql, placeSql, rowsAfter, sortKeys, type Place, type SortKey } from './order.ts';
import { checkProjection, isPlain, projectionColumns, rowJson, type Projection } from './projection.ts';
import { DEFAULT_PER_PAGE, invalidValue, MAX_SKIPPED, type ListQuery } from './query.ts';
import { columnOf, type Hop, type ReadScope } from './scope.ts';
import { checkSearch, type Search } from './search.ts';

const ALIAS = 't';
const ROW = 'x';

export interface ReadSettings extends JsonSettings {
  readonly max_per_page: number;
}

/** A checked list: its rows, their order and what is shown of them. */
export interface ListPlan {
  readonly scope: ReadScope;
  readonly entity: EntityModel;
  readonly projection: Projection;
  readonly where: readonly Sql[];
  /** The same rows, for statements that need all of them. */
  readonly whereAll: readonly Sql[];
  readonly keys: readonly SortKey[];
  /** Of a list ordered by rank: the same list in the order of its key, for more finds than can be ranked. */
  readonly unranked: ListPlan | undefined;
  /** True when nothing in `where` hides a record or a value from this caller: Postgres' own estimate tells them nothing new. */
  readonly isOpen: boolean;
  /** How many records come at once. */
  readonly size: number;
  readonly settings: ReadSettings;
}

/** Checks a query. Throws 400s that name what is wrong. */
export function planList(scope: ReadScope, entity: EntityModel, query: ListQuery, bindings: Bindings, settings: ReadSettings): ListPlan {
  const projection = checkProjection(scope, entity, query, bindings);
  const sorts = checkSort(scope, entity, query.sort);
  const { where, whereAll, filter, search } = checkRows(scope, entity, query, bindings);
  const unranked = {
    scope,
    entity,
    projection,
    where,
    whereAll,
    keys: sortKeys(scope, entity, sorts, ALIAS),
    unranked: undefined,
    isOpen: isOpen(scope, entity, filter, search),
    size: Math.min((query.walk === undefined ? query.perPage : query.walk.limit) ?? DEFAULT_PER_PAGE, settings.max_per_page),
    settings,
  };
  if (search === undefined || sorts.length > 0) return unranked;
  return { ...unranked, where: whereAll, keys: sortKeys(scope, entity, sorts, ALIAS, search.rank(ALIAS)), unranked };
}

interface CheckedRows {
  readonly where: readonly Sql[];
  readonly whereAll: readonly Sql[];
  readonly filter: CheckedFilter | undefined;
  readonly search: Search | undefined;
}

/** The rows that a query means and the caller may see. */
type RowsQuery = Pick<ListQuery, 'filter' | 'search' | 'onlyDeleted'>;

function checkRows(scope: ReadScope, entity: EntityModel, query: RowsQuery, bindings: Bindings): CheckedRows {
  const filter = query.filter === undefined ? undefined : checkFilter(scope, entity, query.filter, bindings);
  const search = query.search === undefined ? undefined : checkSearch(scope, entity, query.search);
  const where = visibleRows(scope, entity, ALIAS);
  if (query.onlyDeleted) where.push(isDeleted(entity));
  if (filter !== undefined) where.push(filterSql(scope, filter, ALIAS, bindings));
  if (search === undefined) return { where, whereAll: where, filter, search };
  return { where: [...where, search.condition(ALIAS)], whereAll: [...where, search.ofAll(ALIAS)], filter, search };
}

const isDeleted = (entity: EntityModel): Sql => (entity.hasSoftDelete ? sql`${id(ALIAS, DELETED_COLUMN)} is not null` : sql`false`);

/** `from ... where ...`: the rows under `ROWS_ALIAS` that a query means and the caller may see, for aggregates and exports. */
export function selectedRows(scope: ReadScope, entity: EntityModel, query: RowsQuery, bindings: Bindings, joins: readonly Sql[] = []): Sql {
  const { whereAll } = checkRows(scope, entity, query, bindings);
  return sql`from ${id(scope.storage, entity.rows)} ${id(ALIAS)}${join(joins, '')}${whereSql(whereAll)}`;
}

function isOpen(scope: ReadScope, entity: EntityModel, filter: CheckedFilter | undefined, search: Search | undefined): boolean {
  if (scope.access(entity).where(ALIAS) !== undefined || search?.isOpen === false) return false;
  const isOpenFilter = (item: CheckedFilter): boolean => {
    switch (item.kind) {
      case 'and':
      case 'or':
        return item.items.every(isOpenFilter);
      case 'not':
        return isOpenFilter(item.item);
      case 'related':
        return scope.access(item.hop.target).where(ALIAS) === undefined && isOpenLink(scope, item.hop) && isOpenFilter(item.item);
      case 'compare':
        return item.column.access.mode === 'always';
    }
  };
  return filter === undefined || isOpenFilter(filter);
}

/** Whether the columns that tie two entities are readable in every row. */
const isOpenLink = (scope: ReadScope, { entity, end, target }: Hop): boolean =>
  [columnOf(scope, entity, end.localColumn), columnOf(scope, target, end.targetColumn)].every((column) => column?.access.mode === 'always');

const fromSql = ({ scope, entity, where }: ListPlan, further: readonly Sql[] = []): Sql =>
  sql`from ${id(scope.storage, entity.rows)} ${id(ALIAS)}${whereSql([...where, ...further])}`;

const fromAllSql = ({ scope, entity, whereAll }: ListPlan): Sql =>
  sql`from ${id(scope.storage, entity.rows)} ${id(ALIAS)}${whereSql(whereAll)}`;

/** A window count would read every row with its columns; the plain count may use an index alone. */
const totalSql = (plan: ListPlan, isCounted: boolean): Sql => (isCounted ? sql`, (select count(*) ${fromAllSql(plan)}) as total` : sql``);

/** Page `page` of a list. Answers one row: `data`, the JSON array as text, and `total` when it is counted. */
export function pageStatement(plan: ListPlan, page: number, isCounted: boolean): Sql {
  const { scope, projection, settings } = plan;
  const columns = projectionColumns(scope, projection, ALIAS, settings);
  const rows = sql`select ${columns} ${fromSql(plan)} order by ${orderSql(plan.keys)} ${pageSql(page, plan.size)}`;
  return sql`select coalesce(json_agg(${rowOf(projection)})::text, '[]') as data${totalSql(plan, isCounted)} from (${rows}) ${id(ROW)}`;
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
  const skipped = (page - 1) * perPage;
  if (skipped > MAX_SKIPPED) {
    throw invalidValue(
      'page',
      `Page ${page} lies behind more than ${MAX_SKIPPED} records.`,
      'Filter more narrowly, sort the other way round, or walk through the list with limit and cursor.',
    );
  }
  const offset = String(skipped);
  return sql`${limit} offset ${page <= CONSTANT_PAGES ? literal(offset) : value(offset, 'bigint')}`;
}

/**
 * The part of a list behind `place`, or its beginning. Answers one row: `data`, `total` when it is counted, and `last`, the
 * place of the last record when others follow it.
 */
export function walkStatement(plan: ListPlan, place: Place | undefined, isCounted: boolean): Sql {
  const { scope, projection, settings, keys, size } = plan;
  // One row more tells whether others follow.
  const limit = sql`limit ${literal(String(size + 1))}`;
  const json = sql`(select ${rowJson(projection, ROW)} from (select ${projectionColumns(scope, projection, ALIAS, settings)}) ${id(ROW)})`;
  const part = (further: readonly Sql[]): Sql =>
    sql`select ${json} as data, ${placeSql(keys)} as place ${fromSql(plan, further)} order by ${orderSql(keys)} ${limit}`;
  const parts = place === undefined ? [part([])] : rowsAfter(keys, place).map((condition) => part([condition]));
  // Limited parts are read one after the other, so their order is the order of the whole, and a part not needed is not read.
  const rows =
    parts.length === 1
      ? (parts[0] ?? sql``)
      : sql`${join(
          parts.map((one) => sql`(${one})`),
          ' union all ',
        )} ${limit}`;
  const numbered = sql`select "w".data, "w".place, row_number() over () as position from (${rows}) "w"`;
  const most = literal(String(size));
  return sql`
    select coalesce(json_agg("n".data) filter (where "n".position <= ${most})::text, '[]') as data,
      case when count(*) > ${most} then max("n".place) filter (where "n".position = ${most}) end as last${totalSql(plan, isCounted)}
    from (${numbered}) "n"`;
}

/** How many records a list holds, or that they are more than `bound`. Answers one row: `total`. */
export const countStatement = (plan: ListPlan, bound: number | undefined): Sql =>
  bound === undefined
    ? sql`select count(*)::text as total ${fromAllSql(plan)}`
    : sql`select count(*)::text as total from (select 1 ${fromAllSql(plan)} limit ${literal(String(bound + 1))}) "w"`;

/** What Postgres expects the list to hold. Answers one row with the plan. */
export const estimateStatement = (plan: ListPlan): Sql => sql`explain (format json) select 1 ${fromSql(plan.unranked ?? plan)}`;

/** One record found by `key`: `data`, its JSON as text, and `version`. No row when it is outside of the caller's scope. */
export function recordStatement(
  scope: ReadScope,
  key: Sql,
  projection: Projection,
  settings: JsonSettings,
  query: Pick<ListQuery, 'onlyDeleted'>,
): Sql {
  const { entity } = projection;
  const where = [key, ...visibleRows(scope, entity, ALIAS), ...(query.onlyDeleted ? [isDeleted(entity)] : [])];
  const row = sql`select ${projectionColumns(scope, projection, ALIAS, settings)}`;
  return sql`
    select (select ${rowJson(projection, ROW)} from (${row}) ${id(ROW)})::text as data, ${id(ALIAS, VERSION_COLUMN)}::text as version
    from ${id(scope.storage, entity.rows)} ${id(ALIAS)}${whereSql(where)} limit 1`;
}

/** json_agg turns rows into objects itself; the detour over row_to_json would build each twice. */
const rowOf = (projection: Projection): Sql => (isPlain(projection) ? id(ROW) : rowJson(projection, ROW));

const whereSql = (conditions: readonly Sql[]): Sql => (conditions.length === 0 ? sql`` : sql` where ${and(conditions)}`);

/** The alias of the rows of `selectedRows`, and the one `key` conditions of `recordStatement` are made for. */
export const ROWS_ALIAS = ALIAS;
