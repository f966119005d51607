import type { Knex } from 'knex';

/**
 * What became visible, in that order: the relay numbers it, realtime reads it; and the tickets by which a browser opens a stream.
 * The audit becomes a chain per app and one of the platform: each entry's hash covers the one before.
 */
export const name = '0023_feed_and_audit';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table durabase.feed (
      position  bigint generated always as identity,  -- given by one relay, one transaction after the other
      app       text not null,
      event_seq bigint not null,
      event_at  timestamptz not null,                 -- of the event: where it stands in the partitions
      at        timestamptz not null default now(),
      primary key (app, position)
    );
    -- Rows come in the order of their time.
    create index feed_at on durabase.feed using brin (at);
    create table durabase.feed_state (
      id             integer primary key check (id = 1),
      pruned_through bigint not null default 0         -- ids below it have expired
    );
    insert into durabase.feed_state (id) values (1);

    create table durabase.stream_tickets (
      hash       text primary key,
      app        text not null,
      sealed     bytea not null,                      -- the credential it stands for
      expires_at timestamptz not null
    );
    create index stream_tickets_expires on durabase.stream_tickets (expires_at);
    -- How many streams the process holds: while there is any, writes tell the relay.
    alter table durabase.api_leases add column streams integer not null default 0;
  `);
  await knex.raw(AUDIT_CHAIN);
}

const AUDIT_CHAIN = `
  create table durabase.audit_heads (
    chain  text primary key,                          -- the app's id; '' = platform
    number bigint not null,
    hash   bytea not null
  );
  -- What may be erased is covered by a digest only, which stays.
  create function durabase.audit_digest(salt bytea, actor jsonb, target text, detail jsonb) returns bytea language sql stable as $$
    select sha256(salt || convert_to(jsonb_build_array(actor, target, detail)::text, 'UTF8'))
  $$;
  create function durabase.audit_hash(previous bytea, number bigint, chain text, action text, at timestamptz, digest bytea)
    returns bytea language sql stable as $$
    select sha256(previous
      || convert_to(jsonb_build_array(number, chain, action, (extract(epoch from at) * 1000000)::bigint)::text, 'UTF8') || digest)
  $$;
  alter table durabase.audit
    add column chain text, add column number bigint, add column salt bytea, add column digest bytea, add column hash bytea,
    add column erased_at timestamptz;
  do $$
  declare entry record; head durabase.audit_heads;
  begin
    for entry in select * from durabase.audit order by id loop
      select * into head from durabase.audit_heads h where h.chain = coalesce(entry.app, '');
      if not found then head := row(coalesce(entry.app, ''), 0, ''::bytea); end if;
      entry.salt := sha256(convert_to(gen_random_uuid()::text, 'UTF8'));
      entry.digest := durabase.audit_digest(entry.salt, entry.actor, entry.target, entry.detail);
      head.number := head.number + 1;
      head.hash := durabase.audit_hash(head.hash, head.number, head.chain, entry.action, entry.at, entry.digest);
      update durabase.audit set chain = head.chain, number = head.number, salt = entry.salt, digest = entry.digest, hash = head.hash
        where id = entry.id;
      insert into durabase.audit_heads values (head.chain, head.number, head.hash)
        on conflict (chain) do update set number = excluded.number, hash = excluded.hash;
    end loop;
  end $$;
  alter table durabase.audit alter column chain set not null, alter column number set not null, alter column digest set not null,
    alter column hash set not null, add constraint audit_chain unique (chain, number);
`;
