/** The record of who did what to accounts, apps and definitions. */
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

/** Writes one entry; inside a transaction it stands and falls with what it tells of. */
export async function audit(db: Db, actor: Actor, entry: AuditEntry): Promise<void> {
  await execute(
    db,
    sql`
    insert into durabase.audit (app, action, actor, target, detail)
    values (${value(entry.app, 'text')}, ${value(entry.action, 'text')},
      ${value(JSON.stringify({ kind: actor.kind, id: actor.id, email: actor.email, key: actor.keyId }), 'jsonb')},
      ${value(entry.target, 'text')}, ${value(JSON.stringify(entry.detail ?? {}), 'jsonb')})`,
  );
}
