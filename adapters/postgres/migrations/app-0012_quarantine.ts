import type { Knex } from 'knex';

/** Values a migration could not carry over; triggers write and remove them, see core/change/conversion/quarantine.ts. */
export const name = 'app-0012_quarantine';

export async function up(knex: Knex, storage: string): Promise<void> {
  await knex.raw(
    `
    create table :storage:._quarantine (
      version    integer not null,                    -- the migration leads to it
      entity     text not null,                       -- as that version calls it
      record_id  text not null,
      field      text not null,                       -- the one that lacks a value
      direction  text not null check (direction in ('up', 'down', 'conflict')),
      value      text,                                -- what it was to be made of
      error      text not null,
      created_at timestamptz not null default now(),
      primary key (version, entity, record_id, field, direction)
    );
  `,
    { storage },
  );
}
