/** What an activity's failure says: the SDK wraps those of activities, and those of local ones mostly not. */
import { ActivityFailure, ApplicationFailure, isCancellation, TemporalFailure } from '@temporalio/workflow';
import { NON_RETRYABLE } from './activity-options.ts';

const causeOf = (error: unknown): unknown => (error instanceof ActivityFailure ? (error.cause ?? error) : error);

/** Whether an activity, local or not, has failed for good: neither a cancellation nor a defect of the workflow's own code. */
export const isActivityFailure = (error: unknown): error is TemporalFailure => error instanceof TemporalFailure && !isCancellation(error);

export const messageOf = (error: TemporalFailure): string => {
  const cause = causeOf(error);
  return cause instanceof Error ? cause.message : String(cause);
};

/** The code with which the activity refused, if it did. */
export const codeOf = (error: TemporalFailure): string | undefined => {
  const cause = causeOf(error);
  return cause instanceof ApplicationFailure ? (cause.type ?? undefined) : undefined;
};

/** Whether the activity said no, rather than nothing. */
export function isRefusal(error: TemporalFailure): boolean {
  const code = codeOf(error);
  return NON_RETRYABLE.some((one) => one === code);
}

/** An activity's refusal as the update's own. */
export function failureOf(error: unknown): unknown {
  const cause = causeOf(error);
  return cause instanceof ApplicationFailure ? ApplicationFailure.nonRetryable(cause.message, cause.type ?? 'INTERNAL_ERROR') : error;
}
