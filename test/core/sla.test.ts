/** Clocks over days, worked out from events alone. */
import { describe, expect, it } from 'vitest';
import { ALWAYS_OPEN, compileCalendar } from '../../core/calendar/calendar.ts';
import { calendarSchema, slaSchema } from '../../core/model/document.ts';
import { fold, type ClockState, type Era } from '../../core/sla/fold.ts';
import { type ClockEvent, compileRule } from '../../core/sla/rule.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const at = (iso: string): number => Date.parse(iso);
const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString().slice(0, 16));

type Row = Record<string, unknown>;

/** The changes of one record: each one's time and what it then is; null deletes it. */
function changes(...list: readonly (readonly [time: string, record: Row | null])[]): ClockEvent[] {
  let before: Row | null = null;
  return list.map(([time, change], index) => {
    const record: Row | null = change === null ? null : { ...before, ...change };
    const action = record === null ? 'delete' : before === null ? 'create' : 'update';
    const event: ClockEvent = { at: at(time), version: index + 1, seq: String(index + 1), action, record, before };
    before = record;
    return event;
  });
}

const RULE = {
  name: 'answer',
  entity: 'ticket',
  start: "record.status = 'open'",
  pause: "record.status = 'waiting'",
  stop: "record.status = 'done'",
  target: '8h',
  warn_at: ['50%', '30m'],
  escalate: [{ after: '1h', actions: [{ type: 'send_event', event: 'late' }] }],
};
const OFFICE = calendarSchema.parse({
  name: 'office',
  timezone: 'Europe/Berlin',
  week: Object.fromEntries(['mon', 'tue', 'wed', 'thu', 'fri'].map((day) => [day, ['09:00-17:00']])),
  holidays: [{ date: '2026-01-06', name: 'Epiphany' }],
});

const era = (rule: object = {}, calendar: typeof OFFICE | null = null, since: string | null = null): Era => ({
  since: since === null ? null : at(since),
  rule: compileRule(slaSchema.parse({ ...RULE, ...rule })),
  calendar: calendar === null ? ALWAYS_OPEN : compileCalendar(calendar),
});

const clock = (events: ClockEvent[], asOf: string, ...eras: Era[]): ClockState =>
  fold(events, eras.length === 0 ? [era()] : eras, at(asOf));
const marksOf = (state: ClockState): (readonly [string, string | null])[] =>
  state.marks.map(({ key, at: time }) => [key, iso(time)] as const);

