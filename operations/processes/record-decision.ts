import { run } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { AppError } from '../../core/errors.ts';
import { id, raw, sql, value, type Sql } from '../../core/sql/sql.ts';
import type { DecisionInput } from '../../workflows/contracts/types.ts';
import type { AppRuntime, Services } from '../context.ts';
import { type Decider, refusalToDecide, type TaskAssignee } from './may-decide.ts';
import type { Db } from '../../adapters/postgres/run.ts';

interface TaskRow {
  readonly state: string;
  readonly assignee: TaskAssignee;
  readonly allow_self_approval: boolean;
  readonly comment_required: boolean;
  readonly requested_by: string | null;
  readonly decided_by: { readonly key?: string } | null;
}

/**
 * Writes the decision into its task, after asking once more who may decide: roles may have changed since the api looked.
 * A repetition under the same key finds its own decision and is content.
 */
export async function recordDecision(services: Services, app: AppRuntime, decision: DecisionInput, now: string): Promise<void> {
  const table = id(app.storage, '_tasks');
  await transaction(services.pool, async (client) => {
    const [task] = await run<TaskRow>(
      client,
      sql`
      select state, assignee, allow_self_approval, comment_required, requested_by, decided_by
      from ${table} where id = ${value(decision.taskId, 'uuid')} for no key update`,
    );
    if (task === undefined) throw new AppError('INVALID_STATE', 'This task does not exist any more.');
    if (task.state !== 'pending') {
      if (task.decided_by?.key === decision.key) return;
      throw new AppError('INVALID_STATE', `The task is ${task.state.replace('_', ' ')} already.`);
    }
    const refusal = refusalToDecide(await currentDecider(client, app, decision), {
      assignee: task.assignee,
      requestedBy: task.requested_by,
      allowsSelfApproval: task.allow_self_approval,
    });
    if (refusal !== undefined) throw new AppError('FORBIDDEN', refusal);
    if (task.comment_required && (decision.comment ?? '').trim() === '')
      throw new AppError('VALIDATION_FAILED', 'This step asks for a comment.');
    await run(
      client,
      sql`
      update ${table} set state = ${value(decision.decision)}, decided_at = ${value(now, 'timestamptz')}, comment = ${value(decision.comment ?? null)},
        decided_by = ${value(JSON.stringify({ ...decision.actor, key: decision.key }), 'jsonb')}
      where id = ${value(decision.taskId, 'uuid')}`,
    );
  });
}

async function currentDecider(db: Db, app: AppRuntime, { actor }: DecisionInput): Promise<Decider> {
  if (actor.kind === 'platform' || actor.kind === 'system') return { ...actor, isAdmin: true };
  const own = sql`select roles, active from ${id(app.storage, '_users')} where id::text = ${value(actor.id)}`;
  const [user] = await run<{ roles: string[]; active: boolean }>(db, actor.kind === 'api_key' ? ofKey(app, own, actor.id) : own);
  if (user?.active !== true) throw new AppError('FORBIDDEN', 'This user account is gone or switched off.');
  const roles = user.roles.map((role) => role.toLowerCase());
  return { kind: actor.kind, id: actor.id, roles, isAdmin: roles.includes('admin') };
}

/** A key acts as an account of the app or of the platform, or has roles of its own. */
function ofKey(app: AppRuntime, own: Sql, actorId: string | null): Sql {
  const alive = raw('revoked_at is null and (expires_at is null or expires_at > now())');
  const isIt = sql`id::text = ${value(actorId)}`;
  return sql`
    ${own}
    union all select roles, true from ${id(app.storage, '_api_keys')} where ${isIt} and ${alive}
    union all select array['admin'], active from durabase.platform_users where ${isIt}
    union all select array['admin'], true from durabase.platform_api_keys where ${isIt} and ${alive}`;
}
