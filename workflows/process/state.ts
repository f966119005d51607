/** The state of a run as plain data: how it begins, how an older version of it is read, how it is changed. */
import { ApplicationFailure } from '@temporalio/workflow';
import type { ActorRef, HistoryEntry, ProcessState, ProcessStateV1, StrandState } from '../contracts/types.ts';

export const MAIN = 'main';
/** A strand that stands before its current step. */
export const BEFORE_STEP = {
  visit: null,
  isBegun: false,
  deadline: null,
  task: null,
  failure: null,
  attempts: 0,
  retryAt: null,
  wait: null,
  child: null,
  edits: null,
  loop: null,
} as const;

export const newStrand = (id: string, parent: string | null, currentStep: string | null): StrandState => ({
  id,
  parent,
  currentStep,
  ...BEFORE_STEP,
  streak: 0,
});

export const firstState = (): ProcessState => ({
  version: 2,
  context: {},
  strands: [newStrand(MAIN, null, null)],
  visits: 0,
  history: [],
  revision: 0,
  answered: [],
});

/** A run that was continued by an older version of this code had one strand, and its fields stood in the state itself. */
export function readState(state: ProcessState | ProcessStateV1): ProcessState {
  if (state.version === 2) return state;
  const { context, visits, history, revision, answered, currentStep, isBegun, deadline, task, streak } = state;
  const main: StrandState = { ...newStrand(MAIN, null, currentStep), visit: isBegun ? visits : null, isBegun, deadline, task, streak };
  return { version: 2, context, visits, history, revision, answered, strands: [main] };
}

/** The run's history is what people read; Temporal has every step. Decisions are kept longest. */
const MAX_HISTORY = 1_000;
const COMMON: ReadonlySet<HistoryEntry['status']> = new Set(['completed', 'on_true', 'on_false']);

export function withEntry(history: readonly HistoryEntry[], entry: HistoryEntry): readonly HistoryEntry[] {
  const all = [...history, entry];
  if (all.length <= MAX_HISTORY) return all;
  const dropped = all.findIndex((one) => COMMON.has(one.status));
  return all.filter((_, index) => index !== Math.max(0, dropped));
}

export const timeNow = (): string => new Date().toISOString();

export const nameOf = (actor: ActorRef): string => actor.id ?? actor.kind;

export const refuse = (type: 'INVALID_STATE' | 'FORBIDDEN', message: string): ApplicationFailure =>
  ApplicationFailure.nonRetryable(message, type);

/** The step a goto means; null at the end. */
export const target = (goto: string | undefined): string | null => (goto === undefined || goto === 'end' ? null : goto);

/** Of what a visit of a step opens, as a UUID: deterministic, so that a repeated opening finds its own row. */
export const visitId = (runId: string, visit: number): string => `${runId.slice(0, 24)}${visit.toString(16).padStart(12, '0')}`;
