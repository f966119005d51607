/**
 * How a value becomes what a field's column holds, or is refused. A conversion never rounds, cuts or guesses a stored value: what
 * would lose something is refused, kept on its own side and put before a human.
 */
import { asNumber, asText, asTime, computed, looksTimely, type ColumnScalar, type ScalarClass } from '../../expression/sql-scalar.ts';
import { columnType } from '../../model/field-types.ts';
import type { FieldModel, StoredType } from '../../model/model.ts';
import { COLUMN_TYPES } from '../../sql/columns.ts';
import { join, literal, raw, sql, value, type Sql } from '../../sql/sql.ts';

/** When the condition holds (it may be null), the value is refused with the message. */
export interface Refusal {
  readonly when: Sql;
  readonly message: string;
}

export interface Stored {
  readonly sql: Sql;
  readonly refusals: readonly Refusal[];
}

const stored = (text: Sql, ...refusals: Refusal[]): Stored => ({ sql: text, refusals });
/** From the closed table of field types. */
export const typeOf = (field: FieldModel): Sql => raw(columnType(field));

/** Undefined where no way from the one to the other makes sense. */
export function storedAs(scalar: ColumnScalar, field: FieldModel): Stored | undefined {
  const way = WAYS[scalar.class][targetOf(field.type)];
  return way?.(scalar, field);
}

type Target = 'text' | 'whole' | 'decimal' | 'float' | 'boolean' | 'uuid' | 'file' | 'timestamp' | 'date' | 'time' | 'json';

function targetOf(type: StoredType): Target {
  switch (type) {
    case 'string':
    case 'text':
    case 'email':
    case 'url':
    case 'enum':
      return 'text';
    case 'int':
    case 'bigint':
      return 'whole';
    default:
      return type;
  }
}

type Way = (scalar: ColumnScalar, field: FieldModel) => Stored;

const DATE_TEXT = raw(`'^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].*)?$'`);
const DAY_LENGTH = raw('10');

/** The cast of Postgres refuses a text that is none. */
const castText: Way = (scalar, field) => stored(sql`btrim(${asText(scalar)})::${typeOf(field)}`);

const wholeNumber: Way = (scalar, field) =>
  stored(sql`${asNumber(scalar)}::${typeOf(field)}`, {
    when: sql`${asNumber(scalar)} <> trunc(${asNumber(scalar)})`,
    message: 'would lose the digits after its point',
  });

/** What was calculated is rounded, as a JSON number is; stored digits are kept or refused. */
function exactDecimal(number: Sql, field: FieldModel, isStored: boolean): Stored {
  const exact = sql`${number}::${typeOf(field)}`;
  return isStored ? stored(exact, { when: sql`${number} <> ${exact}`, message: 'would lose digits after its point' }) : stored(exact);
}

const dateOfText: Way = (scalar) => {
  const text = sql`btrim(${asText(scalar)})`;
  return stored(sql`left(${text}, ${DAY_LENGTH})::date`, { when: sql`${text} !~ ${DATE_TEXT}`, message: 'is no date like 2026-01-31' });
};

const timeOfText: Way = (scalar) => {
  const trimmed = computed('text', sql`btrim(${asText(scalar)})`);
  return stored(asTime(trimmed), { when: sql`not ${looksTimely(trimmed.sql)}`, message: 'is no time like 2026-01-31T10:00:00Z' });
};

const jsonOfText: Way = (scalar) => {
  const text = asText(scalar);
  return stored(sql`(case when ${text} ~ '^\\s*[[{]' then ${text}::jsonb else to_jsonb(${text}) end)`);
};

const throughText =
  (way: Way): Way =>
  (scalar, field) =>
    way(unwrapped(scalar), field);

/** A json text without its quotes; anything else as it is written. */
const unwrapped = ({ sql: json }: ColumnScalar): ColumnScalar =>
  computed('text', sql`(case jsonb_typeof(${json}) when 'null' then null else ${json} #>> '{}' end)`);

const text: Way = (scalar) => stored(asText(scalar));
const same: Way = (scalar) => stored(scalar.sql);
const toJson: Way = (scalar) => stored(sql`to_jsonb(${scalar.sql})`);
const utcDay: Way = (scalar) => stored(scalar.stored === 'date' ? scalar.sql : sql`(${asTime(scalar)} at time zone 'UTC')::date`);

