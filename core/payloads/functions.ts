/** What admins ask of functions. */
import { z } from 'zod';

const anyObject = z.record(z.string(), z.unknown());

export const functionTrial = z
  .strictObject({
    function: z.string().min(1).max(100).optional(),
    /** Instead of a function. */
    script: z.string().min(1).max(20_000).optional(),
    params: anyObject.optional(),
    record: anyObject.optional(),
    old: anyObject.nullish(),
    /** True calls what an integration calls. */
    execute: z.boolean().optional(),
  })
  .refine((body) => (body.function === undefined) !== (body.script === undefined), {
    path: ['function'],
    message: 'name a "function", or give a "script"',
  });
