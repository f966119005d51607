/** Checked filters and sorts as SQL. Every value is a parameter, every name comes from the model. */
import type { FilterOperator } from '../model/field-types.ts';
import { DELETED_COLUMN, type AppModel, type EntityModel, type FieldModel } from '../model/model.ts';
import { COLUMN_TYPES, LIST_TYPES } from '../sql/columns.ts';
import { and, id, or, sql, value, type Sql } from '../sql/sql.ts';
import type { CheckedFilter, CheckedSort } from './check.ts';
import { dynamicValue, readOperand, type Bindings } from './operand.ts';
import { columnOf, columnSql, type Hop, type ReadScope } from './scope.ts';

const FALSE = sql`false`;

/** A predicate over the row `alias`; it may be null, which a WHERE takes as false. */
export function filterSql(scope: ReadScope, filter: CheckedFilter, alias: string, bindings: Bindings): Sql {
  switch (filter.kind) {
    case 'and':
      return and(filter.items.map((item) => filterSql(scope, item, alias, bindings)));
    case 'or':
      return or(filter.items.map((item) => filterSql(scope, item, alias, bindings)));
    case 'not':
      // Not "not (...)": a comparison with null must count as "does not hold".
      return sql`(${filterSql(scope, filter.item, alias, bindings)}) is not true`;
    case 'related': {
      const inner = filterSql(scope, filter.item, innerAlias(alias), bindings);
      return filter.quantifier === 'some'
        ? existsSql(scope, filter.hop, alias, inner)
        : sql`not ${existsSql(scope, filter.hop, alias, inner)}`;
    }
    case 'compare': {
      const values = boundValues(filter, bindings);
      return values === undefined ? FALSE : compareSql(filter.operator, columnSql(alias, filter.column), filter.column.field, values);
    }
  }
}

/** The values of a comparison; undefined where a dynamic one is missing or does not fit the field, which holds for no row. */
export function boundValues(filter: Extract<CheckedFilter, { kind: 'compare' }>, bindings: Bindings): unknown[] | undefined {
  const values: unknown[] = [];
  for (const operand of filter.operands) {
    if (operand.kind === 'bound') {
      values.push(operand.value);
      continue;
    }
    const found = dynamicValue(operand.token, bindings);
    for (const item of Array.isArray(found) ? (found as unknown[]) : [found]) {
      const read = item === null || item === undefined ? undefined : readOperand(filter.column.field, filter.operator, item);
      if (read?.ok !== true) return undefined;
      values.push(read.value);
    }
  }
  return values;
}

/** One operator on one column. Values are in stored form, two for `between`, any number for `in` and `not_in`. */
export function compareSql(operator: FilterOperator, column: Sql, field: FieldModel, values: readonly unknown[]): Sql {
  const type = COLUMN_TYPES[field.type];
  const one = value(values[0], type);
  switch (operator) {
    // Several values reach a single-valued operator only as `$user.roles`.
    case 'eq':
      return values.length === 1 ? sql`${column} = ${one}` : sql`${column} = any(${value(values, LIST_TYPES[field.type])})`;
    case 'neq':
      return values.length === 1
        ? sql`${column} is distinct from ${one}`
        : sql`(${column} = any(${value(values, LIST_TYPES[field.type])})) is not true`;
    case 'gt':
      return sql`${column} > ${one}`;
    case 'gte':
      return sql`${column} >= ${one}`;
    case 'lt':
      return sql`${column} < ${one}`;
    case 'lte':
      return sql`${column} <= ${one}`;
    case 'in':
      return sql`${column} = any(${value(values, LIST_TYPES[field.type])})`;
    case 'not_in':
      return sql`(${column} = any(${value(values, LIST_TYPES[field.type])})) is not true`;
    case 'between':
      return sql`${column} between ${one} and ${value(values[1], type)}`;
    case 'like':
      return sql`${column} like ${one}`;
    case 'ilike':
      return sql`${column} ilike ${one}`;
    case 'contains':
      return field.type === 'json' ? sql`${column} @> ${one}` : sql`${column} like ${pattern('%', values[0], '%')}`;
    case 'icontains':
      return sql`${column} ilike ${pattern('%', values[0], '%')}`;
    case 'starts_with':
      return sql`${column} like ${pattern('', values[0], '%')}`;
    case 'ends_with':
      return sql`${column} like ${pattern('%', values[0], '')}`;
    case 'is_null':
      return sql`${column} is null`;
    case 'not_null':
      return sql`${column} is not null`;
    case 'is_empty':
      return emptySql(column, field);
  }
}

