/** Seeing an app as one of its users does: the actor an admin stands for, and the entry that says so. */
import { run } from '../../adapters/postgres/run.ts';
import { AppError } from '../../core/errors.ts';
import { isUuid } from '../../core/model/fields/uuid.ts';
import { id, sql, value } from '../../core/sql/sql.ts';
import type { Actor, AppContext } from '../context.ts';
import { audit } from '../platform/audit.ts';

/** An active user of the app, as its own token would make it; NOT_FOUND for everybody else. */
export async function userActor(ctx: Pick<AppContext, 'services' | 'app'>, userId: string): Promise<Actor> {
  const [user] = isUuid(userId)
    ? await run<{ id: string; email: string; roles: string[] }>(
        ctx.services.pool,
        sql`select id::text as id, email, roles from ${id(ctx.app.storage, '_users')} where id = ${value(userId, 'uuid')} and active`,
      )
    : [];
  if (user === undefined) throw new AppError('NOT_FOUND', `The app has no active user "${userId.slice(0, 100)}".`);
  const roles = user.roles.map((role) => role.toLowerCase());
  return { kind: 'user', id: user.id, email: user.email, roles, isAdmin: roles.includes('admin'), sessionId: null };
}

/** The request as its user would make it. Only admins may, nobody gains a right by it, and each request is in the audit. */
export async function actAs(ctx: AppContext, userId: string, request: { method: string; path: string }): Promise<AppContext> {
  const { actor } = ctx;
  // A key stands for no person who could be asked, and acting as somebody would leave its scopes behind.
  if (!actor.isAdmin || actor.kind === 'api_key') throw new AppError('FORBIDDEN', 'Only an admin of the app may act as another user.');
  const user = await userActor(ctx, userId);
  await audit(ctx.services.pool, actor, {
    app: ctx.app.id,
    action: 'user.impersonate',
    target: user.id,
    detail: { as: user.email, method: request.method, path: request.path.slice(0, 500) },
  });
  return { ...ctx, actor: { ...user, by: { kind: actor.kind, id: actor.id } } };
}
