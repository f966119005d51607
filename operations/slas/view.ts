/** Clocks as answers show them. */
import type { ClockState, HistoryEntry } from '../../core/sla/fold.ts';
import type { AppRuntime, Services } from '../context.ts';
import { readForm } from './forms.ts';
import { type ClockRow, type FiredMark, iso, shownState } from './rows.ts';

export interface ClockAnswer {
  readonly id: string;
  readonly sla: string;
  readonly sla_id: string;
  readonly entity: string;
  readonly record_id: string;
  readonly state: ClockRow['state'];
  readonly is_paused: boolean;
  readonly started_at: string;
  readonly due_at: string | null;
  readonly target_ms: number | null;
  readonly elapsed_ms: number;
  readonly remaining_ms: number | null;
  /** Of the target; over 100 when it is late. */
  readonly percent: number | null;
  readonly breached_at: string | null;
  readonly stopped_at: string | null;
  readonly next_at: string | null;
  readonly fired: readonly FiredMark[];
  readonly error: string | null;
  readonly temporal_workflow_id: string;
  readonly temporal_url: string | null;
  /** What happened to it, in order; with one record's clocks only. */
  readonly history?: readonly (Omit<HistoryEntry, 'at'> & { readonly at: string })[];
}

type Shown = Pick<ClockRow, 'state' | 'is_paused' | 'due_at' | 'breached_at' | 'stopped_at' | 'next_at'> & {
  readonly elapsed_ms: number;
  readonly target_ms: number | null;
};

function toAnswer(services: Services, row: ClockRow, shown: Shown): ClockAnswer {
  const { elapsed_ms, target_ms } = shown;
  return {
    id: row.id,
    sla: row.sla_name,
    sla_id: row.sla,
    entity: row.entity,
    record_id: row.record_id,
    state: shown.state,
    is_paused: shown.is_paused,
    started_at: row.started_at,
    due_at: shown.due_at,
    target_ms,
    elapsed_ms,
    remaining_ms: target_ms === null ? null : target_ms - elapsed_ms,
    percent: target_ms === null ? null : Math.round((elapsed_ms / target_ms) * 1_000) / 10,
    breached_at: shown.breached_at,
    stopped_at: shown.stopped_at,
    next_at: shown.next_at,
    fired: row.fired,
    error: row.error,
    temporal_workflow_id: row.workflow_id,
    temporal_url: services.temporal.linkTo(row.workflow_id),
  };
}

/** The clock as its record's events say at this moment. */
export function workedOut(services: Services, row: ClockRow, state: ClockState): ClockAnswer {
  return {
    ...toAnswer(services, row, shownState(state)),
    history: state.history.map(({ at, ...entry }) => ({ at: iso(at), ...entry })),
  };
}

/** The clock as its last look found it, with the time that has counted since. */
export async function asShown(services: Services, app: AppRuntime, row: ClockRow, now: Date): Promise<ClockAnswer> {
  const isRunning = row.stopped_at === null && !row.is_paused;
  const form = isRunning ? await readForm(services.pool, app, row.form) : undefined;
  const since = form === undefined ? 0 : form.calendar.between(Date.parse(row.assessed_at), now.getTime());
  return toAnswer(services, row, {
    ...row,
    elapsed_ms: Number(row.elapsed_ms) + since,
    target_ms: row.target_ms === null ? null : Number(row.target_ms),
  });
}
