import { z } from 'zod';
import { AppError } from '../../core/errors.ts';
import { decideTaskUpdate } from '../../workflows/contracts/messages.ts';
import type { DecisionInput } from '../../workflows/contracts/types.ts';
import { temporalUnavailable } from '../../adapters/temporal/client.ts';
import type { Actor, AppContext } from '../context.ts';
import { readPayload } from '../payload.ts';
import { askRun } from './ask-run.ts';
import { decisionKey } from './run-id.ts';
import { findRun, type OpenTaskRow, refusalOf, type RunAnswer, type RunRow, toAnswer } from './runs.ts';

const bodySchema = z
  .strictObject({
    comment: z.string().max(10_000).optional(),
    /** Which task, where the run has several open at once. */
    task: z.string().max(100).optional(),
  })
  .prefault({});

/**
 * Approves or rejects the open task of a run. Who may is asked here and again in the workflow; whether it still counts is the
 * workflow's word alone. The answer shows the run already advanced.
 */
export async function decideRun(ctx: AppContext, runId: string, decision: 'approved' | 'rejected', body: unknown): Promise<RunAnswer> {
  const given = readPayload(bodySchema, body ?? {}, `_workflows/${decision === 'approved' ? 'approve' : 'reject'}`);
  const row = await findRun(ctx, runId);
  const task = taskToDecide(ctx.actor, row, given.task);
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
    if (after.tasks.some((open) => open.id === task.id) && after.status === 'running') throw temporalUnavailable();
    openTasksOf(after);
  }
  return toAnswer(ctx.services, ctx.actor, after);
}

/** The task a decision is about: the one it names, else the only open one that the caller may decide. */
export function taskToDecide(actor: Actor, row: RunRow, named?: string): OpenTaskRow {
  const open = openTasksOf(row);
  if (named !== undefined) {
    const task = open.find(({ id }) => id === named);
    if (task === undefined) throw new AppError('INVALID_STATE', `The task "${named}" is not open in this run. Open: ${namesOf(open)}.`);
    return decidable(actor, task);
  }
  const own = open.filter((task) => refusalOf(actor, task) === undefined);
  if (own.length > 1) {
    throw new AppError('INVALID_STATE', `The run has ${own.length} tasks that you may decide: ${namesOf(own)}.`, {
      hint: 'Say which one: {"task": "<id>"}.',
    });
  }
  const [task = open[0]] = own;
  if (task === undefined) throw new AppError('INVALID_STATE', 'The run has no open task.');
  return decidable(actor, task);
}

function decidable(actor: Actor, task: OpenTaskRow): OpenTaskRow {
  const refusal = refusalOf(actor, task);
  if (refusal !== undefined) throw new AppError('FORBIDDEN', refusal);
  return task;
}

const namesOf = (tasks: readonly OpenTaskRow[]): string => tasks.map(({ id, step }) => `${step} (${id})`).join(', ');

/** The open tasks, or INVALID_STATE with what is the case instead. */
function openTasksOf(row: RunRow): readonly OpenTaskRow[] {
  if (row.status !== 'running')
    throw new AppError('INVALID_STATE', `The run is ${row.status.replaceAll('_', ' ')}: there is nothing to decide.`);
  if (row.tasks.length === 0) {
    const last = row.history.findLast((entry) => ['approved', 'rejected', 'timed_out'].includes(entry.status));
    const known = last === undefined ? '' : ` The step "${last.step}" was ${last.status.replace('_', ' ')} at ${last.at}.`;
    throw new AppError('INVALID_STATE', `The run waits for nobody's decision: it is at "${row.current_step ?? 'its end'}".${known}`);
  }
  return row.tasks;
}

export const actorRef = ({ kind, id, roles }: Actor): DecisionInput['actor'] => ({ kind, id, roles });
