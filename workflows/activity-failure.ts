/** What an activity's failure says, out of the wrapping that the SDK puts around it. */
import { ActivityFailure, ApplicationFailure } from '@temporalio/workflow';
import { NON_RETRYABLE } from './activity-options.ts';

const causeOf = (error: unknown): unknown => (error instanceof ActivityFailure ? (error.cause ?? error) : error);

export const messageOf = (error: ActivityFailure): string => {
  const cause = causeOf(error);
  return cause instanceof Error ? cause.message : String(cause);
};

/** Whether the activity said no, rather than nothing. */
export function isRefusal(error: ActivityFailure): boolean {
  const cause = causeOf(error);
  return cause instanceof ApplicationFailure && NON_RETRYABLE.some((code) => code === cause.type);
}

/** An activity's refusal as the update's own. */
export function failureOf(error: unknown): unknown {
  const cause = causeOf(error);
  return cause instanceof ApplicationFailure ? ApplicationFailure.nonRetryable(cause.message, cause.type ?? 'INTERNAL_ERROR') : error;
}
