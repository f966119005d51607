import type { Knex } from 'knex';

/** System tables of one app, in the app's own Postgres schema, so that an app is exported, restored or dropped as one unit. */
export const name = 'app-0001_system';

export async function up(knex: Knex, storage: string): Promise<void> {
  await knex.raw(
    `
    create table :storage:._users (
      id            uuid primary key,
      email         text not null,
      password_hash text,
      roles         text[] not null default '{}',
      active        boolean not null default true,
      epoch         integer not null default 0,
      must_change   boolean not null default false,
      created_at    timestamptz not null default now(),
      updated_at    timestamptz not null default now()
    );
    create unique index _users_email on :storage:._users (lower(email));
    create table :storage:._sessions (
      id           uuid primary key,
      user_id      uuid not null references :storage:._users (id) on delete cascade,
      refresh_hash text not null,
      previous_hashes text[] not null default '{}',
      expires_at   timestamptz not null,
      revoked_at   timestamptz,
      user_agent   text,
      address      text,
      created_at   timestamptz not null default now(),
      used_at      timestamptz not null default now()
    );
    create index _sessions_user on :storage:._sessions (user_id);

    create table :storage:._files (
      id         uuid primary key,
      name       text not null,
      size       bigint not null,
      mime_type  text not null,
      checksum   text not null,
      created_by uuid,
      created_at timestamptz not null default now()
    );

    -- What the relay decided to start; the workflow id is the proof that it is decided once.
    create table :storage:._starts (
      workflow_id text primary key,
      kind        text not null,
      input       jsonb not null,
      state       text not null default 'pending' check (state in ('pending', 'started', 'failed')),
      tries       integer not null default 0,
      due_at      timestamptz not null default now(),
      error       text,
      created_at  timestamptz not null default now()
    );
    create index _starts_due on :storage:._starts (due_at) where state = 'pending';

    create table :storage:._runs (
      id            uuid primary key,
      workflow_id   text not null unique,             -- in Temporal
      definition_id text not null,
      workflow_name text not null,
      schema_version integer not null,
      entity        text,
      record_id     text,
      status        text not null check (status in ('running', 'completed', 'failed', 'cancelled', 'ended_by_restore')),
      current_step  text,
      current_step_deadline timestamptz,
      context       jsonb not null default '{}',
      history       jsonb not null default '[]',
      state         jsonb,                            -- the interpreter's own state, for waking after a restore
      revision      integer not null default 0,       -- an older projection never overwrites a newer one
      error         text,
      started_by    jsonb,
      created_at    timestamptz not null default now(),
      updated_at    timestamptz not null default now()
    );
    create index _runs_record on :storage:._runs (entity, record_id);
    create table :storage:._tasks (
      id          uuid primary key,
      run_id      uuid not null references :storage:._runs (id) on delete cascade,
      step        text not null,
      state       text not null check (state in ('pending', 'approved', 'rejected', 'timed_out', 'cancelled')),
      assignee    jsonb not null,                     -- {type, role?, user_ids?}
      allow_self_approval boolean not null default false,
      comment_required boolean not null default false,
      requested_by text,
      due_at      timestamptz,
      decided_by  jsonb,
      decided_at  timestamptz,
      comment     text,
      created_at  timestamptz not null default now()
    );
    create index _tasks_pending on :storage:._tasks (created_at) where state = 'pending';
    -- Effects of durable steps: a repeated activity finds its result here, written with the effect.
    create table :storage:._effects (
      key    text primary key,
      result jsonb not null,
      at     timestamptz not null default now()
    );

    create table :storage:._deliveries (
      id          uuid primary key,                   -- also the webhook-id header
      event_seq   bigint not null,
      webhook     text not null,
      entity      text not null,
      record_id   text not null,
      record_version bigint not null,
      round       integer not null default 0,
      body        jsonb not null,
      status      text not null default 'pending' check (status in ('pending', 'sending', 'retrying', 'delivered', 'dead')),
      tries       integer not null default 0,
      due_at      timestamptz not null default now(),
      leased_until timestamptz,
      reason      text,
      created_at  timestamptz not null default now(),
      updated_at  timestamptz not null default now(),
      unique (event_seq, webhook)
    );
    create index _deliveries_due on :storage:._deliveries (due_at) where status in ('pending', 'sending');
    create index _deliveries_order on :storage:._deliveries (webhook, entity, record_id, record_version);
    create table :storage:._attempts (
      id          uuid primary key,
      delivery_id uuid not null references :storage:._deliveries (id) on delete cascade,
      number      integer not null,
      started_at  timestamptz not null default now(),
      finished_at timestamptz,
      status      integer,
      latency_ms  integer,
      error       text,
      response    text,
      unique (delivery_id, number)
    );
    create table :storage:._secrets (
      name        text primary key,                   -- webhook/<id>, or a name used as {{secret.NAME}}
      sealed      bytea not null,
      previous    bytea,
      created_at  timestamptz not null default now()
    );
    create table :storage:._webhook_state (
      webhook     text primary key,
      disabled_at timestamptz,
      reason      text,
      failing_since timestamptz
    );
    `,
    { storage },
  );
}
