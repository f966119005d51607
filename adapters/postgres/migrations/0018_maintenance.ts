import type { Knex } from 'knex';

/** Apps, or entities of one, that are read but not written for a while. */
export const name = '0018_maintenance';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table durabase.apps add column maintenance text[]  -- stable ids of entities, '*' for all of them; null: none
  `);
}
