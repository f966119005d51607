import type { Knex } from 'knex';

/** Credentials of an app's accounts beyond the password. */
export const name = 'app-0003_credentials';

export async function up(knex: Knex, storage: string): Promise<void> {
  await knex.raw(
    `
    create table :storage:._api_keys (
      id           uuid primary key,
      name         text not null,
      prefix       text not null,                     -- how the key begins, to recognise it by
      hash         text not null unique,              -- SHA-256 of the whole key
      scopes       text[] not null,
      roles        text[],                            -- a key of its own; null: it acts as the account
      user_id      uuid references :storage:._users (id) on delete cascade,
      epoch        integer not null default 0,        -- raised by every change, so that remembered copies are read again
      expires_at   timestamptz,
      revoked_at   timestamptz,
      last_used_at timestamptz,
      created_by   uuid,
      created_at   timestamptz not null default now(),
      updated_at   timestamptz not null default now(),
      check ((roles is null) <> (user_id is null))
    );
    create index _api_keys_user on :storage:._api_keys (user_id);
    `,
    { storage },
  );
}
