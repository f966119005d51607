import { runText } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { appendSchemaEvent } from '../../adapters/schema-events/postgres.ts';
import { AppError } from '../../core/errors.ts';
import { sql, value } from '../../core/sql/sql.ts';
import type { PlatformContext } from '../context.ts';
import { audit } from '../platform/audit.ts';
import { appJson, findApp } from './read.ts';

/** Sent back by clients that edit what they were given; never taken. */
const READ_ONLY = new Set([
  'id',
  'name',
  'db_name',
  'db_driver',
  'isolation',
  'status',
  'schema',
  'schema_version',
  'retire_at',
  'created_at',
  'updated_at',
]);

/** Changes an app's display name; its name is for good. Answers the JSON of the app. */
export async function updateApp(ctx: PlatformContext, name: string, body: unknown): Promise<string> {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new AppError('INVALID_PAYLOAD', 'The body must be a JSON object.');
  const given = body as Record<string, unknown>;
  const unknown = Object.keys(given).filter((key) => key !== 'display_name' && !READ_ONLY.has(key));
  if (unknown.includes('pinned_version'))
    throw new AppError('UNSUPPORTED', 'Pinning an app to a version is not available in this version.', {
      details: [{ field: 'pinned_version', rule: 'unsupported', message: 'not available', path: 'pinned_version' }],
    });
  const details = unknown.map((key) => ({ field: key, rule: 'unknown', message: `An app has no field "${key}".` }));
  if (typeof given['name'] === 'string' && given['name'] !== name)
    details.push({ field: 'name', rule: 'immutable', message: 'The name of an app cannot be changed.' });
  const displayName = given['display_name'];
  if (displayName !== undefined && (typeof displayName !== 'string' || displayName.trim() === '' || displayName.length > 200)) {
    details.push({ field: 'display_name', rule: 'type', message: '"display_name" must be text of 1 to 200 characters.' });
  }
  if (details.length > 0) throw new AppError('VALIDATION_FAILED', 'The app is not valid.', { details });
  const app = await findApp(ctx, name);
  const text = await transaction(ctx.services.pool, async (client) => {
    const changed = await runText(
      client,
      sql`
      update durabase.apps a set display_name = coalesce(${value(displayName ?? null, 'text')}, display_name), updated_at = now()
      where id = ${value(app.id, 'text')} returning ${appJson('a')}::text`,
    );
    await appendSchemaEvent(client, { type: 'app.updated', app: app.id });
    await audit(client, ctx.actor, { app: app.id, action: 'app.update', target: name });
    return changed;
  });
  await ctx.services.registry.refresh();
  return text ?? '';
}