describe('a clock', () => {
  const open = changes(['2026-01-12T09:00Z', { status: 'open' }]);

  it('counts from its event, whenever it is looked at', () => {
    const state = clock(open, '2026-01-12T12:00Z');
    expect(state).toMatchObject({ state: 'running', elapsed_ms: 3 * HOUR, remaining_ms: 5 * HOUR, warned: [] });
    expect([iso(state.due_at), iso(state.next_at)]).toEqual(['2026-01-12T17:00', '2026-01-12T13:00']);
    // A look days later finds everything where it belongs.
    expect(marksOf(clock(open, '2026-01-20T00:00Z'))).toEqual([
      ['0:warn:50%', '2026-01-12T13:00'],
      ['0:warn:30m', '2026-01-12T16:30'],
      ['0:breach', '2026-01-12T17:00'],
      ['0:escalate:1h', '2026-01-12T18:00'],
    ]);
  });

  it('is late from its due time on, and met when it is stopped at that very moment', () => {
    expect(clock(open, '2026-01-12T16:59:59Z').state).toBe('running');
    expect(clock(open, '2026-01-12T17:00Z').state).toBe('breached');
    const stopped = (time: string): ClockState =>
      clock(changes(['2026-01-12T09:00Z', { status: 'open' }], [time, { status: 'done' }]), '2026-02-01T00:00Z');
    expect(stopped('2026-01-12T17:00Z')).toMatchObject({ state: 'met', elapsed_ms: 8 * HOUR, next_at: null, breached_at: null });
    expect(stopped('2026-01-12T17:00:01Z')).toMatchObject({ state: 'breached', breached_at: at('2026-01-12T17:00Z') });
    // What was not reached before the stop never is; it still says when it would have been due.
    expect(marksOf(stopped('2026-01-12T14:00Z'))).toEqual([['0:warn:50%', '2026-01-12T13:00']]);
    expect(iso(stopped('2026-01-12T14:00Z').due_at)).toBe('2026-01-12T17:00');
  });

  it('holds no time while it is paused, over a weekend too', () => {
    const events = changes(
      ['2026-01-09T09:00Z', { status: 'open' }],
      ['2026-01-09T11:00Z', { status: 'waiting' }],
      ['2026-01-12T10:00Z', { status: 'open' }],
    );
    expect(clock(events.slice(0, 2), '2026-01-11T00:00Z')).toMatchObject({
      state: 'paused',
      is_paused: true,
      elapsed_ms: 2 * HOUR,
      due_at: null,
      next_at: null,
    });
    const resumed = clock(events, '2026-01-12T11:00Z');
    expect(resumed).toMatchObject({ state: 'running', elapsed_ms: 3 * HOUR });
    expect([iso(resumed.next_at), iso(resumed.due_at)]).toEqual(['2026-01-12T12:00', '2026-01-12T16:00']);
    expect(resumed.history.map(({ what }) => what)).toEqual(['started', 'paused', 'resumed']);
  });

  it('is resumed by a condition of its own where it has one', () => {
    const rule = era({ pause: 'record.hold = true', resume: 'record.answered = true' });
    const events = changes(
      ['2026-01-09T09:00Z', { status: 'open', hold: true }],
      ['2026-01-09T10:00Z', { hold: false }],
      ['2026-01-09T12:00Z', { answered: true }],
    );
    expect(clock(events.slice(0, 2), '2026-01-09T11:00Z', rule)).toMatchObject({ is_paused: true, elapsed_ms: 0 });
    expect(clock(events, '2026-01-09T13:00Z', rule)).toMatchObject({ is_paused: false, elapsed_ms: HOUR });
  });

  it('stays late while it is paused after its breach', () => {
    const events = changes(['2026-01-12T09:00Z', { status: 'open' }], ['2026-01-12T17:30Z', { status: 'waiting' }]);
    expect(clock(events, '2026-01-13T00:00Z')).toMatchObject({ state: 'breached', is_paused: true, next_at: null, elapsed_ms: 8.5 * HOUR });
  });

  it('counts anew after a reset, and warns anew', () => {
    const rule = era({ reset: 'record.round != old.round' });
    const events = changes(['2026-01-12T09:00Z', { status: 'open', round: 1 }], ['2026-01-12T14:00Z', { round: 2 }]);
    const state = clock(events, '2026-01-12T19:00Z', rule);
    expect(marksOf(state)).toEqual([['1:warn:50%', '2026-01-12T18:00']]);
    expect([iso(state.due_at), state.elapsed_ms]).toEqual(['2026-01-12T22:00', 5 * HOUR]);
  });

  it('ends with its record', () => {
    const events = changes(['2026-01-12T09:00Z', { status: 'open' }], ['2026-01-12T10:00Z', null]);
    expect(clock(events, '2026-01-13T00:00Z')).toMatchObject({ state: 'cancelled', elapsed_ms: HOUR, next_at: null, marks: [] });
  });

  it('is followed by one of its own when the record is opened again', () => {
    const events = changes(
      ['2026-01-12T09:00Z', { status: 'open' }],
      ['2026-01-12T10:00Z', { status: 'done' }],
      ['2026-01-12T11:00Z', { title: 'still done' }],
      ['2026-01-13T10:00Z', { status: 'open' }],
    );
    expect(clock(events.slice(0, 3), '2026-01-14T00:00Z').restart).toBeUndefined();
    const ended = clock(events, '2026-01-14T00:00Z');
    expect([ended.state, ended.restart?.version]).toEqual(['met', 4]);
    expect(iso(clock(events.slice(3), '2026-01-13T11:00Z').due_at)).toBe('2026-01-13T18:00');
  });

  it('takes its target from the record, and finds what a change of it means', () => {
    const rule = era({ targets: [{ when: "record.priority = 'high'", target: '2h' }], target: 'record.hours & "h"' });
    const events = changes(
      ['2026-01-12T09:00Z', { status: 'open', priority: 'low', hours: 8 }],
      ['2026-01-12T12:00Z', { priority: 'high' }],
    );
    expect(iso(clock(events.slice(0, 1), '2026-01-12T12:00Z', rule).due_at)).toBe('2026-01-12T17:00');
    expect(clock(events, '2026-01-12T12:00Z', rule)).toMatchObject({ state: 'breached', breached_at: at('2026-01-12T11:00Z') });
    const endless = changes(['2026-01-12T09:00Z', { status: 'open', hours: '99999999999999' }]);
    expect(clock(endless, '2026-03-01T00:00Z', rule)).toMatchObject({ target_ms: null, due_at: null });
    const without = changes(['2026-01-12T09:00Z', { status: 'open', hours: null }]);
    expect(clock(without, '2026-03-01T00:00Z', rule)).toMatchObject({ state: 'running', target_ms: null, due_at: null, next_at: null });
  });
});

