/** The functions that have an SQL form. A function missing here is refused by name. */
import { raw, sql, value, type Sql } from '../sql/sql.ts';
import type { FunctionName } from './function-names.ts';
import { asNumber, asText, asTime, computed, describe, isNull, noSql, TRUE, type ColumnScalar, type Scalar } from './sql-scalar.ts';

type SqlFunction = (args: readonly Scalar[]) => ColumnScalar;

const text = (part: Sql): ColumnScalar => computed('text', part);
const number = (part: Sql): ColumnScalar => computed('number', part);
const truth = (part: Sql): ColumnScalar => computed('boolean', part);

function at(args: readonly Scalar[], index: number): Scalar {
  const argument = args[index];
  if (argument === undefined) throw noSql('a function with a missing argument');
  return argument;
}

/** An argument that must be known now. */
function constant(argument: Scalar | undefined, what: string): unknown {
  if (argument?.kind !== 'constant') throw noSql(`${what} that is not a constant`);
  return argument.value;
}

function mark(args: readonly Scalar[], name: string): Sql {
  const found = constant(args[1], `the second argument of $${name}`);
  if (typeof found !== 'string' || found === '' || found.includes('\0')) throw noSql(`$${name} with an empty text`);
  return value(found, 'text');
}

const search =
  (build: (text: Sql, other: Sql) => Sql): SqlFunction =>
  (args) =>
    truth(sql`coalesce(${build(asText(at(args, 0)), asText(at(args, 1)))}, false)`);
const between =
  (seconds: number): SqlFunction =>
  (args) =>
    number(sql`trunc(extract(epoch from (${asTime(at(args, 1))} - ${asTime(at(args, 0))})) / ${value(seconds, 'numeric')})`);
/** Outside the years 1 to 9999, and for a distance that leads there from anywhere, null: an interval out of range would fail the statement. */
const shifted =
  (unit: string, most: number): SqlFunction =>
  (args) => {
    const moved = sql`(select case when abs(d.n) <= ${value(most, 'numeric')} then d.at + d.n::double precision * interval ${raw(`'${unit}'`)} end as at
    from (select ${asTime(at(args, 0))} as at, ${asNumber(at(args, 1))} as n) d)`;
    return computed(
      'time',
      sql`(select case when e.at >= '0001-01-01 00:00+00'::timestamptz and e.at < '10000-01-01 00:00+00'::timestamptz then e.at end from ${moved} e)`,
    );
  };
const timePart =
  (part: string): SqlFunction =>
  (args) =>
    number(sql`extract(${raw(part)} from ${asTime(at(args, 0))})`);

function substring(args: readonly Scalar[]): ColumnScalar {
  const whole = asText(at(args, 0));
  const start = constant(args[1], 'the start of $substring');
  const length = args[2] === undefined ? undefined : constant(args[2], 'the length of $substring');
  const isWhole = (part: unknown): part is number => typeof part === 'number' && Number.isInteger(part) && Math.abs(part) < 1_000_000;
  if (!isWhole(start) || (length !== undefined && !isWhole(length))) throw noSql('$substring with a position that is no whole number');
  const rest = start < 0 ? sql`right(${whole}, ${value(-start, 'integer')})` : sql`substr(${whole}, ${value(start + 1, 'integer')})`;
  return text(length === undefined ? rest : sql`left(${rest}, ${value(Math.max(length, 0), 'integer')})`);
}

/** By the rules of Unicode, as in the closure, whatever the database's own collation; which the result has again. */
const cased = (name: 'lower' | 'upper', argument: Scalar): Sql =>
  sql`(select ${raw(name)}((${asText(argument)}) collate "und-x-icu") collate "default")`;

function substringAfter(args: readonly Scalar[]): ColumnScalar {
  const [whole, wanted] = [asText(at(args, 0)), mark(args, 'substringAfter')];
  return text(
    sql`(case when strpos(${whole}, ${wanted}) > 0 then substr(${whole}, strpos(${whole}, ${wanted}) + length(${wanted})) else ${whole} end)`,
  );
}

