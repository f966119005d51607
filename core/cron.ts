/**
 * Cron of five fields (minute, hour, day of month, month, day of week) in a time zone; all five must hold. Temporal keeps
 * the schedule; what is here tells mistakes by name, and which missed times were not the last.
 */
export interface Cron {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  /** 0 = Sunday. */
  readonly weekdays: ReadonlySet<number>;
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly words?: readonly string[];
}

const FIELDS: readonly Field[] = [
  { name: 'minute', min: 0, max: 59 },
  { name: 'hour', min: 0, max: 23 },
  { name: 'day of month', min: 1, max: 31 },
  { name: 'month', min: 1, max: 12, words: MONTHS },
  { name: 'day of week', min: 0, max: 7, words: WEEKDAYS },
];

/** Throws TypeError with the field and what is wrong with it. */
export function parseCron(text: string): Cron {
  const parts = text.trim().split(/\s+/);
  if (parts.length !== 5)
    throw new TypeError(`"${text}" has ${parts.length} fields; cron has five: minute, hour, day of month, month, day of week.`);
  const [minutes, hours, days, months, weekdays] = FIELDS.map((field, index) => readField(parts[index] ?? '', field));
  const none = new Set<number>();
  return {
    minutes: minutes ?? none,
    hours: hours ?? none,
    days: days ?? none,
    months: months ?? none,
    weekdays: new Set([...(weekdays ?? none)].map((day) => day % 7)),
  };
}

function readField(text: string, field: Field): ReadonlySet<number> {
  const found = new Set<number>();
  for (const part of text.toLowerCase().split(',')) {
    const match = /^(\*|[a-z0-9]+)(?:-([a-z0-9]+))?(?:\/(\d+))?$/.exec(part);
    const step = Number(match?.[3] ?? 1);
    if (match === null || step < 1) throw new TypeError(`"${part}" is no ${field.name} of cron.`);
    const isAll = match[1] === '*';
    const from = isAll ? field.min : numberOf(match[1] ?? '', field);
    const to = isAll || (match[2] === undefined && match[3] !== undefined) ? field.max : numberOf(match[2] ?? match[1] ?? '', field);
    if (from > to) throw new TypeError(`"${part}" goes backwards: write the smaller ${field.name} first.`);
    for (let value = from; value <= to; value += step) found.add(value);
  }
  return found;
}

function numberOf(text: string, { name, min, max, words = [] }: Field): number {
  const word = words.indexOf(text.slice(0, 3));
  const value = word >= 0 && /^[a-z]/.test(text) ? word + (words === MONTHS ? 1 : 0) : Number(text);
  if (!Number.isInteger(value) || value < min || value > max) throw new TypeError(`"${text}" is no ${name}: ${min} to ${max}.`);
  return value;
}

export function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** The first time after `after` and not after `until`; undefined when there is none. */
export function nextTime(cron: Cron, zone: string, after: Date, until: Date): Date | undefined {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    weekday: 'short',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
  let at = Math.floor(after.getTime() / MINUTE) * MINUTE + MINUTE;
  while (at <= until.getTime()) {
    const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]));
    const minute = Number(parts.get('minute'));
    const weekday = WEEKDAYS.indexOf((parts.get('weekday') ?? '').toLowerCase());
    const isHour =
      cron.hours.has(Number(parts.get('hour'))) &&
      cron.months.has(Number(parts.get('month'))) &&
      isDay(cron, Number(parts.get('day')), weekday);
    if (isHour && cron.minutes.has(minute)) return new Date(at);
    // Zones are apart from each other by quarters of an hour, so whole hours of a zone begin at its minute 0.
    at += isHour ? MINUTE : HOUR - minute * MINUTE;
  }
  return undefined;
}

const isDay = (cron: Cron, day: number, weekday: number): boolean => cron.days.has(day) && cron.weekdays.has(weekday);

/** The longest time between two starts, for how far back a missed one is looked for. Four years find every 29 February. */
export function longestGapMs(cron: Cron): number {
  const days: number[] = [];
  const first = Date.UTC(2024, 0, 1);
  for (let day = 0; day < 5 * 366; day++) {
    const date = new Date(first + day * 24 * HOUR);
    if (cron.months.has(date.getUTCMonth() + 1) && isDay(cron, date.getUTCDate(), date.getUTCDay())) days.push(day);
  }
  const longest = days.reduce((gap, day, index) => Math.max(gap, day - (days[index - 1] ?? day)), 1);
  if (longest > 1) return longest * 24 * HOUR + 24 * HOUR;
  const times = [...cron.hours].flatMap((hour) => [...cron.minutes].map((minute) => hour * 60 + minute)).sort((a, b) => a - b);
  const wrapped = [...times, (times[0] ?? 0) + 24 * 60];
  return wrapped.reduce((gap, time, index) => Math.max(gap, time - (wrapped[index - 1] ?? time)), 1) * MINUTE + MINUTE;
}
