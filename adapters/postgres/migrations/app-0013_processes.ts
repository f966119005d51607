import type { Knex } from 'knex';

/** Several tasks at once in one run, waits for events, inbound hooks, notifications. */
export const name = 'app-0013_processes';

export async function up(knex: Knex, storage: string): Promise<void> {
  await knex.raw(
    `
    alter table :storage:._runs add column parent_run uuid;        -- the run whose subprocess step started this one
    create index _runs_parent on :storage:._runs (parent_run) where parent_run is not null;
    alter table :storage:._tasks add column strand text not null default 'main';
    create index _tasks_of_run on :storage:._tasks (run_id);

    -- Runs that wait for an event; the fan-out of the log looks here.
    create table :storage:._waits (
      id          uuid primary key,
      run_id      uuid not null references :storage:._runs (id) on delete cascade,
      workflow_id text not null,                      -- in Temporal: whom to tell
      strand      text not null,
      event       text not null,                      -- a custom event's name, or record_created, record_updated, record_deleted
      entity      text,                               -- of a record event
      record_id   text,                               -- that record only
      match       text,                               -- decided by the relay where the event and the context are enough
      context     jsonb not null default '{}',
      created_at  timestamptz not null default now()
    );
    create index _waits_event on :storage:._waits (event, entity, record_id);
    create index _waits_run on :storage:._waits (run_id);

    -- Secrets of inbound hooks: one per workflow definition, shown once.
    create table :storage:._hooks (
      definition_id text primary key,
      token_hash    bytea not null,
      created_by    jsonb not null,
      created_at    timestamptz not null default now(),
      last_used_at  timestamptz
    );

    create table :storage:._notifications (
      id         uuid primary key,
      user_id    uuid not null references :storage:._users (id) on delete cascade,
      message    text not null,
      link       text,
      run_id     uuid,
      created_at timestamptz not null default now(),
      read_at    timestamptz
    );
    create index _notifications_user on :storage:._notifications (user_id, created_at desc, id desc);
  `,
    { storage },
  );
}
