/** The operator's way out: end a run, repeat or pass over a step that failed for good, go back to an earlier one. */
import { AppError } from '../../core/errors.ts';
import { retryPayload, rewindPayload, skipPayload } from '../../core/payloads/operating.ts';
import { cancelRunUpdate, resolveFailureUpdate, rewindRunUpdate } from '../../workflows/contracts/messages.ts';
import type { ActorRef, Resolution } from '../../workflows/contracts/types.ts';
import type { AppContext, Services } from '../context.ts';
import { readPayload } from '../payload.ts';
import { audit } from '../platform/audit.ts';
import { askRun } from './ask-run.ts';
import { actorRef } from '../actor-ref.ts';
import { endLostRun } from './end-lost.ts';
import { MAX_CONTEXT_BYTES } from './open-run.ts';
import { answerRun, findRun, type RunAnswer, type RunRow, visibleTo } from './runs.ts';

/** Ends a run at its next safe point. Admins, and whoever caused it. */
export async function cancelRun(ctx: AppContext, runId: string, reason?: string): Promise<RunAnswer> {
  const row = await findRun(ctx, runId, await visibleTo(ctx));
  if (!ctx.actor.isAdmin && row.started_by?.id !== ctx.actor.id) {
    throw new AppError('FORBIDDEN', 'Only an admin, or who caused the run, may cancel it.');
  }
  requireRunning(row);
  await askToCancel(ctx, row, actorRef(ctx.actor), `cancel-${row.id}`, reason);
  await tell(ctx, 'run.cancel', row);
  return answerRun(ctx, await findRun(ctx, runId));
}

/** The request itself; a run that Temporal does not know is ended in its projection. */
export async function askToCancel(
  ctx: Place,
  row: Pick<RunRow, 'id' | 'workflow_id'>,
  actor: ActorRef,
  updateId: string,
  reason?: string,
): Promise<void> {
  const outcome = await askRun(ctx.services, row.workflow_id, (handle) =>
    handle.executeUpdate(cancelRunUpdate, { args: [{ actor, ...(reason === undefined ? {} : { reason }) }], updateId }),
  );
  if (outcome !== 'gone') return;
  await endLostRun(ctx.services, ctx.app, row.id, { status: 'cancelled', error: null, by: actor.id ?? actor.kind, at: ctx.now });
}

type Place = Pick<AppContext, 'services' | 'app' | 'now'>;

/** Repeats the failed step of a stuck run; what it had done already is not done again. */
export async function retryRun(ctx: AppContext, runId: string, body?: unknown): Promise<RunAnswer> {
  const given = readPayload(retryPayload, body ?? {}, '_workflows/retry');
  requireStorable(given);
  const row = await operated(ctx, runId, 'retry a step');
  requireFailed(row);
  if (given.context !== undefined) {
    const bytes = Buffer.byteLength(JSON.stringify({ ...row.context, ...given.context }));
    if (bytes > MAX_CONTEXT_BYTES) {
      throw new AppError('TOO_LARGE', `With these values the context has ${bytes} bytes; at most ${MAX_CONTEXT_BYTES} are kept.`, {
        hint: 'Pass ids, and read the records in the steps.',
      });
    }
  }
  await resolve(ctx.services, row, { action: 'retry', actor: actorRef(ctx.actor), ...given, mustName: true });
  const edited = { context: Object.keys(given.context ?? {}), actions: Object.keys(given.actions ?? {}) };
  await tell(ctx, 'run.retry', row, { ...namedIn(given), ...edited });
  return answerRun(ctx, await findRun(ctx, runId));
}

/** What the audit says of the step that was named; `step` of others is the run's current one. */
const namedIn = ({ step, strand }: { readonly step?: string | undefined; readonly strand?: string | undefined }): object => ({
  ...(step === undefined ? {} : { step }),
  ...(strand === undefined ? {} : { strand }),
});

/** Goes on behind the failed step of a stuck run. */
export async function skipRun(ctx: AppContext, runId: string, body?: unknown): Promise<RunAnswer> {
  const given = readPayload(skipPayload, body ?? {}, '_workflows/skip');
  requireStorable(given);
  const row = await operated(ctx, runId, 'skip a step');
  requireFailed(row);
  await resolve(ctx.services, row, { action: 'skip', actor: actorRef(ctx.actor), ...given, mustName: true });
  await tell(ctx, 'run.skip', row, { ...namedIn(given) });
  return answerRun(ctx, await findRun(ctx, runId));
}

/** Takes a resting run back to a step it has been at. What it had open is closed, what it did stays done. */
export async function rewindRun(ctx: AppContext, runId: string, body: unknown): Promise<RunAnswer> {
  const given = readPayload(rewindPayload, body, '_workflows/rewind');
  requireStorable(given);
  const row = await operated(ctx, runId, 'take a run back');
  const outcome = await askRun(ctx.services, row.workflow_id, (handle) =>
    handle.executeUpdate(rewindRunUpdate, { args: [{ ...given, actor: actorRef(ctx.actor) }] }),
  );
  if (outcome === 'gone') throw goneInTemporal();
  await tell(ctx, 'run.rewind', row, { from: row.current_step, to: given.to });
  return answerRun(ctx, await findRun(ctx, runId));
}

/** The running run that an admin operates on. */
async function operated(ctx: AppContext, runId: string, what: string): Promise<RunRow> {
  const row = await findRun(ctx, runId, await visibleTo(ctx));
  if (!ctx.actor.isAdmin) throw new AppError('FORBIDDEN', `Only an admin may ${what}.`);
  requireRunning(row);
  return row;
}

/** With an id of the update, asking again is the same request. */
export async function resolve(
  services: Services,
  row: Pick<RunRow, 'workflow_id'>,
  resolution: Resolution,
  updateId?: string,
): Promise<void> {
  const outcome = await askRun(services, row.workflow_id, (handle) =>
    handle.executeUpdate(resolveFailureUpdate, { args: [resolution], ...(updateId === undefined ? {} : { updateId }) }),
  );
  if (outcome === 'gone') throw goneInTemporal();
}

const goneInTemporal = (): AppError =>
  new AppError('INVALID_STATE', 'Temporal does not know this run any more, so it cannot go on.', { hint: 'Cancel it.' });

function requireFailed(row: RunRow): void {
  if (row.error === null) throw new AppError('INVALID_STATE', 'No step of this run has failed.');
}

/** Kept as JSON in Postgres, which takes no NUL. */
function requireStorable(given: unknown): void {
  if (JSON.stringify(given).includes('\\u0000'))
    throw new AppError('INVALID_PAYLOAD', 'A value has the character NUL, which cannot be stored.');
}

/** The audit log names what was edited, not the values. */
const tell = (ctx: AppContext, action: string, row: RunRow, detail: Readonly<Record<string, unknown>> = {}): Promise<void> =>
  audit(ctx.services.pool, ctx.actor, {
    app: ctx.app.id,
    action,
    target: row.id,
    detail: { workflow: row.workflow_name, step: row.current_step, ...detail },
  });

function requireRunning(row: RunRow): void {
  if (row.status !== 'running') throw new AppError('INVALID_STATE', `The run is ${row.status.replaceAll('_', ' ')} already.`);
}
