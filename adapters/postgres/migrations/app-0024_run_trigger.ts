import type { Knex } from 'knex';

/** With its trigger and its state a run can be started again when Temporal has lost it. */
export const name = 'app-0024_run_trigger';

export async function up(knex: Knex, storage: string): Promise<void> {
  await knex.raw(
    `
    alter table :storage:._runs add column trigger jsonb;
    update :storage:._runs r set trigger = s.input -> 'trigger' from :storage:._starts s where s.workflow_id = r.workflow_id and r.status = 'running';
  `,
    { storage },
  );
}
