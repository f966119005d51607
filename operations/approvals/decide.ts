/**
 * What people do with the open tasks of a run. Who may is asked here and again in the workflow's activity; whether it still
 * counts is the workflow's word alone. The answer shows the run already advanced.
 */
import { createHash, randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { z } from 'zod';
import { temporalUnavailable } from '../../adapters/temporal/client.ts';
import { AppError } from '../../core/errors.ts';
import { assigneesSchema } from '../../core/model/approval-step.ts';
import { readAssignees } from '../../core/model/reading/approval.ts';
import { Reading } from '../../core/model/reading/reading.ts';
import { sql, value } from '../../core/sql/sql.ts';
import { changeTaskUpdate, decideTaskUpdate } from '../../workflows/contracts/messages.ts';
import type { DecisionInput, TaskDecision, TaskRequest } from '../../workflows/contracts/types.ts';
import { actorRef } from '../actor-ref.ts';
import type { Actor, AppContext } from '../context.ts';
import { readPayload } from '../payload.ts';
import { askRun } from '../processes/ask-run.ts';
import { decisionKey } from '../processes/run-id.ts';
import { answerRun, findRun, visibleTo, type RunAnswer, type RunRow } from '../processes/runs.ts';
import { timeOf } from './absences.ts';
import { loadBallots, type Ballot } from './ballot.ts';
import { refusalToDelegate, oneUser } from './hand-over.ts';
import { checkComment, kindRefusal } from './record-decision.ts';
import { isRefusal, seatOf, type SeatRefusal } from './seat.ts';

/** Kept as JSON, which takes no NUL. */
const text = (max: number) =>
  z
    .string()
    .max(max)
    .regex(/^[^\0]*$/, 'must have no NUL');
const comment = text(10_000).optional();
const task = z.uuid().optional();
const decisionSchema = z.strictObject({ comment, task, on_behalf_of: text(100).optional() }).prefault({});
const delegateSchema = z.strictObject({ to: text(320).min(1), until: text(40).optional(), comment, task });
const reassignSchema = z.strictObject({ assignee: z.json(), task, comment });
const commentSchema = z.strictObject({ comment: text(10_000).trim().min(1), task });

const VERBS: Readonly<Record<TaskDecision, string>> = {
  approved: 'approve',
  rejected: 'reject',
  sent_back: 'send-back',
  resubmitted: 'resubmit',
};

/** Approves, rejects, sends back or resubmits. */
export async function decideRun(ctx: AppContext, runId: string, decision: TaskDecision, body: unknown): Promise<RunAnswer> {
  const given = readPayload(decisionSchema, body ?? {}, `_workflows/${VERBS[decision]}`);
  const row = await findRun(ctx, runId);
  const ballot = chooseBallot(await openBallots(ctx, row), row, given.task, (one) =>
    refusalOf(one, ctx.actor, decision, given.on_behalf_of),
  );
  const said = given.comment?.trim();
  checkComment(ballot.task, decision, said);
  const key = decisionKey(ballot.task.id, ctx.actor.id, decision);
  const input: DecisionInput = {
    taskId: ballot.task.id,
    decision,
    actor: actorRef(ctx.actor),
    key,
    ...(given.on_behalf_of === undefined ? {} : { onBehalfOf: given.on_behalf_of }),
    ...(said === undefined || said === '' ? {} : { comment: said }),
  };
  return ask(ctx, row, ballot, (handle) => handle.executeUpdate(decideTaskUpdate, { args: [input], updateId: key }));
}

/** Gives the caller's part in the open task to somebody else. */
export async function delegateRun(ctx: AppContext, runId: string, body: unknown): Promise<RunAnswer> {
  const given = readPayload(delegateSchema, body, '_workflows/delegate');
  const until = given.until === undefined ? undefined : timeOf('until', given.until);
  if (until !== undefined && Date.parse(until) <= ctx.now.getTime()) {
    throw new AppError('VALIDATION_FAILED', '"until" is over already.', {
      details: [{ field: 'until', rule: 'range', message: 'must be after now' }],
    });
  }
  const row = await findRun(ctx, runId);
  const to = await oneUser(ctx.services, ctx.app, given.to);
  const ballot = chooseBallot(await openBallots(ctx, row), row, given.task, (one) => refusalToDelegate(one, ctx.actor.id, to));
  const last = ballot.task.delegations.find((one) => one.from === ctx.actor.id);
  // Asked once more: nothing is told twice.
  if (last?.to === to && isoOf(last.until) === (until ?? null)) return answerRun(ctx, row);
  const key = requestKey(ballot, ctx.actor, ['delegate', to, until ?? '', last?.at ?? '']);
  const request: TaskRequest = {
    verb: 'delegate',
    taskId: ballot.task.id,
    actor: actorRef(ctx.actor),
    to,
    key,
    ...(until === undefined ? {} : { until }),
    ...(given.comment === undefined ? {} : { comment: given.comment }),
  };
  return ask(ctx, row, ballot, (handle) => handle.executeUpdate(changeTaskUpdate, { args: [request], updateId: key }));
}

const isoOf = (time: string | null): string | null => (time === null ? null : new Date(time).toISOString());

/** Asks others instead; admins only. */
export async function reassignRun(ctx: AppContext, runId: string, body: unknown): Promise<RunAnswer> {
  const given = readPayload(reassignSchema, body, '_workflows/reassign');
  const row = await findRun(ctx, runId, await visibleTo(ctx));
  if (!ctx.actor.isAdmin) throw new AppError('FORBIDDEN', 'Only an admin may reassign a task.');
  const assignee = readPayload(assigneesSchema, readAssignees(new Reading(), given.assignee, 'assignee'), '_workflows/reassign');
  if (JSON.stringify(assignee).includes('\\u0000')) throw new AppError('INVALID_PAYLOAD', '"assignee" has the character NUL.');
  const ballot = chooseBallot(await openBallots(ctx, row), row, given.task, ({ task: one }) =>
    one.kind === 'resubmission' ? new AppError('INVALID_STATE', `The step "${one.step}" waits to be resubmitted.`) : undefined,
  );
  const key = requestKey(ballot, ctx.actor, ['reassign', JSON.stringify(assignee), JSON.stringify(ballot.task.groups)]);
  const request: TaskRequest = {
    verb: 'reassign',
    taskId: ballot.task.id,
    actor: actorRef(ctx.actor),
    assignee,
    key,
    ...(given.comment === undefined ? {} : { comment: given.comment }),
  };
  return ask(ctx, row, ballot, (handle) => handle.executeUpdate(changeTaskUpdate, { args: [request], updateId: key }));
}

/** A word in the run's history; whoever sees the run may say it. */
export async function commentRun(ctx: AppContext, runId: string, body: unknown): Promise<RunAnswer> {
  const given = readPayload(commentSchema, body, '_workflows/comment');
  const row = await findRun(ctx, runId, await visibleTo(ctx));
  requireRunning(row);
  const request: TaskRequest = {
    verb: 'comment',
    actor: actorRef(ctx.actor),
    comment: given.comment,
    ...(given.task === undefined ? {} : { taskId: given.task }),
  };
  const outcome = await askRun(ctx.services, row.workflow_id, (handle) =>
    handle.executeUpdate(changeTaskUpdate, { args: [request], updateId: randomUUID() }),
  );
  if (outcome === 'gone') throw temporalUnavailable();
  return answerRun(ctx, await findRun(ctx, runId));
}

async function ask(
  ctx: AppContext,
  row: RunRow,
  { task }: Ballot,
  update: (handle: WorkflowHandle) => Promise<unknown>,
): Promise<RunAnswer> {
  const outcome = await askRun(ctx.services, row.workflow_id, update);
  const after = await findRun(ctx, row.id);
  if (outcome === 'gone') {
    // Ended while we asked: say so. Still running in the projection: between two of its Temporal runs, or projected in a moment.
    const open = await openBallots(ctx, after);
    if (after.status === 'running' && open.some((ballot) => ballot.task.id === task.id)) throw temporalUnavailable();
    chooseBallot(open, after, task.id, () => undefined);
  }
  return answerRun(ctx, after);
}

const openBallots = (ctx: AppContext, row: RunRow): Promise<Ballot[]> =>
  loadBallots(ctx.services.pool, ctx.app, [sql`t.run_id = ${value(row.id, 'uuid')}`, sql`t.state = 'pending'`], ctx.now.toISOString());

/** The task that is meant: the one named, else the only one that does not refuse. */
function chooseBallot(
  open: readonly Ballot[],
  row: RunRow,
  wanted: string | undefined,
  refuse: (ballot: Ballot) => AppError | undefined,
): Ballot {
  requireRunning(row);
  const meant = wanted === undefined ? open : open.filter((ballot) => ballot.task.id === wanted);
  if (meant.length === 0) throw nothingToDecide(row, wanted);
  const refusals = meant.map(refuse);
  const possible = meant.filter((_, index) => refusals[index] === undefined);
  const [first, ...others] = possible;
  if (first === undefined) throw refusals[0] ?? nothingToDecide(row, wanted);
  if (others.length === 0) return first;
  const tasks = possible.map(({ task: one }) => `${one.id} (${one.step})`).join(', ');
  throw new AppError('VALIDATION_FAILED', 'The run has several open tasks that you may decide.', {
    details: [{ field: 'task', rule: 'required', message: `Name one of ${tasks}.` }],
  });
}

function requireRunning(row: RunRow): void {
  if (row.status !== 'running')
    throw new AppError('INVALID_STATE', `The run is ${row.status.replaceAll('_', ' ')}: there is nothing to decide.`);
}

function nothingToDecide(row: RunRow, wanted: string | undefined): AppError {
  const last = row.history.findLast((entry) => ['approved', 'rejected', 'sent_back', 'timed_out'].includes(entry.status));
  const known = last === undefined ? '' : ` The step "${last.step}" was ${last.status.replace('_', ' ')} at ${last.at}.`;
  const what = wanted === undefined ? "The run waits for nobody's decision" : 'This task is no longer open';
  return new AppError('INVALID_STATE', `${what}: it is at "${row.current_step ?? 'its end'}".${known}`);
}

function refusalOf(ballot: Ballot, actor: Actor, decision: TaskDecision, onBehalfOf: string | undefined): AppError | undefined {
  const seat = seatOf(ballot, actor, onBehalfOf);
  if (isRefusal(seat)) return appError(seat);
  return kindRefusal(ballot.task, decision);
}

const appError = ({ code, reason }: SeatRefusal): AppError => new AppError(code, reason);

/** The same request about the same state of a task is the same request. */
const requestKey = ({ task: one }: Ballot, actor: Actor, parts: readonly string[]): string =>
  createHash('sha256')
    .update([one.id, actor.id ?? '', ...parts].join('\0'))
    .digest('hex')
    .slice(0, 32);
