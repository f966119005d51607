import type { Knex } from 'knex';

/** What is done to many runs may be about one failed step of each. */
export const name = 'app-0022_operated_steps';

export async function up(knex: Knex, storage: string): Promise<void> {
  await knex.raw(
    `
    alter table :storage:._operations
      add column step   text,                          -- only what has failed there; null: every failed step of a run
      add column strand text;
  `,
    { storage },
  );
}
