/** Comparisons in SQL. Each answers a boolean that is never null, and `column = $n` where an index could serve. */
import { and, or, raw, sql, value, type Sql, type SqlType } from '../sql/sql.ts';
import { compareNumeric, isNumericText, toNumeric, type Numeric } from './decimal.ts';
import {
  asNumber,
  asText,
  asTime,
  boolean,
  computed,
  describe,
  FALSE,
  guard,
  isNull,
  jsonText,
  looksNumeric,
  looksTimely,
  noSql,
  textTime,
  type ColumnScalar,
  type ConstantScalar,
  type Scalar,
} from './sql-scalar.ts';
import type { CompareOperator } from './syntax.ts';
import { microsOf, writeMicros } from './time.ts';
import { isEqual } from './values.ts';

type Order = Exclude<CompareOperator, '=' | '!='>;
const OPERATORS: Readonly<Record<Order | '=', Sql>> = { '=': raw('='), '<': raw('<'), '<=': raw('<='), '>': raw('>'), '>=': raw('>=') };
const MIRRORED: Readonly<Record<Order, Order>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' };
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** A comparison as SQL. */
export function compareSql(operator: CompareOperator, left: Scalar, right: Scalar): Sql {
  if (operator === '=') return equalSql(left, right);
  if (operator === '!=') return sql`(not ${equalSql(left, right)})`;
  return orderSql(operator, left, right);
}

export function equalSql(left: Scalar, right: Scalar): Sql {
  if (left.kind === 'constant') {
    return right.kind === 'constant'
      ? boolean(isEqual(left.value, right.value, left.meansText || right.meansText))
      : equalsConstant(right, left);
  }
  return right.kind === 'constant' ? equalsConstant(left, right) : equalsColumn(left, right);
}

function equalsConstant(column: ColumnScalar, constant: ConstantScalar): Sql {
  const wanted = constant.value;
  if (wanted === null || wanted === undefined) return isNull(column);
  if (typeof wanted === 'object') throw noSql('a list or object compared with a field');
  switch (column.class) {
    case 'number':
      return numberEquals(column, constant);
    case 'text':
      return textEquals(column, constant);
    case 'boolean':
      return typeof wanted !== 'boolean' ? FALSE : wanted ? sql`(${column.sql} is true)` : sql`(${column.sql} is false)`;
    case 'uuid':
      return typeof wanted === 'string' && UUID.test(wanted) ? guard([column], sql`${column.sql} = ${value(wanted, 'uuid')}`) : FALSE;
    case 'time':
      return timeToConstant('=', column, constant);
    case 'clock':
      return typeof wanted === 'string' ? sql`coalesce(${asText(column)} = ${value(wanted, 'text')}, false)` : FALSE;
    case 'json':
      return jsonEquals(column, constant);
    case 'file':
      throw noSql('a file compared with anything but null');
  }
}

function numberEquals(column: ColumnScalar, constant: ConstantScalar): Sql {
  const numeric = toNumeric(constant.value);
  const showsText =
    column.stored === 'decimal' || column.text !== undefined || (column.stored === 'bigint' && !/^-?\d+$/.test(String(constant.value)));
  if (constant.isLiteral && typeof constant.value === 'string' && (numeric === undefined || showsText)) {
    throw noSql('a number compared with a quoted text', 'Write the number without quotes.');
  }
  if (numeric === undefined) return FALSE;
  if (constant.meansText && column.stored === 'decimal' && typeof constant.value === 'string') {
    return sql`coalesce(${asText(column)} = ${value(constant.value, 'text')}, false)`;
  }
  return numberToConstant('=', column, numeric);
}

/** Bound as the column's own kind, since a cast of the column would keep an index from being used. */
function numberToConstant(operator: Order | '=', column: ColumnScalar, numeric: Numeric): Sql {
  const op = OPERATORS[operator];
  if ((column.stored === 'int' || column.stored === 'bigint') && isBigint(numeric)) {
    return guard([column], sql`${column.sql} ${op} ${value(String(numeric), 'bigint')}`);
  }
  if (column.stored === 'float' && compareNumeric(Number(numeric), numeric) === 0) {
    return guard([column], sql`${column.sql} ${op} ${value(Number(numeric), 'double precision')}`);
  }
  return guard([column], sql`${asNumber(column)} ${op} ${value(String(numeric), 'numeric')}`);
}

