/** Giving a task on: one's own to somebody else, or, as an admin, the whole task to others. */
import { execute, type Db } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { holdersOf } from '../../core/approval/handovers.ts';
import { AppError } from '../../core/errors.ts';
import { id, sql, value } from '../../core/sql/sql.ts';
import type { HandedOver, TaskRequest } from '../../workflows/contracts/types.ts';
import type { AppRuntime, Services } from '../context.ts';
import type { StepScope } from '../processes/scope.ts';
import { changeGroups, namesIn, newlyAsked } from './alarms.ts';
import { resolveAssignees } from './assignees.ts';
import { findUsers } from './find-users.ts';
import { loadBallots, waitingFor, type Ballot } from './ballot.ts';
import { currentDecider } from './decider.ts';
import { tell } from './notices.ts';
import { groupsOf, taskById } from './task.ts';

export type DelegateRequest = Extract<TaskRequest, { verb: 'delegate' }>;
export type ReassignRequest = Extract<TaskRequest, { verb: 'reassign' }>;

async function lockedBallot(db: Db, app: AppRuntime, taskId: string, now: string): Promise<Ballot> {
  const [ballot] = await loadBallots(db, app, [taskById(taskId)], now, 'locked');
  if (ballot?.task.state !== 'pending') throw new AppError('INVALID_STATE', 'This task is no longer open.');
  return ballot;
}

/** Gives the caller's part in a task to another user; the newest giving counts. */
export async function delegateTask(services: Services, app: AppRuntime, request: DelegateRequest, now: string): Promise<HandedOver> {
  const to = await oneUser(services, app, request.to);
  return transaction(services.pool, async (client) => {
    const ballot = await lockedBallot(client, app, request.taskId, now);
    const from = (await currentDecider(client, app, request.actor)).id;
    const refusal = refusalToDelegate(ballot, from, to);
    if (refusal !== undefined) throw refusal;
    await execute(
      client,
      sql`insert into ${id(app.storage, '_delegations')} (task_id, from_user, to_user, until, comment, at)
          values (${value(request.taskId, 'uuid')}, ${value(from)}, ${value(to, 'uuid')}, ${value(request.until ?? null, 'timestamptz')},
            ${value(request.comment ?? null, 'text')}, ${value(now, 'timestamptz')})
          on conflict (task_id, from_user) do update set to_user = excluded.to_user, until = excluded.until, comment = excluded.comment, at = excluded.at`,
    );
    const key = `task/${request.taskId}/delegation/${request.key}`;
    const told = await tell(client, services, app, ballot.task, {
      kind: 'delegation',
      key,
      to: [to],
      by: from,
      comment: request.comment ?? null,
    });
    return { ...told, to: [to] };
  });
}

export async function oneUser(services: Services, app: AppRuntime, named: string): Promise<string> {
  const [user] = await findUsers(services.pool, app, [named]);
  if (user !== undefined) return user;
  throw new AppError('VALIDATION_FAILED', `There is no active user "${named.slice(0, 100)}".`, {
    details: [{ field: 'to', rule: 'unknown_user', message: 'must be the id or email of an active user' }],
  });
}

/** Undefined when `from` may give their part to `to`. Who may not: nobody's seat, and no way round the rule on self-approval. */
export function refusalToDelegate(ballot: Ballot, from: string | null, to: string): AppError | undefined {
  const { task, barred, handovers } = ballot;
  if (task.kind === 'resubmission' || task.settings.delegation === 'forbidden') {
    return new AppError('INVALID_STATE', `The step "${task.step}" cannot be delegated.`, { hint: 'An admin may reassign it.' });
  }
  const mine = from === null ? [] : waitingFor(ballot).filter(({ holders }) => holders.includes(from));
  if (from === null || mine.length === 0)
    return new AppError('FORBIDDEN', 'This task does not wait for you, so it is not yours to give on.');
  if (to === barred)
    return new AppError(
      'INVALID_STATE',
      'Whoever caused the run cannot be given its approval (the step does not set allow_self_approval).',
    );
  if (task.votes.some((vote) => vote.voter === to || vote.person === to))
    return new AppError('INVALID_STATE', 'They have decided this task already.');
  const isCycle =
    mine.some(({ holders }) => holders.slice(0, holders.indexOf(from) + 1).includes(to)) ||
    holdersOf(to, handovers, barred).people.includes(from);
  return isCycle
    ? new AppError('INVALID_STATE', 'The task came from them, so it cannot be given back to them.', {
        hint: 'Let it be decided, or choose somebody else.',
      })
    : undefined;
}

/** Asks others instead: in every group that is still open. Votes that were given stay. */
export async function reassignTask(services: Services, app: AppRuntime, scope: StepScope, request: ReassignRequest): Promise<HandedOver> {
  const assignees = await resolveAssignees(services, app, scope, request.assignee);
  if (assignees.every(({ type }) => type === 'admin')) {
    throw new AppError('VALIDATION_FAILED', 'Nobody was found by this assignee.', {
      details: [{ field: 'assignee', rule: 'unknown_user', message: 'must lead to a role or an active user' }],
    });
  }
  return transaction(services.pool, async (client) => {
    const before = await lockedBallot(client, app, request.taskId, scope.now);
    if (!(await currentDecider(client, app, request.actor)).isAdmin) throw new AppError('FORBIDDEN', 'Only an admin may reassign a task.');
    const groups = groupsOf(before.task).map((group, index) => (before.tally.open.includes(index) ? { ...group, assignees } : group));
    const after = await changeGroups(client, app, before, groups, scope.now);
    const key = `task/${request.taskId}/reassigned/${request.key}`;
    const told = await tell(client, services, app, after.task, { kind: 'assigned', key, to: await newlyAsked(client, app, before, after) });
    return { ...told, to: namesIn(assignees) };
  });
}
