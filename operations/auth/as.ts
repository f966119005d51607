/** `as` of what admins may ask: a user of the app by id, or somebody with these roles. */
import { z } from 'zod';
import { hasUnstorable } from '../../core/model/fields/field-kind.ts';
import type { Actor, AppContext } from '../context.ts';
import { userActor } from './act-as.ts';

const text = z
  .string()
  .min(1)
  .max(320)
  .refine((given) => !hasUnstorable(given), 'must not contain the NUL character or half a surrogate pair');

export const asSchema = z.union([text, z.strictObject({ roles: z.array(text).max(100), id: text.nullish(), email: text.nullish() })]);

export type As = z.infer<typeof asSchema>;

/** NOT_FOUND for a user the app does not have. */
export async function actorOfAs(ctx: AppContext, as: As): Promise<Actor> {
  if (typeof as === 'string') return userActor(ctx, as);
  const roles = as.roles.map((role) => role.toLowerCase());
  return { kind: 'user', id: as.id ?? null, email: as.email ?? null, roles, isAdmin: roles.includes('admin'), sessionId: null };
}
