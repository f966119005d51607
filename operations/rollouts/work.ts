/** The work of one rollout, as its workflow's activities do it: everything here may run again after a crash at any point. */
import type pg from 'pg';
import { crashPoint } from '../../adapters/crash-points.ts';
import { execute, run, sqlState, type Db } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { appendSchemaEvent } from '../../adapters/schema-events/postgres.ts';
import { AppError, isAppError } from '../../core/errors.ts';
import { join, sql, value, type Sql } from '../../core/sql/sql.ts';
import type {
  RolloutAppStatus,
  RolloutCounts,
  RolloutFacts,
  RolloutRequest,
  RolloutState,
  SchemaMigrationInput,
} from '../../workflows/contracts/types.ts';
import { systemActor, type Actor, type Services } from '../context.ts';
import { recordMove } from '../schemas/move.ts';
import { refusePinned, type Served } from '../schemas/prepare.ts';

interface RolloutRow extends pg.QueryResultRow {
  readonly id: string;
  readonly schema: string;
  readonly version: number;
  readonly status: RolloutState['status'];
  readonly rings: RolloutFacts['rings'];
  readonly ring: number;
  readonly max_failures: number;
  readonly parallel: number;
  readonly accepted: number;
  readonly bake_until: Date | null;
  readonly error: string | null;
  readonly revision: number;
  readonly created_by: { readonly kind: Actor['kind']; readonly id: string | null; readonly email: string | null; readonly key?: string };
}

export async function loadRollout(db: Db, rollout: string): Promise<RolloutRow> {
  const [row] = await run<RolloutRow>(
    db,
    sql`
    select id, schema_name as schema, version, status, rings, ring, max_failures, parallel, accepted, bake_until, error, revision, created_by
    from durabase.rollouts where id = ${value(rollout, 'uuid')}`,
  );
  if (row === undefined) throw new AppError('NOT_FOUND', 'The rollout is not in the catalog.');
  return row;
}

/** Where a run begins, its first or the next: what Postgres says is all there is to know. */
export async function openRollout(services: Services, rollout: string): Promise<{ facts: RolloutFacts; state: RolloutState }> {
  const row = await loadRollout(services.pool, rollout);
  const { schema, version, rings, parallel, ring, accepted, error, revision, status } = row;
  return {
    facts: { schema, version, rings, parallel, maxFailures: row.max_failures },
    state: { status, ring, accepted, error, revision, bakeUntil: row.bake_until?.toISOString() ?? null },
  };
}

/** Stores the workflow's state, and in the same transaction what a request does to apps that are not under way. */
export async function saveRollout(services: Services, rollout: string, state: RolloutState, request?: RolloutRequest): Promise<void> {
  try {
    await transaction(services.pool, (client) => save(client, rollout, state, request));
  } catch (error) {
    if (sqlState(error) !== '23505') throw error;
    throw new AppError('CONFLICT', 'Another rollout of this schema is open.', {
      hint: 'GET /api/_platform/rollouts lists it; end it first.',
    });
  }
}

async function save(client: pg.PoolClient, rollout: string, state: RolloutState, request?: RolloutRequest): Promise<void> {
  const [before] = await run<{ status: string; schema_name: string; version: number }>(
    client,
    sql`select status, schema_name, version from durabase.rollouts where id = ${value(rollout, 'uuid')} for update`,
  );
  if (before === undefined) throw new AppError('NOT_FOUND', 'The rollout is not in the catalog.');
  if (request !== undefined) await applyRequest(client, rollout, request);
  const isEnded = ['completed', 'aborted', 'rolled_back'].includes(state.status);
  const changed = await execute(
    client,
    sql`
      update durabase.rollouts set status = ${value(state.status)}, ring = ${value(state.ring, 'integer')}, error = ${value(state.error, 'text')},
        accepted = ${value(state.accepted, 'integer')}, bake_until = ${value(state.bakeUntil, 'timestamptz')},
        revision = ${value(state.revision, 'integer')}, updated_at = now(), ended_at = case when ${value(isEnded, 'boolean')} then now() end
      where id = ${value(rollout, 'uuid')} and revision < ${value(state.revision, 'integer')}`,
  );
  if (changed === 0 || before.status === state.status) return;
  await appendSchemaEvent(client, {
    type: 'schema.rollout',
    app: null,
    schemaName: before.schema_name,
    newVersion: before.version,
    body: { rollout_id: rollout, status: state.status, ...(state.error === null ? {} : { error: state.error }) },
  });
}

