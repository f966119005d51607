import type { Knex } from 'knex';

/** Clocks of SLAs: what lists show of them, and the forms of the definitions they were started and are counted under. */
export const name = 'app-0017_clocks';

export async function up(knex: Knex, storage: string): Promise<void> {
  await knex.raw(
    `
    -- An SLA with its calendar as a clock counts under it; named by its content, so that a change is seen by the name alone.
    create table :storage:._sla_forms (
      hash       text primary key,
      sla        jsonb not null,
      calendar   jsonb,
      created_at timestamptz not null default now()
    );
    create table :storage:._clocks (
      id              uuid primary key,
      workflow_id     text not null unique,
      sla             text not null,                  -- the definition's id
      sla_name        text not null,
      entity          text not null,
      record_id       text not null,
      started_seq     bigint not null,
      started_version bigint not null,                -- of the record
      started_at      timestamptz not null,
      depth           smallint not null default 0,
      state           text not null check (state in ('running', 'paused', 'met', 'breached', 'cancelled')),
      is_paused       boolean not null default false,
      elapsed_ms      bigint not null default 0,      -- at assessed_at
      target_ms       bigint,
      due_at          timestamptz,
      breached_at     timestamptz,
      next_at         timestamptz,
      stopped_at      timestamptz,                    -- null while it is open
      eras            jsonb not null,                 -- [{since, form}]
      form            text not null,                  -- the last era's
      fired           jsonb not null default '[]',    -- [{key, at, error?}]
      error           text,
      revision        integer not null default 0,     -- an older look never overwrites a newer one
      assessed_at     timestamptz not null,
      created_at      timestamptz not null default now()
    );
    -- The relay decides by it whether an event starts a clock or tells the one that runs.
    create unique index _clocks_open on :storage:._clocks (entity, record_id, sla) where stopped_at is null;
    create index _clocks_record on :storage:._clocks (entity, record_id, started_at);
    create index _clocks_due on :storage:._clocks (due_at) where stopped_at is null;
    create index _clocks_form on :storage:._clocks (sla, form) where stopped_at is null;
    `,
    { storage },
  );
}