function len(args: readonly Scalar[]): ColumnScalar {
  const argument = at(args, 0);
  if (argument.kind === 'sql' && argument.class === 'json') {
    const size = sql`(select case jsonb_typeof(j.x) when 'array' then jsonb_array_length(j.x) when 'string' then length(j.x #>> '{}')
      when 'object' then (select count(*) from jsonb_object_keys(j.x)) when 'null' then 0 else case when j.x is null then 0 end end::numeric
      from (select ${argument.sql} as x) j)`;
    if (argument.mapped === undefined) return number(size);
    return number(sql`(case when ${argument.mapped.when} then jsonb_array_length(${argument.mapped.items})::numeric else ${size} end)`);
  }
  if (argument.kind === 'sql' && !['text', 'uuid', 'clock', 'time'].includes(argument.class))
    throw noSql(`$len of a ${describe(argument)}`);
  return number(sql`coalesce(length(${asText(argument)}), 0)::numeric`);
}

function toNumber(args: readonly Scalar[]): ColumnScalar {
  const argument = at(args, 0);
  if (argument.kind === 'sql' && argument.class === 'boolean') return number(sql`(${argument.sql})::int::numeric`);
  if (argument.kind !== 'sql' || argument.class !== 'json') return number(asNumber(argument));
  const { sql: json } = argument;
  return number(sql`(case when jsonb_typeof(${json}) = 'boolean' then (${json})::boolean::int::numeric else ${asNumber(argument)} end)`);
}

function round(args: readonly Scalar[]): ColumnScalar {
  const places = args[1] === undefined ? 0 : constant(args[1], 'the digits of $round');
  if (typeof places !== 'number' || !Number.isInteger(places) || Math.abs(places) > 100)
    throw noSql('$round to digits that are no whole number');
  return number(sql`round(${asNumber(at(args, 0))}, ${value(places, 'integer')})`);
}

const SQL_FUNCTIONS: Partial<Record<FunctionName, SqlFunction>> = {
  len,
  length: (args) => number(sql`length(${asText(at(args, 0))})::numeric`),
  lowercase: (args) => text(cased('lower', at(args, 0))),
  uppercase: (args) => text(cased('upper', at(args, 0))),
  trim: (args) => text(sql`btrim(regexp_replace(${asText(at(args, 0))}, E'[ \\t\\n\\r]+', ' ', 'g'), ' ')`),
  contains: (args) => {
    const [first] = args;
    if (first?.kind === 'sql' && first.class === 'json') throw noSql('$contains of a json list', 'Write: x in record.list.');
    return search((whole, part) => sql`strpos(${whole}, ${part}) > 0`)(args);
  },
  startsWith: search((whole, part) => sql`starts_with(${whole}, ${part})`),
  endsWith: search((whole, part) => sql`right(${whole}, length(${part})) = ${part}`),
  substring,
  substringBefore: (args) => text(sql`split_part(${asText(at(args, 0))}, ${mark(args, 'substringBefore')}, 1)`),
  substringAfter,
  replace: (args) => text(sql`replace(${asText(at(args, 0))}, ${mark(args, 'replace')}, coalesce(${asText(at(args, 2))}, ''))`),
  exists: (args) => {
    const argument = at(args, 0);
    return truth(argument.kind === 'sql' ? sql`(not ${isNull(argument)})` : TRUE);
  },
  number: toNumber,
  string: (args) => text(asText(at(args, 0))),
  round,
  abs: (args) => number(sql`abs(${asNumber(at(args, 0))})`),
  floor: (args) => number(sql`floor(${asNumber(at(args, 0))})`),
  ceil: (args) => number(sql`ceil(${asNumber(at(args, 0))})`),
  date: (args) => computed('time', asTime(at(args, 0))),
  fromMillis: (args) => computed('time', asTime(at(args, 0))),
  toMillis: (args) => number(sql`floor(extract(epoch from ${asTime(at(args, 0))}) * 1000)`),
  days: between(86_400),
  hours: between(3_600),
  minutes: between(60),
  addDays: shifted('24 hours', 3_660_000),
  addHours: shifted('1 hour', 87_840_000),
  addMinutes: shifted('1 minute', 5_270_400_000),
  year: timePart('year'),
  month: timePart('month'),
  day: timePart('day'),
};

export function functionSql(name: FunctionName, args: readonly Scalar[]): ColumnScalar {
  const build = SQL_FUNCTIONS[name];
  if (build === undefined) throw noSql(`the function $${name}`);
  return build(args);
}

/** The functions that compile to SQL, for the documentation and its test. */
export const sqlFunctionNames = (): string[] => [...Object.keys(SQL_FUNCTIONS), 'not', 'boolean', 'now'].sort();
