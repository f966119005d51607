import type { Knex } from 'knex';

/** Saved lists, and whose default they are. */
export const name = 'app-0029_lists';

export async function up(knex: Knex, storage: string): Promise<void> {
  await knex.raw(
    `
    create table :storage:._lists (
      id             uuid primary key,
      entity_key     text not null,                   -- the entity's stable id: it is found under any name
      entity         text not null,                   -- its name in schema_version
      schema_version integer not null,                -- whose names the content has
      name           text not null,
      content        jsonb not null,                  -- {filter, q, sort, columns, per_page}
      owner          text,                            -- the account, of the app or the platform; null: shared
      user_id        uuid references :storage:._users (id) on delete cascade,  -- the owner that is an account of the app
      shared_with    text[],                          -- roles, or {*}
      created_by     jsonb not null,
      version        bigint not null default 1,
      created_at     timestamptz not null default now(),
      updated_at     timestamptz not null default now(),
      check ((owner is null) = (shared_with is not null))
    );
    create unique index _lists_own on :storage:._lists (owner, entity_key, lower(name)) where owner is not null;
    create unique index _lists_shared on :storage:._lists (entity_key, lower(name)) where owner is null;
    create index _lists_user on :storage:._lists (user_id) where user_id is not null;

    create table :storage:._list_defaults (
      owner      text not null,
      entity_key text not null,
      list_id    uuid not null references :storage:._lists (id) on delete cascade,
      user_id    uuid references :storage:._users (id) on delete cascade,
      primary key (owner, entity_key)
    );
    create index _list_defaults_list on :storage:._list_defaults (list_id);
    create index _list_defaults_user on :storage:._list_defaults (user_id) where user_id is not null;
  `,
    { storage },
  );
}
