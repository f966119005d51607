import type { Knex } from 'knex';

/** Comments of records. A record's are found under what it was called in their version, as its events are. */
export const name = 'app-0030_comments';

export async function up(knex: Knex, storage: string): Promise<void> {
  await knex.raw(
    `
    create table :storage:._comments (
      id             uuid primary key,                -- in the order of time
      entity_table   text not null,                   -- where the record is stored, whatever its entity is called
      record_id      text not null,                   -- what schema_version calls the record
      schema_version integer not null,
      body           text not null,
      author         jsonb not null,                  -- {kind, id, key?, by?}
      mentions       uuid[] not null default '{}',
      version        bigint not null default 1,
      created_at     timestamptz not null default now(),
      edited_at      timestamptz
    );
    create index _comments_record on :storage:._comments (entity_table, record_id, id);
    create index _comments_author on :storage:._comments ((author ->> 'id'));
    create index _comments_mentions on :storage:._comments using gin (mentions);
  `,
    { storage },
  );
}
