/**
 * Numbered migrations of our own tables: the control schema `durabase`, and the system tables of every app. A worker applies
 * them before it serves, under an advisory lock held by a session of its own; an older api refuses a newer database.
 */
import type { Knex } from 'knex';
import type { Logger } from 'pino';
import type pg from 'pg';
import { id, sql, value } from '../../core/sql/sql.ts';
import { ConfigError } from '../config.ts';
import { APP_MIGRATIONS, CONTROL_MIGRATIONS } from './migrations/index.ts';
import { connectDirect } from './pool.ts';
import { run, type Db } from './run.ts';

const OLDEST_POSTGRES = 150_000;
const HISTORY = 'system_migrations';
const LOCK = sql`pg_advisory_lock(hashtextextended('durabase.system_migrations', 0))`;

/** Brings the control schema to this build's version. Safe to call by any number of workers at once. */
export async function migrateControl(url: string, log?: Logger): Promise<void> {
  await withLock(url, async (session) => {
    await refuseNewer(session);
    await run(session, sql`create schema if not exists durabase`);
    const knex = await open(url);
    try {
      const migrations = { migrationSource: source(), schemaName: 'durabase', tableName: HISTORY };
      // The row lock of a killed run stays behind; ours is the session's, so whoever is here may clear it.
      if ((await historyTable(session)) !== null) await knex.migrate.forceFreeMigrationsLock(migrations);
      const [, applied] = (await knex.migrate.latest(migrations)) as [number, string[]];
      if (applied.length > 0) log?.info({ applied }, 'control schema migrated');
    } finally {
      await knex.destroy();
    }
  });
}

/** Brings one app's system tables to this build's version. The app's row must exist: it records the version. */
export async function migrateApp(url: string, storage: string): Promise<void> {
  await withLock(url, async (session) => {
    const [app] = await run<{ system_version: string | null }>(
      session,
      sql`select system_version from durabase.apps where storage = ${value(storage)}`,
    );
    if (app === undefined) throw new ConfigError(`No app is stored in "${storage}".`);
    const done = APP_MIGRATIONS.findIndex((migration) => migration.name === app.system_version);
    if (app.system_version !== null && done === -1) throw newer(app.system_version);
    const pending = APP_MIGRATIONS.slice(done + 1);
    if (pending.length === 0) return;
    await run(session, sql`create schema if not exists ${id(storage)}`);
    const knex = await open(url);
    try {
      for (const migration of pending) await applyToApp(knex, migration, storage);
    } finally {
      await knex.destroy();
    }
  });
}

/** Every app whose system tables are older than this build, one at a time. */
export async function migrateApps(url: string, log?: Logger): Promise<void> {
  const session = await connectDirect(url, 'durabase-migrate');
  const newest = APP_MIGRATIONS.at(-1)?.name ?? null;
  try {
    const apps = await run<{ storage: string }>(
      session,
      sql`select storage from durabase.apps where status not in ('provisioning', 'retired') and system_version is distinct from ${value(newest, 'text')} order by storage`,
    );
    for (const app of apps) {
      await migrateApp(url, app.storage);
      log?.info({ storage: app.storage }, 'system tables of an app migrated');
    }
  } finally {
    await session.end();
  }
}

async function applyToApp(knex: Knex, migration: (typeof APP_MIGRATIONS)[number], storage: string): Promise<void> {
  await knex.transaction(async (trx) => {
    await migration.up(trx, storage);
    await trx.raw('update durabase.apps set system_version = ?, updated_at = now() where storage = ?', [migration.name, storage]);
  });
}

/**
 * What an api asks before it serves: `behind` while the worker has not migrated yet. Throws one line when the database is of a
 * newer build, older than Postgres 15, or reached through a transaction-mode pooler.
 */
export async function checkDatabaseVersion(pool: pg.Pool): Promise<'current' | 'behind'> {
  await refuseOldServer(pool);
  await refuseNewer(pool);
  const applied = await appliedControl(pool);
  return CONTROL_MIGRATIONS.every((migration) => applied.includes(migration.name)) ? 'current' : 'behind';
}

