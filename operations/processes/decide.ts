import { z } from 'zod';
import { AppError } from '../../core/errors.ts';
import { decideTaskUpdate } from '../../workflows/contracts/messages.ts';
import type { DecisionInput } from '../../workflows/contracts/types.ts';
import { temporalUnavailable } from '../../adapters/temporal/client.ts';
import type { Actor, AppContext } from '../context.ts';
import { readPayload } from '../payload.ts';
import { askRun } from './ask-run.ts';
import { decisionKey } from './run-id.ts';
import { findRun, refusalOf, type RunAnswer, type RunRow, toAnswer } from './runs.ts';

const bodySchema = z.strictObject({ comment: z.string().max(10_000).optional() }).prefault({});

/**
 * Approves or rejects the open task of a run. Who may is asked here and again in the workflow; whether it still counts is the
 * workflow's word alone. The answer shows the run already advanced.
 */
export async function decideRun(ctx: AppContext, runId: string, decision: 'approved' | 'rejected', body: unknown): Promise<RunAnswer> {
  const given = readPayload(bodySchema, body ?? {}, `_workflows/${decision === 'approved' ? 'approve' : 'reject'}`);
  const row = await findRun(ctx, runId);
  const task = openTaskOf(row);
  const refusal = refusalOf(ctx.actor, task);
  if (refusal !== undefined) throw new AppError('FORBIDDEN', refusal);
  const comment = given.comment?.trim();
  if (task.comment_required && (comment ?? '') === '') {
    throw new AppError('VALIDATION_FAILED', `The step "${task.step}" asks for a comment.`, {
      details: [{ field: 'comment', rule: 'required', message: 'Say why.' }],
    });
  }
  const input: DecisionInput = {
    taskId: task.id,
    decision,
    actor: actorRef(ctx.actor),
    key: decisionKey(task.id, ctx.actor.id, decision),
    ...(comment === undefined || comment === '' ? {} : { comment }),
  };
  const outcome = await askRun(ctx.services, row.workflow_id, (handle) =>
    handle.executeUpdate(decideTaskUpdate, { args: [input], updateId: input.key }),
  );
  const after = await findRun(ctx, runId);
  if (outcome === 'gone') {
    // Ended while we asked: say so. Still running in the projection: between two of its Temporal runs, or projected in a moment.
    if (after.task?.id === task.id && after.status === 'running') throw temporalUnavailable();
    openTaskOf(after);
  }
  return toAnswer(ctx.services, ctx.actor, after);
}

/** The task a decision is about, or INVALID_STATE with what is the case instead. */
function openTaskOf(row: RunRow): NonNullable<RunRow['task']> {
  if (row.status !== 'running')
    throw new AppError('INVALID_STATE', `The run is ${row.status.replaceAll('_', ' ')}: there is nothing to decide.`);
  if (row.task === null) {
    const last = row.history.findLast((entry) => ['approved', 'rejected', 'timed_out'].includes(entry.status));
    const known = last === undefined ? '' : ` The step "${last.step}" was ${last.status.replace('_', ' ')} at ${last.at}.`;
    throw new AppError('INVALID_STATE', `The run waits for nobody's decision: it is at "${row.current_step ?? 'its end'}".${known}`);
  }
  return row.task;
}

export const actorRef = ({ kind, id, roles }: Actor): DecisionInput['actor'] => ({ kind, id, roles });
