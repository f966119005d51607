import type { Knex } from 'knex';

/** What is old is found by an index of its own, however much is kept. */
export const name = 'app-0023_retention';

export async function up(knex: Knex, storage: string): Promise<void> {
  await knex.raw(
    `
    create index _deliveries_delivered on :storage:._deliveries (updated_at) where status = 'delivered';
    create index _deliveries_dead on :storage:._deliveries (updated_at) where status = 'dead';
    create index _runs_ended on :storage:._runs (updated_at) where status <> 'running';
    create index _clocks_stopped on :storage:._clocks (stopped_at) where stopped_at is not null;
    create index _starts_over on :storage:._starts (created_at) where state <> 'pending';
    create index _effects_at on :storage:._effects (at);
  `,
    { storage },
  );
}
