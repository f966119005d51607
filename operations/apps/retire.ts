/** Deleting an app: it stops serving at once, its storage goes after the retention by the `retire` workflow. */
import type { WorkflowHandle } from '@temporalio/client';
import { execute, run } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { appendSchemaEvent } from '../../adapters/schema-events/postgres.ts';
import { isTemporalError } from '../../adapters/temporal/errors.ts';
import { AppError } from '../../core/errors.ts';
import { sql, value } from '../../core/sql/sql.ts';
import { retireWorkflowId } from '../../workflows/contracts/ids.ts';
import { cancelRetirementUpdate, removeNowSignal } from '../../workflows/contracts/messages.ts';
import { CONTROL_QUEUE } from '../../workflows/contracts/queues.ts';
import { appIdAttribute, dueAtAttribute, stateAttribute } from '../../workflows/contracts/search-attributes.ts';
import type { RetireInput } from '../../workflows/contracts/types.ts';
import type { PlatformContext } from '../context.ts';
import { audit } from '../platform/audit.ts';
import { findApp, getApp, type AppRow } from './read.ts';
import { within } from './within.ts';

const RETENTION_MS = 30 * 24 * 3_600_000;
const WAIT_MS = 10_000;

/** The retirement's number within the app, made of the moment it ends: the workflow of a row can always be found again. */
const workflowIdOf = (app: AppRow): string => retireWorkflowId(app.id, Math.floor((app.retire_at?.getTime() ?? 0) / 1000));

export interface RetiredApp {
  readonly name: string;
  readonly status: string;
  readonly retire_at: string | null;
}

/** Suspends the app and starts the retirement; repeating is safe. With `now` nothing is kept. */
export async function retireApp(ctx: PlatformContext, name: string, options: { readonly now: boolean }): Promise<RetiredApp> {
  const found = await findApp(ctx, name);
  if (found.status === 'provisioning') throw new AppError('CONFLICT', `The app "${name}" is still being made.`, { retryAfter: 5 });
  await ctx.services.temporal.client();
  const app = found.status === 'retiring' ? found : await suspend(ctx, found, options.now ? 0 : RETENTION_MS);
  const handle = await startRetire(ctx, app);
  if (options.now) {
    await handle.signal(removeNowSignal).catch((error: unknown) => {
      if (!isTemporalError(error, 'WorkflowNotFoundError')) throw error;
    });
    await within(handle.result(), WAIT_MS);
    await ctx.services.registry.refresh();
  }
  const [after] = await run<{ status: string; retire_at: Date | null }>(
    ctx.services.pool,
    sql`select status, retire_at from durabase.apps where id = ${value(app.id, 'text')}`,
  );
  return { name, status: after?.status ?? 'retired', retire_at: after?.retire_at?.toISOString() ?? null };
}

async function suspend(ctx: PlatformContext, app: AppRow, keepMs: number): Promise<AppRow> {
  const retireAt = new Date(Date.now() + keepMs);
  await transaction(ctx.services.pool, async (client) => {
    const changed = await execute(
      client,
      sql`
      update durabase.apps set status = 'retiring', retire_at = ${value(retireAt, 'timestamptz')}, updated_at = now()
      where id = ${value(app.id, 'text')} and status in ('active', 'suspended', 'failed')`,
    );
    if (changed === 0) throw new AppError('CONFLICT', `The app "${app.name}" is being changed by somebody else.`, { retryAfter: 1 });
    await appendSchemaEvent(client, { type: 'app.suspended', app: app.id });
    await audit(client, ctx.actor, { app: app.id, action: 'app.delete', target: app.name, detail: { retire_at: retireAt.toISOString() } });
  });
  await ctx.services.registry.refresh();
  return { ...app, status: 'retiring', retire_at: retireAt };
}

async function startRetire(ctx: PlatformContext, app: AppRow): Promise<WorkflowHandle> {
  const temporal = await ctx.services.temporal.client();
  const workflowId = workflowIdOf(app);
  const input: RetireInput = { app: app.id, removeAt: (app.retire_at ?? new Date()).toISOString() };
  try {
    return await temporal.workflow.start('retire', {
      workflowId,
      taskQueue: CONTROL_QUEUE,
      args: [input],
      workflowIdConflictPolicy: 'USE_EXISTING',
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      staticSummary: `Retirement of ${app.id}`,
      typedSearchAttributes: [
        { key: appIdAttribute, value: app.id },
        { key: stateAttribute, value: 'waiting' },
        { key: dueAtAttribute, value: new Date(input.removeAt) },
      ],
    });
  } catch (error) {
    if (isTemporalError(error, 'WorkflowExecutionAlreadyStartedError')) return temporal.workflow.getHandle(workflowId);
    throw new AppError('UNAVAILABLE', 'The app is suspended, but the workflow engine (Temporal) did not take the order to remove it.', {
      hint: 'Repeat the request: repeating is safe.',
      retryAfter: 5,
      cause: error,
    });
  }
}

/** Stops a retirement whose storage is not removed yet; the app serves again. Answers its JSON. */
export async function restoreApp(ctx: PlatformContext, name: string): Promise<string> {
  const app = await findApp(ctx, name);
  if (app.status !== 'retiring') throw new AppError('CONFLICT', `The app "${name}" is not being deleted: its status is "${app.status}".`);
  const temporal = await ctx.services.temporal.client();
  const handle = temporal.workflow.getHandle(workflowIdOf(app));
  try {
    const answer = handle.executeUpdate(cancelRetirementUpdate);
    if (!(await within(answer, WAIT_MS)))
      throw new AppError('UNAVAILABLE', 'No worker answers.', { hint: 'Repeat the request: repeating is safe.', retryAfter: 5 });
    if (!(await answer).cancelled) throw new AppError('CONFLICT', `The data of "${name}" is being removed already.`);
  } catch (error) {
    if (isTemporalError(error, 'WorkflowNotFoundError'))
      throw new AppError('CONFLICT', `The retirement of "${name}" has ended already.`, { cause: error });
    throw error;
  }
  await audit(ctx.services.pool, ctx.actor, { app: app.id, action: 'app.restore', target: name });
  await ctx.services.registry.refresh();
  return getApp(ctx, name);
}
