/** Typed pieces of SQL: what an operand of an expression is before it is compared or calculated with. */
import { AppError } from '../errors.ts';
import type { StoredType } from '../model/model.ts';
import { raw, render, sql, value, type Sql } from '../sql/sql.ts';
import { MAX_DIGITS, NUMERIC_TEXT_PATTERN, toNumeric } from './decimal.ts';
import { MAX_MILLIS, microsOf, microsOfMillis, TIME_TEXT_PATTERN, writeMicros } from './time.ts';
import { FALSE_TEXT_PATTERN } from './values.ts';

/** What a value is to the language; `clock` is a time of day, which compares as its text. */
export type ScalarClass = 'number' | 'text' | 'boolean' | 'time' | 'uuid' | 'clock' | 'json' | 'file';

export interface ColumnScalar {
  readonly kind: 'sql';
  readonly class: ScalarClass;
  readonly sql: Sql;
  /** The type of the column, when it is one; undefined for what is worked out. */
  readonly stored: StoredType | undefined;
  /** A bare column: naming it twice costs nothing, and an index can serve it. */
  readonly isPlain: boolean;
  /** The text, where it is not the text of the value: a choice between a decimal and a number shows each as it is. */
  readonly text?: () => Sql;
  /** A path through json that may lead through lists: then its items, which count also where there is but one. */
  readonly mapped?: { readonly when: Sql; readonly items: Sql };
}

export interface ConstantScalar {
  readonly kind: 'constant';
  readonly value: unknown;
  /** A quoted text or something of the caller: see `meansText`. */
  readonly meansText: boolean;
  /** Written in the expression itself, so a mistake in it can be told when it is saved. */
  readonly isLiteral: boolean;
}

export type Scalar = ColumnScalar | ConstantScalar;

/** The refusal of a construct that has no SQL. */
export function noSql(construct: string, hint?: string): AppError {
  return new AppError('UNSUPPORTED', `This expression must become SQL, and ${construct} cannot.`, {
    details: [{ rule: 'expression', message: `${construct} cannot become SQL` }],
    hint: hint ?? 'docs/expressions.md lists what compiles to SQL.',
  });
}

const CLASSES: Readonly<Record<StoredType, ScalarClass>> = {
  string: 'text',
  text: 'text',
  email: 'text',
  url: 'text',
  enum: 'text',
  int: 'number',
  bigint: 'number',
  float: 'number',
  decimal: 'number',
  boolean: 'boolean',
  uuid: 'uuid',
  timestamp: 'time',
  date: 'time',
  time: 'clock',
  json: 'json',
  file: 'file',
};

