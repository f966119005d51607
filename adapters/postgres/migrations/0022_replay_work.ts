import type { Knex } from 'knex';

/** Replays of many deliveries are done in turns between apps, like what they replay. */
export const name = '0022_replay_work';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table durabase.work drop constraint work_kind_check;
    alter table durabase.work add constraint work_kind_check check (kind in ('starts', 'deliveries', 'replays'));
  `);
}
