/** Starts, or starts again, the workflows of every migration that is not at its end. The worker calls it at start and every 10 s. */
import type pg from 'pg';
import { run } from '../../adapters/postgres/run.ts';
import { sql } from '../../core/sql/sql.ts';
import type { Services } from '../context.ts';
import { startContractWorkflow, startMigrationWorkflow } from './run-migration.ts';

interface Row extends pg.QueryResultRow {
  readonly id: string;
  readonly app: string;
  readonly number: number;
  readonly needs_approval: boolean;
  /** Switched and settled: what is left is its contract's. */
  readonly is_in_contract: boolean;
}

/**
 * A publish that died before its start leaves a planned row; a terminated workflow or a lost Temporal database leaves one that
 * nobody works on. Every step asks the catalogue first, so starting again repeats nothing. A contract is missed when its time has
 * passed; until then it only waits.
 */
export async function startPlannedMigrations(services: Services): Promise<number> {
  const rows = await run<Row>(
    services.pool,
    sql`
    select m.id, m.app, m.number, (m.approval->>'needed')::boolean and m.status = 'awaiting_approval' as needs_approval,
           m.grace_until is not null as is_in_contract
    from durabase.migrations m join durabase.apps a on a.id = m.app and a.status in ('provisioning', 'active', 'suspended')
    where m.updated_at < now() - interval '3 seconds' and case
      when m.grace_until is null then m.status in ('planned', 'awaiting_approval', 'running', 'paused', 'ready')
      else m.status = 'ready' and coalesce(m.retention_until, m.grace_until) < now() - interval '1 minute' end
    order by m.updated_at limit 100`,
  );
  if (rows.length === 0) return 0;
  const client = await services.temporal.client();
  let started = 0;
  for (const { id, app, number, needs_approval: needsApproval, is_in_contract: isInContract } of rows) {
    const input = { app, migrationId: id, number };
    try {
      if (isInContract) await startContractWorkflow(client, input);
      else await startMigrationWorkflow(client, { ...input, ...(needsApproval ? { needsApproval } : {}) }, 'ALLOW_DUPLICATE');
      started += 1;
    } catch (error) {
      services.log.warn({ err: error, migration: id }, 'an open migration could not be started; trying again');
    }
  }
  return started;
}
