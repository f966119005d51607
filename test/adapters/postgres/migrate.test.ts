import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkDatabaseVersion, migrateApp, migrateApps, migrateControl } from '../../../adapters/postgres/migrate.ts';
import { APP_MIGRATIONS, CONTROL_MIGRATIONS } from '../../../adapters/postgres/migrations/index.ts';
import { createPool } from '../../../adapters/postgres/pool.ts';
import { freshDatabase } from '../../support/database.ts';

describe('migrations of our own tables', () => {
  let url: string;
  let pool: pg.Pool;
  beforeAll(async () => {
    url = await freshDatabase();
    pool = createPool({ url, max: 4, applicationName: 'test' });
  });
  afterAll(() => pool.end());

  it('says that an empty database is behind', async () => {
    expect(await checkDatabaseVersion(pool)).toBe('behind');
  });

  it('builds the control schema once when three workers start together', async () => {
    await Promise.all([migrateControl(url), migrateControl(url), migrateControl(url)]);
    expect(await checkDatabaseVersion(pool)).toBe('current');
    const { rows } = await pool.query('select name from durabase.system_migrations');
    expect(rows).toEqual(CONTROL_MIGRATIONS.map(({ name }) => ({ name })));
  });

  it('goes on after a run that was killed while it held the migration lock row', async () => {
    await pool.query('update durabase.system_migrations_lock set is_locked = 1');
    await migrateControl(url);
    expect(await checkDatabaseVersion(pool)).toBe('current');
  });

  it('makes the system tables of an app and records their version', async () => {
    await pool.query(
      "insert into durabase.apps (id, name, display_name, storage, schema_name, status) values ('a', 'a', 'A', 'app_a', 'a', 'active')",
    );
    await Promise.all([migrateApp(url, 'app_a'), migrateApp(url, 'app_a')]);
    await migrateApps(url);
    const { rows } = await pool.query(
      "select system_version, to_regclass('app_a._users')::text as users from durabase.apps where id = 'a'",
    );
    expect(rows).toEqual([{ system_version: APP_MIGRATIONS.at(-1)?.name, users: 'app_a._users' }]);
  });

  it('refuses a storage that belongs to no app', async () => {
    await expect(migrateApp(url, 'app_none')).rejects.toThrow('No app is stored');
  });

  it('refuses a database of a newer build in one line', async () => {
    await pool.query("insert into durabase.system_migrations (name, batch, migration_time) values ('9999_future', 9, now())");
    await expect(checkDatabaseVersion(pool)).rejects.toThrow(/newer Durabase \(9999_future/);
    await expect(migrateControl(url)).rejects.toThrow(/newer Durabase/);
  });
});