async function applyRequest(client: pg.PoolClient, rollout: string, { verb, app }: RolloutRequest): Promise<void> {
  if (verb === 'rollback' && app !== undefined) return askBack(client, rollout, app);
  if (verb === 'abort' || verb === 'rollback') {
    const reason = `The rollout was ${verb === 'abort' ? 'aborted' : 'rolled back'} before its turn.`;
    await execute(
      client,
      sql`
      update durabase.rollout_apps set status = 'skipped', error = ${value(reason)}, ended_at = now()
      where rollout = ${value(rollout, 'uuid')} and status = 'pending'`,
    );
  }
  if (verb === 'rollback') {
    await execute(client, sql`${BACK} where rollout = ${value(rollout, 'uuid')} and status in ('moved', 'unhealthy', 'rollback_failed')`);
  }
}

const BACK = sql`update durabase.rollout_apps set status = 'rollback_pending', error = null, blocked_since = null, ended_at = null`;

async function askBack(client: pg.PoolClient, rollout: string, app: string): Promise<void> {
  const [row] = await run<{ status: RolloutAppStatus }>(
    client,
    sql`select status from durabase.rollout_apps where rollout = ${value(rollout, 'uuid')} and app = ${value(app)} for update`,
  );
  if (row === undefined) throw new AppError('NOT_FOUND', 'The app is not in this rollout.');
  if (row.status === 'rollback_pending' || row.status === 'rolling_back' || row.status === 'rolled_back') return;
  if (!['moved', 'unhealthy', 'rollback_failed'].includes(row.status)) {
    throw new AppError('INVALID_STATE', `The app is ${row.status} in this rollout: there is nothing to move back.`);
  }
  await execute(client, sql`${BACK} where rollout = ${value(rollout, 'uuid')} and app = ${value(app)}`);
}

export async function countApps(db: Db, rollout: string, ring: number): Promise<RolloutCounts> {
  const rows = await run<{ status: RolloutAppStatus; total: number; here: number }>(
    db,
    sql`
    select status, count(*)::integer as total, (count(*) filter (where ring = ${value(ring, 'integer')}))::integer as here
    from durabase.rollout_apps where rollout = ${value(rollout, 'uuid')} group by status`,
  );
  const named = (pick: (row: { total: number; here: number }) => number): RolloutCounts['apps'] =>
    Object.fromEntries(rows.filter((row) => pick(row) > 0).map((row) => [row.status, pick(row)]));
  return { apps: named((row) => row.total), ring: named((row) => row.here) };
}

export interface BeginInput {
  readonly rolloutId: string;
  readonly ring: number;
  /** False while only apps on their way back may begin. */
  readonly isForward: boolean;
  /** The workflow's time. */
  readonly now: string;
}

export interface Begun {
  /** Planned migrations nobody has started yet. */
  readonly migrations: readonly SchemaMigrationInput[];
  readonly counts: RolloutCounts;
}

interface AppRow extends pg.QueryResultRow {
  readonly id: string;
  readonly name: string;
  readonly schemaName: string;
  readonly storage: string;
  readonly app_status: string;
  readonly status: 'pending' | 'rollback_pending';
  readonly from_version: number | null;
  readonly blocked_since: Date | null;
}

const UNDER_WAY = sql`('moving', 'rolling_back')`;

