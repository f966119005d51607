/** `as` of what admins may ask: a user of the app by id, or somebody with these roles. */
import type { As } from '../../core/payloads/trials.ts';
import type { Actor, AppContext } from '../context.ts';
import { userActor } from './act-as.ts';

/** NOT_FOUND for a user the app does not have. */
export async function actorOfAs(ctx: AppContext, as: As): Promise<Actor> {
  if (typeof as === 'string') return userActor(ctx, as);
  const roles = as.roles.map((role) => role.toLowerCase());
  return { kind: 'user', id: as.id ?? null, email: as.email ?? null, roles, isAdmin: roles.includes('admin'), sessionId: null };
}
