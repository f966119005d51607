/** What waits for the caller, as `_overview` tells it: counts that stop at a hundred, and the first five of each. */
export interface Part<One> {
  readonly count: number;
  readonly has_more: boolean;
  readonly first: readonly One[];
}

interface OfRecord {
  readonly id: string;
  readonly entity: string | null;
  readonly record_id: string | null;
}

export interface OpenTask extends OfRecord {
  readonly run: string;
  readonly workflow: string;
  readonly step: string;
  readonly title: string | null;
  readonly due_at: string | null;
}

export interface DueClock extends OfRecord {
  readonly sla: string;
  readonly due_at: string;
}

export interface StuckRun extends OfRecord {
  readonly workflow: string;
  readonly error: string;
  readonly created_at: string;
}

export interface FailedDelivery extends OfRecord {
  readonly webhook: string;
  readonly reason: string | null;
  readonly at: string;
}

export interface FailedStart {
  readonly id: string;
  readonly kind: string;
  readonly error: string | null;
  readonly created_at: string;
}

export interface OpenMigration {
  readonly id: string;
  readonly to_version: number;
  readonly status: 'planned' | 'awaiting_approval' | 'running' | 'paused' | 'ready';
  readonly created_at: string;
}

export interface Notification {
  readonly id: string;
  readonly message: string;
  readonly link: string | null;
  readonly created_at: string;
}

export interface LastChange {
  readonly type: 'record.created' | 'record.updated' | 'record.deleted';
  readonly entity: string;
  readonly record_id: string;
  readonly changed_fields?: readonly string[];
  readonly at: string;
  readonly actor: { readonly kind: string; readonly id: string | null; readonly name: string | null };
}

/** Parts that an app has not, or that are not the caller's, are left out. */
export interface Overview {
  readonly schema_version: number;
  readonly approvals?: Part<OpenTask>;
  readonly notifications?: Part<Notification>;
  readonly breached_clocks?: Part<DueClock>;
  readonly due_clocks?: Part<DueClock>;
  readonly stuck_runs?: Part<StuckRun>;
  readonly failed_starts?: Part<FailedStart>;
  readonly failed_deliveries?: Part<FailedDelivery>;
  readonly migrations?: Part<OpenMigration>;
  readonly findings?: { readonly error: number; readonly warning: number };
  readonly changes: readonly LastChange[];
}