/** Plans the migrations of as many apps as may be under way at once. What cannot move is settled at once. */
export async function beginMoves(services: Services, input: BeginInput): Promise<Begun> {
  const rollout = await loadRollout(services.pool, input.rolloutId);
  const id = value(rollout.id, 'uuid');
  const apps = await run<AppRow>(
    services.pool,
    sql`
    select p.id, p.name, p.schema_name as "schemaName", p.storage, p.status as app_status, a.status, a.from_version, a.blocked_since
    from durabase.rollout_apps a join durabase.apps p on p.id = a.app
    where a.rollout = ${id} and (a.status = 'rollback_pending'
      or ${value(input.isForward, 'boolean')} and a.status = 'pending' and a.ring = ${value(input.ring, 'integer')})
    order by a.blocked_since nulls first, a.position
    limit greatest(0, ${value(rollout.parallel, 'integer')} - (select count(*) from durabase.rollout_apps
      where rollout = ${id} and status in ${UNDER_WAY}))`,
  );
  for (const app of apps) await beginMove(services, rollout, app, input.now);
  const migrations = await run<SchemaMigrationInput & pg.QueryResultRow>(
    services.pool,
    sql`
    select m.app, m.id as "migrationId", m.number from durabase.rollout_apps a join durabase.migrations m on m.id in (a.migration, a.back_migration)
    where a.rollout = ${id} and a.status in ${UNDER_WAY} and m.status = 'planned' order by a.position`,
  );
  return { migrations, counts: await countApps(services.pool, rollout.id, input.ring) };
}

/** How long an app may wait for another migration of its own. */
const BLOCKED_MS = 10 * 60_000;

async function beginMove(services: Services, rollout: RolloutRow, row: AppRow, now: string): Promise<void> {
  const isBack = row.status === 'rollback_pending';
  if (row.app_status !== 'active' && row.app_status !== 'suspended') {
    return settle(services.pool, rollout, row, isBack ? 'rollback_failed' : 'skipped', `The app is ${row.app_status}.`);
  }
  let isPinned = false;
  const choose = (served: Served): number => {
    const to = isBack ? targetBack(rollout, row, served) : rollout.version;
    isPinned = to !== served.servedVersion && served.pinnedVersion !== null && served.pinnedVersion !== to;
    if (isPinned) refusePinned(row, served);
    return to;
  };
  const { key, ...by } = rollout.created_by;
  const actor: Actor = { ...systemActor(), ...by, ...(key === undefined ? {} : { keyId: key }) };
  try {
    const outcome = await recordMove({ services, actor, app: row }, choose, (client, served, migration) =>
      enter(client, { rollout, row, served, migration, now }),
    );
    if (outcome.kind === 'blocked') await wait(services.pool, rollout, row, now);
    crashPoint('rollout.after_plan');
  } catch (error) {
    // What may pass is the activity's to repeat; a refusal is this app's outcome and nobody else's.
    if (!isAppError(error) || error.code === 'UNAVAILABLE' || error.code === 'INTERNAL_ERROR') throw error;
    const refused = isBack ? 'rollback_failed' : isPinned ? 'skipped' : 'failed';
    await settle(services.pool, rollout, row, refused, error.message);
  }
}

function targetBack(rollout: RolloutRow, row: AppRow, served: Served): number {
  if (served.servedVersion !== rollout.version && served.servedVersion !== row.from_version) {
    throw new AppError('CONFLICT', `The app has moved on to version ${served.servedVersion}, so it is not moved back.`);
  }
  return row.from_version ?? served.servedVersion;
}

interface Entry {
  readonly rollout: RolloutRow;
  readonly row: AppRow;
  readonly served: Served;
  /** Null: the app is where it should be. */
  readonly migration: string | null;
  readonly now: string;
}

