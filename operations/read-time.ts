import { AppError } from '../core/errors.ts';

const TIME = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})?)?$/;

/** An ISO date or time of a query or a body; without an offset it is UTC. */
export function readTime(given: unknown, name: string): Date | null {
  if (given === null || given === undefined) return null;
  const text = typeof given === 'string' && TIME.test(given) ? given : undefined;
  const at = text === undefined ? Number.NaN : Date.parse(/T/.test(text) && !/(Z|[+-]\d{2}:?\d{2})$/.test(text) ? `${text}Z` : text);
  if (!Number.isNaN(at)) return new Date(at);
  const message = `"${name}" must be a time like 2026-01-31T12:00:00Z.`;
  throw new AppError('INVALID_VALUE', message, { details: [{ field: name, rule: 'type', message }] });
}
