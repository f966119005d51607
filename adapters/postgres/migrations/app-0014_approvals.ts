import type { Knex } from 'knex';

/** Votes, delegations, absences; managers of accounts. */
export const name = 'app-0014_approvals';

export async function up(knex: Knex, storage: string): Promise<void> {
  await knex.raw(
    `
    alter table :storage:._users add column manager uuid references :storage:._users (id) on delete set null;
    create index _users_roles on :storage:._users using gin (roles);

    alter table :storage:._tasks
      add column kind text not null default 'approval' check (kind in ('approval', 'resubmission')),
      add column groups jsonb not null default '[]',      -- [{name?, assignees: [{type, role?, user_ids?}], quorum}]; none: the assignee alone
      add column settings jsonb not null default '{}',    -- how votes are counted, what the step allows
      add column users text[] not null default '{}',      -- whom the open groups name
      add column roles text[] not null default '{}',
      add column admins boolean not null default false,   -- places only an admin can fill
      add column reminders integer not null default 0,
      add column reminded_at timestamptz,
      add column escalations integer not null default 0,
      drop constraint _tasks_state_check,
      add constraint _tasks_state_check
        check (state in ('pending', 'approved', 'rejected', 'sent_back', 'resubmitted', 'timed_out', 'cancelled'));
    update :storage:._tasks set
      groups = jsonb_build_array(jsonb_build_object('assignees', jsonb_build_array(assignee), 'quorum', 'any')),
      roles = case when assignee ->> 'type' = 'role' then array[assignee ->> 'role'] else '{}' end,
      users = case when assignee ->> 'type' = 'user' then array(select jsonb_array_elements_text(assignee -> 'user_ids')) else '{}' end,
      admins = assignee ->> 'type' = 'admin';

    create table :storage:._votes (
      id          uuid primary key,
      task_id     uuid not null references :storage:._tasks (id) on delete cascade,
      voter       text not null,                     -- who decided
      person      text not null,                     -- whom the vote stands for; the voter, or who is represented
      decision    text not null check (decision in ('approved', 'rejected', 'sent_back', 'resubmitted')),
      comment     text,
      groups      integer[] not null,                -- where it may count
      is_admins   boolean not null default false,    -- by an admin who is no member
      actor       jsonb not null,
      key         text not null,                     -- of the decision: a repeated request finds its own vote
      at          timestamptz not null,
      unique (task_id, person),
      unique (task_id, voter)
    );
    create table :storage:._delegations (
      task_id    uuid not null references :storage:._tasks (id) on delete cascade,
      from_user  text not null,
      to_user    uuid not null references :storage:._users (id) on delete cascade,
      until      timestamptz,
      comment    text,
      at         timestamptz not null,
      primary key (task_id, from_user)
    );
    create table :storage:._absences (
      id         uuid primary key,
      user_id    uuid not null references :storage:._users (id) on delete cascade,
      substitute uuid not null references :storage:._users (id) on delete cascade,
      starts_at  timestamptz not null,
      ends_at    timestamptz not null,
      created_by jsonb not null,
      created_at timestamptz not null default now(),
      check (user_id <> substitute),
      check (ends_at > starts_at)
    );
    create index _absences_user on :storage:._absences (user_id, ends_at);
    create index _absences_end on :storage:._absences (ends_at);
    `,
    { storage },
  );
}
