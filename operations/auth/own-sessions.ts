/** The sessions of one account: seen and ended by itself, or by an admin. */
import { runText } from '../../adapters/postgres/run.ts';
import type { Realm } from '../../adapters/tokens.ts';
import { AppError } from '../../core/errors.ts';
import { isUuid } from '../../core/model/fields/uuid.ts';
import { sql, value } from '../../core/sql/sql.ts';
import type { Actor, Services } from '../context.ts';
import { writeOnce, type Once } from '../once.ts';
import { appOf, audit } from '../platform/audit.ts';
import type { AccountScope } from '../users/accounts.ts';
import { cutSession, cutSessions } from './cut.ts';

/** Whose sessions, and who asks. */
export interface SessionScope {
  readonly services: Services;
  readonly realm: Realm;
  readonly userId: string;
  readonly actor: Actor;
  /** With an Idempotency-Key. */
  readonly once?: Once | undefined;
}

/** More than these are not shown; ending all of them ends those too. */
const SHOWN = 200;

/** The scope of the caller's own sessions; what is not signed in by a session has none. */
export function ownSessions(services: Services, realm: Realm, actor: Actor): SessionScope {
  if (actor.id === null || actor.sessionId === null) throw new AppError('FORBIDDEN', 'This is for accounts that signed in.');
  return { services, realm, userId: actor.id, actor };
}

/** The scope of somebody else's sessions; NOT_FOUND when there is no such account. */
export async function sessionsOf(scope: AccountScope, userId: string): Promise<SessionScope> {
  const found = isUuid(userId)
    ? await runText(scope.services.pool, sql`select id::text from ${scope.realm.users} where id = ${value(userId, 'uuid')}`)
    : null;
  if (found === null) throw new AppError('NOT_FOUND', `There is no user "${userId.slice(0, 100)}".`);
  return { ...scope, userId: found };
}

/** The JSON of the live sessions, the last used first. */
export async function listSessions(scope: SessionScope): Promise<string> {
  const { realm, userId, actor } = scope;
  const text = await runText(
    scope.services.pool,
    sql`
    select coalesce(json_agg(json_build_object('id', s.id, 'created_at', s.created_at, 'used_at', s.used_at, 'expires_at', s.expires_at,
      'user_agent', s.user_agent, 'address', s.address, 'current', s.id is not distinct from ${value(actor.sessionId, 'uuid')})
      order by s.used_at desc), '[]'::json)::text
    from (select * from ${realm.sessions} where user_id = ${value(userId, 'uuid')} and revoked_at is null and expires_at > now()
      order by used_at desc limit ${value(SHOWN, 'integer')}) s`,
  );
  return text ?? '[]';
}

/** Ends one of them: its refresh token now, its access tokens within seconds everywhere. */
export async function endSession(scope: SessionScope, sessionId: string): Promise<{ readonly id: string }> {
  const { realm, userId } = scope;
  return writeOnce(scope, async (client) => {
    const found = isUuid(sessionId)
      ? await runText(
          client,
          sql`select id::text from ${realm.sessions} where id = ${value(sessionId, 'uuid')} and user_id = ${value(userId, 'uuid')} and revoked_at is null`,
        )
      : null;
    if (found === null) throw new AppError('NOT_FOUND', `There is no session "${sessionId.slice(0, 100)}".`);
    await cutSession(client, realm, found);
    await audit(client, scope.actor, { app: appOf(realm), action: 'session.end', target: userId, detail: { session: found } });
    return { id: found };
  });
}

/** Ends all of them, or all but the caller's. */
export async function endSessions(scope: SessionScope, options: { readonly keepCurrent: boolean }): Promise<{ readonly ended: number }> {
  const { realm, userId, actor } = scope;
  return writeOnce(scope, async (client) => {
    const ended = await cutSessions(client, realm, userId, options.keepCurrent ? actor.sessionId : null);
    await audit(client, actor, { app: appOf(realm), action: 'session.end', target: userId, detail: { ended } });
    return { ended };
  });
}