describe('what starts a clock', () => {
  const starts = (rule: object, events: ClockEvent[]): number[] =>
    events.filter((event) => compileRule(slaSchema.parse({ ...RULE, ...rule })).starts(event)).map(({ version }) => version);
  const story = changes(
    ['2026-01-12T09:00Z', { status: 'open' }],
    ['2026-01-12T10:00Z', { title: 'x' }],
    ['2026-01-12T11:00Z', { status: 'waiting' }],
    ['2026-01-12T12:00Z', { status: 'open' }],
    ['2026-01-12T13:00Z', { status: 'done' }],
  );

  it('is the change after which its condition holds and did not before', () => {
    expect(starts({}, story)).toEqual([1, 4]);
    // Whoever resolves it at once starts nothing.
    expect(starts({ stop: "record.status = 'open'" }, story)).toEqual([]);
    expect(starts({ start: "record.status != 'closed'" }, story)).toEqual([1]);
  });

  it('is the change itself where the condition speaks of it', () => {
    expect(starts({ start: "record.status = 'open' and old.status = 'waiting'" }, story)).toEqual([4]);
  });

  it('is a stop that no longer holds', () => {
    const answered = changes(
      ['2026-01-12T09:00Z', { status: 'open' }],
      ['2026-01-12T10:00Z', { answered_at: 'x' }],
      ['2026-01-12T11:00Z', { answered_at: null }],
    );
    expect(starts({ start: "record.status != 'closed'", stop: 'record.answered_at != null' }, answered)).toEqual([1, 3]);
  });

  it('is nothing in a change of other fields, which also concerns no running clock', () => {
    const rule = compileRule(slaSchema.parse(RULE));
    expect(story.map((event) => rule.concerns(event))).toEqual([true, false, true, true, true]);
  });
});

describe('a calendar', () => {
  const friday = changes(['2026-01-02T15:00Z', { status: 'open' }]);

  it('moves every mark with it: over a weekend, a holiday and the change of clocks', () => {
    // Friday 16:00 in Berlin: one hour, then Monday; Tuesday is a holiday.
    expect(iso(clock(friday, '2026-01-02T15:00Z', era({}, OFFICE)).due_at)).toBe('2026-01-05T15:00');
    expect(iso(clock(friday, '2026-01-02T15:00Z', era({ target: '10h' }, OFFICE)).due_at)).toBe('2026-01-07T09:00');
    const march = changes(['2026-03-27T15:00Z', { status: 'open' }]);
    expect(iso(clock(march, '2026-03-27T15:00Z', era({}, OFFICE)).due_at)).toBe('2026-03-30T14:00');
    const late = clock(friday, '2026-01-05T15:30Z', era({}, OFFICE));
    expect(marksOf(late)).toEqual([
      ['0:warn:50%', '2026-01-05T11:00'],
      ['0:warn:30m', '2026-01-05T14:30'],
      ['0:breach', '2026-01-05T15:00'],
    ]);
    // The escalation is an hour of Monday after the breach.
    expect(iso(late.next_at)).toBe('2026-01-05T16:00');
  });

  it('that changes counts from then on; looking back, from the start', () => {
    const longer = calendarSchema.parse({ ...OFFICE, week: { ...OFFICE.week, sat: ['09:00-17:00'], sun: ['09:00-17:00'] } });
    const asOf = '2026-01-04T20:00Z';
    const before = clock(friday, asOf, era({ target: '20h' }, OFFICE));
    expect([before.elapsed_ms, iso(before.due_at)]).toEqual([HOUR, '2026-01-08T11:00']);
    const fromSunday = clock(friday, asOf, era({ target: '20h' }, OFFICE), era({ target: '20h' }, longer, '2026-01-03T23:00Z'));
    expect([fromSunday.elapsed_ms, iso(fromSunday.due_at)]).toEqual([9 * HOUR, '2026-01-07T11:00']);
    const lookingBack = clock(friday, asOf, era({ target: '20h' }, longer));
    expect([lookingBack.elapsed_ms, iso(lookingBack.due_at)]).toEqual([17 * HOUR, '2026-01-05T11:00']);
  });

  it('and a definition: a running clock keeps the target of its start, and is stopped by what stops it now', () => {
    const open = changes(['2026-01-12T09:00Z', { status: 'open' }], ['2026-01-12T11:00Z', { status: 'solved' }]);
    const stricter = { target: '1h', stop: "record.status = 'solved'" };
    const changed = clock(open, '2026-01-12T12:00Z', era(), era(stricter, null, '2026-01-12T10:30Z'));
    expect(changed).toMatchObject({ state: 'met', elapsed_ms: 2 * HOUR, target_ms: 8 * HOUR });
    expect(clock(open, '2026-01-12T12:00Z', era(stricter))).toMatchObject({ state: 'breached', target_ms: HOUR });
  });
});

it('the same events give the same clock, looked at once or at every minute', () => {
  const events = changes(
    ['2026-01-08T08:30Z', { status: 'open' }],
    ['2026-01-08T11:00Z', { status: 'waiting' }],
    ['2026-01-09T13:10Z', { status: 'open' }],
  );
  const rule = era({ warn_at: ['10%', '50%', '90%', '30m'] }, OFFICE);
  const fired = new Map<string, number>();
  for (let now = events[0]?.at ?? 0; now < at('2026-01-13T00:00Z'); now += 17 * MINUTE) {
    const known = events.filter((event) => event.at <= now);
    for (const mark of fold(known, [rule], now).marks) if (!fired.has(mark.key)) fired.set(mark.key, mark.at);
  }
  expect([...fired]).toEqual(fold(events, [rule], at('2026-01-13T00:00Z')).marks.map((mark) => [mark.key, mark.at]));
  expect(fired.size).toBe(6);
});
