/** The work of one migration, as its workflow's activities do it: everything here may run again after a crash at any point. */
import type pg from 'pg';
import { crashPoint } from '../../adapters/crash-points.ts';
import { LockNotTaken, withDdlSession, type DdlSession } from '../../adapters/postgres/ddl-session.ts';
import { execute, run, sqlState } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { appendSchemaEvent } from '../../adapters/schema-events/postgres.ts';
import { classOf, type Change, type Held, type Undone } from '../../core/change/change.ts';
import { plan, type Plan } from '../../core/change/plan.ts';
import { shapeOf } from '../../core/change/shape.ts';
import { PHASES, type Step } from '../../core/change/step.ts';
import { AppError } from '../../core/errors.ts';
import type { SchemaDocument } from '../../core/model/document.ts';
import { EMPTY_DOCUMENT } from '../../core/model/merge.ts';
import { buildModel } from '../../core/model/model.ts';
import { sql, value, type Sql } from '../../core/sql/sql.ts';
import type { Services } from '../context.ts';
import { runBatches, type BatchProgress } from './backfill.ts';
import { openQuarantine } from './quarantine.ts';

export type Progress =
  | { readonly kind: 'ended'; readonly status: 'completed' | 'failed' | 'aborted'; readonly error?: string }
  /** Every step of the phase is done; `next` is another one before the switch that has any. */
  | { readonly kind: 'done'; readonly next?: Step['phase'] }
  /** The next step takes as long as the table is big. */
  | { readonly kind: 'long'; readonly key: string }
  /** Somebody paused it, or called it off. */
  | { readonly kind: 'held'; readonly isCalledOff: boolean };

export interface MigrationRow extends pg.QueryResultRow {
  readonly id: string;
  readonly app: string;
  readonly status: string;
  readonly plan_hash: string;
  readonly from_version: number;
  readonly to_version: number;
  readonly error: string | null;
  readonly switched_event: string | null;
  readonly is_aborting: boolean;
  readonly storage: string;
  readonly schema_name: string;
  readonly served_version: number;
  readonly previous: SchemaDocument | null;
  readonly next: SchemaDocument;
  /** `held` is missing from plans that were made before anything could be dropped. */
  readonly plan: { readonly changes: readonly Change[]; readonly held?: readonly Held[]; readonly undone?: Undone };
}

const ENDED = new Set(['completed', 'failed', 'aborted']);
const BEFORE_SWITCH = new Set<Step['phase']>(['expand', 'backfill', 'verify']);
/** Within a local activity's time; its retry goes on. */
const BRIEF_DEADLINE_MS = 8_000;
const LONG_DEADLINE_MS = 10 * 60_000;

export async function loadMigration(pool: pg.Pool, migration: string): Promise<MigrationRow> {
  const [row] = await run<MigrationRow>(
    pool,
    sql`
    select m.id, m.app, m.status, m.plan_hash, m.from_version, m.to_version, m.error, m.progress->>'event' as switched_event,
           m.progress ? 'aborting' as is_aborting,
           m.plan, a.storage, a.schema_name, a.served_version, p.document as previous, n.document as next
    from durabase.migrations m
    join durabase.apps a on a.id = m.app
    join durabase.schema_versions n on n.schema_name = a.schema_name and n.version = m.to_version
    left join durabase.schema_versions p on p.schema_name = a.schema_name and p.version = m.from_version
    where m.id = ${value(migration, 'uuid')}`,
  );
  if (row === undefined) throw new AppError('NOT_FOUND', 'The migration is not in the catalog.');
  return row;
}

/** The plan as it was recorded, made again. */
export function planOf(row: MigrationRow): Plan {
  const { changes, held, undone } = row.plan;
  const previous = buildModel(row.previous ?? EMPTY_DOCUMENT);
  return plan(changes, {
    previous,
    next: buildModel(row.next),
    storage: row.storage,
    held: held ?? [],
    version: row.to_version,
    ...(undone === undefined ? {} : { undone }),
  });
}

