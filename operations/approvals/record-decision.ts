/** The activity behind a decision: asks once more who may, counts the votes, and closes the task when its outcome is certain. */
import { uuidv7 } from '../../adapters/ids.ts';
import { execute, run, sqlState, type Db } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { AppError } from '../../core/errors.ts';
import { id, sql, value } from '../../core/sql/sql.ts';
import type { DecisionInput, Recorded, TaskDecision } from '../../workflows/contracts/types.ts';
import type { AppRuntime, Services } from '../context.ts';
import { askedIn, countVotes, loadBallots, namesOf, type Ballot } from './ballot.ts';
import { currentDecider } from './decider.ts';
import { tell } from './notices.ts';
import { isRefusal, seatOf, voterName, type Decider, type Seat } from './seat.ts';
import { selectTasks, taskById, type StoredVote, type TaskRow } from './task.ts';

/**
 * Writes a decision as a vote of its task. A repetition under the same key finds its own vote and is content. What it comes to
 * is decided under the lock of the task, which the deadline takes too.
 */
export async function recordDecision(services: Services, app: AppRuntime, decision: DecisionInput, now: string): Promise<Recorded> {
  try {
    return await transaction(services.pool, (client) => record(client, services, app, decision, now));
  } catch (error) {
    if (sqlState(error) !== '23505') throw error;
    throw new AppError('INVALID_STATE', 'This task has been decided by you, or for the same person, already.', { cause: error });
  }
}

async function record(db: Db, services: Services, app: AppRuntime, decision: DecisionInput, now: string): Promise<Recorded> {
  const [ballot] = await loadBallots(db, app, [taskById(decision.taskId)], now, 'locked');
  if (ballot === undefined) throw new AppError('INVALID_STATE', 'This task does not exist any more.');
  const { task } = ballot;
  const known = task.votes.find((vote) => vote.key === decision.key);
  if (known !== undefined) return recorded(task.state, known);
  if (task.state !== 'pending') {
    if (task.decided_by?.key === decision.key) return { outcome: task.state as TaskDecision };
    throw new AppError('INVALID_STATE', `The task is ${task.state.replace('_', ' ')} already.`);
  }
  const refusal = kindRefusal(task, decision.decision);
  if (refusal !== undefined) throw refusal;
  const decider = await currentDecider(db, app, decision.actor);
  const seat = seatOf(ballot, decider, decision.onBehalfOf);
  if (isRefusal(seat)) throw new AppError(seat.code, seat.reason);
  checkComment(task, decision.decision, decision.comment);
  const vote = voteOf(decision, decider, seat, now);
  await insertVote(db, app, task, vote, decision);
  return recorded(await countAndClose(db, services, app, ballot, vote, decision, now), vote);
}

/** What was recorded under a decision's key; null when nothing was. */
export async function findDecision(services: Services, app: AppRuntime, taskId: string, key: string): Promise<Recorded | null> {
  const [task] = await selectTasks(services.pool, app, [taskById(taskId)]);
  const vote = task?.votes.find((one) => one.key === key);
  return task === undefined || vote === undefined ? null : recorded(task.state, vote);
}

const recorded = (state: TaskRow['state'], vote: StoredVote): Recorded => ({
  outcome: state === 'pending' ? 'open' : (state as TaskDecision),
  ...(vote.person === vote.voter ? {} : { onBehalfOf: vote.person }),
});

/** Undefined when the task takes this decision. */
export function kindRefusal(task: Pick<TaskRow, 'kind' | 'settings' | 'step'>, decision: TaskDecision): AppError | undefined {
  if (task.kind === 'resubmission') {
    if (decision === 'resubmitted') return undefined;
    return new AppError('INVALID_STATE', `The step "${task.step}" was sent back and waits to be resubmitted.`, {
      hint: 'POST .../resubmit',
    });
  }
  if (decision === 'resubmitted')
    return new AppError('INVALID_STATE', `The step "${task.step}" was not sent back, so there is nothing to resubmit.`);
  if (decision !== 'sent_back' || task.settings.canSendBack === true) return undefined;
  return new AppError('INVALID_STATE', `The step "${task.step}" cannot be sent back.`, {
    hint: 'Set on_send_back in the step to "requester" or an earlier step.',
  });
}

const VERBS = { approved: 'approve', rejected: 'reject', sent_back: 'send_back' } as const;

