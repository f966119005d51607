import type { Knex } from 'knex';

/** What operators do to many runs at once, run by run; lists of runs by time, and of those that are stuck. */
export const name = 'app-0019_operations';

export async function up(knex: Knex, storage: string): Promise<void> {
  await knex.raw(
    `
    create table :storage:._operations (
      id         uuid primary key,
      action     text not null check (action in ('retry', 'skip', 'cancel')),
      filter     jsonb not null,
      actor      jsonb not null,                      -- in whose name each run is asked
      created_at timestamptz not null default now()
    );
    create table :storage:._operated_runs (
      operation_id uuid not null references :storage:._operations (id) on delete cascade,
      run_id       uuid not null,
      state        text not null default 'pending' check (state in ('pending', 'done', 'failed')),
      tries        integer not null default 0,
      error        text,
      due_at       timestamptz not null default now(),
      primary key (operation_id, run_id)
    );
    create index _operated_runs_due on :storage:._operated_runs (due_at) where state = 'pending';

    create index _runs_newest on :storage:._runs (created_at desc, id desc);
    create index _runs_stuck on :storage:._runs (created_at desc, id desc) where status = 'running' and error is not null;
    create index _starts_failed on :storage:._starts (created_at desc, workflow_id desc) where state = 'failed';
    `,
    { storage },
  );
}
