import type { Knex } from 'knex';

/** Apps with due runs of functions are found the way those with due starts and deliveries are. */
export const name = '0026_function_work';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table durabase.work drop constraint if exists work_kind_check;
    alter table durabase.work add constraint work_kind_check check (kind in ('starts', 'deliveries', 'replays', 'functions')) not valid;
  `);
}
