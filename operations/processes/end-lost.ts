/** The end of a run that cannot end itself any more, because Temporal has no open workflow of it: its projection is all there is to end. */
import type { Client } from '@temporalio/client';
import { execute, run, type Db } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { isTemporalError } from '../../adapters/temporal/errors.ts';
import { id, sql, value } from '../../core/sql/sql.ts';
import { childEndedSignalId } from '../../workflows/contracts/ids.ts';
import { childEndedSignal } from '../../workflows/contracts/messages.ts';
import type { ChildOutcome, SignalInput } from '../../workflows/contracts/types.ts';
import type { AppRuntime, Services } from '../context.ts';
import { queueStarts } from '../starts.ts';

export interface LostEnd {
  readonly status: 'failed' | 'cancelled';
  readonly error: string | null;
  /** Who ended it. */
  readonly by?: string;
  readonly at: Date;
}

/** Ends a run that is shown as running; what it had open is closed, and the run that waits for it is told. */
export async function endLostRun(services: Services, app: AppRuntime, runId: string, { status, error, by, at }: LostEnd): Promise<void> {
  const entry = { status, ...(by === undefined ? {} : { by }), ...(error === null ? {} : { error }), at: at.toISOString() };
  await transaction(services.pool, async (client) => {
    const [ended] = await run<EndedRun>(
      client,
      sql`
      update ${id(app.storage, '_runs')} r set status = ${value(status)}, error = ${value(error)}, current_step_deadline = null, updated_at = now(),
        history = r.history || jsonb_build_array(jsonb_build_object('step', coalesce(r.current_step, '')) || ${value(JSON.stringify(entry), 'jsonb')})
      where r.id = ${value(runId, 'uuid')} and r.status = 'running'
      returning r.workflow_id, r.context, (select p.workflow_id from ${id(app.storage, '_runs')} p where p.id = r.parent_run) as parent`,
    );
    if (ended === undefined) return;
    await execute(
      client,
      sql`update ${id(app.storage, '_tasks')} set state = 'cancelled', decided_at = now() where run_id = ${value(runId, 'uuid')} and state = 'pending'`,
    );
    await execute(client, sql`delete from ${id(app.storage, '_waits')} where run_id = ${value(runId, 'uuid')}`);
    if (ended.parent !== null) await tellParent(client, app, { runId, ended, parent: ended.parent, outcome: { status, error } });
  });
}

interface EndedRun {
  readonly workflow_id: string;
  readonly context: ChildOutcome['context'];
  readonly parent: string | null;
}

interface Telling {
  readonly runId: string;
  readonly ended: EndedRun;
  readonly parent: string;
  readonly outcome: Omit<ChildOutcome, 'context'>;
}

/** What the run's workflow would have said itself. The parent may have heard it already, and ignores a repetition. */
async function tellParent(db: Db, app: AppRuntime, { runId, ended, parent, outcome }: Telling): Promise<void> {
  const input: SignalInput = {
    app: app.id,
    workflowId: parent,
    signal: childEndedSignal.name,
    args: [{ workflowId: ended.workflow_id, outcome: { ...outcome, context: ended.context } }],
  };
  await queueStarts(db, app, [{ workflow_id: childEndedSignalId(app.id, runId), kind: 'signal', input }]);
}

/** Visibility is a moment behind what it tells of. */
const OVERLAP_MS = 120_000;
/** Of what was terminated, no more are looked at in one pass. */
const MAX_LOOKS = 10_000;

/**
 * Ends the runs whose workflows were terminated in Temporal since `since`, which themselves could tell nobody. Answers from when on to
 * look the next time; looking at one twice is harmless.
 */
export async function noticeTerminatedRuns(services: Services, since: Date): Promise<Date> {
  const from = new Date(Date.now() - OVERLAP_MS);
  const client = await services.temporal.client();
  const query = `WorkflowType = "process" and ExecutionStatus in ("Terminated", "TimedOut") and CloseTime >= "${since.toISOString()}"`;
  const found = new Map<string, Set<string>>();
  let looks = 0;
  for await (const { workflowId } of client.workflow.list({ query })) {
    const appId = workflowId.split('/')[1] ?? '';
    found.set(appId, (found.get(appId) ?? new Set()).add(workflowId));
    if (++looks >= MAX_LOOKS) break;
  }
  for (const [appId, workflowIds] of found) {
    const app = await services.registry.byId(appId);
    if (app !== undefined) await endTerminated(services, client, app, [...workflowIds]);
  }
  return from;
}

async function endTerminated(services: Services, client: Client, app: AppRuntime, workflowIds: readonly string[]): Promise<void> {
  const open = await run<{ id: string; workflow_id: string }>(
    services.pool,
    sql`select id, workflow_id from ${id(app.storage, '_runs')} where workflow_id = any(${value(workflowIds, 'text[]')}) and status = 'running'`,
  );
  for (const { id: runId, workflow_id: workflowId } of open) {
    const error = await whyClosed(client, workflowId);
    if (error !== undefined) await endLostRun(services, app, runId, { status: 'failed', error, at: new Date() });
  }
}

/** Undefined when the last execution under this id is open, or has ended otherwise: then the run tells its end itself. */
async function whyClosed(client: Client, workflowId: string): Promise<string | undefined> {
  const handle = client.workflow.getHandle(workflowId);
  const { status } = await handle.describe();
  if (status.name !== 'TERMINATED' && status.name !== 'TIMED_OUT') return undefined;
  const what = status.name === 'TERMINATED' ? 'terminated' : 'timed out';
  try {
    await handle.result();
    return undefined;
  } catch (error) {
    const reason = isTemporalError(error, 'WorkflowFailedError') && error.cause instanceof Error ? error.cause.message : '';
    return `Its workflow was ${what} in Temporal${reason === '' ? '.' : `: ${reason}`}`;
  }
}
