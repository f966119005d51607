/** Business hours against an oracle that asks the zone minute by minute. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileCalendar, type BusinessCalendar } from '../../core/calendar/calendar.ts';
import { isTimeZone } from '../../core/calendar/zone.ts';
import { calendarSchema, type CalendarDefinition } from '../../core/model/document.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const at = (iso: string): number => Date.parse(iso);
const define = (given: object): CalendarDefinition => calendarSchema.parse({ name: 'c', timezone: 'UTC', ...given });

const OFFICE = ['09:00-12:00', '13:00-17:00'];
const OFFICE_WEEK = { mon: OFFICE, tue: OFFICE, wed: OFFICE, thu: OFFICE, fri: OFFICE };

/** What the clocks of the zone show, by another way than the code's: the text of a format. */
const formats = new Map<string, Intl.DateTimeFormat>();
function shown(zone: string, instant: number): { date: string; minutes: number } {
  let format = formats.get(zone);
  if (format === undefined) {
    const parts = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' } as const;
    formats.set(zone, (format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, hourCycle: 'h23', ...parts })));
  }
  const [date = '', time = ''] = format.format(instant).split(' ');
  const [hour = 0, minute = 0] = time.split(':').map(Number);
  return { date, minutes: hour * 60 + minute };
}

const dayBefore = (date: string): string => new Date(Date.parse(date) - DAY).toISOString().slice(0, 10);

