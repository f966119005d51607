import pg from 'pg';
import { expect, it } from 'vitest';
import { createPool } from '../../../adapters/postgres/pool.ts';
import { freshDatabase } from '../../support/database.ts';

it('a connection lost between two statements of a transaction is told once and fails the next one, not the process', async () => {
  const url = await freshDatabase();
  const told: string[] = [];
  const pool = createPool({ url, max: 2, applicationName: 'test', onError: (error) => told.push(error.message) });
  const other = new pg.Client({ connectionString: url });
  await other.connect();
  const client = await pool.connect();
  await client.query('begin');
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  await other.query('select pg_terminate_backend($1)', [rows[0]?.pid]);
  await expect.poll(() => told.length).toBeGreaterThan(0);
  await expect(client.query('select 1')).rejects.toThrow();
  client.release(true);
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  await Promise.all([pool.end(), other.end()]);
});
