/** Inputs, results and small facts that cross the workflow boundary: ids and short values, never rows. */
import type { AssigneesDefinition } from '../../core/model/approval-step.ts';
import type { ProcessAction, ProcessStep } from '../../core/model/document.ts';

export interface SchemaMigrationInput {
  readonly app: string;
  readonly migrationId: string;
  readonly number: number;
  /** It runs when somebody approved it. Missing in histories from before there were approvals. */
  readonly needsApproval?: boolean;
}
export interface SchemaMigrationResult {
  /** `ready`: both shapes are served, and `contract/<app>/<number>` sees to the rest. */
  readonly status: 'completed' | 'ready' | 'failed' | 'aborted';
  readonly error?: string;
}

/** What somebody asks of a migration that has not switched yet. */
export interface MigrationRequest {
  readonly verb: 'approve' | 'reject' | 'pause' | 'resume' | 'abort';
  readonly actor: ActorRef;
  /** With `approve`: the plan that was read. */
  readonly planHash?: string;
  readonly comment?: string;
}

export interface ContractInput {
  readonly app: string;
  readonly migrationId: string;
  readonly number: number;
  /** What was asked of it before it was continued as new. */
  readonly asked?: Pick<ContractRequest, 'drop'>;
}
export interface ContractResult {
  readonly status: 'completed' | 'superseded';
}
/** Ends the grace at once, with `drop` the retention as well. */
export interface ContractRequest {
  readonly drop: boolean;
  readonly actor: ActorRef;
}

export interface ProvisionInput {
  readonly app: string;
}
export interface RetireInput {
  readonly app: string;
  /** ISO time at which storage is removed. */
  readonly removeAt: string;
}

export interface ActorRef {
  readonly kind: 'user' | 'platform' | 'api_key' | 'system';
  readonly id: string | null;
  readonly roles: readonly string[];
  /** The admin who acted as this user. */
  readonly by?: { readonly kind: ActorRef['kind']; readonly id: string | null };
}

/** What a run needs of a workflow definition, copied when it starts. */
export interface ProcessDefinition {
  readonly id: string;
  readonly name: string;
  readonly steps: readonly ProcessStep[];
  readonly context: Record<string, unknown>;
  /** The trigger's condition, when it takes whole JSONata and so could not be decided before the start. */
  readonly condition?: string;
}

export interface ProcessInput {
  readonly app: string;
  readonly runId: string;
  /** The definition as it was when the run started. */
  readonly definition: ProcessDefinition;
  readonly schemaVersion: number;
  readonly trigger: {
    readonly type: string;
    readonly eventSeq: string | null;
    readonly entity: string | null;
    readonly recordId: string | null;
    readonly actor: ActorRef;
    readonly depth: number;
    /** Of a custom event; the time of a schedule. */
    readonly event?: string;
    readonly at?: string;
    /** Given by a manual start; wins over the definition's context. */
    readonly context?: Record<string, unknown>;
  };
  /** The run whose subprocess step started this one: it is told the end. */
  readonly parent?: { readonly workflowId: string; readonly runId: string };
  /** Present after continue-as-new, and where Temporal had lost the run. */
  readonly state?: ProcessState | ProcessStateV1;
  /** Temporal had lost the run: `state` is what was recorded last. */
  readonly isRestored?: boolean;
}

export type HistoryStatus =
  | 'completed'
  | 'approved'
  | 'rejected'
  | 'timed_out'
  | 'on_true'
  | 'on_false'
  | 'failed'
  | 'skipped'
  | 'retried'
  | 'cancelled'
  | 'voted'
  | 'sent_back'
  | 'resubmitted'
  | 'reminded'
  | 'escalated'
  | 'delegated'
  | 'reassigned'
  | 'commented'
  | 'unreachable'
  | 'compensated'
  | 'compensation_failed'
  | 'moved'
  | 'rewound'
  | 'restored';
export interface HistoryEntry {
  readonly step: string;
  readonly status: HistoryStatus;
  /** The strand of the step; the main one when left out. */
  readonly strand?: string;
  readonly by?: string;
  /** Whom a decision stands for, when it is not who decided. */
  readonly on_behalf_of?: string;
  /** With `voted`. */
  readonly decision?: TaskDecision;
  readonly comment?: string;
  /** Who is asked now: users by id, roles by name. */
  readonly to?: readonly string[];
  /** How many were written to. */
  readonly told?: number;
  /** Who could not be reached. */
  readonly skipped?: readonly string[];
  /** Why a step failed. */
  readonly error?: string;
  /** With `retried`: which values an operator edited before, by path. */
  readonly changed?: readonly string[];
  /** With `rewound`: the step that comes next. */
  readonly back_to?: string;
  readonly at: string;
}