/** Straight from the definition: is this minute within the hours of its day, or of the night before? */
function isOpen(definition: CalendarDefinition, instant: number): boolean {
  const { date, minutes } = shown(definition.timezone, instant);
  const minuteOf = (text: string): number => Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5));
  const hoursOf = (day: string): readonly string[] => {
    const holiday =
      definition.holidays.find((one) => one.date === day) ??
      definition.holidays.find(({ from, to }) => from !== undefined && to !== undefined && from <= day && day <= to) ??
      definition.holidays.find((one) => one.yearly === day.slice(5));
    if (holiday !== undefined) return holiday.hours;
    if (definition.week === undefined) return ['00:00-24:00'];
    const name = (['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const)[new Date(day).getUTCDay()] ?? 'sun';
    return definition.week[name] ?? [];
  };
  const within = (minute: number, text: string): boolean => {
    const [start = '', end = ''] = text.split('-');
    const last = minuteOf(end) > minuteOf(start) ? minuteOf(end) : minuteOf(end) + 24 * 60;
    return minuteOf(start) <= minute && minute < last;
  };
  return hoursOf(date).some((text) => within(minutes, text)) || hoursOf(dayBefore(date)).some((text) => within(minutes + 24 * 60, text));
}

function openMinutes(definition: CalendarDefinition, from: number, to: number): number {
  let count = 0;
  for (let instant = from; instant < to; instant += MINUTE) if (isOpen(definition, instant)) count++;
  return count;
}

describe('calendars', () => {
  it('count the hours of working days and nothing else', () => {
    const office = compileCalendar(define({ timezone: 'Europe/Berlin', week: OFFICE_WEEK }));
    // Friday 16:00 to Monday 10:00 in Berlin: one hour and one hour.
    expect(office.between(at('2026-01-09T15:00:00Z'), at('2026-01-12T09:00:00Z'))).toBe(2 * HOUR);
    // Nine hours from Friday 16:00: one on Friday, seven on Monday, one on Tuesday.
    expect(office.add(at('2026-01-09T15:00:00Z'), 9 * HOUR)).toBe(at('2026-01-13T09:00:00Z'));
    // The end of the day is the due time, not the next morning.
    expect(office.add(at('2026-01-12T08:00:00Z'), 7 * HOUR)).toBe(at('2026-01-12T16:00:00Z'));
  });

  it('close on holidays, or keep the hours a holiday has', () => {
    const calendar = compileCalendar(
      define({
        timezone: 'Europe/Berlin',
        week: OFFICE_WEEK,
        holidays: [{ date: '2026-12-24', hours: ['09:00-12:00'] }, { yearly: '12-25' }, { from: '2026-12-28', to: '2026-12-31' }],
      }),
    );
    expect(calendar.between(at('2026-12-23T23:00:00Z'), at('2027-01-01T23:00:00Z'))).toBe((3 + 7) * HOUR);
    expect(calendar.add(at('2026-12-24T10:00:00Z'), 2 * HOUR)).toBe(at('2027-01-01T09:00:00Z'));
  });

  it('know nights, and leave out what a zone leaves out', () => {
    const night = compileCalendar(define({ timezone: 'Europe/Berlin', week: { sat: ['22:00-06:00'] } }));
    // The night of 29 March 2026 has no hour from two to three, that of 25 October has it twice.
    expect(night.between(at('2026-03-28T12:00:00Z'), at('2026-03-29T12:00:00Z'))).toBe(7 * HOUR);
    expect(night.between(at('2026-10-24T12:00:00Z'), at('2026-10-25T12:00:00Z'))).toBe(9 * HOUR);
    const apia = compileCalendar(define({ timezone: 'Pacific/Apia', week: { thu: OFFICE, fri: OFFICE, sat: OFFICE } }));
    // There was no Friday, 30 December 2011.
    expect(apia.between(at('2011-12-29T10:00:00Z'), at('2012-01-01T10:00:00Z'))).toBe(14 * HOUR);
  });

  it('say so when time never comes', () => {
    expect(compileCalendar(define({ week: {} })).add(0, 1)).toBeUndefined();
    expect(compileCalendar(define({ week: {} })).between(0, 400 * DAY)).toBe(0);
  });

  it('know which zones there are', () => {
    expect(['Europe/Berlin', 'UTC', 'Mars/Olympus'].map(isTimeZone)).toEqual([true, true, false]);
  });
});

const WEEKS: readonly (readonly [zone: string, from: string, days: number])[] = [
  ['Europe/Berlin', '2026-03-27T00:00:00Z', 4],
  ['Europe/Berlin', '2026-10-23T00:00:00Z', 4],
  ['Australia/Lord_Howe', '2026-04-03T00:00:00Z', 4],
  ['Australia/Lord_Howe', '2026-10-02T00:00:00Z', 4],
  ['Pacific/Apia', '2011-12-28T00:00:00Z', 5],
  // Midnight itself is skipped, and repeated.
  ['America/Sao_Paulo', '2018-11-02T00:00:00Z', 4],
  ['America/Sao_Paulo', '2018-02-16T00:00:00Z', 4],
  // A minute past midnight, back into the day before.
  ['America/St_Johns', '2006-10-27T00:00:00Z', 4],
  ['Asia/Kolkata', '2026-05-01T00:00:00Z', 3],
  ['America/New_York', '2026-03-06T00:00:00Z', 4],
];

const time = (minutes: number): string => `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
const span = fc
  .tuple(fc.integer({ min: 0, max: 1439 }), fc.integer({ min: 0, max: 1439 }))
  .filter(([a, b]) => a !== b)
  .map(([a, b]) => `${time(a)}-${time(b)}`);
const hours = fc.oneof(fc.constant(['00:00-24:00']), fc.constant([] as string[]), fc.array(span, { minLength: 1, maxLength: 3 }));
const week = fc.record({ mon: hours, tue: hours, wed: hours, thu: hours, fri: hours, sat: hours, sun: hours });
const place = fc.constantFrom(...WEEKS).chain(([timezone, from, days]) => {
  const start = at(from);
  const within = fc.integer({ min: 0, max: days * 24 * 60 }).map((minutes) => start + minutes * MINUTE);
  const day = fc.integer({ min: 0, max: days - 1 }).map((offset) => new Date(start + offset * DAY).toISOString().slice(0, 10));
  return fc.record({
    definition: fc
      .record({ week: fc.option(week, { nil: undefined }), holiday: fc.option(fc.record({ date: day, hours }), { nil: undefined }) })
      .map(({ week, holiday }) => define({ timezone, ...(week && { week }), ...(holiday && { holidays: [holiday] }) })),
    times: fc.tuple(within, within, within).map((times) => [...times].sort((a, b) => a - b)),
  });
});

describe('for any hours, in weeks in which clocks change', () => {
  const calendars = new Map<CalendarDefinition, BusinessCalendar>();
  const compiled = (definition: CalendarDefinition): BusinessCalendar => {
    const known = calendars.get(definition) ?? compileCalendar(definition);
    calendars.set(definition, known);
    return known;
  };

  it('the time between is what counting minutes finds', () => {
    fc.assert(
      fc.property(place, ({ definition, times: [from = 0, to = 0] }) => {
        expect(compiled(definition).between(from, to)).toBe(openMinutes(definition, from, to) * MINUTE);
      }),
      { numRuns: 120 },
    );
  });

  it('parts add up, and later is never less', () => {
    fc.assert(
      fc.property(place, ({ definition, times: [a = 0, b = 0, c = 0] }) => {
        const { between } = compiled(definition);
        expect(between(a, b) + between(b, c)).toBe(between(a, c));
        expect(between(a, b)).toBeGreaterThanOrEqual(0);
        expect(between(a, b)).toBeLessThanOrEqual(b - a);
      }),
      { numRuns: 300 },
    );
  });

  it('adding what lies between leads back, to the first instant at which it had passed', () => {
    fc.assert(
      fc.property(place, ({ definition, times: [from = 0, to = 0] }) => {
        const { between, add } = compiled(definition);
        const counted = between(from, to);
        const back = add(from, counted) ?? NaN;
        expect(between(from, back)).toBe(counted);
        expect(back).toBeLessThanOrEqual(to);
        if (counted > 0) expect(between(from, back - 1)).toBe(counted - 1);
        const later = add(from, counted + 1);
        if (later !== undefined) expect(later).toBeGreaterThan(back);
      }),
      { numRuns: 300 },
    );
  });
});
