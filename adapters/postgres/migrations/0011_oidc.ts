import type { Knex } from 'knex';

/** Signing in to the platform with OpenID Connect. */
export const name = '0011_oidc';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    -- Made by signing up: until verified_at is set, nobody has proved to own the address.
    alter table durabase.platform_users add column signed_up boolean not null default false;
    create table durabase.platform_auth_providers (
      id            uuid primary key,
      name          text not null unique,
      display_name  text,
      issuer        text not null,
      client_id     text not null,
      sealed_secret bytea,                            -- null for a public client
      scopes        text[] not null,
      default_roles text[] not null,
      allow_signup  boolean not null,
      active        boolean not null,
      version       integer not null default 1,       -- raised by every change, so that what was remembered is made anew
      created_at    timestamptz not null default now(),
      updated_at    timestamptz not null default now()
    );
    create table durabase.platform_oidc_links (
      issuer     text not null,
      subject    text not null,
      user_id    uuid not null references durabase.platform_users (id) on delete cascade,
      provider   text not null,                       -- by which it was made
      email      text,
      created_at timestamptz not null default now(),
      used_at    timestamptz not null default now(),
      primary key (issuer, subject)
    );
    create index platform_oidc_links_user on durabase.platform_oidc_links (user_id);
    create table durabase.platform_oidc_logins (
      id           uuid primary key,
      provider     uuid not null references durabase.platform_auth_providers (id) on delete cascade,
      secret_hash  text not null,                     -- of the state, later of the code
      browser_hash text not null,                     -- of the cookie of the browser that began
      sealed       bytea,                             -- nonce and PKCE verifier
      redirect_to  text not null,
      user_id      uuid references durabase.platform_users (id) on delete cascade,  -- null until the provider has answered
      expires_at   timestamptz not null
    );
    create index platform_oidc_logins_expiry on durabase.platform_oidc_logins (expires_at);
  `);
}
