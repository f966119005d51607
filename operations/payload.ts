import type { z } from 'zod';
import { AppError } from '../core/errors.ts';

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
