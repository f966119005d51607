/** Cutting sessions: the session's row is closed, and every api process learns of it through `durabase.revocations`. */
import type { Db } from '../../adapters/postgres/run.ts';
import { execute, run } from '../../adapters/postgres/run.ts';
import type { Realm } from '../../adapters/tokens.ts';
import { sql, value } from '../../core/sql/sql.ts';

/** Ends one session: its refresh token is dead now, its access tokens within two seconds. */
export async function cutSession(db: Db, realm: Realm, sessionId: string): Promise<void> {
  await execute(
    db,
    sql`
    with ended as (
      update ${realm.sessions} set revoked_at = now() where id = ${value(sessionId, 'uuid')} and revoked_at is null returning id
    )
    insert into durabase.revocations (app, session_id) select ${value(realm.key, 'text')}, id from ended`,
  );
}

/** Ends the sessions of an account, but for one when it is named; answers how many. */
export async function cutSessions(db: Db, realm: Realm, userId: string, except: string | null = null): Promise<number> {
  const [row] = await run<{ count: number }>(
    db,
    sql`
    with ended as (
      update ${realm.sessions} set revoked_at = now()
      where user_id = ${value(userId, 'uuid')} and revoked_at is null and id is distinct from ${value(except, 'uuid')} returning id
    ), told as (
      insert into durabase.revocations (app, session_id) select ${value(realm.key, 'text')}, id from ended
    )
    select count(*)::integer as count from ended`,
  );
  return row?.count ?? 0;
}

/** Tokens of an account with an epoch below this one are refused everywhere. */
export async function announceEpoch(db: Db, realm: Realm, userId: string, epoch: number): Promise<void> {
  await execute(
    db,
    sql`
    insert into durabase.revocations (app, user_id, epoch)
    values (${value(realm.key, 'text')}, ${value(userId, 'uuid')}, ${value(epoch, 'integer')})`,
  );
}
