import type { Knex } from 'knex';

/** What a wait matches is said in the names of its run's version, which may be others than those of the events to come. */
export const name = 'app-0026_wait_version';

export async function up(knex: Knex, storage: string): Promise<void> {
  await knex.raw(
    `
    alter table :storage:._waits add column schema_version integer;
    update :storage:._waits w set schema_version = r.schema_version from :storage:._runs r where r.id = w.run_id;
  `,
    { storage },
  );
}
