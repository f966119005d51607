import type { Knex } from 'knex';

/** How far a batch step of a migration has come: written in the transaction of each batch, so no worker's death repeats or skips one. */
export const name = '0017_backfill';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table durabase.migration_steps
      add column cursor     text,                     -- the key of the last row done
      add column rows_done  bigint not null default 0,
      add column rows_total bigint,                   -- an estimate
      add column rate       double precision,         -- rows a second, lately
      add column started_at timestamptz;
  `);
}
