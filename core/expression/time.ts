/** Points in time as texts: what JSON holds. Compared in microseconds, since Postgres keeps six digits. */

const ISO = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d(?::?\d\d)?)?)?$/;

const DAYS =
  '(?!0000)([0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))' +
  '|([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)';
const CLOCK = '[T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)?(Z|[+-](0[0-9]|1[0-5])(:?[0-5][0-9])?)?';

/** Exactly what `microsOf` reads, days of the month and leap years included, for Postgres: its casts fail on anything else. */
export const TIME_TEXT_PATTERN = `^${DAYS}(${CLOCK})?$`;

/** Microseconds since 1970, or undefined when the text is not a date or timestamp. Without an offset it is UTC. */
export function microsOf(value: unknown): number | undefined {
  if (typeof value !== 'string' || value.length < 10 || value.length > 40 || value.charCodeAt(4) !== 45) return undefined;
  const parts = ISO.exec(value);
  if (parts === null) return undefined;
  const part = (index: number): number => Number(parts[index] ?? 0);
  const [year, month, day, hour, minute, second] = [part(1), part(2), part(3), part(4), part(5), part(6)];
  if (year < 1 || hour > 23 || minute > 59 || second > 59) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  const offset = offsetMinutes(parts[8]);
  if (offset === undefined) return undefined;
  const millis = date.getTime() + ((hour * 60 + minute - offset) * 60 + second) * 1000;
  return millis * 1000 + Number((parts[7] ?? '').padEnd(6, '0').slice(0, 6));
}

/** Milliseconds beyond this have no exact microseconds in a double (the year 2255). Same in SQL. */
export const MAX_MILLIS = 9_000_000_000_000;

export const microsOfMillis = (millis: number): number | undefined =>
  Math.abs(millis) <= MAX_MILLIS ? Math.round(millis * 1000) : undefined;

function offsetMinutes(text: string | undefined): number | undefined {
  if (text === undefined || text === 'Z') return 0;
  const hours = Number(text.slice(1, 3));
  const minutes = Number(text.slice(3).replace(':', '') || 0);
  if (hours > 15 || minutes > 59) return undefined;
  return (text.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}

/** As the API writes timestamps: UTC, and only as many decimals as there are. */
export function writeMicros(micros: number): string | null {
  const millis = Math.floor(micros / 1000);
  const date = new Date(millis);
  if (Number.isNaN(date.getTime()) || date.getUTCFullYear() < 1 || date.getUTCFullYear() > 9999) return null;
  const fraction = (((micros % 1_000_000) + 1_000_000) % 1_000_000).toString().padStart(6, '0').replace(/0+$/, '');
  return `${date.toISOString().slice(0, 19)}${fraction === '' ? '' : `.${fraction}`}+00:00`;
}
