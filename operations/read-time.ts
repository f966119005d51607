import { AppError } from '../core/errors.ts';

const TIME = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})?)?$/;
const OFFSET = /T.*(Z|[+-]\d{2}:?\d{2})$/;
/** What Postgres and ISO 8601 both can say without a sign. */
const EARLIEST = Date.parse('0001-01-01T00:00:00Z');
const LATEST = Date.parse('9999-12-31T23:59:59.999Z');

/** An ISO date or time; without an offset it is UTC, a date its midnight. Undefined when it is neither. */
export function parseTime(given: unknown): Date | undefined {
  if (typeof given !== 'string' || !TIME.test(given)) return undefined;
  const at = Date.parse(given.includes('T') && !OFFSET.test(given) ? `${given}Z` : given);
  return at >= EARLIEST && at <= LATEST ? new Date(at) : undefined;
}

/** The time of a query or a body, by the one rule for all of them; null when none is given. */
export function readTime(given: unknown, name: string): Date | null {
  if (given === null || given === undefined) return null;
  const at = parseTime(given);
  if (at !== undefined) return at;
  const message = `"${name}" must be a time like 2026-01-31T12:00:00Z.`;
  throw new AppError('INVALID_VALUE', message, { details: [{ field: name, rule: 'type', message }] });
}
