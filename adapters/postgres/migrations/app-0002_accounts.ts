import type { Knex } from 'knex';

/** Invites and one-time tokens of one app's accounts. */
export const name = 'app-0002_accounts';

export async function up(knex: Knex, storage: string): Promise<void> {
  await knex.raw(
    `
    alter table :storage:._users add column verified_at timestamptz;
    create table :storage:._invites (
      id          uuid primary key,
      email       text not null,
      roles       text[] not null default '{}',
      token_hash  text not null,
      mail        uuid,                               -- in durabase.mails
      expires_at  timestamptz not null,
      accepted_at timestamptz,
      created_by  jsonb not null,
      created_at  timestamptz not null default now()
    );
    create unique index _invites_open on :storage:._invites (lower(email)) where accepted_at is null;
    create table :storage:._tokens (
      id         uuid primary key,
      user_id    uuid not null references :storage:._users (id) on delete cascade,
      purpose    text not null check (purpose in ('reset', 'verification')),
      token_hash text not null,
      expires_at timestamptz not null,
      unique (user_id, purpose)
    );
    `,
    { storage },
  );
}
