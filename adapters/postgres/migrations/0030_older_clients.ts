import type { Knex } from 'knex';

/** Which clients still ask in an older shape: whoever ends a grace wants to know whom to tell. */
export const name = '0030_older_clients';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table durabase.shape_clients (
      app          text not null references durabase.apps (id),
      version      integer not null,
      client       text not null,                     -- kind:id of an account or an API key
      requests     bigint not null default 0,
      last_used_at timestamptz not null default now(),
      primary key (app, version, client)
    )
  `);
}
