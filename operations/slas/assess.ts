/** A look at a clock: what happened since its start, worked out as of now, and shown. Under the row's lock, see match-clocks.ts. */
import { type Db, execute, run } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { asToday } from '../../core/sla/rule.ts';
import { fold, type ClockState, type Mark } from '../../core/sla/fold.ts';
import type { ProcessAction } from '../../core/model/document.ts';
import { id, sql, value } from '../../core/sql/sql.ts';
import type { ClockLook, ClockMark, FoundClock } from '../../workflows/contracts/types.ts';
import type { AppRuntime, Services } from '../context.ts';
import { queueStarts } from '../starts.ts';
import { readClockEvents } from './events.ts';
import { type EraRef, type Form, formsOf, readEras, readForm, saveForms } from './forms.ts';
import { CLOCK_COLUMNS, type ClockRow, iso, newClock, shownState } from './rows.ts';
import { clockStarts } from './start-clocks.ts';

export async function assessClock(services: Services, app: AppRuntime, clockId: string, now: Date): Promise<ClockLook> {
  return transaction(services.pool, async (client) => {
    const row = await lockClock(client, app, clockId);
    if (row === undefined) return { status: 'gone' };
    const form = formsOf(app).byKey.get(row.sla);
    const wasOpen = row.stopped_at === null;
    const eras = wasOpen && form !== undefined ? await erasOf(client, app, row, form) : row.eras;
    const { restart, ...found } = await workOut(client, app, row, eras, now);
    const isDefined = found.state !== 'idle' && (!wasOpen || form !== undefined || found.stopped_at !== null);
    const state: ClockState = isDefined ? { ...found, restart } : abandoned({ ...found, restart }, now);
    await write(client, app, row, state, eras, now);
    if (wasOpen && restart !== undefined && form !== undefined) {
      const subject = { entity: row.entity, recordId: row.record_id, event: asToday(restart), depth: row.depth };
      await queueStarts(client, app, await clockStarts(client, app, [newClock(app, form, subject)]));
    }
    return toLook(row, state, await dueMarks(client, app, row, eras, state));
  });
}

async function lockClock(db: Db, app: AppRuntime, clockId: string): Promise<ClockRow | undefined> {
  const [row] = await run<ClockRow>(
    db,
    sql`select ${CLOCK_COLUMNS} from ${id(app.storage, '_clocks')} c where c.id = ${value(clockId, 'uuid')} for update`,
    { prepared: true },
  );
  return row;
}

/** The clock as its events say; idle when the log does not reach back to its start any more. */
export async function workOut(db: Db, app: AppRuntime, row: ClockRow, eras: readonly EraRef[], now: Date): Promise<ClockState> {
  const events = await readClockEvents(db, app, row.entity, row.record_id, row.started_version);
  const known = await readEras(db, app, eras);
  const isWhole = events[0]?.version === Number(row.started_version) && known.length === eras.length;
  return fold(isWhole ? events : [], known, now.getTime());
}

/** Its definition is gone, or its start is in no log any more: so is the clock. */
const abandoned = (state: ClockState, now: Date): ClockState => ({
  ...state,
  state: 'cancelled',
  is_paused: false,
  stopped_at: now.getTime(),
  next_at: null,
});

/** Another form of the definition counts from its publish on, or, where it looks back, from the clock's start. */
async function erasOf(db: Db, app: AppRuntime, row: ClockRow, form: Form): Promise<readonly EraRef[]> {
  if (form.hash === row.form) return row.eras;
  await saveForms(db, app.storage, [form]);
  if (form.sla.retroactive) return [{ since: null, form: form.hash }];
  const since = await servedSince(db, app);
  // What was shown already stays as it was.
  const from = Math.max(since === null ? 0 : Date.parse(since), Date.parse(row.assessed_at));
  return [...row.eras, { since: iso(from), form: form.hash }];
}

async function servedSince(db: Db, app: AppRuntime): Promise<string | null> {
  const [row] = await run<{ at: string | null }>(
    db,
    sql`select to_json(max(at) at time zone 'UTC')#>>'{}' || 'Z' as at from durabase.schema_events
        where app = ${value(app.id)} and new_version = ${value(app.version, 'integer')}`,
  );
  return row?.at ?? null;
}

async function write(db: Db, app: AppRuntime, row: ClockRow, state: ClockState, eras: readonly EraRef[], now: Date): Promise<void> {
  const shown = shownState(state);
  await execute(
    db,
    sql`update ${id(app.storage, '_clocks')} set
          state = ${value(shown.state)}, is_paused = ${value(shown.is_paused)}, elapsed_ms = ${value(Math.round(shown.elapsed_ms), 'bigint')},
          target_ms = ${value(shown.target_ms, 'bigint')}, due_at = ${value(shown.due_at, 'timestamptz')},
          breached_at = ${value(shown.breached_at, 'timestamptz')}, next_at = ${value(shown.next_at, 'timestamptz')},
          stopped_at = ${value(shown.stopped_at, 'timestamptz')}, eras = ${value(JSON.stringify(eras), 'jsonb')},
          form = ${value(eras.at(-1)?.form ?? row.form)}, revision = ${value(row.revision + 1, 'integer')},
          assessed_at = greatest(assessed_at, ${value(now.toISOString(), 'timestamptz')})
        where id = ${value(row.id, 'uuid')}`,
    { prepared: true },
  );
}

/** Marks that have not fired. A clock that has ended still tells its breach, which is a fact; nobody needs its warnings any more. */
async function dueMarks(db: Db, app: AppRuntime, row: ClockRow, eras: readonly EraRef[], state: ClockState): Promise<ClockMark[]> {
  const fired = new Set(row.fired.map(({ key }) => key));
  const isOpen = state.stopped_at === null;
  const due = state.marks.filter(({ key, kind }) => !fired.has(key) && (isOpen || (kind === 'breach' && state.state !== 'cancelled')));
  if (due.length === 0) return [];
  const form = await readForm(db, app, eras.at(-1)?.form ?? row.form);
  return due.map((mark) => ({
    key: mark.key,
    at: iso(mark.at),
    actions: form === undefined ? [] : actionsOf(form, mark).map(({ type }) => type),
  }));
}

/** What a mark does. */
export function actionsOf({ sla }: Form, { kind, label }: Pick<Mark, 'kind' | 'label'>): readonly ProcessAction[] {
  switch (kind) {
    case 'warn':
      return sla.on_warn;
    case 'breach':
      return sla.on_breach;
    case 'escalate':
      return sla.escalate.find(({ after }) => after === label)?.actions ?? [];
  }
}

function toLook(row: ClockRow, state: ClockState, due: readonly ClockMark[]): FoundClock {
  const { state: word, is_paused, due_at, next_at, stopped_at } = shownState(state);
  return {
    status: stopped_at === null ? 'open' : 'ended',
    state: word,
    name: row.sla_name,
    entity: row.entity,
    recordId: row.record_id,
    isPaused: is_paused,
    dueAt: due_at,
    nextAt: next_at,
    due,
  };
}
