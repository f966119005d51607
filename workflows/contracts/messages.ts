/** Updates, signals and queries: wire names are public API. Clients import this file alone. */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { ActorRef, DecisionInput, RunView } from './types.ts';

/** Approve or reject the open task. An update: the caller must learn at once whether it counted. */
export const decideTaskUpdate = defineUpdate<RunView, [DecisionInput]>('decideTask');
/** End a run at the next safe point. An update, so that the answer shows the ended run. */
export const cancelRunUpdate = defineUpdate<RunView, [{ readonly actor: ActorRef; readonly reason?: string }]>('cancelRun');
/** A step that failed for good waits for one of these. */
export const resolveFailureUpdate = defineUpdate<RunView, [{ readonly action: 'retry' | 'skip'; readonly actor: ActorRef }]>(
  'resolveFailure',
);
export const runViewQuery = defineQuery<RunView>('runView');

/** Stops a retirement before the storage is removed. */
export const cancelRetirementUpdate = defineUpdate<{ readonly cancelled: boolean }>('cancelRetirement');
export const removeNowSignal = defineSignal('removeNow');
