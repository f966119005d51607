import { execute } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { appendSchemaEvent } from '../../adapters/schema-events/postgres.ts';
import { AppError } from '../../core/errors.ts';
import { sql, value } from '../../core/sql/sql.ts';
import type { PlatformContext } from '../context.ts';
import { audit } from '../platform/audit.ts';
import { setMaintenance } from './maintenance.ts';
import { pinApp } from './pin.ts';
import type { Confirmed } from '../schemas/move.ts';
import { findApp, getApp, type AppRow } from './read.ts';

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

const WRITABLE = new Set(['display_name', 'pinned_version', 'maintenance']);

export interface UpdatedApp {
  /** The JSON of the app. */
  readonly text: string;
  /** True while it still moves to the version it was pinned to. */
  readonly isPending: boolean;
}

/** Changes an app's display name, the version it is pinned to, and what of it is under maintenance; its name is for good. */
export async function updateApp(ctx: PlatformContext, name: string, body: unknown, options: Confirmed = {}): Promise<UpdatedApp> {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new AppError('INVALID_PAYLOAD', 'The body must be a JSON object.');
  const given = body as Record<string, unknown>;
  const displayName = readDisplayName(name, given);
  const app = await findApp(ctx, name);
  const pinned = given['pinned_version'];
  const isPending = pinned !== undefined && (await pinApp(ctx, app, pinned, options));
  if (given['maintenance'] !== undefined) await setMaintenance(ctx, app, given['maintenance']);
  if (displayName !== undefined || (pinned === undefined && given['maintenance'] === undefined)) await rename(ctx, app, displayName);
  await ctx.services.registry.refresh();
  return { text: await getApp(ctx, name), isPending };
}

function readDisplayName(name: string, given: Record<string, unknown>): string | undefined {
  const unknown = Object.keys(given).filter((key) => !WRITABLE.has(key) && !READ_ONLY.has(key));
  const details = unknown.map((key) => ({ field: key, rule: 'unknown', message: `An app has no field "${key}".` }));
  if (typeof given['name'] === 'string' && given['name'] !== name)
    details.push({ field: 'name', rule: 'immutable', message: 'The name of an app cannot be changed.' });
  const displayName = given['display_name'];
  const isText = typeof displayName === 'string' && displayName.trim() !== '' && displayName.length <= 200;
  if (displayName !== undefined && !isText) {
    details.push({ field: 'display_name', rule: 'type', message: '"display_name" must be text of 1 to 200 characters.' });
  }
  if (details.length > 0) throw new AppError('VALIDATION_FAILED', 'The app is not valid.', { details });
  return isText ? displayName : undefined;
}

async function rename(ctx: PlatformContext, app: AppRow, displayName: string | undefined): Promise<void> {
  await transaction(ctx.services.pool, async (client) => {
    await execute(
      client,
      sql`
      update durabase.apps set display_name = coalesce(${value(displayName ?? null, 'text')}, display_name), updated_at = now()
      where id = ${value(app.id, 'text')}`,
    );
    await appendSchemaEvent(client, { type: 'app.updated', app: app.id });
    await audit(client, ctx.actor, { app: app.id, action: 'app.update', target: app.name });
  });
}
