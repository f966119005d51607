/** Reminders and escalations: told once by their effect key, whatever a worker repeats. */
import { execute, type Db } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { AppError } from '../../core/errors.ts';
import type { TaskAlarm } from '../../core/approval/schedule.ts';
import type { ApprovalStep } from '../../core/model/approval-step.ts';
import { id, sql, value } from '../../core/sql/sql.ts';
import type { Rung } from '../../workflows/contracts/types.ts';
import type { AppRuntime, Services } from '../context.ts';
import { findEffect, saveEffect } from '../effects.ts';
import type { StepScope } from '../processes/scope.ts';
import { resolveAssignees } from './assignees.ts';
import { askedIn, loadBallots, namesOf, type Ballot } from './ballot.ts';
import { tell } from './notices.ts';
import { closeTask } from './record-decision.ts';
import { groupsOf, taskById, type TaskAssignee, type TaskGroup } from './task.ts';

export interface RingInput extends StepScope {
  readonly taskId: string;
  readonly alarm: TaskAlarm;
  readonly step: ApprovalStep;
}

/** Rings one alarm of a task. The votes are counted anew, since whoever was waited for may be gone by now. */
export async function ringAlarm(services: Services, app: AppRuntime, input: RingInput): Promise<Rung> {
  const { alarm, taskId } = input;
  const key = `task/${taskId}/${alarm.kind}/${alarm.index}/${alarm.number}`;
  const escalation = alarm.kind === 'escalation' ? input.step.escalate?.[alarm.index] : undefined;
  const added = escalation === undefined ? undefined : await resolveAssignees(services, app, input, escalation.to);
  return transaction(services.pool, async (client) => {
    const ballot = await openBallot(client, app, taskId, input.now);
    const known = await findEffect(client, app.storage, key);
    if (known !== undefined || ballot === undefined) return (known ?? { told: 0, skipped: [] }) as Rung;
    const rung =
      escalation === undefined || added === undefined
        ? await remind(client, services, app, ballot, key, input.now)
        : await escalate(client, services, app, ballot, key, { added, mode: escalation.mode ?? 'add', now: input.now });
    await saveEffect(client, app.storage, key, rung);
    return rung;
  });
}

async function openBallot(db: Db, app: AppRuntime, taskId: string, now: string): Promise<Ballot | undefined> {
  const [ballot] = await loadBallots(db, app, [taskById(taskId)], now, 'locked');
  return ballot?.task.state === 'pending' ? ballot : undefined;
}

async function remind(db: Db, services: Services, app: AppRuntime, ballot: Ballot, key: string, now: string): Promise<Rung> {
  if (ballot.tally.outcome !== 'open') return conclude(db, services, app, ballot, now);
  const to = await askedIn(db, app, ballot);
  await execute(
    db,
    sql`update ${id(app.storage, '_tasks')} t set reminders = t.reminders + 1, reminded_at = ${value(now, 'timestamptz')}, ${namesOf(ballot)}
        where ${taskById(ballot.task.id)}`,
  );
  return tell(db, services, app, ballot.task, { kind: 'reminder', key, to });
}

interface Escalation {
  readonly added: readonly TaskAssignee[];
  readonly mode: 'add' | 'replace';
  readonly now: string;
}

async function escalate(
  db: Db,
  services: Services,
  app: AppRuntime,
  before: Ballot,
  key: string,
  { added, mode, now }: Escalation,
): Promise<Rung> {
  const groups = groupsOf(before.task).map((group, index) =>
    before.tally.open.includes(index) ? withAssignees(group, added, mode) : group,
  );
  const after = await changeGroups(db, app, before, groups, now);
  await execute(db, sql`update ${id(app.storage, '_tasks')} t set escalations = t.escalations + 1 where ${taskById(after.task.id)}`);
  if (after.tally.outcome !== 'open') return conclude(db, services, app, after, now);
  const told = await tell(db, services, app, after.task, { kind: 'escalation', key, to: await newlyAsked(db, app, before, after) });
  return { ...told, to: namesIn(added) };
}

/** `admin` among assignees only means that nobody else was found. */
const withAssignees = (group: TaskGroup, added: readonly TaskAssignee[], mode: 'add' | 'replace'): TaskGroup => ({
  ...group,
  assignees: mode === 'replace' ? added : [...group.assignees.filter(({ type }) => type !== 'admin'), ...added],
});

export const namesIn = (assignees: readonly TaskAssignee[]): string[] =>
  assignees.flatMap((assignee) => (assignee.type === 'user' ? [...(assignee.user_ids ?? [])] : [assignee.role ?? 'admin']));

/** Stores other groups for a task; answers its ballot as it is then. */
export async function changeGroups(db: Db, app: AppRuntime, { task }: Ballot, groups: readonly TaskGroup[], now: string): Promise<Ballot> {
  const [assignee = { type: 'admin' }] = groups[0]?.assignees ?? [];
  await execute(
    db,
    sql`update ${id(app.storage, '_tasks')} t set groups = ${value(JSON.stringify(groups), 'jsonb')}, assignee = ${value(JSON.stringify(assignee), 'jsonb')}
        where ${taskById(task.id)}`,
  );
  const [after] = await loadBallots(db, app, [taskById(task.id)], now);
  if (after === undefined) throw new AppError('INVALID_STATE', 'This task does not exist any more.');
  await execute(db, sql`update ${id(app.storage, '_tasks')} t set ${namesOf(after)} where ${taskById(task.id)}`);
  return after;
}

/** Who is asked now and was not before. */
export async function newlyAsked(db: Db, app: AppRuntime, before: Ballot, after: Ballot): Promise<string[]> {
  const asked = await askedIn(db, app, before);
  return (await askedIn(db, app, after)).filter((person) => !asked.includes(person));
}

/** Everybody who is left has decided: the task comes to what their votes come to. */
async function conclude(db: Db, services: Services, app: AppRuntime, { task, tally }: Ballot, now: string): Promise<Rung> {
  if (tally.outcome === 'open') return { told: 0, skipped: [] };
  const last = task.votes.at(-1);
  await closeTask(db, services, app, task, {
    state: tally.outcome,
    by: { kind: 'user', id: last?.voter ?? null },
    comment: last?.comment ?? null,
    now,
  });
  return { told: 0, skipped: [], outcome: tally.outcome, by: last?.voter ?? 'system' };
}
