/** What an answer shows: fields, includes and their fields, each checked, and the SELECT that makes JSON of them. */
import { DELETED_COLUMN, type EntityModel } from '../model/model.ts';
import { jsonOf, selectList, type JsonColumn, type JsonSettings } from '../sql/columns.ts';
import { and, flattened, id, join, literal, sql, type Sql } from '../sql/sql.ts';
import { checkFilter, checkSort } from './check.ts';
import { filterSql, innerAlias, relatedRows } from './compile.ts';
import type { Bindings } from './operand.ts';
import { orderSql, sortKeys } from './order.ts';
import { tooManyIncludes } from './parse-include.ts';
import { invalidValue, MAX_DEPTH, MAX_INCLUDED_ROWS, MAX_INCLUDES, type IncludeItem, type ListQuery } from './query.ts';
import { columnOf, columnSql, hopOf, unknownField, type Column, type Hop, type ReadScope } from './scope.ts';

export interface Projection {
  readonly entity: EntityModel;
  readonly columns: readonly Column[];
  /** Set when `columns` is every column the caller may read and none depends on the row: its select list is kept. */
  readonly keptUnder: string | undefined;
  readonly includes: readonly Include[];
}

export interface Include {
  /** The key in the answer: the name it was asked by. */
  readonly name: string;
  readonly hop: Hop;
  readonly projection: Projection;
  readonly choice: Choice;
}

/** Which related records are shown; made by `checkChoice`. */
interface Choice {
  /** A condition on the related row. */
  readonly where: ((alias: string) => Sql) | undefined;
  /** ORDER BY items over the related row; the key when left out. */
  readonly order: ((alias: string) => Sql) | undefined;
  /** Given: as many at most. Left out: all of them, and 413 when they are too many. */
  readonly limit: number | undefined;
}

const ALL: Choice = { where: undefined, order: undefined, limit: undefined };

/** What was asked of one entity: field names (undefined: all) and deeper parts by relation name. */
interface Wish {
  fields: Set<string> | undefined;
  readonly parts: Map<string, Wish>;
  options: IncludeItem | undefined;
}

/** What every part of one projection is checked with. */
interface Checker {
  readonly scope: ReadScope;
  readonly bindings: Bindings;
}

/** Checks `fields` and `include`; relations with `fetch: eager` come along unless `fields` says exactly what is wanted. */
export function checkProjection(
  scope: ReadScope,
  entity: EntityModel,
  query: Pick<ListQuery, 'fields' | 'include'>,
  bindings: Bindings,
): Projection {
  const checker = { scope, bindings };
  if (query.fields === undefined && query.include.length === 0) return project(checker, entity, undefined);
  const root: Wish = { fields: undefined, parts: new Map(), options: undefined };
  const budget = { includes: 0 };
  for (const item of query.include) wishFor(root, item, budget);
  if (query.fields !== undefined) {
    root.fields = new Set();
    wishFields(root, [], query.fields, budget);
  }
  return project(checker, entity, root);
}

/** An include with options says them once; plain mentions of it may stand beside. */
function wishFor(root: Wish, item: IncludeItem, budget: { includes: number }): void {
  const wish = wishAt(root, item.path, budget);
  if (item.fields !== undefined) wishFields(root, item.path, item.fields, budget);
  if (item.filter === undefined && item.sort === undefined && item.limit === undefined) return;
  const name = item.path.join('.');
  if (wish.options !== undefined) throw invalidValue('include', `The options of "${name.slice(0, 200)}" are given more than once.`);
  wish.options = item;
}

function wishFields(root: Wish, prefix: readonly string[], fields: readonly (readonly string[])[], budget: { includes: number }): void {
  for (const path of fields) {
    const wish = wishAt(root, [...prefix, ...path.slice(0, -1)], budget);
    wish.fields ??= new Set();
    wish.fields.add(path.at(-1) ?? '');
  }
}

function wishAt(root: Wish, path: readonly string[], budget: { includes: number }): Wish {
  if (path.length > MAX_DEPTH) throw invalidValue('include', `"${path.join('.').slice(0, 200)}" is more than ${MAX_DEPTH} relations deep.`);
  let wish = root;
  for (const name of path) {
    let part = wish.parts.get(name);
    if (part === undefined) {
      budget.includes += 1;
      if (budget.includes > MAX_INCLUDES) throw tooManyIncludes();
      wish.parts.set(name, (part = { fields: undefined, parts: new Map(), options: undefined }));
    }
    wish = part;
  }
  return wish;
}

