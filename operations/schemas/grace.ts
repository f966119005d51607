/** What migrations in grace hold: both shapes of it are served, so nothing else may change it until that is over. */
import type pg from 'pg';
import { run } from '../../adapters/postgres/run.ts';
import type { Change, Undone } from '../../core/change/change.ts';
import { changesKey } from '../../core/change/key/key-change.ts';
import { movesLinks } from '../../core/change/links/move.ts';
import { AppError } from '../../core/errors.ts';
import { sql, value } from '../../core/sql/sql.ts';
import type { AppRuntime } from '../context.ts';

/**
 * Throws CONFLICT naming the migration that still serves an older shape of what these changes touch. A rollback may call things again
 * what they were; links and parts that are kept in step may not be moved by anything else.
 */
export async function refuseInGrace(
  client: pg.PoolClient,
  app: Pick<AppRuntime, 'id'>,
  changes: readonly Change[],
  isRollback = false,
): Promise<void> {
  const touched = new Map(changes.flatMap((change) => (change.touches ?? []).map((id) => [id, change] as const)));
  if (touched.size === 0) return;
  const rows = await run<{ id: string; to_version: number; touches: string[]; splits: boolean }>(
    client,
    sql`
    select m.id, m.to_version, change->'touches' as touches, change ? 'split' as splits
    from durabase.migrations m, jsonb_array_elements(m.plan->'changes') as change
    where m.app = ${value(app.id)} and m.status = 'ready' and m.phase = 'grace' and change ? 'touches' order by m.number`,
  );
  for (const migration of rows) {
    const found = migration.touches.flatMap((id) => touched.get(id) ?? []);
    const change = isRollback && !migration.splits ? found.find((one) => movesLinks(one) || changesKey(one)) : found[0];
    if (change === undefined) continue;
    const title = change.relation ?? [change.entity, change.field].filter((part) => part !== undefined).join('.');
    throw new AppError(
      'CONFLICT',
      `"${title}" is still served in the shape it had before version ${String(migration.to_version)}, by the migration ${migration.id}.`,
      { hint: `End its grace with POST _admin/migrations/${migration.id}/contract, then publish again.` },
    );
  }
}

interface GraceRow extends pg.QueryResultRow {
  readonly id: string;
  readonly to_version: number;
  readonly changes: readonly Change[];
}

/** The migration in grace that led from one version to the one that is served, when it converted values, moved links or changed a key. */
export async function undoneBy(
  client: pg.Pool | pg.PoolClient,
  app: Pick<AppRuntime, 'id'>,
  served: number,
  wanted: number,
): Promise<Undone | undefined> {
  const [row] = await run<GraceRow>(
    client,
    sql`
    select id, to_version, plan->'changes' as changes from durabase.migrations
    where app = ${value(app.id)} and status = 'ready' and phase = 'grace' and grace_ended_at is null
      and to_version = ${value(served, 'integer')} and from_version = ${value(wanted, 'integer')} and not plan ? 'undone'
    order by number desc limit 1`,
  );
  if (row === undefined) return undefined;
  const conversions = row.changes.flatMap((change) => change.conversion ?? []).filter(({ kind }) => kind !== 'fill');
  const moves = row.changes.flatMap(({ move }) => move ?? []);
  const splits = row.changes.flatMap(({ split }) => split ?? []);
  const isKeptInStep =
    conversions.length + moves.length + splits.length > 0 || row.changes.some((change) => movesLinks(change) || changesKey(change));
  return isKeptInStep ? { migration: row.id, version: row.to_version, conversions, moves, splits } : undefined;
}
