/** One options object per activity class; every proxy names its class. */
import type { ActivityOptions, LocalActivityOptions } from '@temporalio/workflow';
import { ERROR_STATUS, type ErrorCode } from '../core/errors.ts';

/** Refusals that a repetition cannot change. What is missing here is tried again: limits, maintenance, servers that are away. */
const WORTH_REPEATING: readonly ErrorCode[] = ['RATE_LIMITED', 'INTERNAL_ERROR', 'WEBHOOK_UNAVAILABLE', 'UNAVAILABLE', 'MAINTENANCE'];
export const NON_RETRYABLE: readonly ErrorCode[] = (Object.keys(ERROR_STATUS) as ErrorCode[]).filter(
  (code) => !WORTH_REPEATING.includes(code),
);

const nonRetryableErrorTypes = [...NON_RETRYABLE];

/** What counts as a failure where a step says how often it is tried: all but what is away on our own side. */
export const COUNTED_FAILURES: readonly ErrorCode[] = [...NON_RETRYABLE, 'RATE_LIMITED', 'WEBHOOK_UNAVAILABLE'];

/** After an outage of ours work goes on within seconds: what fell due meanwhile is to happen at once (`npm run prove -- process-kills`). */
const LONGEST_PAUSE = '2s';

/**
 * Brief reads and projections of a run, in the worker that holds it: no round trip through the server. Without an end,
 * because Postgres may be away for hours and the run must then simply go on.
 */
export const brief: LocalActivityOptions = {
  startToCloseTimeout: '10s',
  retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: LONGEST_PAUSE, nonRetryableErrorTypes },
};

/** Answers a person who waits: gives up before the caller does. */
export const answering: LocalActivityOptions = {
  startToCloseTimeout: '4s',
  scheduleToCloseTimeout: '10s',
  retry: { initialInterval: '100ms', backoffCoefficient: 2, maximumInterval: '1s', nonRetryableErrorTypes },
};

/** Does nothing but be kept. A worker that was killed with it is noticed soon: somebody waits. */
export const keeping: ActivityOptions = {
  startToCloseTimeout: '2s',
  retry: { initialInterval: '100ms', backoffCoefficient: 2, maximumInterval: '1s' },
};

/** Catalog reads and writes. */
export const quick: ActivityOptions = {
  startToCloseTimeout: '10s',
  scheduleToCloseTimeout: '5m',
  retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '10s', nonRetryableErrorTypes },
};

/**
 * A write through the record operations: like `quick`, without an end. The heartbeat is only a sign of life: a worker that
 * was killed inside the step is noticed after five seconds instead of thirty.
 */
export const effect: ActivityOptions = {
  startToCloseTimeout: '30s',
  heartbeatTimeout: '5s',
  retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: LONGEST_PAUSE, nonRetryableErrorTypes },
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
};

/** The same without a way through the server. Longer than the task's own timeout is no harm: the SDK asks for more. */
export const inTask: LocalActivityOptions = { ...brief, startToCloseTimeout: '30s' };

/** A statement with a lock timeout of its own inside the activity. */
export const ddl: ActivityOptions = {
  startToCloseTimeout: '1m',
  scheduleToCloseTimeout: '1h',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s', nonRetryableErrorTypes },
};

/** Pages of a backfill. */
export const batch: ActivityOptions = {
  startToCloseTimeout: '10m',
  heartbeatTimeout: '15s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m', nonRetryableErrorTypes },
};

/** Concurrent indexes, validations, dumps. */
export const long: ActivityOptions = {
  startToCloseTimeout: '6h',
  heartbeatTimeout: '30s',
  retry: { initialInterval: '10s', backoffCoefficient: 2, maximumAttempts: 5, nonRetryableErrorTypes },
};

/** A call to somebody else's server. */
export const outbound: ActivityOptions = {
  startToCloseTimeout: '20s',
  heartbeatTimeout: '5s',
  scheduleToCloseTimeout: '72h',
  retry: { initialInterval: '10s', backoffCoefficient: 2, maximumInterval: '1h', nonRetryableErrorTypes },
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
};

/** One attempt of a delivery. Its failures carry the time of the next attempt; the intervals here are for a worker that died. */
export const attempt: ActivityOptions = {
  startToCloseTimeout: '30s',
  retry: { initialInterval: '5s', backoffCoefficient: 2, maximumInterval: '1h', nonRetryableErrorTypes },
};

/** Some seconds of an import. Like `effect`, it goes on however long our own side is away. */
export const slice: ActivityOptions = {
  startToCloseTimeout: '5m',
  heartbeatTimeout: '5s',
  retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: LONGEST_PAUSE, nonRetryableErrorTypes },
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
};