export function ownerUrl(services: Services): string {
  const { databaseOwnerUrl, databaseDirectUrl, databaseUrl } = services.config;
  const url = databaseOwnerUrl ?? databaseDirectUrl ?? databaseUrl;
  if (url === undefined) throw new AppError('INTERNAL_ERROR', 'DATABASE_URL is not set.');
  return url;
}

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
  return withDdlSession(session(services, row, BRIEF_DEADLINE_MS), async (ddl) => {
    for (const step of open) {
      if (step.mode !== 'brief') return { kind: 'long', key: step.key };
      const now = await loadMigration(services.pool, migration);
      if (isHeld(now)) return { kind: 'held', isCalledOff: now.is_aborting };
      if (phase === 'purge' && (await isServedAgain(services.pool, row, step))) await ddl.brief([doneRecord(row, step)]);
      else await applyStep(services, ddl, row, step);
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
    else await withDdlSession({ ...session(services, row, LONG_DEADLINE_MS), onWait }, (ddl) => applyStep(services, ddl, row, step));
  } catch (error) {
    // Called off while it ran: an abort cancels its statement.
    if (!(await loadMigration(services.pool, migration)).is_aborting) throw error;
  } finally {
    clearInterval(beat);
  }
}

const session = (services: Services, row: MigrationRow, deadlineMs: number) => ({
  url: ownerUrl(services),
  app: row.app,
  name: `durabase-ddl/${row.id}`,
  deadlineMs,
});

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

const tellPhase = (client: pg.PoolClient, row: MigrationRow, body: Readonly<Record<string, unknown>>): Promise<number> =>
  appendSchemaEvent(client, {
    type: 'schema.migration.phase',
    app: row.app,
    schemaName: row.schema_name,
    oldVersion: row.from_version,
    newVersion: row.to_version,
    body: { migration_id: row.id, ...body },
  });

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
      onBatch: (now) => (progress = now),
      isCancelled: () => isStopped,
      clientsWait: () => clientsWait,
    });
    if (progress !== undefined) await saveProgress(services.pool, row.id, progress);
  } finally {
    clearInterval(look);
  }
}

/** What the api process says whose clients wait longest. */
async function slowestWrites(pool: pg.Pool): Promise<number | null> {
  const [row] = await run<{ ms: number | null }>(
    pool,
    sql`
    select max(write_ms) as ms from durabase.api_leases
    where renewed_at > now() - make_interval(secs => ${value(LEASE_SECONDS, 'integer')})`,
  );
  return row?.ms ?? null;
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

const isHeld = (row: MigrationRow): boolean => row.status === 'paused' || row.is_aborting;

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
  if (row.switched_event !== null) return { event: Number(row.switched_event), isBreaking };
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
    await execute(
      client,
      sql`update durabase.migrations set status = 'ready', phase = 'switch', updated_at = now() where id = ${value(row.id, 'uuid')}`,
    );
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

const LEASE_SECONDS = 5;
const SLOWEST_PROCESS_MS = 8_000;
/** Half of the time that taking back has; its retry goes on. */
const LAST_EARLY_MS = 4_000;

/** True when every live api process has seen the event; one that stopped renewing answers 503 by itself. */
export async function leasesConfirm(pool: pg.Pool, event: number, waitsMs: number = SLOWEST_PROCESS_MS): Promise<void> {
  const deadline = Date.now() + waitsMs;
  for (let waitMs = 2; ; waitMs = Math.min(waitMs * 2, 100)) {
    const [row] = await run<{ behind: number }>(
      pool,
      sql`
      select count(*)::integer as behind from durabase.api_leases
      where renewed_at > now() - make_interval(secs => ${value(LEASE_SECONDS, 'integer')}) and seen_event < ${value(event, 'bigint')}`,
      { prepared: true },
    );
    if (row?.behind === 0) return;
    if (Date.now() > deadline) throw new AppError('UNAVAILABLE', 'An api process has not confirmed the new version yet.');
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
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
    await withDdlSession(session(services, row, BRIEF_DEADLINE_MS - (Date.now() - startedAt)), (ddl) => undo(ddl, row, steps));
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
