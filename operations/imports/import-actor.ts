/** Who an import acts for, as they are now and not as they were when they asked: roles may be gone, accounts switched off. */
import { run, type Db } from '../../adapters/postgres/run.ts';
import { PLATFORM_REALM, type Realm } from '../../adapters/tokens.ts';
import { AppError } from '../../core/errors.ts';
import { compileScopes } from '../../core/policy/scopes.ts';
import { isUuid } from '../../core/model/fields/uuid.ts';
import { sql, value } from '../../core/sql/sql.ts';
import { actorRef } from '../actor-ref.ts';
import { homeOf } from '../auth/home.ts';
import type { Actor, AppRuntime } from '../context.ts';
import type { ImportActor } from './import-row.ts';

export const importActor = (actor: Actor): ImportActor => ({
  ...actorRef(actor),
  ...(actor.keyId === undefined ? {} : { keyId: actor.keyId }),
});

/** FORBIDDEN when the account or the key is gone or switched off. */
export async function currentActor(db: Db, app: AppRuntime, ref: ImportActor): Promise<Actor> {
  const { realm } = homeOf(app);
  const found = ref.keyId === undefined ? await account(db, ref, realm) : await apiKey(db, ref.keyId, realm);
  if (found === undefined) throw new AppError('FORBIDDEN', 'Whoever asked for the import is gone or switched off.');
  return ref.by === undefined ? found : { ...found, by: ref.by };
}

async function account(db: Db, { kind, id }: ImportActor, home: Realm): Promise<Actor | undefined> {
  const realm = kind === 'platform' ? PLATFORM_REALM : home;
  if (id === null || !isUuid(id)) return undefined;
  const [user] = await run<{ email: string; roles: string[] }>(
    db,
    sql`select email, roles from ${realm.users} where id = ${value(id, 'uuid')} and active`,
    { prepared: true },
  );
  if (user === undefined) return undefined;
  const roles = user.roles.map((role) => role.toLowerCase());
  const isPlatform = kind === 'platform';
  return {
    kind: isPlatform ? 'platform' : 'user',
    id,
    email: user.email,
    roles,
    isAdmin: isPlatform || roles.includes('admin'),
    sessionId: null,
  };
}

interface KeyRow {
  readonly user_id: string | null;
  readonly email: string | null;
  readonly scopes: string[];
  readonly roles: string[];
}

/** One of the app, else one of the platform. */
async function apiKey(db: Db, keyId: string, home: Realm): Promise<Actor | undefined> {
  for (const realm of [home, PLATFORM_REALM]) {
    const [key] = await run<KeyRow>(
      db,
      sql`select k.user_id, u.email, k.scopes, coalesce(k.roles, u.roles) as roles
          from ${realm.apiKeys} k left join ${realm.users} u on u.id = k.user_id
          where k.id = ${value(keyId, 'uuid')} and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())
            and (k.user_id is null or u.active)`,
      { prepared: true },
    );
    if (key === undefined) continue;
    const roles = key.roles.map((role) => role.toLowerCase());
    const isAdmin = realm === PLATFORM_REALM || roles.includes('admin');
    const scopes = compileScopes(key.scopes);
    return { kind: 'api_key', id: key.user_id ?? keyId, email: key.email, roles, isAdmin, sessionId: null, keyId, scopes };
  }
  return undefined;
}
