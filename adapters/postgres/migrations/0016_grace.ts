import type { Knex } from 'knex';

/** What a migration waits for: somebody's word before it runs, the end of its grace, the end of its retention. */
export const name = '0016_grace';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table durabase.migrations
      add column approval jsonb not null default '{"needed": false}', -- needed, by, at, comment
      add column grace_ms bigint not null default 0,                  -- as the settings were when it was planned
      add column retention_ms bigint not null default 0,
      add column grace_until timestamptz,
      add column grace_ended_at timestamptz,                          -- since then no older shape is served
      add column retention_until timestamptz,
      add column waiting_for text;
    -- Who still asks in an older shape: the grace does not end under them.
    create table durabase.shape_uses (
      app          text not null references durabase.apps (id),
      version      integer not null,
      requests     bigint not null default 0,
      last_used_at timestamptz not null default now(),
      primary key (app, version)
    )
  `);
}
