/**
 * Counting only the hours a calendar is open. An instant counts when the clocks of the zone show a time within the hours of
 * their day: an hour that is skipped never counts, an hour that is repeated counts twice, and a day that a zone leaves out has
 * no hours at all. Hours belong to the day on which they begin, so a night that starts on a working day ends on a holiday.
 */
import type { CalendarDefinition } from '../model/document.ts';
import { offsetPeriods } from './zone.ts';

export interface BusinessCalendar {
  /** Open milliseconds between two instants; 0 when `to` is not after `from`. */
  between(from: number, to: number): number;
  /** The first instant from `from` on with `ms` open milliseconds between them; undefined when it does not come within 20 years. */
  add(from: number, ms: number): number | undefined;
}

const DAY = 86_400_000;
const MAX_DAYS = 366 * 20;
/** Nobody waits longer: what lies further ahead does not come. */
export const LONGEST_MS = MAX_DAYS * DAY;
/** Days kept at once: all that one question can ask for. */
const MAX_KEPT = MAX_DAYS + 1_000;

/** Every moment counts. */
export const ALWAYS_OPEN: BusinessCalendar = {
  between: (from, to) => Math.max(0, to - from),
  add: (from, ms) => (ms > LONGEST_MS ? undefined : from + Math.max(0, ms)),
};

const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
/** 1970-01-01 was a Thursday. */
const FIRST_WEEKDAY = 4;

interface Span {
  readonly start: number;
  readonly end: number;
}

/** The open spans of one day of UTC, in order and apart from each other. */
interface OpenDay {
  readonly spans: readonly Span[];
  readonly total: number;
}

export function compileCalendar(definition: CalendarDefinition): BusinessCalendar {
  const hoursOf = hoursByDay(definition);
  const kept = new Map<number, OpenDay>();
  const dayOf = (day: number): OpenDay => {
    const known = kept.get(day);
    if (known !== undefined) return known;
    if (kept.size >= MAX_KEPT) kept.clear();
    const made = openDay(definition.timezone, hoursOf, day);
    kept.set(day, made);
    return made;
  };
  return {
    between: (from, to) => {
      let open = 0;
      for (let day = Math.floor(from / DAY); day * DAY < to; day++) {
        const isWhole = day * DAY >= from && (day + 1) * DAY <= to;
        open += isWhole ? dayOf(day).total : openWithin(dayOf(day), from, to);
      }
      return open;
    },
    add: (from, ms) => {
      if (ms <= 0) return from;
      const first = Math.floor(from / DAY);
      let left = ms;
      for (let day = first; day < first + MAX_DAYS; day++) {
        const { spans, total } = dayOf(day);
        if (day > first && total < left) {
          left -= total;
          continue;
        }
        for (const span of spans) {
          const start = Math.max(span.start, from);
          const length = span.end - start;
          if (length >= left) return start + left;
          if (length > 0) left -= length;
        }
      }
      return undefined;
    },
  };
}

const openWithin = ({ spans }: OpenDay, from: number, to: number): number =>
  spans.reduce((sum, { start, end }) => sum + Math.max(0, Math.min(end, to) - Math.max(start, from)), 0);

/** Hours in milliseconds from the begin of their day; those over midnight end after it. */
type HoursOf = (day: number) => readonly Span[];

function hoursByDay({ week, holidays }: CalendarDefinition): HoursOf {
  const allDay: readonly Span[] = [{ start: 0, end: DAY }];
  const weekly = WEEKDAYS.map((name) => (week === undefined ? allDay : readHours(week[name] ?? [])));
  const special = holidays.map((holiday) => ({ ...holiday, spans: readHours(holiday.hours) }));
  return (day) => {
    const date = new Date(day * DAY).toISOString().slice(0, 10);
    const found =
      special.find((holiday) => holiday.date === date) ??
      special.find(({ from, to }) => from !== undefined && from <= date && date <= (to ?? from)) ??
      special.find((holiday) => holiday.yearly === date.slice(5));
    return found?.spans ?? weekly[(((day + FIRST_WEEKDAY) % 7) + 7) % 7] ?? [];
  };
}

const readHours = (hours: readonly string[]): Span[] =>
  hours.map((text) => {
    const [start = 0, end = 0] = text.split('-').map(timeOfDay);
    return { start, end: end > start ? end : end + DAY };
  });

function timeOfDay(text: string): number {
  const [hour = 0, minute = 0] = text.split(':').map(Number);
  return (hour * 60 + minute) * 60_000;
}

function openDay(zone: string, hoursOf: HoursOf, day: number): OpenDay {
  const spans: Span[] = [];
  for (const { from, to, offset } of offsetPeriods(zone, day * DAY, (day + 1) * DAY)) {
    // Within a period local time only runs forward, so what is in order there is in order here.
    for (const local of openLocally(hoursOf, from + offset, to + offset)) {
      const last = spans.at(-1);
      const span = { start: local.start - offset, end: local.end - offset };
      if (last !== undefined && last.end >= span.start) spans[spans.length - 1] = { start: last.start, end: Math.max(last.end, span.end) };
      else spans.push(span);
    }
  }
  return { spans, total: spans.reduce((sum, { start, end }) => sum + end - start, 0) };
}

/** Open spans of local time within `[from, to)`, in order, apart from each other. */
function openLocally(hoursOf: HoursOf, from: number, to: number): Span[] {
  const found: Span[] = [];
  // The day before may reach in with its night.
  for (let day = Math.floor(from / DAY) - 1; day * DAY < to; day++) {
    for (const { start, end } of hoursOf(day)) {
      const span = { start: Math.max(day * DAY + start, from), end: Math.min(day * DAY + end, to) };
      if (span.end > span.start) found.push(span);
    }
  }
  found.sort((a, b) => a.start - b.start);
  const merged: Span[] = [];
  for (const span of found) {
    const last = merged.at(-1);
    if (last !== undefined && last.end >= span.start) merged[merged.length - 1] = { start: last.start, end: Math.max(last.end, span.end) };
    else merged.push(span);
  }
  return merged;
}
