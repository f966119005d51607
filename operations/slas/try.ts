/** What a definition would make of changes: nothing is written, started or sent. */
import { AppError } from '../../core/errors.ts';
import type { CalendarDefinition, SlaDefinition } from '../../core/model/document.ts';
import { readItem } from '../../core/model/read-document.ts';
import { reviewDocument } from '../../core/model/review.ts';
import { slaTrial } from '../../core/payloads/slas.ts';
import { fold, type ClockState, type HistoryEntry } from '../../core/sla/fold.ts';
import type { ClockEvent } from '../../core/sla/rule.ts';
import type { AppContext } from '../context.ts';
import { readPayload } from '../payload.ts';
import { readClockEvents } from './events.ts';
import { type Form, makeForm } from './forms.ts';
import { iso, shownState } from './rows.ts';

export interface TriedClock extends Omit<ReturnType<typeof shownState>, never> {
  readonly started_at: string | null;
  readonly remaining_ms: number | null;
  readonly history: readonly (Omit<HistoryEntry, 'at'> & { readonly at: string })[];
}

type Trial = ReturnType<typeof slaTrial.parse>;

/** Each clock that the changes start, in order. */
export async function trySla(ctx: AppContext, body: unknown): Promise<{ readonly clocks: readonly TriedClock[] }> {
  const trial = readPayload(slaTrial, body, 'slas/try');
  const form = formOf(ctx, trial);
  const events = trial.events === undefined ? await storedEvents(ctx, form, trial) : givenEvents(trial.events);
  const now = trial.now === undefined ? ctx.now.getTime() : Date.parse(trial.now);
  refuseLongTrial(events, now);
  const eras = [{ since: null, rule: form.rule, calendar: form.calendar }];
  const clocks: TriedClock[] = [];
  for (let start = events.findIndex((event) => form.rule.starts(event)); start !== -1;) {
    const state = fold(events.slice(start), eras, now);
    clocks.push(tried(state));
    const { restart } = state;
    start = restart === undefined ? -1 : events.indexOf(restart);
  }
  return { clocks };
}

const TEN_YEARS_MS = 3_653 * 86_400_000;

function refuseLongTrial(events: readonly ClockEvent[], now: number): void {
  const times = [now, ...events.map(({ at }) => at)];
  if (Math.max(...times) - Math.min(...times) > TEN_YEARS_MS)
    throw new AppError('INVALID_PAYLOAD', 'The times of a trial must lie within ten years.');
}

const tried = (state: ClockState): TriedClock => ({
  started_at: iso(state.started_at),
  ...shownState(state),
  remaining_ms: state.remaining_ms,
  history: state.history.map(({ at, ...entry }) => ({ at: iso(at), ...entry })),
});

/** The definition as a publish would take it, or be refused. */
function formOf({ app }: AppContext, { definition, calendar }: Trial): Form {
  const { document } = app.model;
  const sla = typeof definition === 'string' ? named(document.slas, definition) : readItem('slas', definition, 'definition');
  const own = calendar === undefined ? undefined : readItem('calendars', calendar, 'calendar');
  const wanted: SlaDefinition = own === undefined ? sla : { ...sla, calendar: own.name };
  const slas = [...document.slas.filter(({ name }) => name !== wanted.name), wanted];
  const calendars: CalendarDefinition[] =
    own === undefined ? document.calendars : [...document.calendars.filter(({ name }) => name !== own.name), own];
  const at = `slas.${String(slas.length - 1)}`;
  const errors = reviewDocument({ ...document, slas, calendars }).errors.filter(
    ({ path = '' }) => path.startsWith(at) || path.startsWith(`calendars.${String(calendars.length - 1)}`),
  );
  if (errors.length > 0) throw new AppError('VALIDATION_FAILED', errors[0]?.message ?? '', { details: errors });
  return makeForm(wanted, calendars.find(({ name }) => name === wanted.calendar) ?? null);
}

function named(slas: readonly SlaDefinition[], key: string): SlaDefinition {
  const found = slas.find((sla) => sla.id === key || sla.name === key);
  if (found === undefined) throw new AppError('NOT_FOUND', `There is no SLA "${key.slice(0, 100)}".`);
  return found;
}

function givenEvents(given: NonNullable<Trial['events']>): ClockEvent[] {
  return given.map((event, index) => {
    const previous = given[index - 1]?.record ?? null;
    const before = event.old === undefined ? previous : event.old;
    return {
      at: Date.parse(event.at),
      version: index + 1,
      seq: String(index + 1),
      action: event.action ?? (event.record === null ? 'delete' : before === null ? 'create' : 'update'),
      record: event.record,
      before,
    };
  });
}

async function storedEvents({ services, app }: AppContext, { sla }: Form, { record_id }: Trial): Promise<ClockEvent[]> {
  if (record_id === undefined) throw new AppError('INVALID_PAYLOAD', 'slas/try needs "events" or "record_id".');
  const key = String(record_id);
  if (key.includes('\0')) throw new AppError('INVALID_PAYLOAD', 'record_id has the character NUL, which nothing stored has.');
  const events = await readClockEvents(services.pool, app, sla.entity, key, '0');
  if (events.length === 0) throw new AppError('NOT_FOUND', `The log has no change of a ${sla.entity} "${key.slice(0, 100)}".`);
  return events;
}
