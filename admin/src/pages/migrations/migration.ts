/** A migration as the API shows it, and what follows from it for those who watch. */
import type { Author, Change } from '../../plan/types.ts';
import { type PHASES } from '../../plan/PlanSteps.tsx';
import type { Tone } from '../../ui/Status.tsx';

export const STATUSES = ['planned', 'awaiting_approval', 'running', 'paused', 'ready', 'completed', 'aborted', 'failed'] as const;
export type MigrationStatus = (typeof STATUSES)[number];

export interface MigrationStep {
  readonly key: string;
  readonly phase: string;
  readonly state: string;
  readonly finished_at: string | null;
  readonly rows?: number;
  readonly rows_total?: number;
}

export interface Migration {
  readonly id: string;
  readonly from_version: number;
  readonly to_version: number;
  readonly status: MigrationStatus;
  readonly phase: string;
  readonly class: 'compatible' | 'breaking';
  readonly steps: readonly MigrationStep[];
  readonly progress: {
    readonly done: number;
    readonly total: number;
    readonly unit: 'steps' | 'rows';
    readonly rate: number | null;
    readonly eta_seconds: number | null;
  };
  readonly old_traffic: {
    readonly version: number;
    readonly requests: number;
    readonly clients: number;
    readonly last_used_at: string | null;
  } | null;
  readonly approval: { readonly needed: boolean; readonly by?: Author; readonly at?: string; readonly comment?: string | null };
  readonly grace_until: string | null;
  readonly retention_until: string | null;
  readonly waiting_for: string | null;
  readonly plan_hash: string;
  readonly error: string | null;
  readonly temporal_url: string | null;
  readonly created_by: Author | null;
  readonly created_at: string;
  readonly updated_at: string;
  readonly log?: readonly { readonly at: string; readonly text: string }[];
  readonly changes?: readonly Change[];
  readonly quarantined?: number;
  readonly waits?: LockWait | null;
  readonly older_clients?: readonly OlderClient[];
}

export interface LockWait {
  readonly step: string;
  readonly tries: number;
  readonly since: string;
  readonly sessions: readonly {
    readonly pid: number;
    readonly application: string;
    readonly state: string | null;
    readonly since: string | null;
  }[];
}

export interface OlderClient {
  readonly version: number;
  readonly kind: Author['kind'];
  readonly id: string | null;
  readonly name: string | null;
  readonly requests: number;
  readonly last_used_at: string;
}

export const TONES: Readonly<Record<MigrationStatus, Tone>> = {
  planned: 'waiting',
  awaiting_approval: 'waiting',
  running: 'running',
  paused: 'paused',
  ready: 'info',
  completed: 'done',
  aborted: 'off',
  failed: 'failed',
};

/** Something may happen at any moment. */
export const isMoving = ({ status }: Pick<Migration, 'status'>): boolean => status === 'planned' || status === 'running';
export const isEnded = ({ status }: Pick<Migration, 'status'>): boolean =>
  status === 'completed' || status === 'aborted' || status === 'failed';
export const isBeforeSwitch = ({ status }: Pick<Migration, 'status'>): boolean =>
  status === 'planned' || status === 'awaiting_approval' || status === 'running' || status === 'paused';

export type Stage = 'approval' | (typeof PHASES)[number] | 'switch' | 'grace' | 'done';
export type StageState = 'done' | 'now' | 'open' | 'stopped';

const BEFORE_SWITCH = ['expand', 'backfill', 'verify'] as const;

/** Its way from left to right: only the phases that it has. */
export function stagesOf(migration: Migration): readonly { readonly stage: Stage; readonly state: StageState }[] {
  const has = (phase: string): boolean => migration.steps.some((step) => step.phase === phase);
  const isBreaking = migration.class === 'breaking';
  const stages: Stage[] = [
    ...(migration.approval.needed ? (['approval'] as const) : []),
    ...BEFORE_SWITCH.filter(has),
    'switch',
    ...(has('settle') ? (['settle'] as const) : []),
    ...(isBreaking ? (['grace', 'contract'] as const) : []),
    ...(has('purge') ? (['purge'] as const) : []),
    'done',
  ];
  const at = stages.indexOf(stageOf(migration, stages));
  const isStopped = migration.status === 'failed' || migration.status === 'aborted';
  return stages.map((stage, index) => ({
    stage,
    state: migration.status === 'completed' || index < at ? 'done' : index > at ? 'open' : isStopped ? 'stopped' : 'now',
  }));
}

function stageOf({ status, phase, approval, retention_until: retention }: Migration, stages: readonly Stage[]): Stage {
  if (status === 'completed') return 'done';
  if (approval.needed && (status === 'awaiting_approval' || (approval.by === undefined && status === 'aborted'))) return 'approval';
  if (phase === 'contract' && retention !== null && stages.includes('purge')) return 'purge';
  return (stages as readonly string[]).includes(phase) ? (phase as Stage) : (stages.find((stage) => stage !== 'approval') ?? 'switch');
}

/** What of it an abort, or its failure, took back: steps that were done, or under way, before the switch. */
export const takenBack = ({ steps }: Migration): readonly MigrationStep[] =>
  steps.filter(({ phase, state, rows }) => (phase === 'expand' || phase === 'backfill') && (state === 'done' || (rows ?? 0) > 0));