export function columnScalar(column: Sql, type: StoredType): ColumnScalar {
  return { kind: 'sql', class: CLASSES[type], sql: column, stored: type, isPlain: /^("[^"]+"\.)*"[^"]+"$/.test(render(column).text) };
}

const MAX_SQL = 50_000;

/** Some forms name their operand twice, so nesting them doubles the statement: it is bounded here, where every level passes. */
export function computed(kind: ScalarClass, text: Sql, stored?: StoredType): ColumnScalar {
  if (render(text).text.length > MAX_SQL) throw noSql('something nested this deep', 'Make the expression simpler.');
  return { kind: 'sql', class: kind, sql: text, stored, isPlain: false };
}

export const TRUE = raw('true');
export const FALSE = raw('false');
export const boolean = (truth: boolean): Sql => (truth ? TRUE : FALSE);

/** Makes a condition on `scalar` false, not null, where the value is missing. The condition itself stays one an index can serve. */
export function guard(scalars: readonly ColumnScalar[], condition: Sql): Sql {
  const [first, second] = scalars;
  if (first === undefined || !scalars.every((scalar) => scalar.isPlain)) return sql`coalesce(${condition}, false)`;
  const present = second === undefined ? sql`${first.sql} is not null` : sql`${first.sql} is not null and ${second.sql} is not null`;
  return sql`(${present} and ${condition})`;
}

export function isNull(scalar: ColumnScalar): Sql {
  return scalar.class === 'json' ? sql`coalesce(${scalar.sql} = 'null'::jsonb, true)` : sql`(${scalar.sql} is null)`;
}

const PATTERN = raw(`'${NUMERIC_TEXT_PATTERN.replaceAll('\\.', '[.]')}'`);

/** True for a numeric text, as in the closure; null for null. */
export const looksNumeric = (text: Sql): Sql => sql`(length(${text}) <= ${raw(String(MAX_DIGITS))} and ${text} ~ ${PATTERN})`;

/** The numeric value of a scalar, null where it is none. */
export function asNumber(scalar: Scalar): Sql {
  if (scalar.kind === 'constant') {
    const numeric = toNumeric(scalar.value);
    return numeric === undefined ? raw('null::numeric') : value(String(numeric), 'numeric');
  }
  switch (scalar.class) {
    case 'number':
      // The detour over text keeps the digits one sees: a direct cast would cut a double at 15.
      return scalar.stored === 'float'
        ? sql`${scalar.sql}::text::numeric`
        : scalar.stored === 'decimal' || scalar.stored === undefined
          ? scalar.sql
          : sql`${scalar.sql}::numeric`;
    case 'text':
      return sql`(case when ${looksNumeric(scalar.sql)} then (${scalar.sql})::numeric end)`;
    case 'json': {
      const text = sql`(${scalar.sql} #>> '{}')`;
      return sql`(case when jsonb_typeof(${scalar.sql}) = 'number' then ${text}::numeric when jsonb_typeof(${scalar.sql}) = 'string' and ${looksNumeric(text)} then ${text}::numeric end)`;
    }
    case 'boolean':
    case 'time':
    case 'uuid':
    case 'clock':
    case 'file':
      throw noSql(`a ${describe(scalar)} used as a number`);
  }
}

/** The text of a scalar as JSON shows it, null for null. */
export function asText(scalar: Scalar): Sql {
  if (scalar.kind === 'constant') {
    if (scalar.value === null) return raw('null::text');
    if (typeof scalar.value === 'object') throw noSql('a list used as a text');
    return value(String(scalar.value), 'text');
  }
  if (scalar.text !== undefined) return scalar.text();
  switch (scalar.class) {
    case 'text':
      return scalar.sql;
    case 'number':
      return scalar.stored === undefined || scalar.stored === 'float'
        ? sql`trim_scale(${asNumber(scalar)})::text`
        : sql`${scalar.sql}::text`;
    case 'boolean':
    case 'uuid':
    case 'clock':
      return sql`(${scalar.sql})::text`;
    case 'time':
      return sql`(to_jsonb(${scalar.sql}) #>> '{}')`;
    case 'json':
    case 'file':
      throw noSql(`a ${describe(scalar)} used as a text`);
  }
}

/** The time a text of the database writes, null for any other text: what is cast is only what the pattern lets through. */
export const textTime = (text: Sql): Sql =>
  sql`(case when ${looksTimely(text)} then regexp_replace(${text}, '([.][0-9]{6})[0-9]+', '\\1')::timestamptz end)`;

const numberTime = (millis: Sql): Sql =>
  sql`(case when abs(${millis}) <= ${value(MAX_MILLIS, 'numeric')} then 'epoch'::timestamptz + (${millis})::double precision * interval '1 millisecond' end)`;

/** The text of a json text, null for any other json. */
export const jsonText = (scalar: ColumnScalar): Sql =>
  sql`(case when jsonb_typeof(${scalar.sql}) = 'string' then ${scalar.sql} #>> '{}' end)`;

const FALSE_PATTERN = raw(`'${FALSE_TEXT_PATTERN}'`);
const TIME_PATTERN = raw(`'${TIME_TEXT_PATTERN}'`);
/** True for a text that writes a time; null for null. */
export const looksTimely = (text: Sql): Sql => sql`(${text} ~ ${TIME_PATTERN})`;

/** A point in time, null where there is none. */
export function asTime(scalar: Scalar): Sql {
  if (scalar.kind === 'constant') {
    const micros = typeof scalar.value === 'number' ? microsOfMillis(scalar.value) : microsOf(scalar.value);
    const text = micros === undefined ? null : writeMicros(micros);
    return text === null ? raw('null::timestamptz') : value(text, 'timestamptz');
  }
  if (scalar.class === 'text') return textTime(scalar.sql);
  if (scalar.class === 'number') return numberTime(asNumber(scalar));
  if (scalar.class === 'json') {
    const number = sql`(case when jsonb_typeof(${scalar.sql}) = 'number' then (${scalar.sql})::numeric end)`;
    return sql`coalesce(${textTime(jsonText(scalar))}, ${numberTime(number)})`;
  }
  if (scalar.class !== 'time') throw noSql(`a ${describe(scalar)} used as a date`, 'Give the field the type date or timestamp.');
  return scalar.stored === 'timestamp' ? scalar.sql : sql`(${scalar.sql})::timestamptz`;
}

export function describe(scalar: ColumnScalar): string {
  const names: Readonly<Record<ScalarClass, string>> = {
    number: 'number',
    text: 'text',
    boolean: 'boolean',
    time: 'date or timestamp',
    uuid: 'uuid',
    clock: 'time of day',
    json: 'json value',
    file: 'file',
  };
  return names[scalar.class];
}

/** JSONata's truth of a scalar, never null. */
export function truthOf(scalar: ColumnScalar): Sql {
  switch (scalar.class) {
    case 'boolean':
      return sql`(${scalar.sql} is true)`;
    case 'number':
      return sql`coalesce(${scalar.sql} <> 0, false)`;
    case 'text':
      return sql`coalesce(${scalar.sql} !~ ${FALSE_PATTERN}, false)`;
    case 'time':
    case 'uuid':
    case 'clock':
    case 'file':
      return sql`(${scalar.sql} is not null)`;
    case 'json':
      throw noSql('the truth of a json value', 'Compare it: record.data.open = true.');
  }
}
