/** Maintenance of an app or of some of its entities: writes are answered 503, reads go on. */
import { execute } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { appendSchemaEvent } from '../../adapters/schema-events/postgres.ts';
import { AppError } from '../../core/errors.ts';
import { sql, value } from '../../core/sql/sql.ts';
import type { PlatformContext } from '../context.ts';
import { audit } from '../platform/audit.ts';
import { leasesConfirm } from '../schemas/api-leases.ts';
import type { AppRow } from './read.ts';

/** `true` is the whole app, a list some of its entities by name, `false` nothing. In force in every api process when it returns. */
export async function setMaintenance(ctx: PlatformContext, app: AppRow, wanted: unknown): Promise<void> {
  const held = await readHeld(ctx, app, wanted);
  const event = await transaction(ctx.services.pool, async (client) => {
    const changed = await execute(
      client,
      sql`
      update durabase.apps set maintenance = ${value(held, 'text[]')}, updated_at = now()
      where id = ${value(app.id)} and maintenance is distinct from ${value(held, 'text[]')}`,
    );
    if (changed === 0) return undefined;
    await audit(client, ctx.actor, { app: app.id, action: 'app.maintenance', target: app.name, detail: { maintenance: wanted } });
    return appendSchemaEvent(client, { type: 'app.updated', app: app.id, body: { maintenance: wanted } });
  });
  if (event !== undefined) await leasesConfirm(ctx.services.pool, event);
}

async function readHeld(ctx: PlatformContext, app: AppRow, wanted: unknown): Promise<string[] | null> {
  if (wanted === true) return ['*'];
  if (wanted === false || wanted === null || (Array.isArray(wanted) && wanted.length === 0)) return null;
  const names: readonly unknown[] = Array.isArray(wanted) ? wanted : [undefined];
  const model = (await ctx.services.registry.byId(app.id))?.model;
  return names.map((name, index) => {
    const entity = typeof name === 'string' ? model?.entities.get(name) : undefined;
    if (entity !== undefined) return entity.id;
    const message = Array.isArray(wanted)
      ? `names no entity of the app: ${JSON.stringify(name)}`
      : 'must be true, false or a list of entities';
    throw new AppError('VALIDATION_FAILED', `"maintenance" ${message}.`, {
      details: [
        { field: 'maintenance', rule: 'reference', message, ...(Array.isArray(wanted) ? { path: `maintenance.${String(index)}` } : {}) },
      ],
    });
  });
}
