import type { Knex } from 'knex';

/** The events of an app in the order they happened, for whoever reads its changes across entities. */
export const name = '0038_events_of_app';

export async function up(knex: Knex): Promise<void> {
  await knex.raw('create index events_app on durabase.events (app, at, seq)');
}