/** The interpreter's whole state; carried over continue-as-new and stored with the projection. */
export interface ProcessState {
  readonly version: 2;
  /** Shared by all strands. */
  readonly context: Record<string, unknown>;
  /** The main strand first; those that `parallel` and `foreach` opened behind it. */
  readonly strands: readonly StrandState[];
  /** How often steps were entered in the whole run: each visit has a number of its own, and makes the keys of its effects. */
  readonly visits: number;
  readonly history: readonly HistoryEntry[];
  readonly revision: number;
  /** What is to be undone should the run fail, oldest first. */
  readonly compensations?: readonly Compensation[];
  /** Update ids already answered, newest last, so that a repeated decision gets the same answer. */
  readonly answered: readonly string[];
  /** Events and ends that came before the run had opened what they are about. */
  readonly early?: readonly EarlyWord[];
}

export type EarlyWord = { readonly waitId: string; readonly seq: string } | { readonly workflowId: string; readonly outcome: ChildOutcome };

export interface StrandState {
  readonly id: string;
  readonly parent: string | null;
  /** Null at its end. */
  readonly currentStep: string | null;
  /** The number of the current step's visit, from when it is entered until it is left. */
  readonly visit: number | null;
  /** True from the moment the current step has begun: a strand that wakes up then goes on inside it, with the same effect keys. */
  readonly isBegun: boolean;
  /** When the current wait or approval ends by itself. */
  readonly deadline: string | null;
  readonly task: OpenTask | null;
  /** Why the current step failed: an operator is waited for. */
  readonly failure: string | null;
  /** Steps entered since the strand last waited for anybody; over the limit it is a loop. */
  readonly streak: number;
  /** How often the current step has failed. */
  readonly attempts?: number;
  /** When the current step is tried again. */
  readonly retryAt?: string | null;
  /** An open wait for an event, and the events told of it that were not looked at yet. */
  readonly wait?: { readonly id: string; readonly inbox: readonly string[] } | null;
  /** The run that a subprocess step waits for. */
  readonly child?: { readonly workflowId: string; readonly runId: string; readonly outcome?: ChildOutcome } | null;
  /** What an operator put in place of actions of the current step, for this visit. */
  readonly edits?: EditedActions | null;
  /** A foreach step under way. */
  readonly loop?: { readonly count: number; readonly next: number; readonly results: readonly (readonly [number, unknown])[] } | null;
  /** The items at hand, outermost first. The lists themselves are kept with the effects. */
  readonly items?: readonly ItemRef[];
  /** What the steps of an item saved; only strands of items have it. */
  readonly saved?: Readonly<Record<string, unknown>>;
  /** Of a strand that has come to its end while others beside it have not. */
  readonly ended?: 'completed' | 'failed';
}

export interface ItemRef {
  readonly as: string;
  /** The key of the effect that holds the list. */
  readonly key: string;
  readonly index: number;
}

/** What became of a run, told to the run that waits for it. */
export interface ChildOutcome {
  readonly status: 'completed' | 'failed' | 'cancelled';
  readonly error: string | null;
  readonly context: Readonly<Record<string, unknown>>;
}

/** A visit of a step that is undone when the run ends failed or cancelled. */
export interface Compensation {
  readonly step: string;
  readonly strand: string;
  readonly visit: number;
  readonly items: readonly ItemRef[];
  readonly saved: Readonly<Record<string, unknown>>;
}

/** As continue-as-new carried it while a run had one strand only. */
export interface ProcessStateV1 {
  readonly version: 1;
  readonly context: Record<string, unknown>;
  readonly currentStep: string | null;
  readonly visits: number;
  readonly history: readonly HistoryEntry[];
  readonly task: OpenTask | null;
  readonly revision: number;
  readonly answered: readonly string[];
  readonly isBegun: boolean;
  readonly deadline: string | null;
  readonly streak: number;
}

export interface ProcessResult {
  readonly status: 'completed' | 'cancelled' | 'unwanted';
}

export interface OpenTask {
  readonly id: string;
  readonly step: string;
  readonly dueAt: string | null;
  /** From where alarms are counted. Missing in tasks from before there were alarms. */
  readonly openedAt?: string;
  /** `approval` when left out. */
  readonly kind?: 'resubmission';
  /** The last number that rang of each alarm. */
  readonly rung?: Readonly<Record<string, number>>;
}

