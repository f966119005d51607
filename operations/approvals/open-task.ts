/** Opening a task, and ending it when its time has passed. */
import { execute, type Db } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { AppError } from '../../core/errors.ts';
import type { ApprovalStep } from '../../core/model/approval-step.ts';
import { id, sql, value } from '../../core/sql/sql.ts';
import type { Expired, OpenTask } from '../../workflows/contracts/types.ts';
import type { AppRuntime, Services } from '../context.ts';
import { type RunProjection, writeRun } from '../processes/project.ts';
import type { StepScope } from '../processes/scope.ts';
import { resolveGroups } from './assignees.ts';
import { askedIn, loadBallots, namesOf } from './ballot.ts';
import { tell, type Told } from './notices.ts';
import { closeTask } from './record-decision.ts';
import { taskById, type TaskGroup, type TaskSettings } from './task.ts';

export interface OpenTaskInput extends StepScope {
  readonly task: OpenTask;
  readonly strand: string;
  /** What the step says; its name is the title that people read. */
  readonly step: ApprovalStep & { readonly name?: string | undefined };
  readonly projection: RunProjection;
}

/** Shows the task and the run that waits for it at once, so that neither is ever seen without the other, and tells who is asked. */
export async function openTask(services: Services, app: AppRuntime, input: OpenTaskInput): Promise<Told> {
  const { task, step, projection } = input;
  const groups = task.kind === 'resubmission' ? [requesterOf(input)] : await resolveGroups(services, app, input, step);
  return transaction(services.pool, async (client) => {
    await insertTask(client, app, input, groups);
    const [ballot] = await loadBallots(client, app, [taskById(task.id)], input.now);
    if (ballot === undefined) throw new AppError('INTERNAL_ERROR', `The task ${task.id} was not stored.`);
    await execute(client, sql`update ${id(app.storage, '_tasks')} t set ${namesOf(ballot)} where ${taskById(task.id)}`);
    await writeRun(client, app, projection);
    const to = await askedIn(client, app, ballot);
    return tell(client, services, app, ballot.task, { kind: 'assigned', key: `task/${task.id}/assigned`, to });
  });
}

/** Sent back: whoever caused the run brings it again; admins may, and must where no person did. */
function requesterOf({ trigger }: OpenTaskInput): TaskGroup {
  const { kind, id: userId } = trigger.actor;
  const isPerson = kind === 'user' || kind === 'api_key';
  return { assignees: [isPerson && userId !== null ? { type: 'user', user_ids: [userId] } : { type: 'admin' }], quorum: 'any' };
}

function settingsOf(step: OpenTaskInput['step']): TaskSettings {
  const { order, reject, delegation, substitution, mail } = step;
  return {
    ...(step.name === undefined ? {} : { title: step.name }),
    ...(order === undefined ? {} : { order }),
    ...(reject === undefined ? {} : { reject }),
    ...(delegation === undefined ? {} : { delegation }),
    ...(substitution === undefined ? {} : { substitution }),
    ...(mail === undefined ? {} : { mail }),
    ...(step.on_send_back === undefined ? {} : { canSendBack: true }),
    ...(Array.isArray(step.comment_required) ? { comment: step.comment_required } : {}),
  };
}

async function insertTask(
  db: Db,
  app: AppRuntime,
  { task, step, strand, trigger, projection, now }: OpenTaskInput,
  groups: readonly TaskGroup[],
): Promise<void> {
  const isResubmission = task.kind === 'resubmission';
  const [assignee = { type: 'admin' }] = groups[0]?.assignees ?? [];
  await execute(
    db,
    sql`
    insert into ${id(app.storage, '_tasks')} (id, run_id, step, strand, kind, state, assignee, groups, settings, allow_self_approval, comment_required,
      requested_by, due_at, created_at)
    values (${value(task.id, 'uuid')}, ${value(projection.runId, 'uuid')}, ${value(task.step)}, ${value(strand)}, ${value(isResubmission ? 'resubmission' : 'approval')},
      'pending', ${value(JSON.stringify(assignee), 'jsonb')}, ${value(JSON.stringify(groups), 'jsonb')}, ${value(JSON.stringify(settingsOf(step)), 'jsonb')},
      ${value(isResubmission || step.allow_self_approval)}, ${value(!isResubmission && step.comment_required === true)},
      ${value(trigger.actor.id)}, ${value(task.dueAt, 'timestamptz')}, ${value(now, 'timestamptz')})
    on conflict (id) do nothing`,
  );
}

/**
 * Ends a task whose time has passed. A vote that decided it and whose answer was lost with its worker came first: then that
 * is what the task came to, and the run goes on from there.
 */
export async function expireTask(services: Services, app: AppRuntime, taskId: string, now: string): Promise<Expired> {
  return transaction(services.pool, async (client) => {
    const [ballot] = await loadBallots(client, app, [taskById(taskId)], now, 'locked');
    if (ballot === undefined) return { state: 'timed_out' };
    const { task } = ballot;
    if (task.state === 'pending') await closeTask(client, services, app, task, { state: 'timed_out', by: null, comment: null, now });
    if (task.state === 'pending' || task.state === 'timed_out' || task.state === 'cancelled') return { state: 'timed_out' };
    const { decided_by: by, comment } = task;
    return {
      state: task.state,
      by: by?.id ?? by?.kind ?? 'system',
      ...(by?.onBehalfOf === undefined ? {} : { onBehalfOf: by.onBehalfOf }),
      ...(comment === null ? {} : { comment }),
    };
  });
}
