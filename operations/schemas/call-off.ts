/** A migration that ends before its switch: what it made is taken back, the newest first. */
import type pg from 'pg';
import { withDdlSession, type DdlSession } from '../../adapters/postgres/ddl-session.ts';
import { execute, run } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { appendSchemaEvent } from '../../adapters/schema-events/postgres.ts';
import type { Step } from '../../core/change/step.ts';
import { sql, value } from '../../core/sql/sql.ts';
import type { Services } from '../context.ts';
import { leasesConfirm } from './api-leases.ts';
import {
  BEFORE_SWITCH,
  BRIEF_DEADLINE_MS,
  ENDED,
  loadMigration,
  planOf,
  ddlSession,
  tellPhase,
  type MigrationRow,
} from './migration-row.ts';

/** Half of the time that taking back has; its retry goes on. */
const LAST_EARLY_MS = 4_000;

/** Takes back what expand did, newest first, then says why. The version stays in the registry, unserved. */
export async function failMigration(
  services: Services,
  migration: string,
  reason: string,
  ended: 'failed' | 'aborted' = 'failed',
): Promise<void> {
  const row = await loadMigration(services.pool, migration);
  if (ENDED.has(row.status) || row.switched_event !== null) return;
  const steps = planOf(row)
    .steps.filter((step) => BEFORE_SWITCH.has(step.phase) && step.undo.length > 0)
    .reverse();
  if (steps.length > 0 && row.status !== 'planned' && row.status !== 'awaiting_approval') {
    const startedAt = Date.now();
    await endEarlyShape(services.pool, row);
    await withDdlSession(ddlSession(services, row, BRIEF_DEADLINE_MS - (Date.now() - startedAt)), (ddl) => undo(ddl, row, steps));
  }
  await transaction(services.pool, async (client) => {
    const changed = await execute(
      client,
      sql`
      update durabase.migrations set status = ${value(ended)}, error = ${value(reason)}, updated_at = now()
      where id = ${value(migration, 'uuid')} and status in ('planned', 'awaiting_approval', 'running', 'paused')`,
    );
    if (changed === 0) return;
    await appendSchemaEvent(client, {
      type: `schema.migration.${ended}`,
      app: row.app,
      schemaName: row.schema_name,
      oldVersion: row.from_version,
      newVersion: row.to_version,
      body: { migration_id: row.id, error: reason },
    });
  });
}

/** Columns do not go while a client may be served by them: first every api process serves the new shape no more. */
async function endEarlyShape(pool: pg.Pool, row: MigrationRow): Promise<void> {
  const event = await transaction(pool, async (client) => {
    const [now] = await run<{ phase: string; event: string | null }>(
      client,
      sql`select phase, progress->>'called_off' as event from durabase.migrations where id = ${value(row.id, 'uuid')} for update`,
    );
    if (now?.phase !== 'backfill' && now?.phase !== 'verify') return undefined;
    if (now.event !== null) return Number(now.event);
    await execute(
      client,
      sql`update durabase.migrations set progress = progress || '{"aborting": true}' where id = ${value(row.id, 'uuid')}`,
    );
    const number = await tellPhase(client, row, { phase: now.phase, is_taken_back: true });
    await execute(
      client,
      sql`
      update durabase.migrations set progress = progress || jsonb_build_object('called_off', ${value(number, 'bigint')})
      where id = ${value(row.id, 'uuid')}`,
    );
    return number;
  });
  if (event !== undefined) await leasesConfirm(pool, event, LAST_EARLY_MS);
}

async function undo(ddl: DdlSession, row: MigrationRow, steps: readonly Step[]): Promise<void> {
  const known = await ddl.ask<{ key: string }>(sql`select key from durabase.migration_steps where migration = ${value(row.id, 'uuid')}`);
  const recorded = new Set(known.map((step) => step.key));
  for (const step of steps) {
    // A step the plan of today knows and the recorded plan did not was never this migration's work.
    if (!recorded.has(step.key)) continue;
    if (step.mode === 'long') for (const statement of step.undo) await ddl.alone(statement);
    else await ddl.brief(step.undo, { storage: row.storage, table: step.table });
  }
}
