import type { Knex } from 'knex';

/** Moving the apps of a schema to one of its versions, ring by ring. The `rollout` workflow keeps both tables and starts from them. */
export const name = '0014_rollouts';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table durabase.rollouts (
      id           uuid primary key,                  -- made of the request; rollout/<id> in Temporal
      schema_name  text not null references durabase.schemas (name),
      version      integer not null,
      request_hash text not null,
      status       text not null default 'planned'
                   check (status in ('planned', 'running', 'paused', 'stopped', 'rolling_back', 'completed', 'aborted', 'rolled_back')),
      rings        jsonb not null,                    -- [{name, bakeMs}]
      ring         integer not null default 0,        -- the one under way, from 0
      max_failures integer not null,
      parallel     integer not null,
      accepted     integer not null default 0,        -- failures an operator has resumed over
      bake_until   timestamptz,
      error        text,                              -- why it is stopped, or what could not be moved back
      revision     integer not null default 0,        -- of the workflow's state: an older one never overwrites a newer
      created_by   jsonb not null,
      created_at   timestamptz not null default now(),
      updated_at   timestamptz not null default now(),
      ended_at     timestamptz
    );
    create index rollouts_schema on durabase.rollouts (schema_name, created_at);
    -- One at a time: two would move apps to and fro.
    create unique index rollouts_open on durabase.rollouts (schema_name)
      where status in ('planned', 'running', 'paused', 'stopped', 'rolling_back');
    create table durabase.rollout_apps (
      rollout        uuid not null references durabase.rollouts (id),
      app            text not null references durabase.apps (id),
      ring           integer not null,
      position       integer not null,
      status         text not null default 'pending'
                     check (status in ('pending', 'moving', 'moved', 'unchanged', 'skipped', 'failed', 'unhealthy',
                                       'rollback_pending', 'rolling_back', 'rolled_back', 'rollback_failed')),
      from_version   integer,
      migration      uuid references durabase.migrations (id),
      back_migration uuid references durabase.migrations (id),
      error          text,
      blocked_since  timestamptz,                     -- another migration of the app is open
      started_at     timestamptz,
      ended_at       timestamptz,
      primary key (rollout, app)
    );
    create index rollout_apps_order on durabase.rollout_apps (rollout, status, ring, position);
    create index rollout_apps_app on durabase.rollout_apps (app);
  `);
}
