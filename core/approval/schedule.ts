/** When a task reminds and escalates: absolute times from the moment it opened, so that a late worker catches up and repeats nothing. */
import { durationMs } from '../duration.ts';
import type { ApprovalStep } from '../model/approval-step.ts';

export interface TaskAlarm {
  readonly kind: 'reminder' | 'escalation';
  /** Of the step's list. */
  readonly index: number;
  /** Counted from 1: an alarm is told once by kind, index and number. */
  readonly number: number;
  readonly at: number;
}

export interface AlarmClock {
  readonly openedAt: number;
  readonly dueAt: number | null;
  readonly now: number;
  /** The last number that rang, by `alarmKey`. */
  readonly rung: Readonly<Record<string, number>>;
}

/** Reminders that repeat without `max` end after this many. */
const MAX_REPEATS = 50;

export const alarmKey = ({ kind, index }: Pick<TaskAlarm, 'kind' | 'index'>): string => `${kind}/${index}`;

/** The first alarm that has not rung. After the deadline none does: the timeout itself is told. */
export function nextAlarm(step: Pick<ApprovalStep, 'reminders' | 'escalate'>, clock: AlarmClock): TaskAlarm | undefined {
  const alarms = [
    ...(step.reminders ?? []).flatMap((reminder, index) => reminderAlarm(reminder, index, clock)),
    ...(step.escalate ?? []).flatMap(({ after }, index) => {
      const alarm = { kind: 'escalation', index, number: 1, at: clock.openedAt + durationMs(after) } as const;
      return clock.rung[alarmKey(alarm)] === undefined ? [alarm] : [];
    }),
  ];
  return alarms.filter(({ at }) => clock.dueAt === null || at < clock.dueAt).sort((a, b) => a.at - b.at)[0];
}

type Reminder = NonNullable<ApprovalStep['reminders']>[number];

function reminderAlarm({ after, before_due: before, every, max }: Reminder, index: number, clock: AlarmClock): TaskAlarm[] {
  const { openedAt, dueAt, now, rung } = clock;
  if (before !== undefined && dueAt === null) return [];
  const first = before === undefined ? openedAt + durationMs(after ?? every ?? '1d') : (dueAt ?? openedAt) - durationMs(before);
  const pause = every === undefined ? 0 : durationMs(every);
  // Whoever has just been asked is not reminded of it.
  const earliest = first > openedAt ? 1 : pause > 0 ? Math.floor((openedAt - first) / pause) + 2 : Infinity;
  // Of those that were missed only the last is worth telling.
  const missed = pause > 0 && now >= first ? Math.floor((now - first) / pause) + 1 : 1;
  const last = rung[alarmKey({ kind: 'reminder', index })] ?? 0;
  const number = Math.min(Math.max(last + 1, missed, earliest), max ?? (every === undefined ? 1 : MAX_REPEATS));
  if (number <= last || number < earliest) return [];
  return [{ kind: 'reminder', index, number, at: first + pause * (number - 1) }];
}
