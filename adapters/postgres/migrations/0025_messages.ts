import type { Knex } from 'knex';

/** Mails that workflows and clocks write themselves; the key of the effect makes each one be queued once. */
export const name = '0025_messages';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table durabase.mails drop constraint mails_kind_check;
    alter table durabase.mails add constraint mails_kind_check check (kind in ('invite', 'reset', 'verification', 'message'));
    alter table durabase.mails add column key text;
    create unique index mails_key on durabase.mails (app, key) where key is not null;
  `);
}
