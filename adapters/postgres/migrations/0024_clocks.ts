import type { Knex } from 'knex';

/** Up to which version the open clocks of an app have been told of changed definitions. */
export const name = '0024_clocks';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table durabase.clock_versions (
      app         text primary key,
      schema_name text not null,
      version     integer not null
    )
  `);
}
