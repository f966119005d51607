import type { Knex } from 'knex';

/**
 * Imports: the rows of a file as they were read, how far its check, run or undo is, what is wrong with which row, and what each row has
 * done, so that it can be taken back.
 */
export const name = 'app-0027_imports';

export async function up(knex: Knex, storage: string): Promise<void> {
  await knex.raw(
    `
    create table :storage:._imports (
      id          uuid primary key,
      entity_id   text not null,                      -- stable, whatever the entity is called later
      entity      text not null,
      schema_version integer not null,                -- of the names in mapping
      format      text not null check (format in ('csv', 'ndjson')),
      file_name   text,
      bytes       bigint not null default 0,
      checksum    text,                               -- SHA-256 of what was sent, in hex
      source      jsonb not null default '{}',        -- delimiter, encoding, header, bom
      columns     jsonb not null default '[]',
      mapping     jsonb not null default '{}',
      options     jsonb not null default '{}',
      owner       text not null,                      -- kind:id of who sent it
      actor       jsonb not null,                     -- by whose permissions the task under way goes
      state       text not null check (state in ('uploading', 'checking', 'checked', 'running', 'completed', 'refused', 'cancelled', 'failed',
                    'undoing', 'undone')),
      task        text not null default 'check' check (task in ('check', 'run', 'undo')),
      task_total  integer not null default 0,
      round       integer not null default 0,         -- of its workflows; an older one finds that it is not its turn any more
      total       integer not null default 0,
      done        integer not null default 0,         -- rows of the task under way that are settled: it goes on behind them
      created     integer not null default 0,
      updated     integer not null default 0,
      unchanged   integer not null default 0,
      failed      integer not null default 0,
      removed     integer not null default 0,
      restored    integer not null default 0,
      kept        integer not null default 0,
      after_undo  text,                               -- the state an undo leads to where it is no person's
      error       jsonb,
      resumed     jsonb not null default '[]',
      segment_from integer not null default 0,        -- how fast it is, is counted from here
      segment_at  timestamptz,
      created_at  timestamptz not null default now(),
      checked_at  timestamptz,
      finished_at timestamptz,
      updated_at  timestamptz not null default now()
    );
    create index _imports_owner on :storage:._imports (owner, id desc);

    create table :storage:._import_chunks (
      import_id  uuid not null references :storage:._imports (id) on delete cascade,
      first_row  integer not null,                    -- from 0
      rows       integer not null,
      body       text not null,                       -- JSON: [[line, cell, ...], ...], or [[line, object], ...]
      primary key (import_id, first_row)
    );
    create table :storage:._import_errors (
      import_id  uuid not null references :storage:._imports (id) on delete cascade,
      row        integer not null,
      nth        integer not null,
      line       integer not null,
      col        text,
      field      text,
      code       text not null,
      rule       text,
      message    text not null,
      primary key (import_id, row, nth)
    );
    -- What good rows have that may be there once: the next row with the same names the line of this one.
    create table :storage:._import_keys (
      import_id  uuid not null references :storage:._imports (id) on delete cascade,
      key        text not null,
      line       integer not null,
      primary key (import_id, key)
    );
    create table :storage:._import_records (
      import_id  uuid not null references :storage:._imports (id) on delete cascade,
      row        integer not null,
      line       integer not null,
      record_id  text not null,
      action     text not null check (action in ('create', 'update')),
      version    bigint not null,                     -- as the import left it
      old        jsonb,                               -- of an update: what the fields had
      outcome    text check (outcome in ('removed', 'restored', 'kept')),
      reason     text,
      primary key (import_id, row)
    );
    create index _import_records_open on :storage:._import_records (import_id, row desc) where outcome is null;
    create index _import_records_kept on :storage:._import_records (import_id, row) where outcome = 'kept';
    `,
    { storage },
  );
}
