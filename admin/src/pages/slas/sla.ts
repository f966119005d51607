/** SLAs and calendars as their forms hold them. */
import type { CalendarDefinition, SlaDefinition } from '../../../../core/model/document.ts';
import { readList } from '../../ui/json.ts';

export type Sla = SlaDefinition;
export type Calendar = CalendarDefinition;

export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Day = (typeof DAYS)[number];

export interface SlaDraft {
  readonly name: string;
  readonly description: string;
  readonly entity: string;
  readonly start: string;
  readonly stop: string;
  readonly pause: string;
  readonly resume: string;
  readonly reset: string;
  readonly target: string;
  readonly targets: readonly { readonly when: string; readonly target: string }[];
  readonly calendar: string;
  readonly warnAt: readonly string[];
  /** JSON, as it is typed. */
  readonly onWarn: string;
  readonly onBreach: string;
  readonly escalate: string;
  readonly retroactive: boolean;
  readonly active: boolean;
}

const json = (list: readonly unknown[]): string => (list.length === 0 ? '' : JSON.stringify(list, null, 2));

export const emptySla = (entity: string): SlaDraft => ({
  name: '',
  description: '',
  entity,
  start: '',
  stop: '',
  pause: '',
  resume: '',
  reset: '',
  target: '8h',
  targets: [],
  calendar: '',
  warnAt: [],
  onWarn: '',
  onBreach: '',
  escalate: '',
  retroactive: false,
  active: true,
});

export const slaDraftOf = (sla: Sla): SlaDraft => ({
  name: sla.name,
  description: sla.description ?? '',
  entity: sla.entity,
  start: sla.start,
  stop: sla.stop,
  pause: sla.pause ?? '',
  resume: sla.resume ?? '',
  reset: sla.reset ?? '',
  target: sla.target ?? '',
  targets: sla.targets,
  calendar: sla.calendar ?? '',
  warnAt: sla.warn_at,
  onWarn: json(sla.on_warn),
  onBreach: json(sla.on_breach),
  escalate: json(sla.escalate),
  retroactive: sla.retroactive,
  active: sla.active,
});

const orNull = (text: string): string | null => (text.trim() === '' ? null : text.trim());

/** What is sent; undefined while a list is no JSON. Null takes away what the stored form had. */
export function slaBodyOf(draft: SlaDraft): Record<string, unknown> | undefined {
  const lists = [draft.onWarn, draft.onBreach, draft.escalate].map(readList);
  const [onWarn, onBreach, escalate] = lists;
  if (lists.includes(undefined)) return undefined;
  return {
    name: draft.name.trim(),
    description: orNull(draft.description),
    entity: draft.entity,
    start: draft.start,
    stop: draft.stop,
    pause: orNull(draft.pause),
    resume: orNull(draft.resume),
    reset: orNull(draft.reset),
    target: orNull(draft.target),
    targets: draft.targets,
    calendar: orNull(draft.calendar),
    warn_at: draft.warnAt,
    on_warn: onWarn,
    on_breach: onBreach,
    escalate,
    retroactive: draft.retroactive,
    active: draft.active,
  };
}

export const isWhole = ({ name, entity, start, stop, target, targets }: SlaDraft): boolean =>
  name.trim() !== '' && entity !== '' && start.trim() !== '' && stop.trim() !== '' && (target.trim() !== '' || targets.length > 0);

/** `09:00-12:00, 13:00-17:00` and back. */
export const hoursText = (hours: readonly string[] | undefined): string => (hours ?? []).join(', ');
export const readHours = (text: string): string[] =>
  text
    .split(/[,;\s]+/)
    .map((part) => part.trim())
    .filter((part) => part !== '');

export interface HolidayDraft {
  readonly name: string;
  /** `2026-12-24`, or `12-25` for every year. */
  readonly day: string;
  /** The last of several days. */
  readonly to: string;
  readonly hours: string;
}

export interface CalendarDraft {
  readonly name: string;
  readonly description: string;
  readonly timezone: string;
  readonly hasWeek: boolean;
  readonly week: Readonly<Record<Day, string>>;
  readonly holidays: readonly HolidayDraft[];
}

const weekTexts = (week: Calendar['week']): Record<Day, string> =>
  Object.fromEntries(DAYS.map((day) => [day, hoursText(week?.[day])])) as Record<Day, string>;

export const emptyCalendar = (): CalendarDraft => ({
  name: '',
  description: '',
  timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  hasWeek: true,
  week: { ...weekTexts(undefined), mon: '09:00-17:00', tue: '09:00-17:00', wed: '09:00-17:00', thu: '09:00-17:00', fri: '09:00-17:00' },
  holidays: [],
});

export const calendarDraftOf = (calendar: Calendar): CalendarDraft => ({
  name: calendar.name,
  description: calendar.description ?? '',
  timezone: calendar.timezone,
  hasWeek: calendar.week !== undefined,
  week: weekTexts(calendar.week),
  holidays: calendar.holidays.map(({ name, date, from, to, yearly, hours }) => ({
    name: name ?? '',
    day: date ?? from ?? yearly ?? '',
    to: to ?? '',
    hours: hoursText(hours),
  })),
});

export function calendarBodyOf(draft: CalendarDraft): Record<string, unknown> {
  const open = DAYS.flatMap((day) => {
    const hours = readHours(draft.week[day]);
    return hours.length === 0 ? [] : [[day, hours] as const];
  });
  return {
    name: draft.name.trim(),
    description: orNull(draft.description),
    timezone: draft.timezone.trim(),
    week: draft.hasWeek ? Object.fromEntries(open) : null,
    holidays: draft.holidays.map(holidayOf),
  };
}

function holidayOf({ name, day, to, hours }: HolidayDraft): Record<string, unknown> {
  const at =
    to.trim() !== ''
      ? { from: day.trim(), to: to.trim() }
      : /^\d{2}-\d{2}$/.test(day.trim())
        ? { yearly: day.trim() }
        : { date: day.trim() };
  return { ...(name.trim() === '' ? {} : { name: name.trim() }), ...at, hours: readHours(hours) };
}
