/** The moment in which the new version becomes the served one, and the end of a migration. */
import type pg from 'pg';
import { crashPoint } from '../../adapters/crash-points.ts';
import { execute, run } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { appendSchemaEvent } from '../../adapters/schema-events/postgres.ts';
import { classOf, type Undone } from '../../core/change/change.ts';
import { AppError } from '../../core/errors.ts';
import { buildModel } from '../../core/model/model.ts';
import { sql, value } from '../../core/sql/sql.ts';
import type { Services } from '../context.ts';
import { renameEnded, renameWork } from '../records/rename-records.ts';
import { markDeliveries } from '../webhooks/work.ts';
import { isHeld, loadMigration, tellPhase, type MigrationRow } from './migration-row.ts';
import { openQuarantine } from './quarantine.ts';

export interface Switched {
  /** Null: it was paused or called off in the last moment. */
  readonly event: number | null;
  /** Both shapes are served for a while. */
  readonly isBreaking: boolean;
  /** With a null event: it does not go on. */
  readonly isCalledOff?: boolean;
}

/** The new version becomes the served one. Answers the event every api process must have seen. */
export async function switchVersion(services: Services, migration: string): Promise<Switched> {
  const row = await loadMigration(services.pool, migration);
  const isBreaking = classOf(row.plan.changes) === 'breaking';
  const next = { id: row.app, schemaName: row.schema_name, storage: row.storage, version: row.to_version, model: buildModel(row.next) };
  if (row.switched_event !== null) {
    await renameEnded(services.pool, next, row.plan.changes);
    return { event: Number(row.switched_event), isBreaking };
  }
  if (isHeld(row)) return { event: null, isBreaking, isCalledOff: row.is_aborting };
  crashPoint('migration.before_switch');
  const event = await transaction(services.pool, async (client) => {
    const [app] = await run<{ served_version: number }>(
      client,
      sql`select served_version from durabase.apps where id = ${value(row.app)} for update`,
    );
    const [current] = await run<{ status: string; event: string | null; is_aborting: boolean }>(
      client,
      sql`
      select status, progress->>'event' as event, progress ? 'aborting' as is_aborting from durabase.migrations where id = ${value(row.id, 'uuid')} for update`,
    );
    if (current?.event !== null && current?.event !== undefined) return Number(current.event);
    if (current?.status === 'paused' || current?.is_aborting === true) return null;
    if (await isStoppedByValues(client, row)) return null;
    if (current?.status !== 'running' || app?.served_version !== row.from_version) {
      throw new AppError('CONFLICT', `The app moved to another version while this migration ran.`);
    }
    if (row.plan.undone !== undefined) await takeOver(client, row, row.plan.undone);
    await execute(
      client,
      sql`update durabase.apps set served_version = ${value(row.to_version, 'integer')}, updated_at = now() where id = ${value(row.app)}`,
    );
    await renameWork(client, next, row);
    await execute(
      client,
      sql`update durabase.migrations set status = 'ready', phase = 'switch', updated_at = now() where id = ${value(row.id, 'uuid')}`,
    );
    // What waits for a webhook that is gone is ended now, not when its endpoint's pause is over.
    await execute(client, markDeliveries({ id: row.app }));
    const number = await appendSchemaEvent(client, {
      type: isBreaking ? 'schema.migration.phase' : 'schema.migration.completed',
      app: row.app,
      schemaName: row.schema_name,
      oldVersion: row.from_version,
      newVersion: row.to_version,
      body: { migration_id: row.id, ...(isBreaking ? { phase: 'switch' } : {}) },
    });
    await execute(
      client,
      sql`
      update durabase.migrations set progress = progress || jsonb_build_object('event', ${value(number, 'bigint')})
      where id = ${value(row.id, 'uuid')}`,
    );
    return number;
  });
  crashPoint('migration.after_switch');
  if (event !== null) await renameEnded(services.pool, next, row.plan.changes);
  return { event, isBreaking };
}

/** The migration that is taken back ends here; what it made in the database is this one's from now on. */
async function takeOver(client: pg.PoolClient, row: MigrationRow, { migration }: Undone): Promise<void> {
  const changed = await execute(
    client,
    sql`
    update durabase.migrations set status = 'aborted', error = ${value(`Taken back by version ${row.to_version}.`)}, updated_at = now()
    where id = ${value(migration, 'uuid')} and status = 'ready' and grace_ended_at is null`,
  );
  if (changed === 0) throw new AppError('CONFLICT', 'The grace of the migration that was to be taken back ended meanwhile.');
  await appendSchemaEvent(client, {
    type: 'schema.migration.aborted',
    app: row.app,
    schemaName: row.schema_name,
    body: { migration_id: migration, taken_back_by: row.id },
  });
}

/** Values that fit the new shape nowhere wait for a person: the migration pauses itself until it is told to go on. */
async function isStoppedByValues(client: pg.PoolClient, row: MigrationRow): Promise<boolean> {
  if (row.plan.changes.every((change) => change.conversion === undefined)) return false;
  const open = await openQuarantine(client, row.storage, row.id);
  if (open === 0) return false;
  await execute(
    client,
    sql`
    update durabase.migrations set status = 'paused', updated_at = now(),
      waiting_for = ${value(`the repair of ${open} quarantined value${open === 1 ? '' : 's'}, then resume`)}
    where id = ${value(row.id, 'uuid')}`,
  );
  await tellPhase(client, row, { phase: 'verify', quarantined: open });
  return true;
}

export async function completeMigration(services: Services, migration: string): Promise<void> {
  await transaction(services.pool, async (client) => {
    const [row] = await run<{ app: string; from_version: number; to_version: number; had_grace: boolean }>(
      client,
      sql`
      update durabase.migrations set status = 'completed', phase = 'done', waiting_for = null, updated_at = now()
      where id = ${value(migration, 'uuid')} and status = 'ready' returning app, from_version, to_version, grace_ended_at is not null as had_grace`,
    );
    if (row === undefined) return;
    await appendSchemaEvent(client, {
      type: row.had_grace ? 'schema.migration.completed' : 'schema.migration.phase',
      app: row.app,
      oldVersion: row.from_version,
      newVersion: row.to_version,
      body: { migration_id: migration, phase: 'done' },
    });
  });
}
