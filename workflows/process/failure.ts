/** Failures of steps, as against failures of the run. */
import { ActivityFailure, ApplicationFailure, isCancellation } from '@temporalio/workflow';
import { messageOf } from '../activity-failure.ts';

const RUN_FAILED = 'RUN_FAILED';

/** The run ends failed, unless the step has an `on_error`. */
export const runFailure = (message: string): ApplicationFailure => ApplicationFailure.nonRetryable(message, RUN_FAILED);

/** The step has failed: it is tried again, goes to its `on_error`, or waits for an operator. */
export const stepFailure = (message: string): ApplicationFailure => ApplicationFailure.nonRetryable(message, 'STEP_FAILED');

/** Why a step failed; undefined when it is the run that did, or nothing failed at all. Local activities fail without a wrapping. */
export function failureOfStep(error: unknown): string | undefined {
  if (isCancellation(error)) return undefined;
  if (error instanceof ActivityFailure) return messageOf(error);
  return error instanceof ApplicationFailure && error.type !== RUN_FAILED ? error.message : undefined;
}