const FROM_TEXT: Partial<Record<Target, Way>> = {
  text,
  whole: castText,
  decimal: (scalar, field) => exactDecimal(sql`btrim(${asText(scalar)})::numeric`, field, true),
  float: castText,
  boolean: castText,
  uuid: castText,
  timestamp: timeOfText,
  date: dateOfText,
  time: castText,
  json: jsonOfText,
};

const WAYS: Readonly<Record<ScalarClass, Partial<Record<Target, Way>>>> = {
  text: FROM_TEXT,
  number: {
    text,
    whole: wholeNumber,
    decimal: (scalar, field) => exactDecimal(asNumber(scalar), field, scalar.stored !== undefined),
    float: (scalar) => stored(sql`${asNumber(scalar)}::double precision`),
    boolean: (scalar) =>
      stored(sql`(${asNumber(scalar)} = 1)`, { when: sql`${asNumber(scalar)} not in (0, 1)`, message: 'is neither 0 nor 1' }),
    json: toJson,
  },
  boolean: { text, whole: (scalar, field) => stored(sql`${scalar.sql}::integer::${typeOf(field)}`), boolean: same, json: toJson },
  time: { text, timestamp: (scalar) => stored(asTime(scalar)), date: utcDay, json: toJson },
  uuid: { text, uuid: same, file: same, json: toJson },
  clock: { text, time: same, json: toJson },
  json: {
    text: throughText(text),
    whole: throughText(castText),
    decimal: throughText((scalar, field) => exactDecimal(sql`btrim(${asText(scalar)})::numeric`, field, true)),
    float: throughText(castText),
    boolean: throughText(castText),
    uuid: throughText(castText),
    timestamp: throughText(timeOfText),
    date: throughText(dateOfText),
    time: throughText(castText),
    json: same,
  },
  file: { file: same, uuid: same },
};

/** What the field's definition asks of its values, as far as SQL can tell; `held` is the converted value. */
export function limitsOf(field: FieldModel, held: Sql): Refusal[] {
  const { definition } = field;
  const isText = COLUMN_TYPES[field.type] === 'text';
  const isNumber = ['int', 'bigint', 'float', 'decimal'].includes(field.type);
  const refusals: Refusal[] = [];
  if (field.required) refusals.push({ when: sql`${held} is null`, message: `gives nothing, and "${field.name}" is required` });
  if (definition.enum !== undefined) {
    const listed = definition.enum.map((item) => literal(String(item)));
    refusals.push({
      when: listed.length === 0 ? sql`${held} is not null` : sql`${held}::text not in (${join(listed)})`,
      message: `is not one of the values of "${field.name}"`,
    });
  }
  const bound = (limit: number | string | undefined, operator: '<' | '>', word: string): void => {
    if (limit === undefined || !isNumber || Number.isNaN(Number(limit))) return;
    refusals.push({ when: sql`${held} ${raw(operator)} ${value(String(limit), 'numeric')}`, message: `is ${word} ${limit}` });
  };
  bound(definition.min, '<', 'less than');
  bound(definition.max, '>', 'more than');
  if (isText) refusals.push(...lengthsOf(field, held));
  return refusals;
}

function lengthsOf({ type, definition }: FieldModel, held: Sql): Refusal[] {
  const { min_length: least, max_length: most } = definition;
  return [
    ...(least === undefined
      ? []
      : [{ when: sql`length(${held}) < ${value(least, 'integer')}`, message: `has fewer than ${least} characters` }]),
    ...(most === undefined
      ? []
      : [{ when: sql`length(${held}) > ${value(most, 'integer')}`, message: `has more than ${most} characters` }]),
    ...(type === 'email' ? [{ when: sql`${held} !~ '^[^@[:space:]]+@[^@[:space:]]+$'`, message: 'is no email address' }] : []),
    ...(type === 'url' ? [{ when: sql`${held} !~* '^https?://[^[:space:]]+$'`, message: 'is no address like https://example.com' }] : []),
  ];
}
