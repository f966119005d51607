import type { Knex } from 'knex';

/** What operators do to many runs is done in turns between apps. */
export const name = '0027_operation_work';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table durabase.work drop constraint if exists work_kind_check;
    alter table durabase.work add constraint work_kind_check
      check (kind in ('starts', 'deliveries', 'replays', 'functions', 'operations')) not valid;
  `);
}
