/** Aggregates: what a query counts, sums and groups by, checked like every other reference, and the one statement that answers it. */
import { AppError, nearestNames } from '../errors.ts';
import type { EntityModel, FieldModel, StoredType } from '../model/model.ts';
import { fieldAlways } from '../policy/access.ts';
import { jsonOf, type JsonSettings } from '../sql/columns.ts';
import { id, join, literal, sql, value, type Sql } from '../sql/sql.ts';
import { measureKey, type AggregateQuery, type Measure, type MeasureName } from './aggregate-query.ts';
import { checkComparison, isOperator, type CheckedFilter } from './check.ts';
import { filterSql } from './compile.ts';
import { DATE_PARTS, datePartSql, datePartsOf, readTimeZone, type DatePart } from './date-parts.ts';
import { JoinedPaths } from './joined-paths.ts';
import { TEXT_TYPES, type Bindings } from './operand.ts';
import { invalidValue, type Filter } from './query.ts';
import { resolvePath, unknownField, type Column, type Hop, type ReadScope } from './scope.ts';
import { selectedRows } from './statements.ts';

const INPUT = 'i';
const GROUPS = 'g';
const ROW = 'x';

/** One key of a result row. */
interface Result {
  readonly key: string;
  /** How its values are compared with and shown. */
  readonly type: StoredType;
  /** Counts, and sums and averages of `int`, are numbers in JSON whatever `exact_numbers` says. */
  readonly isNumber?: boolean;
  /** Its column in the groups. */
  readonly column: string;
  /** What a row brings to it: the value to group by, or the one to sum up. Undefined for `count=*`. */
  readonly input: Sql | undefined;
  /** Undefined for group keys. */
  over?(input: Sql): Sql;
}

interface Checked {
  readonly keys: readonly Result[];
  readonly measures: readonly Result[];
  /** The joins that paths over relations to one need. */
  readonly joins: readonly Sql[];
}

/** Answers one row: `data`, the JSON array of groups as text, and `total`, how many groups there are. */
export function aggregateStatement(
  scope: ReadScope,
  entity: EntityModel,
  query: AggregateQuery,
  bindings: Bindings,
  settings: JsonSettings,
): Sql {
  const { keys, measures, joins } = checkAggregate(scope, entity, query);
  const results = [...keys, ...measures];
  const having = query.having === undefined ? undefined : checkHaving(results, query.having, bindings);
  const order = orderOf(results, keys, query);
  const inputs = results.flatMap(({ input, column }) => (input === undefined ? [] : [sql`${input} as ${id(column)}`]));
  const rows = sql`select ${join(inputs)} ${selectedRows(scope, entity, query, bindings, joins)}`;
  const groups = sql`select ${join(results.map(outputOf))} from (${rows}) ${id(INPUT)}${groupingOf(keys)}`;
  const kept =
    having === undefined ? groups : sql`select * from (${groups}) ${id(GROUPS)} where ${filterSql(scope, having, GROUPS, bindings)}`;
  const offset = BigInt(query.page - 1) * BigInt(query.perPage);
  const page = sql`select * from ${id(GROUPS)} ${order} limit ${value(query.perPage, 'bigint')} offset ${value(offset, 'bigint')}`;
  const pairs = join(results.map((result) => sql`${literal(result.key)}, ${shown(result, scope.storage, settings)}`));
  return sql`
    with ${id(GROUPS)} as materialized (${kept})
    select (select coalesce(json_agg(json_build_object(${pairs}))::text, '[]') from (${page}) ${id(ROW)}) as data,
      (select count(*) from ${id(GROUPS)}) as total`;
}

const outputOf = ({ column, input, over }: Result): Sql => {
  const given = input === undefined ? sql`*` : id(INPUT, column);
  return sql`${over === undefined ? given : over(given)} as ${id(column)}`;
};

const groupingOf = (keys: readonly Result[]): Sql =>
  keys.length === 0 ? sql`` : sql` group by ${join(keys.map(({ column }) => id(INPUT, column)))}`;

const shown = ({ column, type, isNumber }: Result, storage: string, settings: JsonSettings): Sql =>
  isNumber === true ? id(ROW, column) : jsonOf(type, id(ROW, column), storage, settings);

