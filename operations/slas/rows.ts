/** Rows of clocks: one per start of an SLA for a record; written by the relay at the start and by the clock's own looks. */
import { type Db, run } from '../../adapters/postgres/run.ts';
import { fold, type ClockState } from '../../core/sla/fold.ts';
import type { ClockEvent } from '../../core/sla/rule.ts';
import { id, join, sql, type Sql, value } from '../../core/sql/sql.ts';
import { clockWorkflowId } from '../../workflows/contracts/ids.ts';
import type { AppRuntime } from '../context.ts';
import { runIdOf } from '../processes/run-id.ts';
import { type EraRef, type Form, saveForms } from './forms.ts';

export interface ClockRow {
  readonly id: string;
  readonly workflow_id: string;
  readonly sla: string;
  readonly sla_name: string;
  readonly entity: string;
  readonly record_id: string;
  readonly started_seq: string;
  readonly started_version: string;
  readonly started_at: string;
  readonly depth: number;
  readonly state: 'running' | 'paused' | 'met' | 'breached' | 'cancelled';
  readonly is_paused: boolean;
  readonly elapsed_ms: string;
  readonly target_ms: string | null;
  readonly due_at: string | null;
  readonly breached_at: string | null;
  readonly next_at: string | null;
  readonly stopped_at: string | null;
  readonly eras: readonly EraRef[];
  readonly form: string;
  readonly fired: readonly FiredMark[];
  readonly error: string | null;
  readonly revision: number;
  readonly assessed_at: string;
}

export interface FiredMark {
  readonly key: string;
  readonly at: string;
  readonly error?: string;
}

const TIMES = ['started_at', 'due_at', 'breached_at', 'next_at', 'stopped_at', 'assessed_at'] as const;

/** Of the table as `c`. Times as ISO texts, as everything that crosses into a workflow or an answer has them. */
export const CLOCK_COLUMNS: Sql = sql`c.id, c.workflow_id, c.sla, c.sla_name, c.entity, c.record_id, c.started_seq, c.started_version, c.depth,
  c.state, c.is_paused, c.elapsed_ms, c.target_ms, c.eras, c.form, c.fired, c.error, c.revision, ${join(
    TIMES.map((name) => sql`to_char(${id('c', name)} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as ${id(name)}`),
  )}`;

export const clockIdOf = runIdOf;

export interface NewClock {
  readonly workflowId: string;
  readonly form: Form;
  readonly entity: string;
  readonly recordId: string;
  readonly event: ClockEvent;
  readonly depth: number;
}

export const newClock = (app: AppRuntime, form: Form, subject: Pick<NewClock, 'entity' | 'recordId' | 'event' | 'depth'>): NewClock => ({
  workflowId: clockWorkflowId(app.id, subject.recordId, form.key, subject.event.seq),
  form,
  ...subject,
});

/** Shows new clocks as they are at their start, and answers them. One that is there already, or whose record has one open, is left alone. */
export async function insertClocks(db: Db, app: AppRuntime, clocks: readonly NewClock[]): Promise<NewClock[]> {
  if (clocks.length === 0) return [];
  await saveForms(
    db,
    app.storage,
    clocks.map(({ form }) => form),
  );
  const rows = clocks.map(rowOf);
  const inserted = await run<{ workflow_id: string }>(
    db,
    sql`insert into ${id(app.storage, '_clocks')} (id, workflow_id, sla, sla_name, entity, record_id, started_seq, started_version, started_at, depth,
            eras, form, state, is_paused, elapsed_ms, target_ms, due_at, breached_at, next_at, stopped_at, assessed_at)
        select id, workflow_id, sla, sla_name, entity, record_id, started_seq, started_version, started_at, depth,
            eras, form, state, is_paused, elapsed_ms, target_ms, due_at, breached_at, next_at, stopped_at, started_at
        from jsonb_to_recordset(${value(JSON.stringify(rows), 'jsonb')})
          as r(id uuid, workflow_id text, sla text, sla_name text, entity text, record_id text, started_seq bigint, started_version bigint,
               started_at timestamptz, depth smallint, eras jsonb, form text, state text, is_paused boolean, elapsed_ms bigint, target_ms bigint,
               due_at timestamptz, breached_at timestamptz, next_at timestamptz, stopped_at timestamptz)
        on conflict do nothing returning workflow_id`,
  );
  const fresh = new Set(inserted.map((row) => row.workflow_id));
  return clocks.filter(({ workflowId }) => fresh.has(workflowId));
}

function rowOf({ workflowId, form, entity, recordId, event, depth }: NewClock) {
  const state = fold([event], [{ since: null, rule: form.rule, calendar: form.calendar }], event.at);
  return {
    id: clockIdOf(workflowId),
    workflow_id: workflowId,
    sla: form.key,
    sla_name: form.sla.name,
    entity,
    record_id: recordId,
    started_seq: event.seq,
    started_version: event.version,
    started_at: iso(event.at),
    depth,
    eras: [{ since: null, form: form.hash }],
    form: form.hash,
    ...shownState(state),
  };
}

/** The columns that a look writes. */
export const shownState = (state: ClockState) => ({
  state: state.state === 'idle' ? ('cancelled' as const) : state.state,
  is_paused: state.is_paused,
  elapsed_ms: state.elapsed_ms,
  target_ms: state.target_ms,
  due_at: iso(state.due_at),
  breached_at: iso(state.breached_at),
  next_at: iso(state.next_at),
  stopped_at: iso(state.stopped_at),
});

/** Milliseconds as ISO 8601. */
export function iso(ms: number): string;
export function iso(ms: number | null): string | null;
export function iso(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
