/** What steps see of their strand, and strands of their run. */
import type { CancellationScope } from '@temporalio/workflow';
import type { ProcessStep } from '../../core/model/document.ts';
import type { ChildOutcome, HistoryEntry, ItemRef, ProcessInput, ProcessState, RunStatus, StrandState } from '../contracts/types.ts';

export type Rest = 'decision' | 'timer' | 'event' | 'run' | 'strands' | 'operator';

/** What expressions and values of a step may read. */
export interface Scope {
  readonly app: string;
  readonly runId: string;
  /** Whose names the definition and the trigger have. */
  readonly schemaVersion: number;
  readonly trigger: ProcessInput['trigger'];
  readonly context: Record<string, unknown>;
  readonly now: string;
  /** The items at hand, outermost first. */
  readonly items?: readonly ItemRef[];
}

/** Tasks to close in the transaction of a projection. */
export type Closing = readonly { readonly taskId: string; readonly state: 'timed_out' | 'cancelled' }[];

export interface Projection {
  readonly app: string;
  readonly runId: string;
  readonly status: RunStatus;
  readonly error: string | null;
  readonly state: ProcessState;
  readonly now: string;
}

/** The run, to those inside it. */
export interface RunPort {
  readonly input: ProcessInput;
  readonly status: RunStatus;
  readonly state: ProcessState;
  readonly isContinuationDue: boolean;
  strandState(id: string): StrandState;
  changeStrand(id: string, changes: Partial<StrandState>): void;
  stepNamed(id: string): ProcessStep;
  openStrand(state: StrandState): void;
  removeStrand(id: string): void;
  childrenOf(id: string): string[];
  /** Goes through the steps of an open strand to their end. */
  goThrough(id: string): Promise<void>;
  isStopped(id: string): boolean;
  /** With all that it opened. */
  stopStrand(id: string): void;
  childEnded(workflowId: string, outcome: ChildOutcome): void;
  /** What was told of a wait, or of a run within, before it was opened. */
  earlyEvents(waitId: string): readonly string[];
  earlyEnd(workflowId: string): ChildOutcome | undefined;
  nextVisit(): number;
  effectKey(visit: number, name: number | string): string;
  hasBegun(): void;
  hasAnswered(key: string): void;
  showRest(): void;
  showDetails(): void;
  project(summary: string, closes?: Closing): Promise<void>;
  projection(): Projection;
  scope(): Scope;
  change(changes: Partial<ProcessState>): void;
  note(entry: Omit<HistoryEntry, 'at' | 'strand'>, strand?: string): void;
}

/** A strand, to the step it is at. */
export interface StrandPort {
  readonly id: string;
  readonly run: RunPort;
  readonly state: StrandState;
  /** Of the current visit: with a number behind it, the key of each effect. */
  readonly visit: number;
  readonly isStopped: boolean;
  /** Calls that are given up when the strand is stopped run in here. */
  readonly work: CancellationScope;
  rest: Rest | undefined;
  change(changes: Partial<StrandState>): void;
  note(entry: Omit<HistoryEntry, 'at' | 'strand'>): void;
  project(closes?: Closing): Promise<void>;
  scope(): Scope;
  /** Keeps values for later steps: in the context, or with the item at hand. */
  save(values: Record<string, unknown>): void;
  /** Notes that the visit of this step has something to undo. */
  willCompensate(step: ProcessStep): void;
  /** Rests until `isDone`, the strand's deadline, the moment `wakeAt` or a stop. */
  restUntil(rest: Rest, isDone: () => boolean, wakeAt?: number): Promise<void>;
  /** Waits for `isDone` or a stop; the run may be continued as new meanwhile. */
  waitFor(rest: Rest, isDone: () => boolean): Promise<void>;
  /** Takes away the strands this one opened; what they had open is closed. */
  closeChildren(): Promise<void>;
}
