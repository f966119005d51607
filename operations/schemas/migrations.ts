/** Migrations as clients see them: a projection the workflow's activities keep. */
import type pg from 'pg';
import { run } from '../../adapters/postgres/run.ts';
import { AppError } from '../../core/errors.ts';
import { sql, value } from '../../core/sql/sql.ts';
import type { AppContext, Services } from '../context.ts';
import { migrationLog, type LogLine } from './migration-log.ts';

export interface MigrationView {
  readonly id: string;
  readonly app: string;
  readonly from_version: number;
  readonly to_version: number;
  readonly status: string;
  readonly phase: string;
  /** `rows`: how many a step that goes row by row has been through. */
  readonly steps: readonly { phase: string; sql: string; lock: string | null; state: string; rows?: number }[];
  /** What happened to it, in order; lists leave it out. */
  readonly log?: readonly LogLine[];
  /** Steps, or rows while a backfill runs: then with rows a second, and the seconds that are left at that rate. */
  readonly progress: {
    readonly done: number;
    readonly total: number;
    readonly unit: 'steps' | 'rows';
    readonly rate: number | null;
    readonly eta_seconds: number | null;
  };
  /** Requests in the older shape since the switch; null for a migration that has none. */
  readonly old_traffic: { readonly version: number; readonly requests: number; readonly last_used_at: string | null } | null;
  readonly approval: { readonly needed: boolean; readonly by?: unknown; readonly at?: string; readonly comment?: string | null };
  readonly grace_until: string | null;
  readonly retention_until: string | null;
  readonly waiting_for: string | null;
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
  readonly approval: MigrationView['approval'];
  readonly grace_until: string | null;
  readonly retention_until: string | null;
  readonly waiting_for: string | null;
  readonly backfill: { readonly done: number; readonly total: number; readonly rate: number; readonly eta_seconds: number | null } | null;
  readonly old_traffic: MigrationView['old_traffic'];
}

const SELECT = sql`
  select m.id, m.from_version, m.to_version, m.status, m.phase, m.plan_hash, m.error, m.workflow_id,
         m.approval, m.waiting_for, to_json(m.grace_until)#>>'{}' as grace_until, to_json(m.retention_until)#>>'{}' as retention_until,
         m.progress->'backfill' as backfill,
         case when m.grace_until is null then null else json_build_object('version', m.from_version,
           'requests', coalesce((select sum(u.requests) from durabase.shape_uses u where u.app = m.app and u.version <= m.from_version), 0),
           'last_used_at', (select max(u.last_used_at) from durabase.shape_uses u where u.app = m.app and u.version <= m.from_version)) end as old_traffic,
         to_json(m.created_at)#>>'{}' as created_at, to_json(m.updated_at)#>>'{}' as updated_at,
         coalesce((select json_agg(jsonb_build_object('phase', s.phase, 'sql', s.sql, 'lock', s.lock, 'state', s.state)
             || case when s.rows_total is null then '{}' else jsonb_build_object('rows', s.rows_done) end order by s.position)
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
  return { ...view(ctx.services, ctx.app.name, row), log: await migrationLog(ctx.services.pool, ctx.app.id, row.id) };
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
    progress: progressOf(row),
    old_traffic: row.old_traffic,
    approval: row.approval,
    grace_until: row.grace_until,
    retention_until: row.retention_until,
    waiting_for: row.waiting_for,
    plan_hash: row.plan_hash,
    error: row.error,
    workflow_id: row.workflow_id,
    temporal_url: services.temporal.linkTo(row.workflow_id),
    created_at: row.created_at,
    updated_at: row.updated_at,
  };
}

const progressOf = ({ steps, backfill, phase }: Row): MigrationView['progress'] =>
  backfill !== null && (phase === 'backfill' || phase === 'verify')
    ? { ...backfill, unit: 'rows' }
    : { done: steps.filter((step) => step.state === 'done').length, total: steps.length, unit: 'steps', rate: null, eta_seconds: null };
