/** The work of one migration, as its workflow's activities do it: everything here may run again after a crash at any point. */
import type pg from 'pg';
import { crashPoint } from '../../adapters/crash-points.ts';
import { LockNotTaken, withDdlSession, type DdlSession } from '../../adapters/postgres/ddl-session.ts';
import { execute, run, sqlState } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { appendSchemaEvent } from '../../adapters/schema-events/postgres.ts';
import { shapeOf } from '../../core/change/shape.ts';
import { PHASES, type Step } from '../../core/change/step.ts';
import { AppError } from '../../core/errors.ts';
import type { SchemaDocument } from '../../core/model/document.ts';
import { buildModel } from '../../core/model/model.ts';
import { sql, value, type Sql } from '../../core/sql/sql.ts';
import type { Services } from '../context.ts';
import { slowestWrites } from './api-leases.ts';
import { LockWaits } from './lock-waits.ts';
import { runBatches, type BatchProgress } from './backfill.ts';
import {
  BEFORE_SWITCH,
  BRIEF_DEADLINE_MS,
  ENDED,
  isHeld,
  loadMigration,
  planOf,
  ownerUrl,
  ddlSession,
  tellPhase,
  type MigrationRow,
} from './migration-row.ts';

export type Progress =
  | { readonly kind: 'ended'; readonly status: 'completed' | 'failed' | 'aborted'; readonly error?: string }
  /** Every step of the phase is done; `next` is another one before the switch that has any. */
  | { readonly kind: 'done'; readonly next?: Step['phase'] }
  /** The next step takes as long as the table is big. */
  | { readonly kind: 'long'; readonly key: string }
  /** Somebody paused it, or called it off. */
  | { readonly kind: 'held'; readonly isCalledOff: boolean };

const LONG_DEADLINE_MS = 10 * 60_000;

/** Does the brief steps of a phase up to the first long one. */
export async function applyBrief(services: Services, migration: string, phase: Step['phase']): Promise<Progress> {
  const row = await begin(services, await loadMigration(services.pool, migration));
  if (ENDED.has(row.status)) {
    return { kind: 'ended', status: row.status as 'completed' | 'failed' | 'aborted', ...(row.error === null ? {} : { error: row.error }) };
  }
  await showPhase(services.pool, row, phase);
  const recorded = await recordedSteps(services.pool, migration);
  if (isHeld(row)) return { kind: 'held', isCalledOff: row.is_aborting };
  const { steps } = planOf(row);
  const ended: Progress = { kind: 'done', ...nextBeforeSwitch(steps, phase) };
  const open = steps.filter((step) => step.phase === phase && recorded.get(step.key) === false);
  const first = open[0];
  if (first === undefined) return ended;
  if (first.mode !== 'brief') return { kind: 'long', key: first.key };
  const waits = new LockWaits(services, migration);
  let current = first.key;
  const session = { ...ddlSession(services, row, BRIEF_DEADLINE_MS), onBusy: () => waits.tried(current) };
  return withDdlSession(session, async (ddl) => {
    for (const step of open) {
      current = step.key;
      if (step.mode !== 'brief') return { kind: 'long', key: step.key };
      const now = await loadMigration(services.pool, migration);
      if (isHeld(now)) return { kind: 'held', isCalledOff: now.is_aborting };
      if (phase === 'purge' && (await isServedAgain(services.pool, row, step))) await ddl.brief([doneRecord(row, step)]);
      else await applyStep(services, ddl, row, step);
      await waits.over();
    }
    return ended;
  });
}

/** One long step: a concurrent index or a validation. `onWait` is the activity's heartbeat. */
export async function applyLong(services: Services, migration: string, key: string, onWait: () => void): Promise<void> {
  const row = await loadMigration(services.pool, migration);
  if (ENDED.has(row.status) || isHeld(row)) return;
  const step = planOf(row).steps.find((candidate) => candidate.key === key);
  if (step === undefined) return;
  const beat = setInterval(onWait, 1_000);
  try {
    if (step.mode === 'batch') await fillRows(services, row, step);
    else await withDdlSession({ ...ddlSession(services, row, LONG_DEADLINE_MS), onWait }, (ddl) => applyStep(services, ddl, row, step));
  } catch (error) {
    // Called off while it ran: an abort cancels its statement.
    if (!(await loadMigration(services.pool, migration)).is_aborting) throw error;
  } finally {
    clearInterval(beat);
  }
}

/** planned → running, once, with its event. */
async function begin(services: Services, row: MigrationRow): Promise<MigrationRow> {
  if (row.status !== 'planned') return row;
  await transaction(services.pool, async (client) => {
    const changed = await execute(
      client,
      sql`
      update durabase.migrations set status = 'running', updated_at = now() where id = ${value(row.id, 'uuid')} and status = 'planned'`,
    );
    if (changed === 0) return;
    await appendSchemaEvent(client, {
      type: 'schema.migration.started',
      app: row.app,
      schemaName: row.schema_name,
      oldVersion: row.from_version,
      newVersion: row.to_version,
      body: { migration_id: row.id, phase: 'expand' },
    });
  });
  return loadMigration(services.pool, row.id);
}

/** Whether each is done. A step the plan of today knows and the recorded plan did not is not this migration's work. */
async function recordedSteps(pool: pg.Pool, migration: string): Promise<ReadonlyMap<string, boolean>> {
  const rows = await run<{ key: string; is_done: boolean }>(
    pool,
    sql`select key, state = 'done' as is_done from durabase.migration_steps where migration = ${value(migration, 'uuid')}`,
  );
  return new Map(rows.map((row) => [row.key, row.is_done]));
}