export type TaskDecision = 'approved' | 'rejected' | 'sent_back' | 'resubmitted';

export type RunStatus = 'running' | 'completed' | 'failed' | 'cancelled';
export interface RunView {
  readonly id: string;
  readonly status: RunStatus;
  readonly current_step: string | null;
  readonly current_step_deadline: string | null;
}

/** An operator's word about failed steps: those at `step`, that of `strand`, or all. */
export interface Resolution {
  readonly action: 'retry' | 'skip';
  readonly actor: ActorRef;
  readonly step?: string | undefined;
  readonly strand?: string | undefined;
  /** Refused where neither is named and several steps have failed. */
  readonly mustName?: boolean;
  /** With `retry`: values put into the run's context before. */
  readonly context?: Readonly<Record<string, unknown>> | undefined;
  /** With `retry`: actions of the failed step, by their number from 0, that this visit of it takes instead of those of the definition. */
  readonly actions?: EditedActions | undefined;
}

export type EditedActions = Readonly<Record<string, ProcessAction>>;

/** An operator's word to go back to a step that the run has been at. */
export interface RewindRequest {
  readonly to: string;
  readonly actor: ActorRef;
  readonly comment?: string | undefined;
}

export interface ScheduledStartInput {
  readonly app: string;
  readonly definition: string;
}

/** Another definition to go on by. */
export interface DefinitionChange {
  readonly definition: ProcessDefinition;
  readonly schemaVersion: number;
  /** What the run's entity is called in that version. */
  readonly entity?: string | null;
  readonly actor: ActorRef;
}

export interface DecisionInput {
  readonly taskId: string;
  readonly decision: TaskDecision;
  readonly actor: ActorRef;
  /** Whose place is meant, when the decider may sit in several. */
  readonly onBehalfOf?: string;
  readonly comment?: string;
  /** hash(task, actor, decision): the update's id, kept across continue-as-new. */
  readonly key: string;
}

/** What the relay has to tell a workflow that lives already: sent at least once, so receivers ignore a repetition. */
export interface SignalInput {
  readonly app: string;
  readonly workflowId: string;
  /** The signal's wire name, of workflows/contracts/messages.ts. */
  readonly signal: string;
  readonly args: readonly unknown[];
}

/** A clock of an SLA: everything else is in its row. */
export interface ClockInput {
  readonly app: string;
  readonly clockId: string;
}
export interface ClockResult {
  /** `gone`: there is no such clock, or no such app, any more. */
  readonly status: 'met' | 'breached' | 'cancelled' | 'gone';
}

/** What a look at a clock comes to. `gone`: its row is not there any more. */
export type ClockLook = FoundClock | { readonly status: 'gone' };

export interface FoundClock {
  readonly status: 'open' | 'ended';
  readonly state: 'running' | 'paused' | 'met' | 'breached' | 'cancelled';
  readonly name: string;
  readonly entity: string;
  readonly recordId: string;
  readonly isPaused: boolean;
  readonly dueAt: string | null;
  /** When to look again if nothing happens; null when nothing is to be waited for. */
  readonly nextAt: string | null;
  /** Marks that are reached and have not fired. */
  readonly due: readonly ClockMark[];
}

/** A warning, the breach or an escalation that has fallen due. */
export interface ClockMark {
  /** What fires once. */
  readonly key: string;
  readonly at: string;
  /** The types of its actions, in order. */
  readonly actions: readonly string[];
}

/** What a decision came to. */
export interface Recorded {
  readonly outcome: TaskDecision | 'open';
  readonly onBehalfOf?: string;
}

/** How a task whose time has passed had ended. */
export type Expired =
  | { readonly state: 'timed_out' }
  | { readonly state: TaskDecision; readonly by: string; readonly onBehalfOf?: string; readonly comment?: string };

/** What an alarm came to. */
export interface Rung {
  readonly told: number;
  readonly skipped: readonly string[];
  readonly to?: readonly string[];
  /** Counted anew, the votes decide. */
  readonly outcome?: TaskDecision;
  readonly by?: string;
}

