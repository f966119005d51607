import { ApplicationFailure, Context } from '@temporalio/activity';
import { TemporalFailure } from '@temporalio/common';
import type { Logger } from 'pino';
import { sqlState } from '../adapters/postgres/run.ts';
import { isAppError } from '../core/errors.ts';

/** A mistake of ours is tried this often; then the step shows it, instead of retrying out of sight for ever. */
const MAX_TRIES_OF_A_DEFECT = 8;

/** Postgres is away, busy or has chosen a victim; or the network is. These pass by themselves. */
function isPassing(error: unknown): boolean {
  const state = sqlState(error);
  if (state !== undefined) return /^(08|53|57|40|55)/.test(state);
  return !(error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError || error instanceof SyntaxError);
}

type Activity = (...args: never[]) => Promise<unknown>;

/** Wraps every activity of a set; what its own wrapping has turned into a failure already stays as it is. */
export function withFailures<Activities extends object>(activities: Activities, log: Logger): Activities {
  const wrapped = Object.entries(activities).map(([name, work]: [string, Activity]) => [name, asActivity(work, log)]);
  return Object.fromEntries(wrapped) as Activities;
}

/** Wraps an activity: its refusals keep their code as the failure's type, and nothing of SQL or a stack goes into the history. */
export function asActivity<Input extends readonly unknown[], Result>(
  work: (...input: Input) => Promise<Result>,
  log?: Logger,
): (...input: Input) => Promise<Result> {
  return async (...input) => {
    try {
      return await work(...input);
    } catch (error) {
      if (error instanceof TemporalFailure) throw error;
      const { attempt, activityType, workflowExecution } = Context.current().info;
      if (!isAppError(error))
        log?.warn({ err: error, activity: activityType, attempt, workflow: workflowExecution?.workflowId }, 'an activity failed');
      throw toFailure(error, attempt);
    }
  };
}

/** The failure Temporal sees for `error` at its `attempt`-th try. */
export function toFailure(error: unknown, attempt: number): ApplicationFailure {
  if (isAppError(error)) {
    return ApplicationFailure.create({
      type: error.code,
      message: error.message,
      details: [{ details: error.details, hint: error.hint ?? null }],
      ...(error.retryAfter === undefined ? {} : { nextRetryDelay: error.retryAfter * 1000 }),
    });
  }
  const reason = error instanceof Error ? error.message : String(error);
  const isPassingTrouble = isPassing(error);
  return ApplicationFailure.create({
    type: isPassingTrouble ? 'UNAVAILABLE' : 'INTERNAL_ERROR',
    message: isPassingTrouble
      ? 'A service this step needs does not answer.'
      : 'An unexpected error inside the engine; its log has the details.',
    nonRetryable: !isPassingTrouble && attempt >= MAX_TRIES_OF_A_DEFECT,
    details: [sqlState(error) ?? reason.slice(0, 200)],
  });
}
