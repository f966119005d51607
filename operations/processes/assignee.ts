import { run, type Db } from '../../adapters/postgres/run.ts';
import type { AssigneeDefinition } from '../../core/model/document.ts';
import { id, sql, value } from '../../core/sql/sql.ts';
import type { AppRuntime, Services } from '../context.ts';
import type { TaskAssignee } from './may-decide.ts';
import { evaluateFor, loadScope, type StepScope } from './scope.ts';
import { recordPathsOf, resolveValue } from './values.ts';

/** Nobody named, or nobody found: admins may always decide, so a task is never out of everybody's reach. */
const ADMINS: TaskAssignee = { type: 'admin' };

/** Who may decide, read at the moment the task opens. */
export async function resolveAssignee(
  services: Services,
  app: AppRuntime,
  step: StepScope,
  assignee: AssigneeDefinition | null,
): Promise<TaskAssignee> {
  switch (assignee?.type) {
    case undefined:
      return ADMINS;
    case 'role':
      return { type: 'role', role: assignee.role.toLowerCase() };
    case 'user':
      return users(services.pool, app, [await resolvePath(services, app, step, assignee.user)]);
    case 'relation': {
      const path = /^(trigger|record|context)\./.test(assignee.path) ? assignee.path : `record.${assignee.path}`;
      return users(services.pool, app, [await resolvePath(services, app, step, path)]);
    }
    case 'expression':
      return users(services.pool, app, [await evaluateFor(services, app, step, assignee.expression)].flat());
  }
}

async function resolvePath(services: Services, app: AppRuntime, step: StepScope, path: string): Promise<unknown> {
  return resolveValue(path, await loadScope(services, app, step, recordPathsOf(path)));
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Active users by id or email address. */
async function users(db: Db, app: AppRuntime, named: readonly unknown[]): Promise<TaskAssignee> {
  const names = named.filter((name): name is string => typeof name === 'string' && name !== '');
  if (names.length === 0) return ADMINS;
  const rows = await run<{ id: string }>(
    db,
    sql`
    select id from ${id(app.storage, '_users')}
    where active and (id = any(${value(
      names.filter((name) => UUID.test(name)),
      'uuid[]',
    )}) or lower(email) = any(${value(
      names.map((name) => name.toLowerCase()),
      'text[]',
    )}))
    order by id limit 100`,
  );
  return rows.length === 0 ? ADMINS : { type: 'user', user_ids: rows.map((row) => row.id) };
}
