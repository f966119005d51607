import type { Knex } from 'knex';

/** What is known of a webhook's endpoint (ADR 26), replays of many deliveries, and the order in which deliveries leave. */
export const name = 'app-0015_webhooks';

export async function up(knex: Knex, storage: string): Promise<void> {
  await knex.raw(
    `
    alter table :storage:._webhook_state
      add column failures     integer not null default 0,  -- attempts in a row
      add column trips        integer not null default 0,  -- pauses in a row: each is twice as long as the one before
      add column paused_until timestamptz,                 -- nothing is tried before
      add column trial_until  timestamptz;                 -- somebody is trying whether the endpoint is back

    -- The attempts since the last replay: a replay starts its schedule anew.
    alter table :storage:._deliveries add column tries_in_round integer not null default 0;
    update :storage:._deliveries set tries_in_round = tries where status in ('pending', 'sending', 'retrying');

    drop index :storage:._deliveries_due;
    create index _deliveries_due on :storage:._deliveries (webhook, due_at) where status in ('pending', 'sending');
    create index _deliveries_queue on :storage:._deliveries (webhook, event_seq) where status in ('pending', 'sending');
    create index _deliveries_retrying on :storage:._deliveries (webhook) where status = 'retrying';
    create index _deliveries_webhook on :storage:._deliveries (webhook, id);

    create table :storage:._replays (
      id         uuid primary key,
      webhook    text,                                -- null: every webhook
      from_at    timestamptz,
      to_at      timestamptz,
      statuses   text[] not null,
      state      text not null default 'running' check (state in ('running', 'done')),
      position   uuid,                                -- the last delivery that was looked at
      replayed   bigint not null default 0,
      created_by jsonb not null,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    );
    create index _replays_running on :storage:._replays (id) where state = 'running';
    `,
    { storage },
  );
}