function project(checker: Checker, entity: EntityModel, wish: Wish | undefined, isRoot = true): Projection {
  const { scope } = checker;
  const includes = [...(wish?.parts ?? [])].map(([name, part]): Include => {
    const hop = hopOf(scope, entity, name);
    if (hop === undefined) throw unknownField(scope, entity, name);
    return { name, hop, projection: project(checker, hop.target, part, false), choice: checkChoice(checker, hop, part.options) };
  });
  if (isRoot && wish?.fields === undefined) includes.push(...eagerIncludes(checker, entity, includes));
  if (wish?.fields === undefined && !includes.some((include) => entity.fields.has(include.name))) {
    const { columns, isFixed } = allColumns(scope, entity);
    return { entity, columns, keptUnder: isFixed ? scope.access(entity).key : undefined, includes };
  }
  const taken = new Set(includes.map((include) => include.name));
  const columns = columnsOf(scope, entity, wish?.fields).filter((column) => !taken.has(column.field.name));
  return { entity, columns, keptUnder: undefined, includes };
}

function checkChoice({ scope, bindings }: Checker, hop: Hop, options: IncludeItem | undefined): Choice {
  if (options === undefined) return ALL;
  const { target } = hop;
  if (hop.end.cardinality === 'one' && (options.sort !== undefined || options.limit !== undefined)) {
    const name = options.path.join('.');
    throw invalidValue(
      'include',
      `"${name}" leads to one record, which can be neither sorted nor limited.`,
      'Leave out its sort and limit.',
    );
  }
  const filter = options.filter === undefined ? undefined : checkFilter(scope, target, options.filter, bindings);
  const sorts = options.sort === undefined ? undefined : checkSort(scope, target, options.sort);
  return {
    where: filter && ((alias) => filterSql(scope, filter, alias, bindings)),
    order: sorts && ((alias) => orderSql(sortKeys(scope, target, sorts, alias))),
    limit: options.limit,
  };
}

interface AllColumns {
  readonly columns: readonly Column[];
  readonly isFixed: boolean;
}

/** Per entity (so per app version) what is the same for every caller of one role set. */
const kept = new WeakMap<EntityModel, { readonly columns: Map<string, AllColumns>; readonly selects: Map<string, Sql> }>();
const MAX_KEPT = 500;

function keptFor(entity: EntityModel): { readonly columns: Map<string, AllColumns>; readonly selects: Map<string, Sql> } {
  let parts = kept.get(entity);
  if (parts === undefined || parts.columns.size > MAX_KEPT || parts.selects.size > MAX_KEPT) {
    kept.set(entity, (parts = { columns: new Map(), selects: new Map() }));
  }
  return parts;
}

function allColumns(scope: ReadScope, entity: EntityModel): AllColumns {
  const parts = keptFor(entity);
  const { key } = scope.access(entity);
  const known = parts.columns.get(key);
  if (known !== undefined) return known;
  const columns = columnsOf(scope, entity, undefined);
  const found = { columns, isFixed: columns.every((column) => column.access.mode === 'always') };
  // Conditional columns hold the values of one caller.
  if (found.isFixed) parts.columns.set(key, found);
  return found;
}

function columnsOf(scope: ReadScope, entity: EntityModel, names: ReadonlySet<string> | undefined): Column[] {
  if (names === undefined) return [...entity.fields.keys()].flatMap((name) => columnOf(scope, entity, name) ?? []);
  return [...names].map((name) => {
    const column = columnOf(scope, entity, name);
    if (column === undefined) throw unknownField(scope, entity, name);
    return column;
  });
}

function eagerIncludes(checker: Checker, entity: EntityModel, asked: readonly Include[]): Include[] {
  return entity.relations.flatMap((end) => {
    if (!end.isEager || asked.some((include) => include.hop.end === end)) return [];
    const hop = hopOf(checker.scope, entity, end.name);
    return hop === undefined ? [] : [{ name: end.name, hop, projection: project(checker, hop.target, undefined, false), choice: ALL }];
  });
}