/**
 * Before the switch the row says which phase it is in; afterwards its phases are those of the contract. By the event api processes
 * learn that expand is done: from then on they serve the new shape as well.
 */
async function showPhase(pool: pg.Pool, row: MigrationRow, phase: Step['phase']): Promise<void> {
  if (!BEFORE_SWITCH.has(phase) || phase === 'expand') return;
  await transaction(pool, async (client) => {
    const changed = await execute(
      client,
      sql`update durabase.migrations set phase = ${value(phase)} where id = ${value(row.id, 'uuid')} and phase <> ${value(phase)}`,
    );
    if (changed > 0) await tellPhase(client, row, { phase });
  });
}

function nextBeforeSwitch(steps: readonly Step[], phase: Step['phase']): { next?: Step['phase'] } {
  const later = PHASES.slice(PHASES.indexOf(phase) + 1).filter((one) => BEFORE_SWITCH.has(one));
  const next = later.find((one) => steps.some((step) => step.phase === one));
  return next === undefined ? {} : { next };
}

/** How often a backfill writes down how far it is, and asks whether it is still wanted. */
const LOOK_MS = 1_000;

async function fillRows(services: Services, row: MigrationRow, step: Step): Promise<void> {
  let isStopped = false;
  let progress: BatchProgress | undefined;
  let clientsWait = await slowestWrites(services.pool);
  const waits = new LockWaits(services, row.id);
  const look = setInterval(() => {
    const written = progress === undefined ? undefined : saveProgress(services.pool, row.id, progress);
    const asked = loadMigration(services.pool, row.id).then((now) => (isStopped = isHeld(now) || ENDED.has(now.status)));
    const felt = slowestWrites(services.pool).then((ms) => (clientsWait = ms));
    void Promise.all([written, asked, felt]).catch((error: unknown) =>
      services.log.warn({ err: error }, 'a backfill could not look up its migration'),
    );
  }, LOOK_MS);
  try {
    await runBatches({
      url: ownerUrl(services),
      migrationId: row.id,
      step,
      onBatch(now) {
        progress = now;
        void waits.over();
      },
      onBusy: () => waits.tried(step.key),
      isCancelled: () => isStopped,
      clientsWait: () => clientsWait,
    });
    if (progress !== undefined) await saveProgress(services.pool, row.id, progress);
  } finally {
    clearInterval(look);
    await waits.over();
  }
}

const saveProgress = (pool: pg.Pool, migration: string, progress: BatchProgress): Promise<number> =>
  execute(
    pool,
    sql`
    update durabase.migrations set progress = progress || jsonb_build_object('backfill', ${value(JSON.stringify(progress), 'jsonb')}), updated_at = now()
    where id = ${value(migration, 'uuid')}`,
  );

const doneRecord = (row: MigrationRow, step: Step): Sql => sql`
    update durabase.migration_steps set state = 'done', finished_at = now()
    where migration = ${value(row.id, 'uuid')} and key = ${value(step.key)}`;

/** What was dropped and is served again, by a rollback (under way, too) or in a shape that is in grace, is not taken away; nor what triggers of another migration write to. */
async function isServedAgain(pool: pg.Pool, row: MigrationRow, { removes }: Step): Promise<boolean> {
  if (removes === undefined) return false;
  const documents = await run<{ document: SchemaDocument }>(
    pool,
    sql`
    select v.document from durabase.apps a join durabase.schema_versions v on v.schema_name = a.schema_name
    where a.id = ${value(row.app)} and (v.version = a.served_version or v.version in (
      select m.from_version from durabase.migrations m
      where m.app = a.id and m.status = 'ready' and m.grace_ended_at is null) or v.version in (
      select m.to_version from durabase.migrations m
      where m.app = a.id and m.id <> ${value(row.id, 'uuid')}
        and (m.status in ('planned', 'awaiting_approval', 'running', 'paused') or m.status = 'ready' and m.grace_ended_at is null)))`,
  );
  return documents.some(({ document }) => {
    const table = shapeOf(buildModel(document)).tables.get(removes.table);
    return table !== undefined && (removes.column === undefined || table.columns.has(removes.column));
  });
}

async function applyStep(services: Services, ddl: DdlSession, row: MigrationRow, step: Step): Promise<void> {
  crashPoint('migration.before_step');
  const record = doneRecord(row, step);
  const [answer] = await ddl.ask<{ done: boolean }>(sql`select ${step.isDone} as done`);
  try {
    if (answer?.done === true) await ddl.brief([record]);
    else if (step.mode === 'brief') await ddl.brief([...step.statements, record], { storage: row.storage, table: step.table });
    else {
      for (const statement of step.statements) await ddl.alone(statement);
      await ddl.brief([record]);
    }
  } catch (error) {
    if (step.isOptional === true && isRefusedByData(error)) {
      services.log.warn(
        { migration: row.id, step: step.key },
        'stored records refuse a step that follows the switch; the engine checks it on write',
      );
      return ddl.brief([record]);
    }
    throw explain(error, step);
  }
  crashPoint('migration.after_step');
}

const isRefusedByData = (error: unknown): boolean => ['23502', '23503', '23505', '23514'].includes(sqlState(error) ?? '');

/** What the data did since the plan's checks, in words; a lock that is not free stays a passing trouble. */
function explain(error: unknown, step: Step): unknown {
  if (isRefusedByData(error)) {
    return new AppError(
      'CONFLICT',
      `The records of "${step.table}" changed while the migration ran and do not fit the new definition (${step.key}).`,
      {
        hint: 'Publish again: the check names what is in the way.',
      },
    );
  }
  if (error instanceof LockNotTaken) return new AppError('UNAVAILABLE', `The table "${step.table}" is busy.`);
  return error;
}
