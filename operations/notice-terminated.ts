/**
 * What was ended by hand in Temporal, and so could tell nobody itself: a run has failed, a delivery is dead, each with the reason; a
 * clock is started again, because it is where the events of its record say, whatever becomes of its workflow.
 */
import type { Client } from '@temporalio/client';
import { execute, run } from '../adapters/postgres/run.ts';
import { isTemporalError } from '../adapters/temporal/errors.ts';
import { id, sql, value, type Sql } from '../core/sql/sql.ts';
import type { AppRuntime, Services } from './context.ts';
import { markWork } from './mark-work.ts';
import { endLostRun } from './processes/end-lost.ts';
import { restartClocks } from './slas/restart-clocks.ts';
import { markDeliveries } from './webhooks/work.ts';

/** Visibility is a moment behind what it tells of. */
const OVERLAP_MS = 120_000;
/** In one pass; the next goes on from there. */
const MAX_LOOKS = 10_000;

/** Which part of what has been closed is to be looked at. */
export interface Period {
  readonly since: Date;
  /** Everything later has been looked at, by passes of which the first began at `began`. */
  readonly before?: Date;
  readonly began?: Date;
}

type Type = 'process' | 'clock' | 'delivery';
type Closed = Record<Type, string[]>;

/** A run notices itself when it is cancelled. */
const CLOSED = `(WorkflowType = "process" and ExecutionStatus in ("Terminated", "TimedOut")
  or WorkflowType in ("clock", "delivery") and ExecutionStatus in ("Terminated", "TimedOut", "Canceled"))`;

/** Looks once, at the newest first; answers what is to be looked at the next time. Looking at one twice is harmless. */
export async function noticeTerminated(services: Services, period: Period, most = MAX_LOOKS): Promise<Period> {
  const began = period.began ?? new Date(Date.now() - OVERLAP_MS);
  const client = await services.temporal.client();
  const until = period.before === undefined ? '' : ` and CloseTime <= "${period.before.toISOString()}"`;
  const query = `${CLOSED} and CloseTime >= "${period.since.toISOString()}"${until}`;
  const found = new Map<string, Closed>();
  let looks = 0;
  let last: Date | undefined;
  for await (const { workflowId, type, closeTime } of client.workflow.list({ query })) {
    const appId = workflowId.split('/')[1] ?? '';
    const closed = found.get(appId) ?? { process: [], clock: [], delivery: [] };
    closed[type as Type].push(workflowId);
    found.set(appId, closed);
    last = closeTime;
    if (++looks >= most) break;
  }
  for (const [appId, closed] of found) {
    const app = await services.registry.byId(appId);
    if (app === undefined) continue;
    await endRuns(services, client, app, closed.process);
    await restart(services, client, app, closed.clock);
    await giveUp(services, client, app, closed.delivery);
  }
  return looks < most || last === undefined ? { since: began } : { since: period.since, before: earlier(last, period.before), began };
}

/** Should more have been closed in one moment than are looked at in a pass, the others of that moment are left out. */
const earlier = (last: Date, before: Date | undefined): Date =>
  before !== undefined && last.getTime() >= before.getTime() ? new Date(before.getTime() - 1) : last;

/** Of these workflows those whose row is open still. */
const openOf = async (services: Services, workflowIds: readonly string[], rows: Sql): Promise<{ id: string; workflow_id: string }[]> =>
  workflowIds.length === 0 ? [] : run(services.pool, sql`${rows} and workflow_id = any(${value(workflowIds, 'text[]')})`);

async function endRuns(services: Services, client: Client, app: AppRuntime, workflowIds: readonly string[]): Promise<void> {
  const rows = sql`select id, workflow_id from ${id(app.storage, '_runs')} where status = 'running'`;
  for (const { id: runId, workflow_id: workflowId } of await openOf(services, workflowIds, rows)) {
    const error = await whyClosed(client, workflowId);
    if (error !== undefined) await endLostRun(services, app, runId, { status: 'failed', error, at: new Date() });
  }
}

async function restart(services: Services, client: Client, app: AppRuntime, workflowIds: readonly string[]): Promise<void> {
  const rows = sql`select id, workflow_id from ${id(app.storage, '_clocks')} where stopped_at is null`;
  const lost: string[] = [];
  for (const { id: clockId, workflow_id: workflowId } of await openOf(services, workflowIds, rows)) {
    if ((await whyClosed(client, workflowId)) !== undefined) lost.push(clockId);
  }
  if (lost.length === 0) return;
  services.log.warn({ app: app.id, clocks: lost.length }, 'clocks whose workflows were ended in Temporal are started again');
  await execute(services.pool, restartClocks(app, sql`c.id = any(${value(lost, 'uuid[]')})`));
  await execute(services.pool, markWork(app, true, false));
}

async function giveUp(services: Services, client: Client, app: AppRuntime, workflowIds: readonly string[]): Promise<void> {
  const events = workflowIds.map((workflowId) => /^[^/]*\/[^/]*\/(\d+)\./.exec(workflowId)?.[1] ?? '0');
  const rows = sql`select * from (
      select id, 'delivery/' || ${value(app.id)} || '/' || event_seq || '.' || webhook || '.' || round as workflow_id
      from ${id(app.storage, '_deliveries')} where event_seq = any(${value(events, 'bigint[]')}) and status = 'retrying'
    ) d where true`;
  for (const { id: deliveryId, workflow_id: workflowId } of await openOf(services, workflowIds, rows)) {
    const reason = await whyClosed(client, workflowId);
    if (reason === undefined) continue;
    await execute(
      services.pool,
      sql`update ${id(app.storage, '_deliveries')} set status = 'dead', reason = ${value(reason)}, leased_until = null, updated_at = now()
          where id = ${value(deliveryId, 'uuid')} and status = 'retrying'`,
    );
    // A later change of its record may have waited for it.
    await execute(services.pool, markDeliveries(app));
  }
}

const WORDS: Readonly<Record<string, string>> = { TERMINATED: 'terminated', TIMED_OUT: 'timed out', CANCELLED: 'cancelled' };

/** Undefined when the last execution under this id is open, or has ended otherwise: then it tells its end itself. */
async function whyClosed(client: Client, workflowId: string): Promise<string | undefined> {
  const handle = client.workflow.getHandle(workflowId);
  const what = WORDS[(await handle.describe()).status.name];
  if (what === undefined) return undefined;
  try {
    await handle.result();
    return undefined;
  } catch (error) {
    const reason = isTemporalError(error, 'WorkflowFailedError') && error.cause instanceof Error ? error.cause.message : '';
    return `Its workflow was ${what} in Temporal${reason === '' ? '.' : `: ${reason}`}`;
  }
}
