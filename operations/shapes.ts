/** The shapes an app is served in: its version, older ones whose migrations are in grace, and the next one as soon as there is where to write. */
import type pg from 'pg';
import { run } from '../adapters/postgres/run.ts';
import { olderShape } from '../core/change/older-shape.ts';
import type { SchemaDocument } from '../core/model/document.ts';
import { fromStore } from '../core/model/stored.ts';
import { sql, value } from '../core/sql/sql.ts';
import type { AppRuntime, Shapes } from './app-runtime.ts';
import { createAppRuntime } from './registry-runtimes.ts';
import { loadMigration, planOf } from './schemas/migration-row.ts';

interface Row extends pg.QueryResultRow {
  readonly from_version: number;
  readonly is_breaking: boolean;
  readonly is_in_grace: boolean;
  readonly document: SchemaDocument | null;
  readonly undone_from: number | null;
}

/** More than anybody could be asked to keep alive. */
const MAX_STEPS = 200;

/** Goes back through the migrations of an app as far as each of them was compatible or still serves what it replaced. */
export async function loadShapes(pool: pg.Pool, app: AppRuntime): Promise<Shapes> {
  const rows = await run<Row>(
    pool,
    sql`
    select m.from_version, b.is_breaking, case when b.is_breaking then v.document end as document,
           (select u.from_version from durabase.migrations u where u.id = (m.plan->'undone'->>'migration')::uuid) as undone_from,
           -- From the moment of the switch, whether or not its contract has begun to count the time.
           m.status = 'ready' and m.grace_ended_at is null as is_in_grace
    from durabase.migrations m
    cross join lateral (
      select exists (select from jsonb_array_elements(m.plan->'changes') c where c->>'class' = 'breaking') as is_breaking) b
    left join durabase.schema_versions v on v.schema_name = ${value(app.schemaName)} and v.version = m.from_version
    where m.app = ${value(app.id)} and m.progress ? 'event'
    order by m.number desc limit ${value(MAX_STEPS, 'integer')}`,
  );
  const [schema] = await run<{ latest: number }>(
    pool,
    sql`select latest_version as latest from durabase.schemas where name = ${value(app.schemaName)}`,
  );
  const served = new Map<number, AppRuntime>([[app.version, app]]);
  const older: AppRuntime[] = [];
  let current = app;
  for (const row of rows) {
    if (row.is_breaking && !row.is_in_grace) break;
    if (row.from_version === 0) break;
    if (row.is_breaking && row.document !== null) {
      current = olderRuntime(app, row.from_version, fromStore(row.document));
      older.push(current);
    }
    if (!served.has(row.from_version)) served.set(row.from_version, current);
    // What a rollback took back led from the very shape that is served again.
    if (row.undone_from !== null && older.length === 1) served.set(row.undone_from, app);
  }
  const early = await earlyRuntime(pool, app);
  if (early?.beside !== undefined) served.set(early.beside.version, early);
  return { of: (version) => served.get(version), latest: schema?.latest ?? app.version, older, early };
}

const olderRuntime = (served: AppRuntime, version: number, document: SchemaDocument): AppRuntime =>
  createAppRuntime({
    ...served,
    document: olderShape(served.model.document, document),
    beside: { version, kind: 'older', served },
  });

/**
 * The version a migration is on the way to: the steps of its expand phase are all done and it is not being taken back. It may wait
 * there for days, for values that somebody must repair.
 */
async function earlyRuntime(pool: pg.Pool, served: AppRuntime): Promise<AppRuntime | undefined> {
  const [open] = await run<{ id: string }>(
    pool,
    sql`
    select m.id from durabase.migrations m
    where m.app = ${value(served.id)} and m.from_version = ${value(served.version, 'integer')}
      and m.status in ('running', 'paused') and m.phase in ('backfill', 'verify') and not m.progress ? 'aborting'
      and not exists (select from durabase.migration_steps s where s.migration = m.id and s.phase = 'expand' and s.state <> 'done')`,
  );
  if (open === undefined) return undefined;
  const row = await loadMigration(pool, open.id);
  const { filled } = planOf(row);
  if (filled === undefined) return undefined;
  return createAppRuntime({
    ...served,
    document: fromStore(row.next),
    beside: { version: row.to_version, kind: 'early', served },
    filled,
  });
}