/** Holds the names a row hides from its reader; no field can be called so. */
const HIDDEN = '_hidden';

/** The select list of one row: its values, its includes, and the keys to leave out of it. */
export function projectionColumns(scope: ReadScope, projection: Projection, alias: string, settings: JsonSettings): Sql {
  const own = ownColumns(scope, projection, alias, settings);
  const includes = projection.includes.map((include) => sql`${includeSql(scope, include, alias, settings)} as ${id(include.name)}`);
  return join([...own, ...includes]);
}

function ownColumns(scope: ReadScope, projection: Projection, alias: string, settings: JsonSettings): Sql[] {
  const { entity, keptUnder } = projection;
  if (keptUnder === undefined) return selectOwn(scope, projection, alias, settings);
  const { selects } = keptFor(entity);
  const key = `${keptUnder} ${alias} ${scope.storage} ${String(scope.withDeleted)} ${settings.exact_numbers}`;
  let select = selects.get(key);
  if (select === undefined) selects.set(key, (select = flattened(join(selectOwn(scope, projection, alias, settings)))));
  return [select];
}

function selectOwn(scope: ReadScope, { entity, columns }: Projection, alias: string, settings: JsonSettings): Sql[] {
  const items: JsonColumn[] = columns.map((column) => ({
    name: column.field.name,
    sql: jsonOf(column.field.type, columnSql(alias, column), scope.storage, settings),
  }));
  if (scope.withDeleted && entity.hasSoftDelete && !entity.fields.has(DELETED_COLUMN)) {
    items.push({ name: DELETED_COLUMN, sql: id(alias, DELETED_COLUMN) });
  }
  const hidden = columns.flatMap((column) =>
    column.access.mode === 'conditional'
      ? [sql`case when ${column.access.when?.(alias) ?? sql`false`} then null else ${literal(column.field.name)} end`]
      : [],
  );
  if (hidden.length > 0) items.push({ name: HIDDEN, sql: sql`array[${join(hidden)}]::text[]` });
  return items.length === 0 ? [] : [selectList(items)];
}

/** True when every row shows the same keys. */
export const isPlain = (projection: Projection): boolean =>
  projection.keptUnder !== undefined || projection.columns.every((column) => column.access.mode === 'always');

/** The JSON of the row `row` that was selected by `projectionColumns`. */
export function rowJson(projection: Projection, row: string): Sql {
  if (isPlain(projection)) return sql`row_to_json(${id(row)})`;
  return sql`(to_jsonb(${id(row)}) - ${literal(HIDDEN)} - array_remove(${id(row, HIDDEN)}, null))`;
}

const MAX_ROWS = literal(String(MAX_INCLUDED_ROWS));
const MAX_ROWS_AND_ONE = literal(String(MAX_INCLUDED_ROWS + 1));

function includeSql(scope: ReadScope, include: Include, alias: string, settings: JsonSettings): Sql {
  const { hop, projection, choice } = include;
  const inner = innerAlias(alias);
  const row = `${alias}x`;
  const { from, conditions } = relatedRows(scope, hop, alias);
  if (choice.where !== undefined) conditions.push(choice.where(inner));
  const rows = sql`select ${projectionColumns(scope, projection, inner, settings)} from ${from} where ${and(conditions)}`;
  if (hop.end.cardinality === 'one') {
    return sql`(select ${rowJson(projection, row)} from (${rows} limit 1) ${id(row)})`;
  }
  const order = choice.order?.(inner) ?? join(hop.target.key.map((field) => id(inner, field.column)));
  if (choice.limit !== undefined) {
    const some = sql`${rows} order by ${order} limit ${literal(String(choice.limit))}`;
    return sql`(select coalesce(json_agg(${rowJson(projection, row)}), '[]'::json) from (${some}) ${id(row)})`;
  }
  // One row over the limit is enough to know; the logarithm of zero ends the statement with a code of its own (2201E).
  return sql`(
    select case when count(*) > ${MAX_ROWS} then to_json(ln((0 * count(*))::double precision))
      else coalesce(json_agg(${rowJson(projection, row)}), '[]'::json) end
    from (${rows} order by ${order} limit ${MAX_ROWS_AND_ONE}) ${id(row)})`;
}
