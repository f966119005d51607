/** One run of a workflow, as the API shows it. */
export interface Run {
  readonly id: string;
  readonly workflow_name: string;
  readonly status: 'running' | 'completed' | 'failed' | 'cancelled' | 'ended_by_restore';
  readonly current_step: string | null;
  readonly current_step_deadline: string | null;
  readonly entity: string | null;
  readonly record_id: string | null;
  readonly history: readonly {
    readonly step: string;
    readonly status: string;
    readonly by?: string;
    readonly at: string;
    readonly comment?: string;
  }[];
  readonly temporal_url: string | null;
  readonly task?: {
    readonly id: string;
    readonly kind?: 'approval' | 'resubmission';
    readonly title?: string;
    readonly comment_required?: boolean;
    readonly can_send_back?: boolean;
    readonly on_behalf_of?: string;
  } | null;
  readonly error?: string | null;
  readonly created_at: string;
}