const isBigint = (numeric: Numeric): boolean => /^-?\d{1,18}$/.test(String(numeric));

function textEquals(column: ColumnScalar, constant: ConstantScalar): Sql {
  const wanted = constant.value;
  if (typeof wanted === 'number') return sql`coalesce(${asNumber(column)} = ${value(String(wanted), 'numeric')}, false)`;
  if (typeof wanted !== 'string') return FALSE;
  if (wanted.includes('\0')) return FALSE;
  const same = guard([column], sql`${column.sql} = ${value(wanted, 'text')}`);
  if (microsOf(wanted) !== undefined) return or([same, sql`coalesce(${asTime(column)} = ${asTime(constant)}, false)`]);
  if (constant.meansText || !isNumericText(wanted)) return same;
  return or([same, sql`coalesce(${asNumber(column)} = ${value(wanted, 'numeric')}, false)`]);
}

function timeToConstant(operator: Order | '=', column: ColumnScalar, constant: ConstantScalar): Sql {
  const micros = microsOf(constant.value);
  const text = micros === undefined ? null : writeMicros(micros);
  if (text !== null) return guard([column], sql`${column.sql} ${OPERATORS[operator]} ${value(text, 'timestamptz')}`);
  if (constant.isLiteral && typeof constant.value === 'string') {
    throw noSql(
      `a date compared with the text ${JSON.stringify(constant.value.slice(0, 40))}`,
      "Write dates as '2026-01-31' or '2026-01-31T10:00:00Z'.",
    );
  }
  // By code point, like any two texts; a text that is no time equals none.
  return operator !== '=' && typeof constant.value === 'string' ? orderText(operator, asText(column), constant.value) : FALSE;
}

function jsonEquals(column: ColumnScalar, constant: ConstantScalar): Sql {
  const wanted = constant.value;
  if (typeof wanted === 'number') return sql`coalesce(${asNumber(column)} = ${value(String(wanted), 'numeric')}, false)`;
  const same = sql`coalesce(${column.sql} = ${value(JSON.stringify(wanted), 'jsonb')}, false)`;
  if (microsOf(wanted) !== undefined) return or([same, sql`coalesce(${asTime(column)} = ${asTime(constant)}, false)`]);
  const numeric = toNumeric(wanted);
  if (numeric === undefined) return same;
  if (!constant.meansText) return sql`coalesce(${asNumber(column)} = ${value(String(numeric), 'numeric')}, false)`;
  const text = sql`(${column.sql} #>> '{}')`;
  return or([
    same,
    sql`(case when jsonb_typeof(${column.sql}) = 'number' then ${text}::numeric = ${value(String(numeric), 'numeric')} else false end)`,
  ]);
}

function equalsColumn(left: ColumnScalar, right: ColumnScalar): Sql {
  if (left.class === 'file' || right.class === 'file') throw noSql('a file compared with anything but null');
  const pair = new Set([left.class, right.class]);
  if (pair.size === 1) return equalsSameClass(left, right);
  const bothNull = and([isNull(left), isNull(right)]);
  if (pair.has('time') && (pair.has('text') || pair.has('json')))
    return or([bothNull, sql`coalesce(${asTime(left)} = ${asTime(right)}, false)`]);
  if (pair.has('json') && pair.has('text')) return or([bothNull, ...sameTexts(left, right)]);
  if (pair.has('json') && !pair.has('number'))
    throw noSql(`a json value compared with a ${describe(left.class === 'json' ? right : left)}`);
  if (pair.has('number') && (pair.has('text') || pair.has('json'))) {
    return or([bothNull, sql`coalesce(${asNumber(left)} = ${asNumber(right)}, false)`]);
  }
  const textual = new Set(['text', 'uuid', 'clock']);
  if (textual.has(left.class) && textual.has(right.class)) return sql`(${asText(left)} is not distinct from ${asText(right)})`;
  return bothNull;
}

/** Equal as texts, as numbers or as points in time. */
function sameTexts(left: ColumnScalar, right: ColumnScalar): Sql[] {
  const [a, b] = [left, right].map((side) => (side.class === 'json' ? jsonText(side) : side.sql));
  return [
    sql`coalesce(${a ?? FALSE} = ${b ?? FALSE}, false)`,
    sql`coalesce(${asNumber(left)} = ${asNumber(right)}, false)`,
    sql`coalesce(${asTime(left)} = ${asTime(right)}, false)`,
  ];
}

