-- The tables of examples/helpdesk-ticketing.json as a hand-written server would have them.
create table customers (
  id uuid primary key default gen_random_uuid(), name text not null, email text not null unique, phone text, company text,
  created_at timestamptz not null default now(), updated_at timestamptz not null default now()
);
create table tickets (
  id uuid primary key default gen_random_uuid(), title text not null, description text not null, status text not null default 'open',
  priority text not null default 'medium', category text not null default 'question', customer_id uuid not null references customers (id),
  agent_id uuid, resolved_at timestamptz, closed_at timestamptz, deleted_at timestamptz,
  created_at timestamptz not null default now(), updated_at timestamptz not null default now()
);
create index on tickets (customer_id);
create table responses (
  id uuid primary key default gen_random_uuid(), ticket_id uuid not null references tickets (id), author_type text not null,
  author_id uuid not null, body text not null, internal_note boolean default false, created_at timestamptz not null default now()
);
create index on responses (ticket_id);
