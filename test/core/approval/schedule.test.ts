import { describe, expect, it } from 'vitest';
import { alarmKey, nextAlarm, type AlarmClock } from '../../../core/approval/schedule.ts';

const HOUR = 3_600_000;
const clock = (more: Partial<AlarmClock> = {}): AlarmClock => ({ openedAt: 0, dueAt: null, now: 0, rung: {}, ...more });

/** Rings everything in the order of time; answers what rang, in hours. */
function ring(step: Parameters<typeof nextAlarm>[0], dueAt: number | null, jumps: readonly number[] = []): string[] {
  const rung: Record<string, number> = {};
  const told: string[] = [];
  for (let now = 0; told.length < 100;) {
    const alarm = nextAlarm(step, clock({ dueAt, now, rung }));
    if (alarm === undefined) return told;
    now = Math.max(alarm.at, jumps[told.length] ?? 0);
    told.push(`${alarm.kind} ${alarm.at / HOUR}`);
    rung[alarmKey(alarm)] = alarm.number;
  }
  return told;
}

describe('the alarms of a task', () => {
  it.each<[string, Parameters<typeof nextAlarm>[0], number | null, string[]]>([
    ['none', {}, 5, []],
    ['one reminder', { reminders: [{ after: '2h' }] }, null, ['reminder 2']],
    ['again and again, so often', { reminders: [{ after: '2h', every: '1h', max: 3 }] }, null, ['reminder 2', 'reminder 3', 'reminder 4']],
    ['again until the deadline', { reminders: [{ every: '2h' }] }, 5, ['reminder 2', 'reminder 4']],
    ['before the deadline', { reminders: [{ before_due: '1h' }] }, 5, ['reminder 4']],
    ['before a deadline that is nearer than that', { reminders: [{ before_due: '9h' }] }, 5, []],
    ['the same, repeated', { reminders: [{ before_due: '6h', every: '2h' }] }, 5, ['reminder 1', 'reminder 3']],
    ['before no deadline', { reminders: [{ before_due: '1h' }] }, null, []],
    [
      'not at the deadline or after it',
      { reminders: [{ after: '5h' }], escalate: [{ after: '6h', to: { type: 'role', role: 'x' } }] },
      5,
      [],
    ],
    [
      'a chain',
      { reminders: [{ after: '3h' }], escalate: [1, 4].map((after) => ({ after: `${after}h`, to: { type: 'role' as const, role: 'x' } })) },
      null,
      ['escalation 1', 'reminder 3', 'escalation 4'],
    ],
  ])('%s', (_, step, dueInHours, told) => {
    expect(ring(step, dueInHours === null ? null : dueInHours * HOUR)).toEqual(told);
  });

  it('that were missed while everything was down ring once', () => {
    expect(ring({ reminders: [{ every: '1h', max: 5 }] }, null, [4.5 * HOUR])).toEqual(['reminder 1', 'reminder 4', 'reminder 5']);
    expect(nextAlarm({ reminders: [{ every: '1h' }] }, clock({ now: 7.5 * HOUR }))).toMatchObject({ number: 7, at: 7 * HOUR });
  });
});
