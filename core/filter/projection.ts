/** What an answer shows: fields, includes and their fields, each checked, and the SELECT that makes JSON of them. */
import { DELETED_COLUMN, type EntityModel } from '../model/model.ts';
import { jsonOf, selectList, type JsonColumn, type JsonSettings } from '../sql/columns.ts';
import { and, flattened, id, join, literal, sql, type Sql } from '../sql/sql.ts';
import { innerAlias, relatedRows } from './compile.ts';
import { invalidValue, MAX_DEPTH, MAX_INCLUDED_ROWS, MAX_INCLUDES, type ListQuery } from './query.ts';
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
}

/** What was asked of one entity: field names (undefined: all) and deeper parts by relation name. */
interface Wish {
  fields: Set<string> | undefined;
  readonly parts: Map<string, Wish>;
}

/** Checks `fields` and `include`; relations with `fetch: eager` come along unless `fields` says exactly what is wanted. */
export function checkProjection(scope: ReadScope, entity: EntityModel, query: Pick<ListQuery, 'fields' | 'include'>): Projection {
  if (query.fields === undefined && query.include.length === 0) return project(scope, entity, undefined);
  const root: Wish = { fields: undefined, parts: new Map() };
  const budget = { includes: 0 };
  for (const path of query.include) wishAt(root, path, budget);
  if (query.fields !== undefined) {
    root.fields = new Set();
    for (const path of query.fields) {
      const wish = wishAt(root, path.slice(0, -1), budget);
      wish.fields ??= new Set();
      wish.fields.add(path.at(-1) ?? '');
    }
  }
  return project(scope, entity, root);
}

function wishAt(root: Wish, path: readonly string[], budget: { includes: number }): Wish {
  if (path.length > MAX_DEPTH) throw invalidValue('include', `"${path.join('.')}" is more than ${MAX_DEPTH} relations deep.`);
  let wish = root;
  for (const name of path) {
    let part = wish.parts.get(name);
    if (part === undefined) {
      budget.includes += 1;
      if (budget.includes > MAX_INCLUDES) throw invalidValue('include', `At most ${MAX_INCLUDES} relations can be included at once.`);
      wish.parts.set(name, (part = { fields: undefined, parts: new Map() }));
    }
    wish = part;
  }
  return wish;
}

function project(scope: ReadScope, entity: EntityModel, wish: Wish | undefined, isRoot = true): Projection {
  const includes = [...(wish?.parts ?? [])].map(([name, part]): Include => {
    const hop = hopOf(scope, entity, name);
    if (hop === undefined) throw unknownField(scope, entity, name);
    return { name, hop, projection: project(scope, hop.target, part, false) };
  });
  if (isRoot && wish?.fields === undefined) includes.push(...eagerIncludes(scope, entity, includes));
  if (wish?.fields === undefined && !includes.some((include) => entity.fields.has(include.name))) {
    const { columns, isFixed } = allColumns(scope, entity);
    return { entity, columns, keptUnder: isFixed ? scope.access(entity).key : undefined, includes };
  }
  const taken = new Set(includes.map((include) => include.name));
  const columns = columnsOf(scope, entity, wish?.fields).filter((column) => !taken.has(column.field.name));
  return { entity, columns, keptUnder: undefined, includes };
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

function eagerIncludes(scope: ReadScope, entity: EntityModel, asked: readonly Include[]): Include[] {
  return entity.relations.flatMap((end) => {
    if (!end.isEager || asked.some((include) => include.hop.end === end)) return [];
    const hop = hopOf(scope, entity, end.name);
    return hop === undefined ? [] : [{ name: end.name, hop, projection: project(scope, hop.target, undefined, false) }];
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
  const { hop, projection } = include;
  const inner = innerAlias(alias);
  const row = `${alias}x`;
  const { from, conditions } = relatedRows(scope, hop, alias);
  const rows = sql`select ${projectionColumns(scope, projection, inner, settings)} from ${from} where ${and(conditions)}`;
  if (hop.end.cardinality === 'one') {
    return sql`(select ${rowJson(projection, row)} from (${rows} limit 1) ${id(row)})`;
  }
  const order = join(hop.target.key.map((field) => id(inner, field.column)));
  // One row over the limit is enough to know; the logarithm of zero ends the statement with a code of its own (2201E).
  return sql`(
    select case when count(*) > ${MAX_ROWS} then to_json(ln((0 * count(*))::double precision))
      else coalesce(json_agg(${rowJson(projection, row)}), '[]'::json) end
    from (${rows} order by ${order} limit ${MAX_ROWS_AND_ONE}) ${id(row)})`;
}
