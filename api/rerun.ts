/**
 * The one place that makes a schema change invisible to clients: an operation that failed in a way a stale schema explains is
 * run once more with the app as the catalog has it now.
 */
import { sqlState } from '../adapters/postgres/run.ts';
import { isAppError, type ErrorCode } from '../core/errors.ts';
import type { AppContext } from '../operations/context.ts';

/** Plan changed, undefined column, table, function, type, wrong type, no such constraint, schema or statement. */
const STALE_STATES = new Set(['0A000', '42703', '42P01', '42883', '42804', '42704', '42P10', '3F000', '26000', '23502', '23514']);

/** Our own answers that a newer schema may turn into another one. */
const STALE_CODES: ReadonlySet<ErrorCode> = new Set([
  'UNKNOWN_FIELD',
  'UNKNOWN_ENTITY',
  'UNKNOWN_OPERATOR',
  'UNKNOWN_PARAMETER',
  'VALIDATION_FAILED',
  'NESTED_WRITE_FAILED',
  'FORBIDDEN',
]);

export function mayBeStale(error: unknown): boolean {
  const state = sqlState(error) ?? sqlState((error as { cause?: unknown } | undefined)?.cause);
  if (state !== undefined && (STALE_STATES.has(state) || state.startsWith('22'))) return true;
  return isAppError(error) && STALE_CODES.has(error.code);
}

/** Runs the operation, and once more from its beginning when the app's schema had moved on. */
export async function withFreshSchema<T>(ctx: AppContext, operate: (ctx: AppContext) => Promise<T>): Promise<T> {
  try {
    return await operate(ctx);
  } catch (error) {
    if (!mayBeStale(error)) throw error;
    const newer = await ctx.services.registry.newerThan(ctx.app);
    if (newer === undefined) throw error;
    return operate({ ...ctx, app: newer });
  }
}
