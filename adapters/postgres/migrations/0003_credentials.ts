import type { Knex } from 'knex';

/** Credentials beyond the password: API keys of the platform, and signing keys that can be cut at once. */
export const name = '0003_credentials';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table durabase.signing_keys add column revoked_at timestamptz;
    alter table durabase.revocations add column kid text;  -- a signing key that is cut at once
    create table durabase.platform_api_keys (
      id           uuid primary key,
      name         text not null,
      prefix       text not null,                     -- how the key begins, to recognise it by
      hash         text not null unique,              -- SHA-256 of the whole key
      scopes       text[] not null,
      roles        text[],                            -- a key of its own; null: it acts as the account
      user_id      uuid references durabase.platform_users (id) on delete cascade,
      epoch        integer not null default 0,        -- raised by every change, so that remembered copies are read again
      expires_at   timestamptz,
      revoked_at   timestamptz,
      last_used_at timestamptz,
      created_by   uuid,
      created_at   timestamptz not null default now(),
      updated_at   timestamptz not null default now(),
      check ((roles is null) <> (user_id is null))
    );
    create index platform_api_keys_user on durabase.platform_api_keys (user_id);
  `);
}
