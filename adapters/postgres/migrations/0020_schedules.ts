import type { Knex } from 'knex';

/** Which schedules there are in Temporal, and by what version of each app they were made. */
export const name = '0020_schedules';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table durabase.schedules (
      app        text not null,
      definition text not null,
      primary key (app, definition)
    );
    create table durabase.schedule_sync (
      app     text primary key,
      version integer not null,
      status  text not null
    );
  `);
}
