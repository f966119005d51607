/** Imports that nobody works on: their workflows were terminated, or Temporal has lost them. The worker calls it with the other sweeps. */
import type { Client } from '@temporalio/client';
import { execute, run } from '../../adapters/postgres/run.ts';
import { isTemporalError } from '../../adapters/temporal/errors.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { AppError } from '../../core/errors.ts';
import { id, sql, value } from '../../core/sql/sql.ts';
import { importWorkflowId } from '../../workflows/contracts/ids.ts';
import type { AppRuntime, Services } from '../context.ts';
import { importsOf, isActive, readImport, type ImportRow } from './import-row.ts';
import { settle, startRound } from './task.ts';

/** A batch takes a second; a start that Temporal is away for is not lost. */
const QUIET = '10 seconds';
const AT_ONCE = 100;

/** Ends those that somebody terminated, and starts a workflow for those whose own is lost. Answers how many were started. */
export async function resumeLostImports(services: Services): Promise<number> {
  const open = await run<{ app: string; import_id: string }>(
    services.pool,
    sql`select app, import_id from durabase.open_imports order by import_id limit ${value(AT_ONCE, 'integer')}`,
  );
  if (open.length === 0) return 0;
  const client = await services.temporal.client();
  let started = 0;
  for (const { app: appId, import_id: importId } of open) {
    const app = await services.registry.byId(appId);
    if (app === undefined) await execute(services.pool, sql`delete from durabase.open_imports where app = ${value(appId)}`);
    else if (await resume(services, client, app, importId)) started += 1;
  }
  return started;
}

async function resume(services: Services, client: Client, app: AppRuntime, importId: string): Promise<boolean> {
  const quiet = await run(
    services.pool,
    sql`select 1 from ${importsOf(app)} where id = ${value(importId, 'uuid')} and updated_at < now() - ${value(QUIET, 'interval')}`,
  );
  const row = quiet.length === 0 ? undefined : await readImport(services.pool, app, importId);
  if (row === undefined || !isActive(row.state)) return false;
  switch (await statusOf(client, importWorkflowId(app.id, importId, row.round))) {
    case 'open':
      return false;
    case 'ended':
      await endTerminated(services, app, row);
      return false;
    case 'unknown':
      return startAgain(services, app, row);
  }
}

async function statusOf(client: Client, workflowId: string): Promise<'open' | 'ended' | 'unknown'> {
  try {
    const { status } = await client.workflow.getHandle(workflowId).describe();
    return status.name === 'RUNNING' || status.name === 'CONTINUED_AS_NEW' || status.name === 'PAUSED' ? 'open' : 'ended';
  } catch (error) {
    if (isTemporalError(error, 'WorkflowNotFoundError')) return 'unknown';
    throw error;
  }
}

const endTerminated = (services: Services, app: AppRuntime, row: ImportRow): Promise<void> =>
  transaction(services.pool, async (client) => {
    const now = await readImport(client, app, row.id, 'update');
    if (now === undefined || now.round !== row.round || !isActive(now.state)) return;
    await settle(client, app, row.id, 'failed', new AppError('CONFLICT', 'Its workflow was terminated in Temporal.'));
  });

/** A start that is still queued will come by itself. */
const startAgain = (services: Services, app: AppRuntime, row: ImportRow): Promise<boolean> =>
  transaction(services.pool, async (client) => {
    const [now] = await run<{ round: number }>(
      client,
      sql`update ${importsOf(app)} set round = round + 1, updated_at = now()
          where id = ${value(row.id, 'uuid')} and round = ${value(row.round, 'integer')} and state = ${value(row.state)}
            and not exists (select from ${id(app.storage, '_starts')} s
              where s.workflow_id = ${value(importWorkflowId(app.id, row.id, row.round))} and s.state = 'pending')
          returning round`,
    );
    if (now === undefined) return false;
    await startRound(client, app, { app: app.id, importId: row.id, round: now.round, entity: row.entity, isRestart: true });
    services.log.warn({ app: app.id, import: row.id }, 'Temporal has lost the workflow of an import; it goes on in another');
    return true;
  });
