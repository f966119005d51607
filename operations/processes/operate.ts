/** The operator's way out: end a run, repeat or pass over a step that failed for good. */
import { execute } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { AppError } from '../../core/errors.ts';
import { id, sql, value } from '../../core/sql/sql.ts';
import { cancelRunUpdate, resolveFailureUpdate } from '../../workflows/contracts/messages.ts';
import type { AppContext } from '../context.ts';
import { askRun } from './ask-run.ts';
import { actorRef } from '../actor-ref.ts';
import { answerRun, findRun, type RunAnswer, type RunRow, visibleTo } from './runs.ts';

/** Ends a run at its next safe point. Admins, and whoever caused it. */
export async function cancelRun(ctx: AppContext, runId: string, reason?: string): Promise<RunAnswer> {
  const row = await findRun(ctx, runId, await visibleTo(ctx));
  if (!ctx.actor.isAdmin && row.started_by?.id !== ctx.actor.id) {
    throw new AppError('FORBIDDEN', 'Only an admin, or who caused the run, may cancel it.');
  }
  requireRunning(row);
  const outcome = await askRun(ctx.services, row.workflow_id, (handle) =>
    handle.executeUpdate(cancelRunUpdate, {
      args: [{ actor: actorRef(ctx.actor), ...(reason === undefined ? {} : { reason }) }],
      updateId: `cancel-${row.id}`,
    }),
  );
  if (outcome === 'gone') await endProjection(ctx, row.id);
  return answerRun(ctx, await findRun(ctx, runId));
}

/** Repeats the failed step of a stuck run; what it had done already is not done again. */
export const retryRun = (ctx: AppContext, runId: string): Promise<RunAnswer> => resolve(ctx, runId, 'retry');

/** Goes on behind the failed step of a stuck run. */
export const skipRun = (ctx: AppContext, runId: string): Promise<RunAnswer> => resolve(ctx, runId, 'skip');

async function resolve(ctx: AppContext, runId: string, action: 'retry' | 'skip'): Promise<RunAnswer> {
  const row = await findRun(ctx, runId, await visibleTo(ctx));
  if (!ctx.actor.isAdmin) throw new AppError('FORBIDDEN', `Only an admin may ${action} a step.`);
  requireRunning(row);
  if (row.error === null) throw new AppError('INVALID_STATE', 'No step of this run has failed.');
  const outcome = await askRun(ctx.services, row.workflow_id, (handle) =>
    handle.executeUpdate(resolveFailureUpdate, { args: [{ action, actor: actorRef(ctx.actor) }] }),
  );
  if (outcome === 'gone') {
    throw new AppError('INVALID_STATE', 'Temporal does not know this run any more, so it cannot go on.', { hint: 'Cancel it.' });
  }
  return answerRun(ctx, await findRun(ctx, runId));
}

function requireRunning(row: RunRow): void {
  if (row.status !== 'running') throw new AppError('INVALID_STATE', `The run is ${row.status.replaceAll('_', ' ')} already.`);
}

/** Temporal has no such open workflow (terminated by hand, or its database was lost): the projection is all there is to end. */
async function endProjection(ctx: AppContext, runId: string): Promise<void> {
  const { services, app, actor, now } = ctx;
  const entry = { step: '', status: 'cancelled', by: actor.id ?? actor.kind, at: now.toISOString() };
  await transaction(services.pool, async (client) => {
    await execute(
      client,
      sql`
      update ${id(app.storage, '_tasks')} set state = 'cancelled', decided_at = now() where run_id = ${value(runId, 'uuid')} and state = 'pending'`,
    );
    await execute(
      client,
      sql`
      update ${id(app.storage, '_runs')} set status = 'cancelled', error = null, current_step_deadline = null, updated_at = now(),
        history = history || ${value(JSON.stringify([entry]), 'jsonb')}
      where id = ${value(runId, 'uuid')} and status = 'running'`,
    );
  });
}
