import type { Knex } from 'knex';

/** How an api process feels to its clients, told with its lease: a backfill gives way when it gets worse. */
export const name = '0019_latency';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table durabase.api_leases add column write_ms double precision  -- 95th percentile of writes since the last renewal; null: too few
  `);
}
