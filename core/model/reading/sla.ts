/** Reading calendars and SLAs. */
import { durationText } from '../document.ts';
import { clean, isRaw, ITEM_NOISE, listOf, mapRaw, withValue, type Raw, type Reading } from './reading.ts';
import { readAction, readName } from './workflow.ts';

const DAYS: Readonly<Record<string, string>> = {
  monday: 'mon',
  tuesday: 'tue',
  wednesday: 'wed',
  thursday: 'thu',
  friday: 'fri',
  saturday: 'sat',
  sunday: 'sun',
};

export function readCalendar(raw: Raw): Raw {
  const calendar = clean(raw, {
    rename: { time_zone: 'timezone', tz: 'timezone', hours: 'week', working_hours: 'week', business_hours: 'week' },
    drop: ITEM_NOISE,
  });
  return {
    ...calendar,
    ...withValue('name', readName(calendar['name'])),
    ...withValue('week', readWeek(calendar['week'])),
    ...withValue('holidays', Array.isArray(calendar['holidays']) ? calendar['holidays'].map(readHoliday) : calendar['holidays']),
  };
}

function readWeek(week: unknown): unknown {
  if (!isRaw(week)) return week;
  return Object.fromEntries(
    Object.entries(week).map(([day, hours]) => {
      const word = day.toLowerCase();
      return [Object.hasOwn(DAYS, word) ? DAYS[word] : word, readHours(hours)];
    }),
  );
}

/** A lone text is one stretch of hours, nothing is a closed day. */
const readHours = (hours: unknown): unknown => listOf(hours).map((one) => (typeof one === 'string' ? one.replace(/\s+/g, '') : one));

/** A lone text is a date, or a day of every year. */
function readHoliday(holiday: unknown): unknown {
  if (typeof holiday === 'string') return holiday.length === 5 ? { yearly: holiday } : { date: holiday };
  if (!isRaw(holiday)) return holiday;
  const read = clean(holiday, { rename: { start: 'from', end: 'to', until: 'to' } });
  return { ...read, ...(read['hours'] === undefined ? {} : { hours: readHours(read['hours']) }) };
}

const CONDITIONS = ['start', 'pause', 'resume', 'stop', 'reset'];

export function readSla(reading: Reading, raw: Raw, path: string): Raw {
  const sla = clean(raw, {
    rename: {
      collection: 'entity',
      start_condition: 'start',
      start_when: 'start',
      pause_condition: 'pause',
      pause_when: 'pause',
      resume_when: 'resume',
      stop_condition: 'stop',
      stop_when: 'stop',
      reset_when: 'reset',
      duration: 'target',
      warnings: 'warn_at',
      escalations: 'escalate',
      enabled: 'active',
      is_active: 'active',
    },
    drop: ITEM_NOISE,
  });
  const conditions = CONDITIONS.flatMap((key) =>
    sla[key] === undefined ? [] : [[key, reading.expression(`${path}.${key}`, sla[key])] as const],
  );
  const actions = (given: unknown, at: string): unknown =>
    given === undefined ? undefined : mapRaw(listOf(given), at, (action, place) => readAction(reading, action, place));
  return {
    ...sla,
    ...Object.fromEntries(conditions),
    ...withValue('name', readName(sla['name'])),
    ...withValue('target', readTarget(reading, sla['target'], `${path}.target`)),
    ...withValue('targets', readTargets(reading, sla['targets'], `${path}.targets`)),
    ...withValue('warn_at', sla['warn_at'] === undefined ? undefined : listOf(sla['warn_at']).map(readWarning)),
    ...withValue('on_warn', actions(sla['on_warn'], `${path}.on_warn`)),
    ...withValue('on_breach', actions(sla['on_breach'], `${path}.on_breach`)),
    ...withValue(
      'escalate',
      mapRaw(sla['escalate'], `${path}.escalate`, (item, at) => {
        const step = clean(item, { rename: { action: 'actions', delay: 'after' } });
        return { ...step, ...withValue('actions', actions(step['actions'], `${at}.actions`)) };
      }),
    ),
  };
}

/** A duration stays, anything else is an expression. */
const readTarget = (reading: Reading, target: unknown, path: string): unknown =>
  typeof target === 'string' && !durationText.test(target) ? reading.expression(path, target) : target;

function readTargets(reading: Reading, targets: unknown, path: string): unknown {
  return mapRaw(targets, path, (item, at) => {
    const target = clean(item, { rename: { condition: 'when', duration: 'target' } });
    return {
      ...target,
      ...withValue('when', target['when'] === undefined ? undefined : reading.expression(`${at}.when`, target['when'])),
      ...withValue('target', readTarget(reading, target['target'], `${at}.target`)),
    };
  });
}

/** 50 means 50 percent. */
const readWarning = (warning: unknown): unknown => (typeof warning === 'number' ? `${String(warning)}%` : warning);