export function needsComment(task: Pick<TaskRow, 'settings' | 'comment_required'>, decision: TaskDecision): boolean {
  const { comment } = task.settings;
  if (Array.isArray(comment)) return decision !== 'resubmitted' && comment.includes(VERBS[decision]);
  return task.comment_required && decision !== 'resubmitted';
}

export function checkComment(task: TaskRow, decision: TaskDecision, comment: string | undefined): void {
  if (!needsComment(task, decision) || (comment ?? '').trim() !== '') return;
  throw new AppError('VALIDATION_FAILED', `The step "${task.step}" asks for a comment.`, {
    details: [{ field: 'comment', rule: 'required', message: 'Say why.' }],
  });
}

const voteOf = (decision: DecisionInput, decider: Decider, seat: Seat, now: string): StoredVote => ({
  voter: voterName(decider),
  person: seat.person,
  decision: decision.decision,
  comment: decision.comment ?? null,
  groups: seat.groups,
  is_admins: seat.isAdmins,
  key: decision.key,
  at: now,
});

async function insertVote(db: Db, app: AppRuntime, task: TaskRow, vote: StoredVote, { actor }: DecisionInput): Promise<void> {
  await execute(
    db,
    sql`insert into ${id(app.storage, '_votes')} (id, task_id, voter, person, decision, comment, groups, is_admins, actor, key, at)
        values (${value(uuidv7(), 'uuid')}, ${value(task.id, 'uuid')}, ${value(vote.voter)}, ${value(vote.person)}, ${value(vote.decision)},
          ${value(vote.comment, 'text')}, ${value([...vote.groups], 'integer[]')}, ${value(vote.is_admins)}, ${value(JSON.stringify(actor), 'jsonb')},
          ${value(vote.key)}, ${value(vote.at, 'timestamptz')})`,
  );
}

/** Answers the task's state after the vote. */
async function countAndClose(
  db: Db,
  services: Services,
  app: AppRuntime,
  ballot: Ballot,
  vote: StoredVote,
  { actor, key, comment }: DecisionInput,
  now: string,
): Promise<TaskRow['state']> {
  const task = { ...ballot.task, votes: [...ballot.task.votes, vote] };
  const tally = countVotes(task, ballot.groups, task.votes);
  const after: Ballot = { ...ballot, task, tally };
  if (tally.outcome === 'open') {
    await goOn(db, services, app, ballot, after);
    return 'pending';
  }
  const state = task.kind === 'resubmission' ? 'resubmitted' : tally.outcome;
  const by = { ...actor, key, ...(vote.person === vote.voter ? {} : { onBehalfOf: vote.person }) };
  await closeTask(db, services, app, task, { state, by, comment: comment ?? null, now });
  return state;
}

/** Still open: in a sequence it may be the next group's turn now, and they are told. */
async function goOn(db: Db, services: Services, app: AppRuntime, before: Ballot, after: Ballot): Promise<void> {
  await execute(db, sql`update ${id(app.storage, '_tasks')} t set ${namesOf(after)} where ${taskById(after.task.id)}`);
  const opened = after.tally.open.find((index) => !before.tally.open.includes(index));
  if (opened === undefined) return;
  const to = await askedIn(db, app, after);
  await tell(db, services, app, after.task, { kind: 'assigned', key: `task/${after.task.id}/assigned/${opened}`, to });
}

export interface Closure {
  readonly state: TaskDecision | 'timed_out';
  readonly by: { readonly id: string | null; readonly kind: string; readonly key?: string } | null;
  readonly comment: string | null;
  readonly now: string;
}

/** Closes an open task and tells who asked. */
export async function closeTask(
  db: Db,
  services: Services,
  app: AppRuntime,
  task: TaskRow,
  { state, by, comment, now }: Closure,
): Promise<void> {
  await run(
    db,
    sql`update ${id(app.storage, '_tasks')} set state = ${value(state)}, decided_at = ${value(now, 'timestamptz')}, comment = ${value(comment, 'text')},
          decided_by = ${value(by === null ? null : JSON.stringify(by), 'jsonb')}
        where id = ${value(task.id, 'uuid')} and state = 'pending'`,
  );
  if (task.kind === 'resubmission' || task.requested_by === null || task.requested_by === by?.id) return;
  const notice = {
    kind: 'outcome',
    key: `task/${task.id}/outcome`,
    to: [task.requested_by],
    by: by?.id ?? null,
    comment,
    status: state,
  } as const;
  await tell(db, services, app, task, notice);
}
