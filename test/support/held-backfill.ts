/**
 * Makes a backfill stand where a test wants it. A row lock alone would stop the expand step before it, whose table lock waits for every
 * transaction; so a trigger first asks for an advisory lock that the test holds, until expand is over and the row can be locked.
 */
import type pg from 'pg';

const GATE = 4_242;

export interface HeldBackfill {
  /** The backfill stands at the gate: from now on it stands at the row, whose transaction is the client's. */
  atRow(): Promise<void>;
  /** It goes on. */
  release(): Promise<void>;
}

/** Of a table with a column `number` in the order of its key: rows from `gate` on wait, later the one with `row`. */
export async function holdBackfill(client: pg.Client, table: string, { gate, row }: { gate: number; row: number }): Promise<HeldBackfill> {
  const [storage = ''] = table.split('.');
  await client.query(`select pg_advisory_lock(${String(GATE)})`);
  await client.query(
    `create or replace function ${storage}.test_gate() returns trigger language plpgsql as
     'begin perform pg_advisory_xact_lock(${String(GATE)}); return new; end'`,
  );
  await client.query(
    `create or replace trigger test_gate before update on ${table} for each row when (old.number >= ${String(gate)})
     execute function ${storage}.test_gate()`,
  );
  return {
    async atRow() {
      await client.query('begin');
      await client.query(`select from ${table} where number = ${String(row)} for update`);
      await client.query(`select pg_advisory_unlock(${String(GATE)})`);
    },
    async release() {
      await client.query('commit');
    },
  };
}
