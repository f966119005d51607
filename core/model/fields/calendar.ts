/** Reading dates and times of ISO 8601 without a clock or a time zone of the machine. */

const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
const TIME = /^(\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?$/;
const OFFSET = /(?:([zZ])|([+-])(\d{2}):?(\d{2})?)$/;

const daysIn = (year: number, month: number): number =>
  month === 2 ? (year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;

/** A date that exists, as `YYYY-MM-DD`. */
export function readDate(text: string): string | undefined {
  const match = DATE.exec(text);
  if (match === null) return undefined;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  return year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month) ? text : undefined;
}

/** A time of day as `HH:MM:SS[.ffffff]`. */
export function readTime(text: string): string | undefined {
  const match = TIME.exec(text);
  if (match === null) return undefined;
  const [, hour = '', minute = '', second = '00', fraction] = match;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  return `${hour}:${minute}:${second}${fraction === undefined ? '' : `.${fraction.slice(0, 6)}`}`;
}

/** A point in time as ISO 8601 with its offset; without one it is UTC. A date alone is its midnight, UTC. */
export function readTimestamp(text: string): string | undefined {
  const trimmed = text.trim();
  const date = readDate(trimmed.slice(0, 10));
  if (date === undefined) return undefined;
  if (trimmed.length === 10) return `${date}T00:00:00Z`;
  if (!/^[Tt ]/.test(trimmed.slice(10))) return undefined;
  const rest = trimmed.slice(11).trimStart();
  const offset = OFFSET.exec(rest);
  const time = readTime((offset === null ? rest : rest.slice(0, offset.index)).trimEnd());
  if (time === undefined) return undefined;
  if (offset === null || offset[1] !== undefined) return `${date}T${time}Z`;
  const [hours, minutes] = [offset[3] ?? '00', offset[4] ?? '00'];
  if (Number(hours) > 23 || Number(minutes) > 59) return undefined;
  const isPlain = Number(hours) <= MAX_STORED_OFFSET && !/^(0001|9999)/.test(date);
  return isPlain ? `${date}T${time}${offset[2] ?? '+'}${hours}:${minutes}` : inUtc(date, time, offset[2] ?? '+', `${hours}:${minutes}`);
}

/** Postgres reads offsets of up to 15 hours; RFC 3339 has them up to 23:59. */
const MAX_STORED_OFFSET = 14;

/** The same moment without an offset; undefined when that falls out of the years 1 to 9999. */
function inUtc(date: string, time: string, sign: string, offset: string): string | undefined {
  const [seconds = '', fraction] = time.split('.');
  const [hours = 0, minutes = 0] = offset.split(':').map(Number);
  const shift = (hours * 60 + minutes) * 60_000;
  const moment = new Date(Date.parse(`${date}T${seconds}Z`) + (sign === '+' ? -shift : shift));
  if (moment.getUTCFullYear() < 1 || moment.getUTCFullYear() > 9999) return undefined;
  return `${moment.toISOString().slice(0, 19)}${fraction === undefined ? '' : `.${fraction}`}Z`;
}
