/** What admins ask of rules and permissions without writing anything. */
import { z } from 'zod';
import { storable } from './text.ts';

const text = storable(z.string().min(1).max(320));

/** A user of the app by id, or somebody with these roles. */
export const asSchema = z.union([text, z.strictObject({ roles: z.array(text).max(100), id: text.nullish(), email: text.nullish() })]);
export type As = z.infer<typeof asSchema>;

const anyObject = z.record(z.string(), z.unknown());
const entityName = z.string().min(1).max(63);

export const ruleTrial = z.strictObject({
  entity: entityName,
  record: anyObject,
  old: anyObject.nullish(),
  action: z.enum(['create', 'update', 'delete']).optional(),
  as: asSchema.optional(),
  drafts: z.array(anyObject).max(100).optional(),
});

export const simulation = z.strictObject({
  as: asSchema,
  entity: entityName,
  action: z.enum(['read', 'create', 'update', 'delete']),
  record_id: z.union([z.string().min(1).max(500), z.number()]).optional(),
  record: anyObject.optional(),
  /** Narrows the rows that are counted. */
  query: z.strictObject({ filter: z.unknown() }).optional(),
  draft: z.array(anyObject).max(200).optional(),
});

/** Permissions as they would be; those that are served when left out. */
export const permissionMatrix = z.strictObject({ draft: z.array(anyObject).max(200).optional() });
export const permissionImpact = z.strictObject({ draft: z.array(anyObject).min(1).max(200) });
