import type { Knex } from 'knex';

/** Second factors of one app's accounts, and sign-ins that wait for one. */
export const name = 'app-0010_second_factor';

export async function up(knex: Knex, storage: string): Promise<void> {
  await knex.raw(
    `
    create table :storage:._factors (
      user_id         uuid primary key references :storage:._users (id) on delete cascade,
      sealed_secret   bytea not null,
      confirmed_at    timestamptz,                    -- null: begun, asks for nothing yet
      last_step       bigint not null default 0,      -- the newest 30 seconds a code was taken of
      recovery_hashes text[] not null default '{}',
      created_at      timestamptz not null default now()
    );
    create table :storage:._challenges (
      id         uuid primary key,
      user_id    uuid not null references :storage:._users (id) on delete cascade,
      kind       text not null check (kind in ('code', 'enrol')),
      token_hash text not null,
      epoch      integer not null,                    -- the account's; a raised one ends it
      tries      integer not null default 0,
      expires_at timestamptz not null
    );
    create index _challenges_user on :storage:._challenges (user_id);
    `,
    { storage },
  );
}
