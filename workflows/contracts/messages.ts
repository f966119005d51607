/**
 * Updates, signals and queries: wire names are public API. Clients import this file alone. It names Temporal's types only: its
 * `define...` functions make these very objects, but with them an api process would load all of the workflow library.
 */
import type { QueryDefinition, SignalDefinition, UpdateDefinition } from '@temporalio/common';
import type {
  ActorRef,
  ChildOutcome,
  ContractRequest,
  DecisionInput,
  DefinitionChange,
  MigrationRequest,
  Resolution,
  RewindRequest,
  RolloutRequest,
  RolloutView,
  RunView,
  TaskRequest,
} from './types.ts';

const defineUpdate = <Result, Args extends unknown[] = []>(name: string) => ({ type: 'update', name }) as UpdateDefinition<Result, Args>;
const defineQuery = <Result>(name: string) => ({ type: 'query', name }) as QueryDefinition<Result>;
const defineSignal = <Args extends unknown[] = []>(name: string) => ({ type: 'signal', name }) as SignalDefinition<Args>;

/** Approve, reject, send back or resubmit an open task. An update: the caller must learn at once whether it counted. */
export const decideTaskUpdate = defineUpdate<RunView, [DecisionInput]>('decideTask');
/** Delegate or reassign an open task, or say a word about it. An update: the caller must learn at once whether it counted. */
export const changeTaskUpdate = defineUpdate<RunView, [TaskRequest]>('changeTask');
/** End a run at the next safe point. An update, so that the answer shows the ended run. */
export const cancelRunUpdate = defineUpdate<RunView, [{ readonly actor: ActorRef; readonly reason?: string }]>('cancelRun');
/** A step that failed for good waits for one of these. */
export const resolveFailureUpdate = defineUpdate<RunView, [Resolution]>('resolveFailure');
/** Go back to a step the run has been at. An update: refused where the run does not rest, or has not been there. */
export const rewindRunUpdate = defineUpdate<RunView, [RewindRequest]>('rewindRun');
/** Go on by another definition. An update: refused where the run stands at a step that the other does not have. */
export const changeDefinitionUpdate = defineUpdate<RunView, [DefinitionChange]>('changeDefinition');
/** An event that may be one the run waits for. Repeated ones are harmless. */
export const eventSignal = defineSignal<[{ readonly waitId: string; readonly seq: string }]>('event');
/** A run to the one whose subprocess step started it. */
export const childEndedSignal = defineSignal<[{ readonly workflowId: string; readonly outcome: ChildOutcome }]>('childEnded');
export const runViewQuery = defineQuery<RunView>('runView');

/** Approve, reject, pause, resume or abort a migration before its switch. An update: the caller must learn at once whether it counted. */
export const changeMigrationUpdate = defineUpdate<{ readonly status: string }, [MigrationRequest]>('changeMigration');
/** End the grace of a migration, and the retention if wanted. An update: it may be refused, and the caller is told why. */
export const contractNowUpdate = defineUpdate<void, [ContractRequest]>('contractNow');

/** Something happened that a clock may have to do with: a change of its record, by its version, or of its definition. */
export const lookAgainSignal = defineSignal<[string]>('lookAgain');

/** Pause, resume, abort or roll back. An update: the caller learns at once whether it counted, and sees the rollout after it. */
export const changeRolloutUpdate = defineUpdate<RolloutView, [RolloutRequest]>('changeRollout');
export const rolloutViewQuery = defineQuery<RolloutView>('rolloutView');

/** Stops a retirement before the storage is removed. */
export const cancelRetirementUpdate = defineUpdate<{ readonly cancelled: boolean }>('cancelRetirement');
export const removeNowSignal = defineSignal('removeNow');
