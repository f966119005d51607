import type { z } from 'zod';
import { AppError, type ErrorDetail } from '../core/errors.ts';

/** The body of a command in its shape, or INVALID_PAYLOAD with every mistake and its path. */
export function readPayload<T>(schema: z.ZodType<T>, body: unknown, what: string): T {
  const read = schema.safeParse(body);
  if (read.success) return read.data;
  const details = read.error.issues.slice(0, 20).map((issue) => {
    const path = issue.path.map(String).join('.');
    return { path, field: String(issue.path[0] ?? ''), rule: issue.code, message: issue.message };
  });
  const first = details[0];
  const place = first === undefined || first.path === '' ? '' : ` "${first.path}":`;
  throw new AppError('INVALID_PAYLOAD', `The body of ${what} is not valid.${place} ${first?.message ?? ''}`.trim(), { details });
}

/** What a body describes, in the words of its refusals: `an API key`. */
const named = (what: string): { readonly one: string; readonly the: string } => ({
  one: what.replace(/^a/, 'A'),
  the: what.replace(/^an? /, 'The '),
});

/** The body that describes `what` (`a provider`) in its shape, or VALIDATION_FAILED with every mistake. */
export function readDescribed<T>(schema: z.ZodType<T>, body: unknown, what: string): T {
  const read = schema.safeParse(body);
  if (read.success) return read.data;
  const details = read.error.issues.flatMap((issue): ErrorDetail[] =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({
          field: key.slice(0, 100),
          rule: 'unknown',
          message: `${named(what).one} has no field "${key.slice(0, 100)}".`,
        }))
      : [{ field: String(issue.path[0] ?? ''), rule: 'type', message: issue.message, path: issue.path.join('.') }],
  );
  throw new AppError('VALIDATION_FAILED', `${named(what).the} is not valid.`, { details: details.slice(0, 50) });
}

/** One value that its shape cannot judge. */
export const invalidDescribed = (what: string, field: string, message: string): AppError =>
  new AppError('VALIDATION_FAILED', `${named(what).the} is not valid.`, { details: [{ field, rule: 'value', message }] });
