/** Whom a step names, as roles and active users, read at the moment it is asked. */
import { run, type Db } from '../../adapters/postgres/run.ts';
import type { ApprovalStep, AssigneeDefinition, AssigneesDefinition } from '../../core/model/approval-step.ts';
import { id, sql, value } from '../../core/sql/sql.ts';
import type { AppRuntime, Services } from '../context.ts';
import { evaluateFor, loadScope, type StepScope } from '../processes/scope.ts';
import { recordPathsOf, resolveValue } from '../processes/values.ts';
import { findUsers } from './find-users.ts';
import type { TaskAssignee, TaskGroup } from './task.ts';

/** Nobody named, or nobody found: admins may always decide, so a task is never out of everybody's reach. */
const ADMINS: TaskAssignee = { type: 'admin' };

/** The groups of an approval step. */
export async function resolveGroups(services: Services, app: AppRuntime, scope: StepScope, step: ApprovalStep): Promise<TaskGroup[]> {
  const groups = step.groups ?? [{ assignee: step.assignee, quorum: step.quorum }];
  return Promise.all(
    groups.map(async ({ assignee, quorum = 'any', ...named }) => ({
      ...('name' in named && named.name !== undefined ? { name: named.name } : {}),
      assignees: await resolveAssignees(services, app, scope, assignee),
      quorum,
    })),
  );
}

export async function resolveAssignees(
  services: Services,
  app: AppRuntime,
  scope: StepScope,
  assignees: AssigneesDefinition | undefined,
): Promise<TaskAssignee[]> {
  const named = assignees === undefined ? [] : [assignees].flat();
  const found = (await Promise.all(named.map((assignee) => resolveOne(services, app, scope, assignee)))).filter((one) => one !== ADMINS);
  return found.length === 0 ? [ADMINS] : found;
}

async function resolveOne(services: Services, app: AppRuntime, scope: StepScope, assignee: AssigneeDefinition): Promise<TaskAssignee> {
  switch (assignee.type) {
    case 'role':
      return { type: 'role', role: assignee.role.toLowerCase() };
    case 'user':
      return users(services.pool, app, [await resolvePath(services, app, scope, assignee.user)]);
    case 'relation':
      return users(services.pool, app, [await resolvePath(services, app, scope, belowRecord(assignee.path))]);
    case 'expression':
      return users(services.pool, app, [await evaluateFor(services, app, scope, assignee.expression)].flat());
    case 'manager':
      return managerOf(services, app, scope, assignee);
  }
}

const belowRecord = (path: string): string => (/^(trigger|record|context)(\.|$)/.test(path) ? path : `record.${path}`);

async function resolvePath(services: Services, app: AppRuntime, scope: StepScope, path: string): Promise<unknown> {
  return resolveValue(path, await loadScope(services, app, scope, recordPathsOf(path)));
}

type ManagerDefinition = Extract<AssigneeDefinition, { type: 'manager' }>;

async function managerOf(
  services: Services,
  app: AppRuntime,
  scope: StepScope,
  { of, via, key = 'email', level = 1 }: ManagerDefinition,
): Promise<TaskAssignee> {
  if (via !== undefined) {
    const path = [of ?? 'record', ...Array.from({ length: level }, () => via), key].join('.');
    return users(services.pool, app, [await resolvePath(services, app, scope, belowRecord(path))]);
  }
  const from = of === undefined ? scope.trigger.actor.id : await resolvePath(services, app, scope, belowRecord(of));
  const [start] = await findUsers(services.pool, app, [from], 'all');
  if (start === undefined) return ADMINS;
  const table = id(app.storage, '_users');
  const rows = await run<{ id: string }>(
    services.pool,
    sql`with recursive up as (
          select id, manager, 0 as level from ${table} where id = ${value(start, 'uuid')}
          union all
          select u.id, u.manager, up.level + 1 from up join ${table} u on u.id = up.manager where up.level < ${value(level, 'integer')}
        ) select id from up where level = ${value(level, 'integer')}`,
  );
  return users(
    services.pool,
    app,
    rows.map((row) => row.id),
  );
}

/** Active users by id or email address. */
async function users(db: Db, app: AppRuntime, named: readonly unknown[]): Promise<TaskAssignee> {
  const ids = await findUsers(db, app, named);
  return ids.length === 0 ? ADMINS : { type: 'user', user_ids: ids };
}
