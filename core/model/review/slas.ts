/** Checks of calendars and SLAs. */
import { nearestNames } from '../../errors.ts';
import { compileCalendar, LONGEST_MS } from '../../calendar/calendar.ts';
import { isTimeZone } from '../../calendar/zone.ts';
import { durationMs } from '../../duration.ts';
import { durationText, type CalendarDefinition, type SlaDefinition } from '../document.ts';
import { reviewAction } from './workflows.ts';
import type { Review } from './review.ts';
import { reviewPaths } from './rules.ts';

export function reviewCalendars(review: Review): void {
  const { calendars } = review.document;
  review.unique(
    calendars.map(({ name }, index) => ({ name, path: `calendars.${String(index)}.name` })),
    'the calendar name',
  );
  calendars.forEach((calendar, index) => {
    reviewCalendar(review, calendar, `calendars.${String(index)}`);
  });
}

function reviewCalendar(review: Review, calendar: CalendarDefinition, path: string): void {
  if (!isTimeZone(calendar.timezone)) {
    const near = nearestNames(calendar.timezone, Intl.supportedValuesOf('timeZone'));
    review.error(
      `${path}.timezone`,
      'timezone',
      `${path}.timezone: "${calendar.timezone}" is no time zone. Write an IANA name like Europe/Berlin.`,
      near,
    );
    return;
  }
  const all = [
    ...Object.entries(calendar.week ?? {}),
    ...calendar.holidays.map(({ hours }, index) => [`holidays.${String(index)}`, hours] as const),
  ];
  for (const [at, hours] of all) {
    for (const text of hours ?? []) {
      if (text.slice(0, 5) === text.slice(6))
        review.error(`${path}.${at}`, 'hours', `${path}.${at}: "${text}" ends when it begins; a whole day is 00:00-24:00.`);
    }
  }
  calendar.holidays.forEach((holiday, index) => {
    reviewHoliday(review, holiday, `${path}.holidays.${String(index)}`);
  });
  if (compileCalendar(calendar).add(Date.UTC(2020, 0, 1), 1) === undefined) {
    review.find({
      id: `closed-calendar:${calendar.name}`,
      level: 'warning',
      path: `${path}.week`,
      message: `The calendar ${calendar.name} is never open.`,
      consequence: 'Clocks that count by it never come to their due time.',
      fix: 'Give a day hours, like mon: ["09:00-17:00"].',
    });
  }
}

function reviewHoliday(review: Review, { date, from, to, yearly }: CalendarDefinition['holidays'][number], path: string): void {
  const given = [date, from ?? to, yearly].filter((one) => one !== undefined);
  if (given.length !== 1) {
    review.error(path, 'required', `${path}: a holiday has either "date", or "from" and "to", or "yearly".`);
  } else if (date === undefined && yearly === undefined && (from === undefined || to === undefined || to < from)) {
    review.error(path, 'range', `${path}: "from" and "to" must both be given, and "to" must not lie before "from".`);
  }
}

export function reviewSlas(review: Review): void {
  const { slas } = review.document;
  review.unique(
    slas.map(({ name }, index) => ({ name, path: `slas.${String(index)}.name` })),
    'the SLA name',
  );
  slas.forEach((sla, index) => {
    reviewSla(review, sla, `slas.${String(index)}`);
  });
}

function reviewSla(review: Review, sla: SlaDefinition, path: string): void {
  const what = `The SLA ${sla.name}`;
  const isKnown = review.expectEntity(`${path}.entity`, sla.entity, what);
  for (const condition of ['start', 'pause', 'resume', 'stop', 'reset'] as const) {
    if (sla[condition] !== undefined) reviewCondition(review, sla, sla[condition], `${path}.${condition}`);
  }
  reviewTargets(review, sla, path);
  reviewCalendarOf(review, sla, path);
  if (sla.resume !== undefined && sla.pause === undefined)
    review.error(`${path}.pause`, 'required', `${path}: "resume" ends a pause, so it needs "pause".`);
  const groups = [
    ['on_warn', sla.on_warn] as const,
    ['on_breach', sla.on_breach] as const,
    ...sla.escalate.map(({ actions }, index) => [`escalate.${String(index)}.actions`, actions] as const),
  ];
  if (!isKnown) return;
  for (const [at, actions] of groups) {
    actions.forEach((action, index) => {
      reviewAction(review, { name: sla.name, noun: 'SLA', trigger: sla }, action, `${path}.${at}.${String(index)}`);
    });
  }
}

function reviewTargets(review: Review, sla: SlaDefinition, path: string): void {
  if (sla.target === undefined && sla.targets.length === 0)
    review.error(`${path}.target`, 'required', `${path}: an SLA needs "target", like "8h", or "targets".`);
  const all = [
    ...(sla.target === undefined ? [] : [[`${path}.target`, sla.target] as const]),
    ...sla.targets.map(({ target }, index) => [`${path}.targets.${String(index)}.target`, target] as const),
  ];
  for (const [at, target] of all) {
    if (!durationText.test(target)) reviewCondition(review, sla, target, at);
    else if (durationMs(target) <= 0 || durationMs(target) > LONGEST_MS)
      review.error(at, 'range', `${at}: a target must be longer than nothing and no longer than twenty years.`);
  }
  sla.targets.forEach(({ when }, index) => {
    reviewCondition(review, sla, when, `${path}.targets.${String(index)}.when`);
  });
}

const SCOPE = ['record', 'old', 'action', 'now'];

/** Clocks are worked out from events alone, again and again: nothing may be read that the events do not hold. */
function reviewCondition(review: Review, sla: SlaDefinition, text: string, path: string): void {
  const expression = review.expression(path, text);
  if (expression === undefined) return;
  reviewPaths(review, expression, sla.entity, path);
  const fields = review.fieldsOf(sla.entity);
  const foreign = [...expression.roots].find((root) => !SCOPE.includes(root));
  const related = expression.recordPaths.find(([head, next]) => next !== undefined && head !== undefined && fields?.has(head) === false);
  const reason = !expression.isCommon
    ? `uses ${expression.uncommonConstruct ?? 'whole JSONata'}`
    : foreign !== undefined
      ? `reads "${foreign}"`
      : related === undefined
        ? undefined
        : `reads the relation "${related[0] ?? ''}"`;
  if (reason === undefined) return;
  review.error(
    path,
    'expression',
    `${path} ${reason}. A clock is worked out from the changes of its record: its conditions read fields of "record" and "old", "action" and "now".`,
  );
}

function reviewCalendarOf(review: Review, sla: SlaDefinition, path: string): void {
  const { calendars } = review.document;
  if (sla.calendar === undefined || calendars.some(({ name }) => name === sla.calendar)) return;
  const near = nearestNames(
    sla.calendar,
    calendars.map(({ name }) => name),
  );
  review.error(
    `${path}.calendar`,
    'unknown_calendar',
    `${path}.calendar names "${sla.calendar}", which is no calendar of the document.${near.length === 0 ? '' : ` Near: ${near.join(', ')}.`}`,
    near,
  );
}