const newer = (found: string): ConfigError =>
  new ConfigError(
    `The database was upgraded by a newer Durabase (${found} is unknown here). Start this process from that version or a newer one.`,
  );

async function refuseNewer(db: Db): Promise<void> {
  const known = new Set(CONTROL_MIGRATIONS.map((migration) => migration.name));
  const unknown = (await appliedControl(db)).find((name) => !known.has(name));
  if (unknown !== undefined) throw newer(unknown);
}

async function historyTable(db: Db): Promise<string | null> {
  const [row] = await run<{ found: string | null }>(db, sql`select to_regclass('durabase.system_migrations')::text as found`);
  return row?.found ?? null;
}

async function appliedControl(db: Db): Promise<string[]> {
  if ((await historyTable(db)) === null) return [];
  return (await run<{ name: string }>(db, sql`select name from durabase.system_migrations order by id`)).map((row) => row.name);
}

async function refuseOldServer(db: Db): Promise<void> {
  const [row] = await run<{ number: number; version: string }>(
    db,
    sql`select current_setting('server_version_num')::integer as number, current_setting('server_version') as version`,
  );
  if ((row?.number ?? 0) < OLDEST_POSTGRES) {
    throw new ConfigError(
      `Postgres ${row?.version ?? ''} is too old: Durabase runs on Postgres 15 to 18. Point DATABASE_URL at one of those.`,
    );
  }
}

/**
 * Two open sessions that report the same backend share it: a transaction-mode pooler, which breaks session locks, LISTEN and
 * prepared statements without an error.
 */
async function refusePooler(session: pg.Client, url: string): Promise<void> {
  const pidOf = async (client: pg.Client): Promise<number | undefined> =>
    (await run<{ pid: number }>(client, sql`select pg_backend_pid() as pid`))[0]?.pid;
  const first = await pidOf(session);
  const second = await connectDirect(url, 'durabase-probe');
  try {
    await run(second, sql`begin`);
    if ((await pidOf(second)) === first) {
      throw new ConfigError(
        'The database is reached through a transaction-mode pooler. Set DATABASE_DIRECT_URL to a direct or session-mode connection.',
      );
    }
    await run(second, sql`rollback`);
  } finally {
    await second.end();
  }
}

async function withLock(url: string, work: (session: pg.Client) => Promise<void>): Promise<void> {
  const session = await connectDirect(url, 'durabase-migrate').catch((error: unknown) => {
    if (error instanceof Error && error.message.includes('unsupported startup parameter')) {
      throw new ConfigError(
        'The database is reached through a pooler that drops session settings. Set DATABASE_DIRECT_URL to a direct connection.',
      );
    }
    throw error;
  });
  try {
    await refuseOldServer(session);
    await refusePooler(session, url);
    await run(session, sql`select ${LOCK}`);
    await work(session);
  } finally {
    // Ending the session releases the lock, whatever happened.
    await session.end();
  }
}

/** Loaded where it is used: an api process only asks for the version. */
async function open(url: string): Promise<Knex> {
  const { default: knexModule } = await import('knex');
  return knexModule.knex({
    client: 'pg',
    connection: { connectionString: url, options: '-c TimeZone=UTC -c search_path=pg_catalog', application_name: 'durabase-migrate' },
    pool: { min: 0, max: 2 },
  });
}

/** A fixed list instead of a folder: the build is bundled, and file names must not differ between .ts and .js. */
function source(): Knex.MigrationSource<(typeof CONTROL_MIGRATIONS)[number]> {
  return {
    getMigrations: () => Promise.resolve([...CONTROL_MIGRATIONS]),
    getMigrationName: (migration) => migration.name,
    getMigration: (migration) =>
      Promise.resolve({ up: (knex) => migration.up(knex), down: () => Promise.reject(new Error('not reversible')) }),
  };
}
