/** How far a time zone is from UTC at an instant, from the zone data of the runtime (Intl). */

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US-u-ca-gregory-nu-latn', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formats.set(zone, format);
  }
  return format;
}

/** Whether the runtime knows the zone. */
export function isTimeZone(zone: string): boolean {
  try {
    formatOf(zone);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** Milliseconds to add to an instant for the time on the clocks of the zone. Zones of old times differ from UTC by odd seconds. */
export function offsetAt(zone: string, instant: number): number {
  const whole = Math.floor(instant / 1_000) * 1_000;
  const part: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
  for (const { type, value } of formatOf(zone).formatToParts(whole)) part[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
  return Date.UTC(year, month - 1, day, hour, minute, second) - whole;
}

/** A stretch of time over which the offset stays the same. */
export interface OffsetPeriod {
  readonly from: number;
  readonly to: number;
  readonly offset: number;
}

/** No two changes of a zone lie closer together than this. */
const SAMPLE_MS = 6 * 3_600_000;

/** The periods that make up `[from, to)`, exact to the millisecond. */
export function offsetPeriods(zone: string, from: number, to: number): OffsetPeriod[] {
  const periods: OffsetPeriod[] = [];
  let start = from;
  let offset = offsetAt(zone, from);
  for (let at = from; at < to;) {
    const next = Math.min(at + SAMPLE_MS, to);
    const later = offsetAt(zone, next);
    if (later !== offset) {
      const change = changeBetween(zone, at, next, offset);
      if (change < to) {
        periods.push({ from: start, to: change, offset });
        start = change;
        offset = later;
      }
    }
    at = next;
  }
  return [...periods, { from: start, to, offset }];
}

/** The first instant with another offset than `before`. */
function changeBetween(zone: string, from: number, to: number, before: number): number {
  let [low, high] = [from, to];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(zone, middle) === before) low = middle;
    else high = middle;
  }
  return high;
}
