import type { WorkflowHandle } from '@temporalio/client';
import type { ApplicationFailure } from '@temporalio/common';
import { grpcCode, isTemporalError } from '../../adapters/temporal/errors.ts';
import { temporalUnavailable } from '../../adapters/temporal/client.ts';
import { AppError, ERROR_STATUS, type ErrorCode } from '../../core/errors.ts';
import type { Services } from '../context.ts';

const DEADLINE_MS = 5_000;
const BUSY_PAUSE_MS = 100;
const GRPC_RESOURCE_EXHAUSTED = 8;
const SERVER_TROUBLE = new Set([1, 4, 14]);

/**
 * Asks a run by an update and waits for its answer at most five seconds. `gone` means that Temporal has no such open
 * workflow. Anything that may pass is UNAVAILABLE: update ids make a repetition safe.
 */
export async function askRun(
  services: Services,
  workflowId: string,
  ask: (handle: WorkflowHandle) => Promise<unknown>,
): Promise<'answered' | 'gone'> {
  const client = await services.temporal.client();
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    try {
      await client.withDeadline(deadline, () => ask(client.workflow.getHandle(workflowId)));
      return 'answered';
    } catch (error) {
      const outcome = outcomeOf(error);
      if (outcome === 'gone') return 'gone';
      if (outcome !== 'busy') throw outcome;
      if (Date.now() + BUSY_PAUSE_MS > deadline) throw temporalUnavailable(error);
      await new Promise((resolve) => setTimeout(resolve, BUSY_PAUSE_MS));
    }
  }
}

function outcomeOf(error: unknown): 'gone' | 'busy' | Error {
  if (isTemporalError(error, 'WorkflowNotFoundError')) return 'gone';
  if (isTemporalError(error, 'WorkflowUpdateRPCTimeoutOrCancelledError')) return temporalUnavailable(error);
  if (isTemporalError(error, 'WorkflowUpdateFailedError')) {
    const cause = isTemporalError(error.cause, 'ApplicationFailure') ? (error.cause as ApplicationFailure) : undefined;
    const type = cause?.type ?? undefined;
    // The workflow ended with the update accepted but not answered.
    if (type === 'AcceptedUpdateCompletedWorkflow') return 'gone';
    if (cause !== undefined && type !== undefined && type in ERROR_STATUS) return new AppError(type as ErrorCode, cause.message);
    return temporalUnavailable(error);
  }
  const code = grpcCode(error) ?? grpcCode((error as { cause?: unknown } | undefined)?.cause);
  // At most ten updates of one run are in flight: the eleventh is refused, not queued.
  if (code === GRPC_RESOURCE_EXHAUSTED) return 'busy';
  if (code !== undefined && SERVER_TROUBLE.has(code)) return temporalUnavailable(error);
  return error instanceof Error ? error : new Error(String(error));
}