/** What is asked for comes first, the group keys last: pages of groups never overlap. */
function orderOf(results: readonly Result[], keys: readonly Result[], query: AggregateQuery): Sql {
  const sorts = query.sort.map(({ path, descending }) => {
    const { column } = resultNamed(results, path.join('.'), 'sort');
    return descending ? sql`${id(GROUPS, column)} desc` : id(GROUPS, column);
  });
  const items = [...sorts, ...keys.map(({ column }) => id(GROUPS, column))];
  return items.length === 0 ? sql`` : sql`order by ${join(items)}`;
}

function resultNamed(results: readonly Result[], key: string, clause: string): Result {
  const found = results.find((result) => result.key === key);
  if (found !== undefined) return found;
  const keys = results.map((result) => result.key);
  const message = `"${clause}" names "${key.slice(0, 100)}", which is no key of the answer.`;
  throw new AppError('UNKNOWN_FIELD', message, {
    details: [{ field: key.slice(0, 200), rule: 'unknown', message, allowed: nearestNames(key.slice(0, 100), keys) }],
    hint: `Keys of this answer: ${keys.join(', ')}.`,
  });
}

/** Conditions over the keys of the answer, checked by the types of their values. */
function checkHaving(results: readonly Result[], having: Filter, bindings: Bindings): CheckedFilter {
  switch (having.kind) {
    case 'and':
    case 'or':
      return { kind: having.kind, items: having.items.map((item) => checkHaving(results, item, bindings)) };
    case 'not':
      return { kind: 'not', item: checkHaving(results, having.item, bindings) };
    case 'related':
      throw invalidValue('having', '"having" compares keys of the answer; "some" and "none" belong into "filter".');
    case 'leaf': {
      const whole = having.path.join('.');
      const last = having.path.at(-1) ?? '';
      const isKey = results.some((result) => result.key === whole);
      const hasOperator = having.operator === undefined && !isKey && having.path.length > 1;
      const key = hasOperator ? having.path.slice(0, -1).join('.') : whole;
      const isCertain = results.some((result) => result.key === key) || isOperator(last);
      const result = resultNamed(results, isCertain ? key : whole, 'having');
      return checkComparison(columnOfResult(result), having.operator ?? (hasOperator ? last : 'eq'), having.operand, result.key, bindings);
    }
  }
}

/** A key of the answer as if it were a field of the groups. */
function columnOfResult({ key, type, column }: Result): Column {
  const definition = { name: key, type, required: false, unique: false, hidden: false };
  const field: FieldModel = {
    name: key,
    column,
    type,
    definition,
    required: false,
    unique: false,
    isKey: false,
    isFixed: false,
    isGenerated: false,
    isAuto: false,
    references: undefined,
  };
  return { field, access: fieldAlways() };
}

function checkAggregate(scope: ReadScope, entity: EntityModel, query: AggregateQuery): Checked {
  const joined = new JoinedPaths(scope);
  const known = new Set<string>();
  const isNew = (key: string): boolean => !known.has(key) && known.add(key).has(key);
  const keys = checkKeys(scope, entity, { ...query, groupBy: query.groupBy.filter((path) => isNew(path.join('.'))) }, joined);
  const measures = query.measures.flatMap((measure, index): Result[] => {
    const key = measureKey(measure);
    if (keys.some((taken) => taken.key === key)) throw invalidValue(measure.name, `Two values of the answer would be called "${key}".`);
    return isNew(key) ? [{ key, column: `m${index}`, ...measureOf(scope, entity, measure, joined) }] : [];
  });
  return { keys, measures, joins: joined.joins };
}

function checkKeys(scope: ReadScope, entity: EntityModel, query: AggregateQuery, joined: JoinedPaths): Result[] {
  const timeZone = readTimeZone(query.timeZone);
  let isZoned = false;
  const keys = query.groupBy.map((path, index): Result => {
    const { column, hops, part } = groupReference(scope, entity, path);
    const { type } = column.field;
    const stored = joined.columnSql(hops, column);
    isZoned ||= part !== undefined && type === 'timestamp';
    const input = part === undefined ? stored : datePartSql(part, type, stored, timeZone);
    return { key: path.join('.'), column: `k${index}`, type: part?.type ?? type, input };
  });
  if (query.timeZone !== undefined && !isZoned) {
    throw invalidValue('time_zone', '"time_zone" changes nothing here: no part of a timestamp is grouped by.', 'Leave it out.');
  }
  return keys;
}

interface ToOne {
  readonly hops: readonly Hop[];
  readonly column: Column;
}