/** What is asked about an open task beside a decision. */
export type TaskRequest =
  | {
      readonly verb: 'delegate';
      readonly taskId: string;
      readonly actor: ActorRef;
      /** A user's id. */
      readonly to: string;
      readonly until?: string;
      readonly comment?: string;
      readonly key: string;
    }
  | {
      readonly verb: 'reassign';
      readonly taskId: string;
      readonly actor: ActorRef;
      readonly assignee: AssigneesDefinition;
      readonly comment?: string;
      readonly key: string;
    }
  | { readonly verb: 'comment'; readonly taskId?: string; readonly actor: ActorRef; readonly comment: string };

export interface HandedOver {
  readonly told: number;
  readonly skipped: readonly string[];
  readonly to: readonly string[];
}

export interface DeliveryInput {
  readonly app: string;
  readonly deliveryId: string;
  readonly webhook: string;
  readonly eventSeq: string;
  readonly round: number;
  /** Wait before the first attempt of this workflow. */
  readonly delayMs: number;
  /** What it tells of; missing in inputs from before they were shown. */
  readonly entity?: string;
  readonly recordId?: string;
}

/** What one attempt came to; `delayMs` is set when there will be another. */
export interface AttemptResult {
  /** `parked`: the endpoint is left alone for now, and the dispatcher goes on when it is called again. */
  readonly outcome: 'delivered' | 'retry' | 'dead' | 'parked';
  readonly delayMs: number | null;
  readonly reason: string | null;
}

export interface RolloutInput {
  readonly rolloutId: string;
}
export interface RolloutResult {
  readonly status: RolloutStatus;
}

export type RolloutStatus = 'planned' | 'running' | 'paused' | 'stopped' | 'rolling_back' | 'completed' | 'aborted' | 'rolled_back';

/** What never changes while a rollout lives. */
export interface RolloutFacts {
  readonly schema: string;
  readonly version: number;
  readonly rings: readonly RolloutRing[];
  readonly maxFailures: number;
  readonly parallel: number;
}
export interface RolloutRing {
  readonly name: string;
  /** How long the ring is watched before the next one begins. */
  readonly bakeMs: number;
}

/** All that a rollout has to remember beside the rows of its apps. It is kept in Postgres: a new run begins from there. */
export interface RolloutState {
  readonly status: RolloutStatus;
  /** The ring under way, from 0. */
  readonly ring: number;
  /** When the next ring may begin; set once all of this one have moved. */
  readonly bakeUntil: string | null;
  /** Failures that were there when an operator resumed: they count no more. */
  readonly accepted: number;
  readonly error: string | null;
  readonly revision: number;
}

export type RolloutAppStatus =
  | 'pending'
  | 'moving'
  | 'moved'
  /** It served the version already. */
  | 'unchanged'
  /** Pinned, removed, or the rollout ended before its turn. */
  | 'skipped'
  | 'failed'
  /** Moved, but it cannot be read since. */
  | 'unhealthy'
  | 'rollback_pending'
  | 'rolling_back'
  | 'rolled_back'
  | 'rollback_failed';

export interface RolloutCounts {
  /** Apps of the whole rollout. */
  readonly apps: Readonly<Partial<Record<RolloutAppStatus, number>>>;
  /** Of the ring under way. */
  readonly ring: Readonly<Partial<Record<RolloutAppStatus, number>>>;
}

export interface RolloutView {
  readonly status: RolloutStatus;
  readonly ring: string;
  readonly apps: RolloutCounts['apps'];
}

export interface RolloutRequest {
  readonly verb: 'pause' | 'resume' | 'abort' | 'rollback';
  /** Only with `rollback`: this app alone. */
  readonly app?: string;
  readonly actor: ActorRef;
}

export type ImportTask = 'check' | 'run' | 'undo';

/**
 * `checking`, `running`, `undoing`: a workflow is at it. `checked`: nothing is written, somebody may say run. `refused`: all or nothing was
 * wanted, rows are bad, and nothing is written.
 */
export type ImportState = 'checking' | 'checked' | 'running' | 'completed' | 'refused' | 'cancelled' | 'failed' | 'undoing' | 'undone';

export interface ImportInput {
  readonly app: string;
  readonly importId: string;
  readonly round: number;
  /** By its name, to show. */
  readonly entity: string;
  /** It goes on in place of a workflow that Temporal has lost. */
  readonly isRestart?: boolean;
}

/** How far an import is after a while of work. */
export interface ImportSlice {
  /** False: another workflow is at it now. */
  readonly isOurs: boolean;
  readonly state: ImportState;
  readonly task: ImportTask;
  readonly done: number;
  readonly total: number;
  readonly created: number;
  readonly updated: number;
  readonly failed: number;
}

export interface ImportResult {
  readonly state: ImportState;
}
