import type { Tone } from '../../ui/Status.tsx';

/** One run of a workflow, as `/api/:app/_workflows` shows it. */
export interface Run {
  readonly id: string;
  readonly workflow_name: string;
  readonly status: RunStatus;
  readonly current_step: string | null;
  readonly current_steps: readonly {
    readonly step: string;
    readonly strand: string;
    readonly deadline: string | null;
    readonly error: string | null;
  }[];
  readonly context: Readonly<Record<string, unknown>>;
  readonly history: readonly HistoryEntry[];
  readonly entity: string | null;
  readonly record_id: string | null;
  readonly schema_version: number;
  readonly error: string | null;
  readonly is_stuck: boolean;
  readonly task: Task | null;
  readonly tasks: readonly Task[];
  readonly temporal_url: string | null;
  readonly created_at: string;
  readonly updated_at: string;
}

export type RunStatus = 'running' | 'completed' | 'failed' | 'cancelled' | 'ended_by_restore';

export interface HistoryEntry {
  readonly step: string;
  readonly status: string;
  readonly by?: string;
  readonly on_behalf_of?: string;
  readonly decision?: string;
  readonly comment?: string;
  readonly error?: string;
  readonly at: string;
}

/** An open approval of a run. */
export interface Task {
  readonly id: string;
  readonly step: string;
  readonly kind: 'approval' | 'resubmission';
  readonly title: string;
  readonly groups: readonly {
    readonly name?: string;
    readonly required: number;
    readonly approved: number;
    readonly rejected: number;
    readonly is_open: boolean;
  }[];
  readonly votes: readonly { readonly decision: string; readonly decided_by: string; readonly comment?: string; readonly at: string }[];
  readonly waiting_for: readonly { readonly user: string }[];
  readonly due_at: string | null;
  readonly created_at: string;
  readonly comment_required: boolean;
  readonly can_send_back: boolean;
  readonly can_decide: boolean;
  readonly reason?: string;
  readonly on_behalf_of?: string;
}

export type ShownStatus = RunStatus | 'stuck';

export const RUN_TONES: Readonly<Record<ShownStatus, Tone>> = {
  running: 'running',
  stuck: 'failed',
  completed: 'done',
  failed: 'failed',
  cancelled: 'off',
  ended_by_restore: 'off',
};

export const shownStatus = (run: Run): ShownStatus => (run.is_stuck ? 'stuck' : run.status);
