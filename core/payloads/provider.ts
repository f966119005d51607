/** What sign-in providers are made and changed with. */
import { z } from 'zod';

/** Words that stand where a provider's name does. */
const TAKEN_NAMES = ['token', 'links', 'check'];

const clean = (max: number): z.ZodString =>
  z
    .string()
    .trim()
    .min(1)
    .max(max)
    .regex(/^\P{Cc}*$/u, 'must hold no control characters')
    // The same in words that regular expressions of other languages know.
    .meta({ pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f]*$' });
const providerName = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,62}$/, 'must be at most 63 of a-z, 0-9, _ and -, beginning with a letter')
  .refine((name) => !TAKEN_NAMES.includes(name), `must not be ${TAKEN_NAMES.join(', ')}`);
const scopeList = z
  .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/, 'must be a scope without spaces'))
  .max(50)
  .refine((scopes) => scopes.includes('openid'), 'must hold "openid"')
  .transform((scopes) => [...new Set(scopes)]);
const roleList = z
  .array(clean(100).transform((role) => role.toLowerCase()))
  .max(20)
  .refine((roles) => !roles.includes('admin'), 'whoever signs up cannot become an admin')
  .transform((roles) => [...new Set(roles)]);
const fields = {
  display_name: clean(200).nullable(),
  issuer: z.string().max(500),
  client_id: clean(500),
  client_secret: clean(2_000).nullable(),
  scopes: scopeList,
  default_roles: roleList,
  allow_signup: z.boolean(),
  active: z.boolean(),
};

export const newProvider = z.strictObject({
  name: providerName,
  ...fields,
  display_name: fields.display_name.default(null),
  client_secret: fields.client_secret.default(null),
  scopes: scopeList.default(['openid', 'email', 'profile']),
  default_roles: roleList.default([]),
  allow_signup: fields.allow_signup.default(false),
  active: fields.active.default(true),
});
/** An issuer that is asked what it says of itself. */
export const checkedIssuer = z.strictObject({ issuer: fields.issuer });
/** The name stays: the provider knows it as part of the redirect address. */
export const changedProvider = z.strictObject(fields).partial();
