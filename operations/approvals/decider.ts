/** Who decides, as they are now and not as their token said: roles may be gone, accounts switched off. */
import { run, type Db } from '../../adapters/postgres/run.ts';
import { AppError } from '../../core/errors.ts';
import { id, raw, sql, value, type Sql } from '../../core/sql/sql.ts';
import type { ActorRef } from '../../workflows/contracts/types.ts';
import type { AppRuntime } from '../context.ts';
import type { Decider } from './seat.ts';

export async function currentDecider(db: Db, app: AppRuntime, actor: ActorRef): Promise<Decider> {
  if (actor.kind === 'platform' || actor.kind === 'system') return { ...actor, isAdmin: true };
  const own = sql`select roles, active from ${id(app.storage, '_users')} where id::text = ${value(actor.id)}`;
  const [user] = await run<{ roles: string[]; active: boolean }>(db, actor.kind === 'api_key' ? ofKey(app, own, actor.id) : own);
  if (user?.active !== true) throw new AppError('FORBIDDEN', 'This user account is gone or switched off.');
  const roles = user.roles.map((role) => role.toLowerCase());
  return { kind: actor.kind, id: actor.id, roles, isAdmin: roles.includes('admin'), by: actor.by };
}

/** A key acts as an account of the app or of the platform, or has roles of its own. */
function ofKey(app: AppRuntime, own: Sql, actorId: string | null): Sql {
  const alive = raw('revoked_at is null and (expires_at is null or expires_at > now())');
  const isIt = sql`id::text = ${value(actorId)}`;
  return sql`
    ${own}
    union all select roles, true from ${id(app.storage, '_api_keys')} where ${isIt} and ${alive}
    union all select array['admin'], active from durabase.platform_users where ${isIt}
    union all select array['admin'], true from durabase.platform_api_keys where ${isIt} and ${alive}`;
}
