/** Pinning an app to a version of its schema: it moves there by its own migration and stays, whatever is published. */
import type pg from 'pg';
import { execute, run } from '../../adapters/postgres/run.ts';
import { appendSchemaEvent } from '../../adapters/schema-events/postgres.ts';
import { AppError } from '../../core/errors.ts';
import { sql, value } from '../../core/sql/sql.ts';
import type { AppContext, PlatformContext } from '../context.ts';
import { audit } from '../platform/audit.ts';
import { recordMove, type Confirmed } from '../schemas/move.ts';
import type { Served } from '../schemas/prepare.ts';
import { carryOut } from '../schemas/run-migration.ts';
import type { AppRow } from './read.ts';

/**
 * Null unpins, which moves the app to the newest version. The pin is written with the plan of the migration: should that fail, the
 * app stays where it is, pinned to where it is wanted, and the same request tries again. What it is already changes nothing, so that
 * a client may send back what it was given. Answers true when the migration still runs.
 */
export async function pinApp(ctx: PlatformContext, row: AppRow, pinned: unknown, options: Confirmed): Promise<boolean> {
  const wanted = await readPin(ctx, row, pinned);
  const app = await ctx.services.registry.byId(row.id);
  if (app === undefined || !['active', 'suspended'].includes(row.status)) {
    throw new AppError('CONFLICT', `The app "${row.name}" cannot be pinned while it is ${row.status}.`);
  }
  if (row.pinned_version === wanted && (wanted === null || row.served_version === wanted)) return false;
  const appContext: AppContext = { ...ctx, app, cause: null, depth: 0 };
  const { isPending } = await carryOut(appContext, () =>
    recordMove(
      { ...appContext, ...options },
      (served) => wanted ?? served.latestVersion,
      (client, served) => writePin(client, appContext, wanted, served),
    ),
  );
  return isPending;
}

async function readPin(ctx: PlatformContext, row: AppRow, pinned: unknown): Promise<number | null> {
  const refuse = (rule: string, message: string): AppError =>
    new AppError('VALIDATION_FAILED', `"pinned_version" ${message}.`, {
      details: [{ field: 'pinned_version', rule, message }],
      hint: `GET /api/_platform/schemas/${row.schema_name}/versions lists the versions.`,
    });
  if (pinned === null) return null;
  if (typeof pinned !== 'number' || !Number.isInteger(pinned) || pinned < 1) throw refuse('type', 'must be a whole number from 1, or null');
  const known = await run(
    ctx.services.pool,
    sql`select from durabase.schema_versions where schema_name = ${value(row.schema_name)} and version = ${value(pinned, 'bigint')}`,
  );
  if (known.length === 0) throw refuse('reference', `must be a version of the schema "${row.schema_name}", which has no ${pinned}`);
  return pinned;
}

async function writePin(client: pg.PoolClient, { app, actor }: AppContext, pinned: number | null, served: Served): Promise<void> {
  await execute(
    client,
    sql`update durabase.apps set pinned_version = ${value(pinned, 'integer')}, updated_at = now() where id = ${value(app.id)}`,
  );
  await appendSchemaEvent(client, {
    type: 'app.updated',
    app: app.id,
    schemaName: app.schemaName,
    oldVersion: served.servedVersion,
    body: { pinned_version: pinned },
  });
  await audit(client, actor, {
    app: app.id,
    action: pinned === null ? 'app.unpin' : 'app.pin',
    target: app.name,
    detail: { from: served.pinnedVersion, to: pinned },
  });
}
