/** Names of apps and the words neither an app nor an entity of the default app may take, because paths begin with them. */
import { AppError } from '../../core/errors.ts';
import { sql, value } from '../../core/sql/sql.ts';
import { run } from '../../adapters/postgres/run.ts';
import type { AppRuntime, Services } from '../context.ts';

export const APP_NAME = /^[a-z][a-z0-9_-]{0,62}$/;

/** First path segments with a meaning of their own; whatever begins with `_` is reserved too. */
export const RESERVED_WORDS: ReadonlySet<string> = new Set([
  'auth',
  'projects',
  'v1',
  'platform',
  'control-plane',
  'health',
  'metrics',
  'admin',
  'temporal',
]);

export const isReservedWord = (word: string): boolean => word.startsWith('_') || RESERVED_WORDS.has(word);

/** Throws when the name cannot be an app's: malformed or reserved (422), or an entity of the default app (409). */
export async function checkAppName(services: Services, name: unknown): Promise<string> {
  const refuse = (rule: string, message: string): AppError =>
    new AppError('VALIDATION_FAILED', `The app's name ${message}.`, { details: [{ field: 'name', rule, message }] });
  if (name === undefined || name === null || name === '') throw refuse('required', 'is required');
  if (typeof name !== 'string' || !APP_NAME.test(name)) {
    throw refuse('pattern', 'must begin with a small letter and hold only small letters, digits, "_" and "-", at most 63');
  }
  if (isReservedWord(name)) throw refuse('reserved', `may not be "${name}", which is a reserved word`);
  const { defaultApp } = services.config;
  const runtime = defaultApp === undefined || defaultApp === name ? undefined : await services.registry.byName(defaultApp);
  if (runtime?.model.entities.has(name) === true) {
    throw new AppError('CONFLICT', `The default app "${runtime.name}" has an entity "${name}", so paths could not tell the two apart.`, {
      hint: 'Choose another name for the app.',
    });
  }
  return name;
}

/** The reverse: throws 409 when an entity about to be added to the default app has the name of an app, 422 when it is reserved. */
export async function checkEntityNames(services: Services, app: Pick<AppRuntime, 'name'>, entities: readonly string[]): Promise<void> {
  if (app.name !== services.config.defaultApp || entities.length === 0) return;
  const reserved = entities.find(isReservedWord);
  if (reserved !== undefined) {
    throw new AppError('VALIDATION_FAILED', `An entity of the default app may not be called "${reserved}", which is a reserved word.`);
  }
  const [taken] = await run<{ name: string }>(
    services.pool,
    sql`
    select name from durabase.apps where name = any(${value(entities, 'text[]')}) and status <> 'retired' limit 1`,
  );
  if (taken !== undefined) {
    throw new AppError('CONFLICT', `There is an app "${taken.name}", so the default app may not have an entity of that name.`);
  }
}
