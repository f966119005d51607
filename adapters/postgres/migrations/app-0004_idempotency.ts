import type { Knex } from 'knex';

/** Answers of writes sent with an Idempotency-Key, written in the transaction of the record. */
export const name = 'app-0004_idempotency';

export async function up(knex: Knex, storage: string): Promise<void> {
  await knex.raw(
    `
    create table :storage:._idempotency (
      caller         text not null,                    -- kind and id of who sent the key
      key            text not null,
      part           integer not null,                 -- the row of a write that is not atomic; 0 for a whole write
      hash           text not null,                    -- of method, path, query, precondition and body
      answer         text,                             -- JSON, kept as text so that it is answered byte by byte
      schema_version integer not null,
      roles          text[] not null,
      at             timestamptz not null default now(),
      primary key (caller, key, part)
    );
    create index _idempotency_at on :storage:._idempotency (at);
    `,
    { storage },
  );
}
