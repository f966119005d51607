/** The record of who did what to accounts, apps and definitions. */
import { randomBytes } from 'node:crypto';
import { execute, type Db } from '../../adapters/postgres/run.ts';
import type { Realm } from '../../adapters/tokens.ts';
import { sql, value } from '../../core/sql/sql.ts';
import type { Actor } from '../context.ts';

export interface AuditEntry {
  /** The app's id; null for the platform. */
  readonly app: string | null;
  /** Like `user.update`. */
  readonly action: string;
  readonly target: string | null;
  /** Never a secret. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** The `app` of an entry about accounts of this realm. */
export const appOf = ({ key }: Realm): string | null => (key === '' ? null : key);

/**
 * Writes one entry; inside a transaction it stands and falls with what it tells of. The head of the app's chain is locked from here
 * to the commit, so that entries follow each other; write it last.
 */
export async function audit(db: Db, actor: Actor, entry: AuditEntry): Promise<void> {
  const told = JSON.stringify({ kind: actor.kind, id: actor.id, email: actor.email, key: actor.keyId });
  await execute(
    db,
    sql`
    with e as materialized (
      select n.*, coalesce(n.app, '') as chain, durabase.audit_digest(n.salt, n.actor, n.target, n.detail) as digest
      from (select ${value(entry.app, 'text')} as app, ${value(entry.action, 'text')} as action, ${value(told, 'jsonb')} as actor,
        ${value(entry.target, 'text')} as target, ${value(JSON.stringify(entry.detail ?? {}), 'jsonb')} as detail,
        decode(${value(randomBytes(16).toString('hex'), 'text')}, 'hex') as salt) n
    ), head as (
      insert into durabase.audit_heads as h (chain, number, hash)
      select chain, 1, durabase.audit_hash(''::bytea, 1, chain, action, now(), digest) from e
      on conflict (chain) do update set number = h.number + 1,
        hash = (select durabase.audit_hash(h.hash, h.number + 1, e.chain, e.action, now(), e.digest) from e)
      returning number, hash
    )
    insert into durabase.audit (app, chain, number, action, actor, target, detail, at, salt, digest, hash)
    select e.app, e.chain, head.number, e.action, e.actor, e.target, e.detail, now(), e.salt, e.digest, head.hash from e, head`,
    { prepared: true },
  );
}