/** A field of the entity or behind relations to one. */
function fieldReference(scope: ReadScope, entity: EntityModel, path: readonly string[], clause: string): ToOne {
  const reference = resolvePath(scope, entity, path);
  if (reference.kind === 'unknown') throw unknownField(scope, reference.entity, reference.name, path);
  if (reference.kind === 'relation' || reference.hops.some((hop) => hop.end.cardinality === 'many')) {
    const label = path.join('.').slice(0, 200);
    throw invalidValue(clause, `"${clause}" cannot use "${label}": it leads to many records.`, 'Aggregate the related entity instead.');
  }
  return reference;
}

/** A whole path first: a field may be called "month". */
function groupReference(scope: ReadScope, entity: EntityModel, path: readonly string[]): ToOne & { readonly part?: DatePart } {
  const [before, last = ''] = [path.slice(0, -1), path.at(-1)];
  const isUnknown = before.length > 0 && resolvePath(scope, entity, path).kind === 'unknown';
  const shorter = isUnknown ? resolvePath(scope, entity, before) : undefined;
  // Behind a relation's name stands a field, however the foreign key is called.
  if (shorter?.kind !== 'column' || shorter.column.field.name !== before.at(-1)) return fieldReference(scope, entity, path, 'group_by');
  const { type } = shorter.column.field;
  const part = DATE_PARTS.get(last);
  if (part?.of.includes(type) === true) return { ...fieldReference(scope, entity, before, 'group_by'), part };
  const parts = datePartsOf(type);
  throw invalidValue(
    'group_by',
    `"${before.join('.').slice(0, 200)}" has no part "${last.slice(0, 50)}".`,
    parts.length === 0 ? 'Only dates and times have parts.' : `Its parts: ${parts.join(', ')}.`,
  );
}

const NUMBERS: readonly StoredType[] = ['int', 'bigint', 'float', 'decimal'];
const ORDERED: readonly StoredType[] = [...NUMBERS, ...TEXT_TYPES, 'timestamp', 'date', 'time'];
const FITTING: Readonly<Record<MeasureName, readonly StoredType[] | undefined>> = {
  count: undefined,
  count_distinct: undefined,
  sum: NUMBERS,
  avg: NUMBERS,
  min: ORDERED,
  max: ORDERED,
};

type Measured = Pick<Result, 'type' | 'isNumber' | 'input' | 'over'>;

function measureOf(scope: ReadScope, entity: EntityModel, { name, path }: Measure, joined: JoinedPaths): Measured {
  if (path === undefined) return { ...COUNTED, input: undefined, over: (all) => sql`count(${all})` };
  const { hops, column } = fieldReference(scope, entity, path, name);
  const { type } = column.field;
  if (FITTING[name]?.includes(type) === false) throw unfitting(name, path.join('.'), type);
  return { ...measured(name, type), input: joined.columnSql(hops, column) };
}

const COUNTED = { type: 'bigint', isNumber: true } as const;

/** Postgres sums and averages integers exactly, in a wider type; so are the results here. */
function measured(name: MeasureName, type: StoredType): Omit<Measured, 'input'> {
  switch (name) {
    case 'count':
      return { ...COUNTED, over: (given) => sql`count(${given})` };
    case 'count_distinct':
      return { ...COUNTED, over: (given) => sql`count(distinct ${given})` };
    case 'sum':
      return type === 'int'
        ? { ...COUNTED, over: (given) => sql`sum(${given})` }
        : { type: type === 'float' ? 'float' : 'decimal', over: (given) => sql`sum(${given})` };
    case 'avg':
      return type === 'float'
        ? { type, over: (given) => sql`avg(${given})` }
        : { type: 'decimal', isNumber: type === 'int', over: (given) => sql`trim_scale(avg(${given}))` };
    case 'min':
      return { type, over: (given) => sql`min(${given})` };
    case 'max':
      return { type, over: (given) => sql`max(${given})` };
  }
}

function unfitting(name: MeasureName, label: string, type: StoredType): AppError {
  const possible = (Object.keys(FITTING) as MeasureName[]).filter((other) => FITTING[other]?.includes(type) !== false);
  const message = `"${name}" cannot be made of "${label.slice(0, 200)}", which is ${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type}.`;
  return new AppError('INVALID_VALUE', message, {
    details: [{ field: label.slice(0, 200), rule: name, message, allowed: possible }],
    hint: `Possible for it: ${possible.join(', ')}.`,
  });
}
