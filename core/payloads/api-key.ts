/** What API keys are made and changed with; the routes check bodies with these, and the description of the API is made of them. */
import { z } from 'zod';
import { MAX_SCOPES, SCOPE_FORM, scopeProblem } from '../policy/scopes.ts';
import { storable } from './text.ts';

const named = storable(z.string().trim().min(1).max(200));
const scopeList = z
  .array(
    z
      .string()
      .superRefine((scope, context) => {
        const problem = scopeProblem(scope);
        if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
      })
      .meta({ pattern: SCOPE_FORM, examples: ['ticket:read'] }),
  )
  .min(1, 'must name at least one scope, like "ticket:read"')
  .max(MAX_SCOPES)
  .transform((scopes) => [...new Set(scopes)]);
const expiry = z.iso.datetime({ offset: true }).nullable();
const role = storable(
  z
    .string()
    .trim()
    .regex(/^[^\n]{1,100}$/),
).transform((text) => text.toLowerCase());

export const newKey = z.strictObject({ name: named, scopes: scopeList, expires_at: expiry.optional() });
/** An admin's key may have roles of its own, or act as another account. */
export const newKeyOfAdmin = newKey.extend({ roles: z.array(role).min(1).max(100).optional(), user_id: z.guid().optional() });
export const changedKey = z.strictObject({ name: named.optional(), scopes: scopeList.optional(), expires_at: expiry.optional() });

export type NewKey = z.infer<typeof newKey> & Partial<Pick<z.infer<typeof newKeyOfAdmin>, 'roles' | 'user_id'>>;
