/** What migrations in grace hold: both shapes of it are served, so nothing else may change it until that is over. */
import type pg from 'pg';
import { run } from '../../adapters/postgres/run.ts';
import type { Change } from '../../core/change/change.ts';
import { AppError } from '../../core/errors.ts';
import { sql, value } from '../../core/sql/sql.ts';
import type { AppRuntime } from '../context.ts';

/** Throws CONFLICT naming the migration that still serves an older shape of what these changes touch. */
export async function refuseInGrace(client: pg.PoolClient, app: Pick<AppRuntime, 'id'>, changes: readonly Change[]): Promise<void> {
  const touched = new Map(changes.flatMap((change) => (change.touches ?? []).map((id) => [id, change] as const)));
  if (touched.size === 0) return;
  const rows = await run<{ id: string; to_version: number; touches: string[] }>(
    client,
    sql`
    select m.id, m.to_version, change->'touches' as touches
    from durabase.migrations m, jsonb_array_elements(m.plan->'changes') as change
    where m.app = ${value(app.id)} and m.status = 'ready' and m.phase = 'grace' and change ? 'touches' order by m.number`,
  );
  for (const migration of rows) {
    const change = migration.touches.flatMap((id) => touched.get(id) ?? []).at(0);
    if (change === undefined) continue;
    const title = change.relation ?? [change.entity, change.field].filter((part) => part !== undefined).join('.');
    throw new AppError(
      'CONFLICT',
      `"${title}" is still served in the shape it had before version ${String(migration.to_version)}, by the migration ${migration.id}.`,
      { hint: `End its grace with POST _admin/migrations/${migration.id}/contract, then publish again.` },
    );
  }
}