const pattern = (before: string, text: unknown, after: string): Sql =>
  value(before + String(text).replace(/[\\%_]/g, '\\$&') + after, 'text');

function emptySql(column: Sql, field: FieldModel): Sql {
  switch (COLUMN_TYPES[field.type]) {
    case 'text':
      return sql`coalesce(${column}, '') = ''`;
    case 'jsonb':
      return sql`coalesce(${column}, 'null') = any (array['null', '""', '[]', '{}']::jsonb[])`;
    default:
      return sql`${column} is null`;
  }
}

/** Aliases grow along a chain of subqueries, so an inner one never hides an outer one it refers to. */
export const innerAlias = (alias: string): string => `${alias}r`;

/** The rows behind one step from the row `alias`, under `innerAlias(alias)`: only those the caller may read. */
export function relatedRows(scope: ReadScope, hop: Hop, alias: string): { readonly from: Sql; readonly conditions: Sql[] } {
  const inner = innerAlias(alias);
  const { end, entity, target } = hop;
  const near = keyColumn(scope, entity, end.localField, alias);
  const far = keyColumn(scope, target, end.targetField, inner);
  const rows = sql`${id(scope.storage, target.rows)} ${id(inner)}`;
  const conditions: Sql[] = [];
  let from = rows;
  if (end.join === undefined) {
    conditions.push(sql`${far} = ${near}`);
  } else {
    const link = `${alias}j`;
    from = sql`${id(scope.storage, end.join.table)} ${id(link)} join ${rows} on ${far} = ${id(link, end.join.targetColumn)}`;
    conditions.push(sql`${id(link, end.join.localColumn)} = ${near}`, ...liveLink(scope, end.join.table, link));
  }
  return { from, conditions: [...conditions, ...visibleRows(scope, target, inner)] };
}

/** What restricts the records of an entity for this caller: not deleted, and inside the read policy. */
export function visibleRows(scope: ReadScope, entity: EntityModel, alias: string): Sql[] {
  const conditions: Sql[] = [];
  if (entity.hasSoftDelete && !scope.withDeleted) conditions.push(sql`${id(alias, DELETED_COLUMN)} is null`);
  const policy = scope.access(entity).where(alias);
  if (policy !== undefined) conditions.push(policy);
  return conditions;
}

/** A join table may be an entity of its own, whose links are then deleted softly. */
function liveLink(scope: ReadScope, table: string, alias: string): Sql[] {
  if (scope.withDeleted) return [];
  let soft = softTables.get(scope.model);
  if (soft === undefined) {
    soft = new Set([...scope.model.entities.values()].filter((entity) => entity.hasSoftDelete).map((entity) => entity.table));
    softTables.set(scope.model, soft);
  }
  return soft.has(table) ? [sql`${id(alias, DELETED_COLUMN)} is null`] : [];
}

const softTables = new WeakMap<AppModel, ReadonlySet<string>>();

function keyColumn(scope: ReadScope, entity: EntityModel, name: string, alias: string): Sql {
  const column = columnOf(scope, entity, name);
  return column === undefined ? sql`null` : columnSql(alias, column);
}

function existsSql(scope: ReadScope, hop: Hop, alias: string, inner: Sql): Sql {
  const { from, conditions } = relatedRows(scope, hop, alias);
  const found = sql`exists (select 1 from ${from} where ${and([...conditions, inner])})`;
  return scope.keepsSubplans ? sql`((${found}) is true)` : found;
}

/** A field behind relations to one, as a scalar; null where there is no such row. */
export function scalarSql(scope: ReadScope, hops: readonly Hop[], column: CheckedSort['column'], alias: string): Sql {
  const [hop, ...rest] = hops;
  if (hop === undefined) return columnSql(alias, column);
  const { from, conditions } = relatedRows(scope, hop, alias);
  return sql`(select ${scalarSql(scope, rest, column, innerAlias(alias))} from ${from} where ${and(conditions)} limit 1)`;
}

/** `left join` of the record behind a relation to one, when the caller may read it. */
export function toOneJoin(scope: ReadScope, { end, entity, target }: Hop, alias: string, joined: string): Sql {
  const near = keyColumn(scope, entity, end.localField, alias);
  const far = keyColumn(scope, target, end.targetField, joined);
  const conditions = [sql`${far} = ${near}`, ...visibleRows(scope, target, joined)];
  return sql` left join ${id(scope.storage, target.rows)} ${id(joined)} on ${and(conditions)}`;
}
