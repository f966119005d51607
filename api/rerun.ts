/**
 * The one place that makes a schema change invisible to clients: an operation that failed in a way a stale schema explains is
 * run once more with the app as the catalog has it now.
 */
import { sqlState } from '../adapters/postgres/run.ts';
import { AppError, isAppError, type ErrorCode } from '../core/errors.ts';
import type { BesideShape } from '../operations/app-runtime.ts';
import type { AppContext, AppRuntime } from '../operations/context.ts';
import type { Registry } from '../operations/registry.ts';

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
    const { registry } = ctx.services;
    const newer = await registry.newerThan(ctx.app);
    if (newer !== undefined) return operate({ ...ctx, app: await sameShape(ctx, newer) });
    if (ctx.app.beside?.kind === 'early') await refuseUnlessServed(ctx, ctx.app.beside);
    if (ctx.app.beside !== undefined || !namesSomethingUnknown(error)) throw error;
    return inOlderShape(ctx, operate, error);
  }
}

/** The shape the client asked for, of the newer version. */
async function sameShape(ctx: AppContext, newer: AppRuntime): Promise<AppRuntime> {
  const { beside } = ctx.app;
  return beside === undefined ? newer : servedShape(ctx.services.registry, newer, beside.version);
}

/** A migration that is taken back takes what its shape was read from: whoever came a moment before is told so. */
async function refuseUnlessServed({ app, services: { registry } }: AppContext, { version, served }: BesideShape): Promise<void> {
  await servedShape(registry, (await registry.byId(app.id)) ?? served, version);
}

/** Names that were renamed or dropped are understood for as long as a grace lasts: the client has not heard of it yet. */
async function inOlderShape<T>(ctx: AppContext, operate: (ctx: AppContext) => Promise<T>, first: unknown): Promise<T> {
  const { registry } = ctx.services;
  for (const app of (await registry.shapesOf(ctx.app)).older) {
    try {
      const result = await operate({ ...ctx, app });
      registry.countUse(app, ctx.actor);
      if (app.beside !== undefined) ctx.speaks?.(app.beside.version);
      return result;
    } catch (error) {
      if (!namesSomethingUnknown(error)) throw error;
    }
  }
  throw first;
}

const UNKNOWN_CODES: ReadonlySet<ErrorCode> = new Set(['UNKNOWN_FIELD', 'UNKNOWN_ENTITY', 'UNKNOWN_PARAMETER']);

const namesSomethingUnknown = (error: unknown): boolean =>
  isAppError(error) && (UNKNOWN_CODES.has(error.code) || error.details.some(({ rule }) => rule === 'unknown'));

/** The app as a version had it. Throws NOT_FOUND for a version there is not, CONFLICT for one that is served no more, or not yet. */
export async function servedShape(registry: Registry, known: AppRuntime, version: number): Promise<AppRuntime> {
  // This process may be the one that has not heard of the switch yet.
  const app = (await registry.shapesOf(known)).of(version) === undefined ? ((await registry.newerThan(known)) ?? known) : known;
  const { of, latest } = await registry.shapesOf(app);
  const shape = of(version);
  if (shape !== undefined) return shape;
  if (version > latest) {
    throw new AppError('NOT_FOUND', `The schema has no version ${version}.`, { hint: `Version ${app.version} is served.` });
  }
  if (version > app.version) {
    throw new AppError('CONFLICT', `Version ${version} of the schema is not served yet; ${app.version} is.`, {
      hint: 'Leave Schema-Version out, or try again when its migration is ready.',
      retryAfter: 5,
    });
  }
  throw new AppError('CONFLICT', `Version ${version} of the schema is served no more; ${app.version} is.`, {
    hint: `Send Schema-Version: ${app.version}, or none, and use the names of that version.`,
  });
}
