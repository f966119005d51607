/** Parts of dates and times that records can be grouped by: `created_at.month`. */
import type { AppError } from '../errors.ts';
import type { StoredType } from '../model/model.ts';
import { literal, sql, type Sql } from '../sql/sql.ts';
import { invalidValue } from './query.ts';

export interface DatePart {
  /** Numbers are parts (every January is 1), texts are periods (`2026-01`), which sort by time. */
  readonly type: 'int' | 'string';
  readonly of: readonly StoredType[];
  sql(moment: Sql): Sql;
}

const DATES: readonly StoredType[] = ['timestamp', 'date'];
const TIMES: readonly StoredType[] = ['timestamp', 'time'];

const number = (name: string, of: readonly StoredType[]): DatePart => ({
  type: 'int',
  of,
  sql: (moment) => sql`extract(${literal(name)} from ${moment})::integer`,
});

const period = (format: string, of: readonly StoredType[]): DatePart => ({
  type: 'string',
  of,
  sql: (moment) => sql`to_char(${moment}, ${literal(format)})`,
});

export const DATE_PARTS: ReadonlyMap<string, DatePart> = new Map<string, DatePart>([
  ['year', number('year', DATES)],
  ['quarter', number('quarter', DATES)],
  ['month', number('month', DATES)],
  ['week', number('week', DATES)],
  ['day', number('day', DATES)],
  ['day_of_year', number('doy', DATES)],
  ['weekday', number('isodow', DATES)],
  ['hour', number('hour', TIMES)],
  ['minute', number('minute', TIMES)],
  ['date', period('YYYY-MM-DD', DATES)],
  ['year_quarter', period('YYYY-"Q"Q', DATES)],
  ['year_month', period('YYYY-MM', DATES)],
  ['year_week', period('IYYY-"W"IW', DATES)],
  ['date_hour', period('YYYY-MM-DD"T"HH24', ['timestamp'])],
]);

/** The names that fit a type of field. */
export const datePartsOf = (type: StoredType): string[] => [...DATE_PARTS].flatMap(([name, { of }]) => (of.includes(type) ? [name] : []));

/** The value of a part; timestamps are looked at in `timeZone`. */
export const datePartSql = (part: DatePart, type: StoredType, column: Sql, timeZone: string): Sql =>
  part.sql(type === 'timestamp' ? sql`(${column} at time zone ${literal(timeZone)})` : column);

/** Offsets like "+02:00" are left out: Postgres reads their sign the other way round. */
const ZONE_NAME = /^[A-Za-z][A-Za-z0-9_+-]{0,40}(?:\/[A-Za-z0-9_+-]{1,40}){0,2}$/;

/** A name of the time zone database, or UTC when none is asked for. */
export function readTimeZone(given: string | undefined): string {
  if (given === undefined) return 'UTC';
  // A query string turns the "+" of "Etc/GMT+5" into a space.
  const name = given.trim().replaceAll(' ', '+');
  if (!ZONE_NAME.test(name) || !isZone(name)) throw unknownTimeZone();
  return name;
}

function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

export const unknownTimeZone = (): AppError =>
  invalidValue('time_zone', 'The parameter "time_zone" is no known time zone.', 'Write a name like time_zone=Europe/Paris.');
