import type { Knex } from 'knex';

/** Imports that a workflow should be at: whoever looks for one that nobody works on need not ask every app. */
export const name = '0034_open_imports';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table durabase.open_imports (
      app        text not null,
      import_id  uuid not null,
      primary key (app, import_id)
    );
  `);
}
