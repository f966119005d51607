import type { Knex } from 'knex';

/** Second factors of platform accounts, sign-ins that wait for one, and signing keys without a public half. */
export const name = '0010_second_factor';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table durabase.signing_keys alter column public_jwk drop not null;  -- HS256 has no public half
    create table durabase.platform_factors (
      user_id         uuid primary key references durabase.platform_users (id) on delete cascade,
      sealed_secret   bytea not null,
      confirmed_at    timestamptz,                    -- null: begun, asks for nothing yet
      last_step       bigint not null default 0,      -- the newest 30 seconds a code was taken of
      recovery_hashes text[] not null default '{}',
      created_at      timestamptz not null default now()
    );
    create table durabase.platform_challenges (
      id         uuid primary key,
      user_id    uuid not null references durabase.platform_users (id) on delete cascade,
      kind       text not null check (kind in ('code', 'enrol')),
      token_hash text not null,
      epoch      integer not null,                    -- the account's; a raised one ends it
      tries      integer not null default 0,
      expires_at timestamptz not null
    );
    create index platform_challenges_user on durabase.platform_challenges (user_id);
  `);
}