function equalsSameClass(left: ColumnScalar, right: ColumnScalar): Sql {
  switch (left.class) {
    case 'number':
      return sameNumberKind(left, right)
        ? sql`(${left.sql} is not distinct from ${right.sql})`
        : sql`(${asNumber(left)} is not distinct from ${asNumber(right)})`;
    case 'text':
      return or([and([isNull(left), isNull(right)]), ...sameTexts(left, right)]);
    case 'json':
      throw noSql('two json values compared');
    case 'time':
      return left.stored === right.stored && left.stored !== undefined
        ? sql`(${left.sql} is not distinct from ${right.sql})`
        : sql`(${asTime(left)} is not distinct from ${asTime(right)})`;
    case 'boolean':
    case 'uuid':
    case 'clock':
    case 'file':
      return sql`(${left.sql} is not distinct from ${right.sql})`;
  }
}

const sameNumberKind = (left: ColumnScalar, right: ColumnScalar): boolean => (left.stored === 'float') === (right.stored === 'float');

function orderSql(operator: Order, left: Scalar, right: Scalar): Sql {
  if (left.kind === 'sql') return right.kind === 'sql' ? orderColumns(operator, left, right) : orderConstant(operator, left, right);
  if (right.kind === 'sql') return orderConstant(MIRRORED[operator], right, left);
  throw noSql('a comparison of two constants');
}

function orderConstant(operator: Order, column: ColumnScalar, constant: ConstantScalar): Sql {
  const limit = constant.value;
  if (limit === null || limit === undefined || typeof limit === 'boolean') return FALSE;
  if (typeof limit !== 'string' && typeof limit !== 'number') throw noSql('a list or object compared with a field');
  const numeric = toNumeric(limit);
  switch (column.class) {
    case 'number':
      if (numeric !== undefined) return numberToConstant(operator, column, numeric);
      if (constant.isLiteral) throw noSql('a number compared with a text', 'Write the number without quotes.');
      return FALSE;
    case 'text':
    case 'clock':
      return orderText(operator, asText(column), limit);
    case 'uuid':
      if (typeof limit !== 'string') return FALSE;
      return UUID.test(limit)
        ? guard([column], sql`${column.sql} ${OPERATORS[operator]} ${value(limit, 'uuid')}`)
        : orderText(operator, asText(column), limit);
    case 'time':
      return timeToConstant(operator, column, constant);
    case 'json':
      if (typeof limit === 'string' && numeric === undefined) return orderText(operator, jsonText(column), limit);
      return sql`coalesce(${asNumber(column)} ${OPERATORS[operator]} ${value(String(limit), 'numeric')}, false)`;
    case 'boolean':
      return FALSE;
    case 'file':
      throw noSql('a file compared with anything but null');
  }
}

/** Words by code point, numeric texts as numbers; a number and a word have no order. */
function orderText(operator: Order, text: Sql, limit: string | number): Sql {
  const op = OPERATORS[operator];
  if (typeof limit === 'string' && limit.includes('\0')) return FALSE;
  const numeric = toNumeric(limit);
  if (numeric !== undefined) {
    return sql`coalesce(case when ${looksNumeric(text)} then (${text})::numeric ${op} ${value(String(numeric), 'numeric')} end, false)`;
  }
  const byWord = sql`(${text}) collate "C" ${op} ${value(limit, 'text')} and not ${looksNumeric(text)}`;
  const wanted = microsOf(limit) === undefined ? undefined : asTime({ kind: 'constant', value: limit, meansText: false, isLiteral: false });
  if (wanted === undefined) return sql`coalesce(${byWord}, false)`;
  return sql`coalesce(case when ${textTime(text)} is not null then ${textTime(text)} ${op} ${wanted} else ${byWord} end, false)`;
}