/** In the transaction that plans the migration: the two stand and fall together. */
async function enter(client: pg.PoolClient, { rollout, row, served, migration, now }: Entry): Promise<void> {
  const isBack = row.status === 'rollback_pending';
  const status: RolloutAppStatus = migration === null ? (isBack ? 'rolled_back' : 'unchanged') : isBack ? 'rolling_back' : 'moving';
  const way = isBack
    ? sql`back_migration = ${value(migration, 'uuid')}`
    : sql`migration = ${value(migration, 'uuid')}, from_version = ${value(served.servedVersion, 'integer')}, started_at = ${value(now, 'timestamptz')}`;
  const changed = await execute(
    client,
    sql`
    update durabase.rollout_apps set status = ${value(status)}, ${way}, error = null, blocked_since = null,
      ended_at = ${value(migration === null ? now : null, 'timestamptz')}
    where ${mine(rollout, row)}`,
  );
  if (changed === 0) throw new AppError('CONFLICT', 'The app left the queue of the rollout in this moment.');
}

const mine = (rollout: RolloutRow, row: AppRow): Sql =>
  sql`rollout = ${value(rollout.id, 'uuid')} and app = ${value(row.id)} and status = ${value(row.status)}`;

async function settle(db: Db, rollout: RolloutRow, row: AppRow, status: RolloutAppStatus, error: string): Promise<void> {
  await execute(
    db,
    sql`update durabase.rollout_apps set status = ${value(status)}, error = ${value(error)}, ended_at = now() where ${mine(rollout, row)}`,
  );
}

/** Another migration of the app is open: it stays in the queue, behind the others. */
async function wait(db: Db, rollout: RolloutRow, row: AppRow, now: string): Promise<void> {
  const error = 'Another migration of this app is open.';
  if (row.blocked_since !== null && Date.parse(now) - row.blocked_since.getTime() > BLOCKED_MS) {
    return settle(db, rollout, row, row.status === 'pending' ? 'failed' : 'rollback_failed', error);
  }
  await execute(
    db,
    sql`
    update durabase.rollout_apps set error = ${value(error)}, blocked_since = coalesce(blocked_since, ${value(now, 'timestamptz')})
    where ${mine(rollout, row)}`,
  );
}

const POLL_MS = 100;
const WATCH_MS = 20_000;

/** Waits until a migration under way has ended, or a while, and writes down what came of it. */
export async function watchMoves(services: Services, rollout: string, ring: number, beat: () => void): Promise<RolloutCounts> {
  for (const deadline = Date.now() + WATCH_MS; ;) {
    beat();
    const ended = await collect(services.pool, rollout);
    const [open] = await run(
      services.pool,
      sql`select from durabase.rollout_apps where rollout = ${value(rollout, 'uuid')} and status in ${UNDER_WAY} limit 1`,
    );
    if (ended > 0 || open === undefined || Date.now() > deadline) return countApps(services.pool, rollout, ring);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** `ready` serves the new version; what follows is mostly brief, and where it is a long grace the rollout does not wait for it. */
async function collect(db: Db, rollout: string): Promise<number> {
  const outcomes = [
    sql`when not e.is_over then (case a.status when 'moving' then 'failed' else 'rollback_failed' end)`,
    sql`when a.status = 'rolling_back' then 'rolled_back'`,
    sql`when e.is_rolling_back then 'rollback_pending'`,
  ];
  const changed = await execute(
    db,
    sql`
    with e as (
      select a.app, m.status in ('completed', 'ready') as is_over, r.status = 'rolling_back' as is_rolling_back,
        coalesce(m.error, 'The migration was ' || m.status || '.') as error
      from durabase.rollout_apps a join durabase.rollouts r on r.id = a.rollout
      join durabase.migrations m on m.id = case a.status when 'moving' then a.migration else a.back_migration end
      where a.rollout = ${value(rollout, 'uuid')} and a.status in ${UNDER_WAY}
        and (m.status in ('completed', 'failed', 'aborted') or m.status = 'ready' and (m.grace_until is not null or m.updated_at < now() - interval '10 seconds')))
    update durabase.rollout_apps a set ended_at = now(), error = case when e.is_over then null else e.error end,
      status = case ${join(outcomes, ' ')} else 'moved' end
    from e where a.rollout = ${value(rollout, 'uuid')} and a.app = e.app and a.status in ${UNDER_WAY}`,
  );
  if (changed > 0) crashPoint('rollout.after_outcome');
  return changed;
}
