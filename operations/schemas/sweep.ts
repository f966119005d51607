/** Starts, or starts again, the workflow of every migration that is recorded and not at its end. The worker calls it at start and every 10 s. */
import { run } from '../../adapters/postgres/run.ts';
import { sql } from '../../core/sql/sql.ts';
import type { Services } from '../context.ts';
import { startMigrationWorkflow } from './run-migration.ts';

/**
 * A publish that died before its start leaves a planned row; a terminated workflow or a lost Temporal database leaves one that
 * nobody works on. Every step asks the catalogue first, so starting again repeats nothing.
 */
export async function startPlannedMigrations(services: Services): Promise<number> {
  const rows = await run<{ id: string; app: string; number: number }>(
    services.pool,
    sql`
    select id, app, number from durabase.migrations
    where status in ('planned', 'running', 'ready') and updated_at < now() - interval '3 seconds'
    order by updated_at limit 100`,
  );
  if (rows.length === 0) return 0;
  const client = await services.temporal.client();
  let started = 0;
  for (const row of rows) {
    try {
      await startMigrationWorkflow(client, { app: row.app, migrationId: row.id, number: row.number }, 'ALLOW_DUPLICATE');
      started += 1;
    } catch (error) {
      services.log.warn({ err: error, migration: row.id }, 'an open migration could not be started; trying again');
    }
  }
  return started;
}
