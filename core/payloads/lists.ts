/** What saved lists are made and changed with; the routes check bodies with these, and the description of the API is made of them. */
import { z } from 'zod';
import { hasUnstorable } from '../model/fields/field-kind.ts';
import { storable } from './text.ts';

/** Whom a shared list is for when it is for all. */
export const EVERYBODY = '*';
export const MAX_LIST_COLUMNS = 100;
const MAX_SORTS = 20;
const MAX_ROLES = 50;

const hasUnstorableText = (given: unknown): boolean => {
  if (typeof given === 'string') return hasUnstorable(given);
  if (typeof given !== 'object' || given === null) return false;
  return Object.entries(given).some(([key, member]) => hasUnstorable(key) || hasUnstorableText(member));
};

const path = storable(z.string().trim().min(1).max(300).regex(/^[^,]*$/, 'must be one name')); // prettier-ignore
const role = storable(z.string().trim().regex(/^[^\n]{1,100}$/)).transform((text) => text.toLowerCase()); // prettier-ignore

const parts = {
  name: storable(z.string().trim().min(1).max(100)),
  /** A tree of conditions, as `_query` takes it. */
  filter: z
    .record(z.string(), z.json())
    .refine((tree) => !hasUnstorableText(tree), 'must not contain the NUL character or half a surrogate pair')
    .nullable(),
  q: storable(z.string().max(500)).nullable(),
  /** `-created_at` is descending. */
  sort: z.array(path).max(MAX_SORTS),
  /** Null: every field. */
  columns: z.array(path).min(1).max(MAX_LIST_COLUMNS).nullable(),
  per_page: z.int().min(1).max(10_000).nullable(),
  /** Null: the caller's own. Else roles, or `*` for everybody. */
  shared_with: z
    .array(role)
    .min(1)
    .max(MAX_ROLES)
    .transform((roles) => (roles.includes(EVERYBODY) ? [EVERYBODY] : [...new Set(roles)]))
    .nullable(),
  is_default: z.boolean(),
};

const { name, ...others } = parts;
export const changedList = z.strictObject(parts).partial();
export const newList = z.strictObject({ entity: storable(z.string().min(1).max(63)), name, ...z.strictObject(others).partial().shape });

export type ChangedList = z.infer<typeof changedList>;
