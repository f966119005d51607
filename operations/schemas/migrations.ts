/** Migrations as clients see them: a projection the workflow's activities keep. */
import type pg from 'pg';
import { run } from '../../adapters/postgres/run.ts';
import { AppError } from '../../core/errors.ts';
import { sql, value } from '../../core/sql/sql.ts';
import type { AppContext, Services } from '../context.ts';

export interface MigrationView {
  readonly id: string;
  readonly app: string;
  readonly from_version: number;
  readonly to_version: number;
  readonly status: string;
  readonly phase: string;
  readonly steps: readonly { phase: string; sql: string; lock: string | null; state: string }[];
  readonly progress: { readonly done: number; readonly total: number; readonly rate: null; readonly eta_seconds: null };
  readonly old_traffic: null;
  readonly plan_hash: string;
  readonly error: string | null;
  readonly workflow_id: string;
  readonly temporal_url: string | null;
  readonly created_at: string;
  readonly updated_at: string;
}

interface Row extends pg.QueryResultRow {
  readonly id: string;
  readonly from_version: number;
  readonly to_version: number;
  readonly status: string;
  readonly phase: string;
  readonly plan_hash: string;
  readonly error: string | null;
  readonly workflow_id: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly steps: MigrationView['steps'];
}

const SELECT = sql`
  select m.id, m.from_version, m.to_version, m.status, m.phase, m.plan_hash, m.error, m.workflow_id,
         to_json(m.created_at)#>>'{}' as created_at, to_json(m.updated_at)#>>'{}' as updated_at,
         coalesce((select json_agg(json_build_object('phase', s.phase, 'sql', s.sql, 'lock', s.lock, 'state', s.state) order by s.position)
                   from durabase.migration_steps s where s.migration = m.id), '[]') as steps
  from durabase.migrations m`;

export async function listMigrations(ctx: AppContext): Promise<MigrationView[]> {
  const rows = await run<Row>(ctx.services.pool, sql`${SELECT} where m.app = ${value(ctx.app.id)} order by m.number desc limit 200`);
  return rows.map((row) => view(ctx.services, ctx.app.name, row));
}

/** By id, or by the version it leads to. */
export async function getMigration(ctx: AppContext, key: string): Promise<MigrationView> {
  const condition = /^\d{1,9}$/.test(key)
    ? sql`m.to_version = ${value(Number(key), 'integer')}`
    : sql`m.id::text = ${value(key.toLowerCase())}`;
  const [row] = await run<Row>(
    ctx.services.pool,
    sql`${SELECT} where m.app = ${value(ctx.app.id)} and ${condition} order by m.number desc limit 1`,
  );
  if (row === undefined)
    throw new AppError('NOT_FOUND', `This app has no migration "${key}".`, { hint: 'GET _admin/migrations lists them.' });
  return view(ctx.services, ctx.app.name, row);
}

function view(services: Services, app: string, row: Row): MigrationView {
  return {
    id: row.id,
    app,
    from_version: row.from_version,
    to_version: row.to_version,
    status: row.status,
    phase: row.phase,
    steps: row.steps,
    progress: { done: row.steps.filter((step) => step.state === 'done').length, total: row.steps.length, rate: null, eta_seconds: null },
    old_traffic: null,
    plan_hash: row.plan_hash,
    error: row.error,
    workflow_id: row.workflow_id,
    temporal_url: services.temporal.linkTo(row.workflow_id),
    created_at: row.created_at,
    updated_at: row.updated_at,
  };
}
