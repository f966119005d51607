import type { z } from 'zod';
import { hasUnstorable } from '../model/fields/field-kind.ts';

/** A text that Postgres can hold. */
export const storable = (text: z.ZodString): z.ZodString =>
  text.refine((given) => !hasUnstorable(given), 'must not contain the NUL character or half a surrogate pair');
