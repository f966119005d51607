import type { Tone } from '../../ui/Status.tsx';

export type RolloutStatus = 'planned' | 'running' | 'paused' | 'stopped' | 'rolling_back' | 'completed' | 'aborted' | 'rolled_back';
export type RolloutAppStatus =
  | 'pending'
  | 'moving'
  | 'moved'
  | 'unchanged'
  | 'skipped'
  | 'failed'
  | 'unhealthy'
  | 'rollback_pending'
  | 'rolling_back'
  | 'rolled_back'
  | 'rollback_failed';

type Counts = Readonly<Partial<Record<RolloutAppStatus | 'total', number>>>;

/** One rollout, as `/api/_platform/rollouts` shows it. */
export interface RolloutView {
  readonly id: string;
  readonly schema: string;
  readonly version: number;
  readonly status: RolloutStatus;
  /** The ring under way, or the last one there was. */
  readonly ring: string;
  readonly rings: readonly { readonly name: string; readonly apps: Counts }[];
  readonly apps: Counts;
  readonly max_failures: number;
  readonly bake_until: string | null;
  readonly error: string | null;
  readonly temporal_url: string | null;
  readonly created_at: string;
}

export interface RolloutAppView {
  readonly app: string;
  readonly ring: string;
  readonly status: RolloutAppStatus;
  readonly from_version: number | null;
  readonly error: string | null;
  readonly ended_at: string | null;
}

export interface RolloutDetail extends RolloutView {
  readonly report: readonly RolloutAppView[];
}

export const ROLLOUTS_PATH = '/api/_platform/rollouts';

export const TONES: Readonly<Record<RolloutStatus | RolloutAppStatus, Tone>> = {
  planned: 'waiting',
  running: 'running',
  paused: 'paused',
  stopped: 'warning',
  rolling_back: 'running',
  completed: 'done',
  aborted: 'off',
  rolled_back: 'off',
  pending: 'waiting',
  moving: 'running',
  moved: 'done',
  unchanged: 'done',
  skipped: 'off',
  failed: 'failed',
  unhealthy: 'failed',
  rollback_pending: 'waiting',
  rollback_failed: 'failed',
};

/** Still able to change by itself. */
export const isOpen = (status: RolloutStatus): boolean => !['completed', 'aborted', 'rolled_back'].includes(status);

/** Of its apps, those that need no more moving. */
export const arrived = (apps: Counts): number => (apps.moved ?? 0) + (apps.unchanged ?? 0);
