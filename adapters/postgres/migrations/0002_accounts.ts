import type { Knex } from 'knex';

/** Invites and one-time tokens of platform accounts, the outbox of mails of every realm, and shared counters of rate limits. */
export const name = '0002_accounts';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table durabase.platform_users add column verified_at timestamptz;
    create index platform_sessions_user on durabase.platform_sessions (user_id);
    create table durabase.platform_invites (
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
    create unique index platform_invites_open on durabase.platform_invites (lower(email)) where accepted_at is null;
    create table durabase.platform_tokens (
      id         uuid primary key,
      user_id    uuid not null references durabase.platform_users (id) on delete cascade,
      purpose    text not null check (purpose in ('reset', 'verification')),
      token_hash text not null,
      expires_at timestamptz not null,
      unique (user_id, purpose)
    );

    create table durabase.mails (
      id         uuid primary key,
      app        text not null,                       -- '' = platform
      kind       text not null check (kind in ('invite', 'reset', 'verification')),
      sealed     bytea,                               -- address and secrets; erased when the mail is settled
      status     text not null default 'queued' check (status in ('queued', 'sent', 'failed', 'void')),
      tries      integer not null default 0,
      due_at     timestamptz not null default now(),
      error      text,
      created_at timestamptz not null default now(),
      settled_at timestamptz
    );
    create index mails_due on durabase.mails (due_at) where status = 'queued';
    create index mails_settled on durabase.mails (settled_at) where status <> 'queued';

    -- Counters may be lost in a crash: a limit that starts again is better than a flush to disk per request.
    create unlogged table durabase.rate_limits (
      key    varchar(255) primary key,
      points integer not null default 0,
      expire bigint
    );
    create index rate_limits_expire on durabase.rate_limits (expire);
  `);
}
