import type { Knex } from 'knex';

/** A replay knows its deliveries: how many have ended, and which wait that a stop takes back. */
export const name = 'app-0033_stopped_replays';

export async function up(knex: Knex, storage: string): Promise<void> {
  await knex.raw(
    `
    alter table :storage:._deliveries add column replay uuid; -- that put it on its way last
    create index _deliveries_replay on :storage:._deliveries (replay, status) where replay is not null;
    alter table :storage:._replays drop constraint _replays_state_check;
    alter table :storage:._replays add constraint _replays_state_check check (state in ('running', 'done', 'stopped'));
    `,
    { storage },
  );
}
