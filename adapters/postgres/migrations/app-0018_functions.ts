import type { Knex } from 'knex';

/** Runs of functions: those after a commit wait here for their turn, all of them are told of here afterwards. */
export const name = 'app-0018_functions';

export async function up(knex: Knex, storage: string): Promise<void> {
  await knex.raw(
    `
    create table :storage:._function_runs (
      id          uuid primary key,
      attachment  text not null,                      -- its stable id
      function    text not null,                      -- its name in the registry, or 'script'
      event_seq   bigint,                             -- null inside a write
      entity      text not null,
      record_id   text,
      change      jsonb,                              -- what a run after the commit is about
      status      text not null check (status in ('pending', 'running', 'succeeded', 'failed')),
      attempt     integer not null default 0,
      due_at      timestamptz not null default now(),
      input       jsonb,                              -- redacted and cut
      output      jsonb,
      error       text,
      error_kind  text check (error_kind in ('Validation', 'Authorization', 'BusinessLogic', 'ExternalService')),
      ms          integer,
      created_at  timestamptz not null default now(),
      finished_at timestamptz
    );
    create unique index _function_runs_once on :storage:._function_runs (event_seq, attachment) where event_seq is not null;
    create index _function_runs_due on :storage:._function_runs (due_at) where status in ('pending', 'running');
    create index _function_runs_attachment on :storage:._function_runs (attachment, id);
    create index _function_runs_finished on :storage:._function_runs (finished_at);
    `,
    { storage },
  );
}
