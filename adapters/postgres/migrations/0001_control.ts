import type { Knex } from 'knex';

/**
 * The control schema. `schema_events` is the registry's source of truth; `schemas`, `schema_versions`, `migrations` and the
 * pointers in `apps` are projections of it. `events` is the data log of every app in this database (partitioned by month);
 * `work` says which apps have due rows in their own `_starts` and `_deliveries`, one row per app and kind.
 */
export const name = '0001_control';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table durabase.apps (
      id            text primary key,                 -- 12 random base32 characters, for good
      name          text not null,
      display_name  text not null,
      storage       text not null unique,             -- the Postgres schema, app_<id>
      status        text not null default 'provisioning'
                    check (status in ('provisioning', 'active', 'suspended', 'retiring', 'retired', 'failed')),
      schema_name   text not null,                    -- durabase.schemas.name it follows
      served_version integer not null default 0,      -- the active schema version
      pinned_version integer,
      system_version text,                            -- the last app migration applied
      retire_at     timestamptz,
      created_by    text,
      created_at    timestamptz not null default now(),
      updated_at    timestamptz not null default now()
    );
    create unique index apps_name on durabase.apps (name) where status <> 'retired';

    create table durabase.schemas (
      name           text primary key,
      owner_app      text,
      latest_version integer not null default 0,
      created_at     timestamptz not null default now()
    );
    create table durabase.schema_versions (
      schema_name text not null references durabase.schemas (name),
      version     integer not null,
      document    jsonb not null,
      class       text not null check (class in ('initial', 'compatible', 'breaking')),
      changes     jsonb not null,
      hash        text not null,
      created_by  jsonb not null,
      created_at  timestamptz not null default now(),
      primary key (schema_name, version)
    );
    create table durabase.schema_events (
      id          bigint generated always as identity primary key,
      type        text not null,
      app         text,
      schema_name text,
      old_version integer,
      new_version integer,
      body        jsonb not null default '{}',
      at          timestamptz not null default now()
    );

    create table durabase.migrations (
      id           uuid primary key,
      app          text not null references durabase.apps (id),
      number       integer not null,                  -- per app; migration/<app>/<number> in Temporal
      from_version integer not null,
      to_version   integer not null,
      status       text not null check (status in ('planned', 'awaiting_approval', 'running', 'paused', 'ready', 'completed', 'aborted', 'failed')),
      phase        text not null default 'expand',
      plan         jsonb not null,
      plan_hash    text not null,
      progress     jsonb not null default '{}',
      error        text,
      workflow_id  text not null,
      created_by   jsonb not null,
      created_at   timestamptz not null default now(),
      updated_at   timestamptz not null default now(),
      unique (app, number)
    );
    -- One open migration per app: plan to switch.
    create unique index migrations_open on durabase.migrations (app)
      where status in ('planned', 'awaiting_approval', 'running', 'paused');
    create table durabase.migration_steps (
      migration uuid not null references durabase.migrations (id),
      key       text not null,
      position  integer not null,
      phase     text not null,
      sql       text not null,
      lock      text,
      state     text not null default 'pending' check (state in ('pending', 'done')),
      finished_at timestamptz,
      primary key (migration, key)
    );

    create table durabase.platform_users (
      id            uuid primary key,
      email         text not null,
      password_hash text not null,
      roles         text[] not null default '{admin}',
      active        boolean not null default true,
      epoch         integer not null default 0,       -- raised by what must cut the user's sessions
      must_change   boolean not null default false,   -- still has the published development password
      created_at    timestamptz not null default now(),
      updated_at    timestamptz not null default now()
    );
    create unique index platform_users_email on durabase.platform_users (lower(email));
    create table durabase.platform_sessions (
      id           uuid primary key,                  -- also the refresh family
      user_id      uuid not null references durabase.platform_users (id) on delete cascade,
      refresh_hash text not null,
      previous_hashes text[] not null default '{}',
      expires_at   timestamptz not null,
      revoked_at   timestamptz,
      user_agent   text,
      address      text,
      created_at   timestamptz not null default now(),
      used_at      timestamptz not null default now()
    );
    -- Signing keys of the platform (app = '') and of every app; private halves are sealed with SECRET_KEY.
    create table durabase.signing_keys (
      kid        text primary key,
      app        text not null,
      algorithm  text not null,
      public_jwk jsonb not null,
      sealed_private bytea not null,
      created_at timestamptz not null default now(),
      retired_at timestamptz
    );
    create index signing_keys_app on durabase.signing_keys (app);
    -- What every api process must know within two seconds: cut sessions and raised epochs.
    create table durabase.revocations (
      id         bigint generated always as identity primary key,
      app        text not null,                       -- '' = platform
      user_id    uuid,
      session_id uuid,
      epoch      integer,
      at         timestamptz not null default now()
    );

    create table durabase.audit (
      id       bigint generated always as identity primary key,
      app      text,
      action   text not null,
      actor    jsonb not null,
      target   text,
      detail   jsonb not null default '{}',
      at       timestamptz not null default now()
    );

    -- An api process that cannot renew for 5 s answers 503; a publish waits for every live lease to have seen its event.
    create table durabase.api_leases (
      process_id  uuid primary key,
      seen_event  bigint not null,
      address     text,
      started_at  timestamptz not null default now(),
      renewed_at  timestamptz not null default now()
    );

    create table durabase.events (
      seq            bigint generated always as identity,
      xid            xid8 not null default pg_current_xact_id(),
      at             timestamptz not null default now(),
      app            text not null,
      entity         text not null,
      record_id      text not null,
      action         text not null check (action in ('create', 'update', 'delete', 'restore', 'custom')),
      record_version bigint not null,
      schema_version integer not null,
      actor          jsonb not null,                  -- {kind, id, roles}
      record         jsonb,                           -- the whole row after the change; null after a delete
      old            jsonb,                           -- update: changed fields before; delete: the whole row
      cause          text,                            -- the run or event that led to this change
      depth          smallint not null default 0,     -- over 8 starts nothing
      primary key (seq, at)
    ) partition by range (at);
    create table durabase.events_default partition of durabase.events default;
    create index events_xid on durabase.events (xid, seq);
    create index events_record on durabase.events (app, entity, record_id, record_version);

    create table durabase.relay_cursor (
      id         integer primary key check (id = 1),
      snapshot   pg_snapshot not null,
      cluster    text not null,                       -- hash of the cluster's system_identifier
      moved_at   timestamptz not null default now()
    );
    insert into durabase.relay_cursor (id, snapshot, cluster)
      select 1, pg_current_snapshot(), md5(system_identifier::text) from pg_control_system();

    create table durabase.work (
      app    text not null,
      kind   text not null check (kind in ('starts', 'deliveries')),
      due_at timestamptz not null,
      primary key (app, kind)
    );
    create index work_due on durabase.work (kind, due_at);
  `);
}