function orderColumns(operator: Order, left: ColumnScalar, right: ColumnScalar): Sql {
  const op = OPERATORS[operator];
  const textual = new Set(left.class === 'text' || right.class === 'text' ? ['text', 'uuid', 'clock', 'time'] : ['text', 'uuid', 'clock']);
  if (left.class === 'file' || right.class === 'file') throw noSql('a file compared with anything but null');
  if (left.class === 'time' && right.class === 'time') return guard([left, right], sql`${asTime(left)} ${op} ${asTime(right)}`);
  if (left.class === 'boolean' || right.class === 'boolean') return FALSE;
  if (textual.has(left.class) && textual.has(right.class)) {
    const [a, b] = [asText(left), asText(right)];
    const byWord = sql`(${a}) collate "C" ${op} (${b}) and not ${looksNumeric(b)}`;
    return sql`coalesce(case when ${looksTimely(a)} and ${looksTimely(b)} then ${textTime(a)} ${op} ${textTime(b)}
      when not ${looksNumeric(a)} then ${byWord} when ${looksNumeric(b)} then (${a})::numeric ${op} (${b})::numeric end, false)`;
  }
  if ([left, right].some((side) => side.class === 'json') && [left, right].some((side) => side.class === 'text' || side.class === 'time')) {
    return orderJson(operator, left, right);
  }
  const numeric = new Set(['number', 'text', 'json']);
  if ((left.class === 'number' || right.class === 'number') && numeric.has(left.class) && numeric.has(right.class)) {
    return sameNumberKind(left, right) && left.class === right.class
      ? guard([left, right], sql`${left.sql} ${op} ${right.sql}`)
      : sql`coalesce(${asNumber(left)} ${op} ${asNumber(right)}, false)`;
  }
  throw noSql(`a ${describe(left)} ordered by a ${describe(right)}`);
}

/** A json value with a text or a time: what it is counts, a text or a number. */
function orderJson(operator: Order, left: ColumnScalar, right: ColumnScalar): Sql {
  if (left.class === 'json' && right.class === 'json') throw noSql('a json value ordered by a json value');
  const [a, b] = [left, right].map((side) => (side.class === 'json' ? computed('text', jsonText(side)) : side));
  if (a === undefined || b === undefined) return FALSE;
  const asTexts = orderColumns(operator, a, b);
  if (left.class === 'time' || right.class === 'time') return asTexts;
  return or([asTexts, sql`coalesce(${asNumber(left)} ${OPERATORS[operator]} ${asNumber(right)}, false)`]);
}

/** Membership in a list known now: literals, or a list of the caller. */
export function inConstantsSql(left: Scalar, items: readonly ConstantScalar[]): Sql {
  if (items.length === 0) return FALSE;
  const quick = left.kind === 'sql' ? anyOf(left, items) : undefined;
  return quick ?? or(items.map((item) => equalSql(left, item)));
}

/** `column = any($n)` when every item can be bound as the column's own type. */
function anyOf(column: ColumnScalar, items: readonly ConstantScalar[]): Sql | undefined {
  const bind = (type: SqlType, list: readonly unknown[]): Sql => guard([column], sql`${column.sql} = any(${value(list, type)})`);
  const values = items.map((item) => item.value);
  if (
    column.class === 'text' &&
    items.every(
      (item) => typeof item.value === 'string' && item.meansText && microsOf(item.value) === undefined && !item.value.includes('\0'),
    )
  )
    return bind('text[]', values);
  if (column.class === 'uuid' && values.every((item) => typeof item === 'string'))
    return bind(
      'uuid[]',
      values.filter((item) => UUID.test(item)),
    );
  if ((column.stored === 'int' || column.stored === 'bigint') && values.every((item) => typeof item === 'number' && isBigint(item))) {
    return bind('bigint[]', values.map(String));
  }
  return undefined;
}

/** Membership in what a field holds: the items of a json list, or one plain value. */
export function inColumnSql(left: Scalar, right: ColumnScalar): Sql {
  if (right.class !== 'json') return and([sql`(not ${isNull(right)})`, equalSql(left, right)]);
  const wanted = left.kind === 'constant' ? left.value : undefined;
  if (typeof wanted === 'string' && !isNumericText(wanted) && microsOf(wanted) === undefined) {
    // A json list, or the text itself; an index over the field can serve the first.
    return sql`coalesce(${right.sql} @> ${value(JSON.stringify([wanted]), 'jsonb')} or ${right.sql} = ${value(JSON.stringify(wanted), 'jsonb')}, false)`;
  }
  const isFound = equalSql(left, computed('json', raw('"_e".x')));
  return sql`exists (select from (select ${right.sql} as x) "_l",
    jsonb_array_elements(case coalesce(jsonb_typeof("_l".x), 'null') when 'array' then "_l".x when 'null' then '[]' else jsonb_build_array("_l".x) end) "_e"(x)
    where ${isFound})`;
}
