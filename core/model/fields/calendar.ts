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
  if (Number(hours) > 14 || Number(minutes) > 59) return undefined;
  return `${date}T${time}${offset[2] ?? '+'}${hours}:${minutes}`;
}
