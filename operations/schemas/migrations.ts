/** Migrations as clients see them: a projection the workflow's activities keep. */
import type pg from 'pg';
import { run } from '../../adapters/postgres/run.ts';
import type { Change } from '../../core/change/change.ts';
import { AppError } from '../../core/errors.ts';
import { sql, value, type Sql } from '../../core/sql/sql.ts';
import type { AppContext, Services } from '../context.ts';
import { checkParameters, readPage } from '../paging.ts';
import { sessionsInTheWay, type LockWait } from './lock-waits.ts';
import { migrationLog, type LogLine } from './migration-log.ts';
import { addressOf, olderClients, type OlderClient } from './older-clients.ts';
import { openQuarantine } from './quarantine.ts';

export interface MigrationView {
  readonly id: string;
  readonly app: string;
  readonly from_version: number;
  readonly to_version: number;
  readonly status: string;
  readonly phase: string;
  readonly class: 'compatible' | 'breaking';
  readonly steps: readonly MigrationStepView[];
  /** What happened to it, in order; lists leave it out, and the next four. */
  readonly log?: readonly LogLine[];
  readonly changes?: readonly Change[];
  /** How many values keep it from going on until they are repaired. */
  readonly quarantined?: number;
  /** The lock that is tried for in vain. */
  readonly waits?: LockWait | null;
  /** Who asked in the older shape, the last first. */
  readonly older_clients?: readonly OlderClient[];
  /** Steps, or rows while a backfill runs: then with rows a second, and the seconds that are left at that rate. */
  readonly progress: {
    readonly done: number;
    readonly total: number;
    readonly unit: 'steps' | 'rows';
    readonly rate: number | null;
    readonly eta_seconds: number | null;
  };
  /** Requests in the older shape since the switch; null for a migration that has none. */
  readonly old_traffic: {
    readonly version: number;
    readonly requests: number;
    /** Accounts and API keys. */
    readonly clients: number;
    readonly last_used_at: string | null;
  } | null;
  readonly approval: {
    readonly needed: boolean;
    readonly by?: { readonly kind: string; readonly id: string | null; readonly email?: string | null };
    readonly at?: string;
    readonly comment?: string | null;
  };
  readonly grace_until: string | null;
  readonly retention_until: string | null;
  readonly waiting_for: string | null;
  readonly plan_hash: string;
  readonly error: string | null;
  readonly workflow_id: string;
  readonly temporal_url: string | null;
  /** Who published the version, or asked for the move. */
  readonly created_by: unknown;
  readonly created_at: string;
  readonly updated_at: string;
}

export interface MigrationStepView {
  readonly key: string;
  readonly phase: string;
  readonly sql: string;
  readonly lock: string | null;
  readonly state: string;
  readonly finished_at: string | null;
  /** Of a step that goes row by row: how many it has been through, and about how many there are. */
  readonly rows?: number;
  readonly rows_total?: number;
}

interface Row extends pg.QueryResultRow {
  readonly id: string;
  readonly from_version: number;
  readonly to_version: number;
  readonly status: string;
  readonly phase: string;
  readonly class: MigrationView['class'];
  readonly plan_hash: string;
  readonly error: string | null;
  readonly workflow_id: string;
  readonly created_by: unknown;
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
  select m.id, m.from_version, m.to_version, m.status, m.phase, m.plan_hash, m.error, m.workflow_id, m.created_by,
         case when m.plan->'changes' @> '[{"class": "breaking"}]' then 'breaking' else 'compatible' end as class,
         m.approval, m.waiting_for, to_json(m.grace_until)#>>'{}' as grace_until, to_json(m.retention_until)#>>'{}' as retention_until,
         m.progress->'backfill' as backfill,
         case when m.grace_until is null then null else json_build_object('version', m.from_version,
           'requests', coalesce((select sum(u.requests) from durabase.shape_uses u where u.app = m.app and u.version <= m.from_version), 0),
           'clients', (select count(distinct c.client) from durabase.shape_clients c where c.app = m.app and c.version <= m.from_version),
           'last_used_at', (select max(u.last_used_at) from durabase.shape_uses u where u.app = m.app and u.version <= m.from_version)) end as old_traffic,
         to_json(m.created_at)#>>'{}' as created_at, to_json(m.updated_at)#>>'{}' as updated_at,
         coalesce((select json_agg(jsonb_build_object('key', s.key, 'phase', s.phase, 'sql', s.sql, 'lock', s.lock, 'state', s.state,
               'finished_at', to_json(s.finished_at))
             || case when s.rows_total is null then '{}'
                  else jsonb_build_object('rows', s.rows_done, 'rows_total', greatest(s.rows_done, s.rows_total)) end order by s.position)
                   from durabase.migration_steps s where s.migration = m.id), '[]') as steps
  from durabase.migrations m`;

const STATUSES = ['planned', 'awaiting_approval', 'running', 'paused', 'ready', 'completed', 'aborted', 'failed'];
const MOST_PER_PAGE = 200;

export interface MigrationList {
  readonly data: MigrationView[];
  readonly meta: { readonly page: number; readonly per_page: number; readonly total: number };
}

/** The newest first; `status`, `page` and `per_page` as other lists take them. */
export async function listMigrations(ctx: AppContext, query = new URLSearchParams()): Promise<MigrationList> {
  checkParameters(query, ['status', 'page', 'per_page']);
  const { page, perPage, offset } = readPage(query, MOST_PER_PAGE);
  const status = query.get('status');
  if (status !== null && !STATUSES.includes(status)) {
    const message = `"status" must be one of ${STATUSES.join(', ')}.`;
    throw new AppError('INVALID_VALUE', message, { details: [{ field: 'status', rule: 'enum', message }] });
  }
  const wanted = sql`m.app = ${value(ctx.app.id)}${status === null ? sql`` : sql` and m.status = ${value(status)}`}`;
  const { pool } = ctx.services;
  const [counted] = await run<{ total: number }>(pool, sql`select count(*)::integer as total from durabase.migrations m where ${wanted}`);
  const rows = await run<Row>(
    pool,
    sql`${SELECT} where ${wanted} order by m.number desc limit ${value(perPage, 'integer')} offset ${value(offset, 'integer')}`,
  );
  return {
    data: rows.map((row) => view(ctx.services, ctx.app.name, row)),
    meta: { page, per_page: perPage, total: counted?.total ?? 0 },
  };
}

/** By id, or by the version it leads to. */
export async function getMigration(ctx: AppContext, key: string): Promise<MigrationView> {
  const { pool } = ctx.services;
  const [row] = await run<OneRow>(
    pool,
    sql`select found.*, of.plan->'changes' as changes, of.progress->'waits' as waits
    from (${SELECT} where m.app = ${value(ctx.app.id)} and ${isNamed(key)} order by m.number desc limit 1) found
    join durabase.migrations of on of.id = found.id`,
  );
  if (row === undefined) throw noMigration(key);
  // The control plane's own tables are migrated by the same means; it keeps no values to repair and has no clients in shapes.
  const isApp = ctx.app.storage !== CONTROL_SCHEMA;
  return {
    ...view(ctx.services, ctx.app.name, row),
    approval: await withAddress(ctx, row.approval),
    log: await migrationLog(pool, ctx.app.id, row.id),
    changes: row.changes,
    quarantined: isApp ? await openQuarantine(pool, ctx.app.storage, row.id) : 0,
    waits: isTrying(row) && row.waits !== null ? { ...row.waits, sessions: await sessionsInTheWay(pool, row.id, row.waits.step) } : null,
    older_clients: row.old_traffic === null || !isApp ? [] : await olderClients(ctx, row.from_version),
  };
}

const CONTROL_SCHEMA = 'durabase';

interface OneRow extends Row {
  readonly changes: readonly Change[];
  readonly waits: Omit<LockWait, 'sessions'> | null;
}

/** A worker that died leaves its note; who is held, or has ended, tries for nothing. */
const isTrying = ({ status }: Row): boolean => status === 'running' || status === 'ready';

async function withAddress(ctx: AppContext, approval: MigrationView['approval']): Promise<MigrationView['approval']> {
  const { by } = approval;
  return by === undefined || by.id === null ? approval : { ...approval, by: { ...by, email: await addressOf(ctx, by.id) } };
}

/** What names a migration elsewhere. `key` is its id, or the version it leads to. */
export async function findMigration(ctx: AppContext, key: string): Promise<{ readonly id: string; readonly to_version: number }> {
  const [row] = await run<{ id: string; to_version: number }>(
    ctx.services.pool,
    sql`select m.id, m.to_version from durabase.migrations m where m.app = ${value(ctx.app.id)} and ${isNamed(key)} order by m.number desc limit 1`,
  );
  if (row === undefined) throw noMigration(key);
  return row;
}

const isNamed = (key: string): Sql =>
  /^\d{1,9}$/.test(key) ? sql`m.to_version = ${value(Number(key), 'integer')}` : sql`m.id::text = ${value(key.toLowerCase())}`;

const noMigration = (key: string): AppError =>
  new AppError('NOT_FOUND', `This app has no migration "${key.slice(0, 100)}".`, { hint: 'GET _admin/migrations lists them.' });

function view(services: Services, app: string, row: Row): MigrationView {
  return {
    id: row.id,
    app,
    from_version: row.from_version,
    to_version: row.to_version,
    status: row.status,
    phase: row.phase,
    class: row.class,
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
    created_by: row.created_by,
    created_at: row.created_at,
    updated_at: row.updated_at,
  };
}

const progressOf = ({ steps, backfill, phase }: Row): MigrationView['progress'] =>
  backfill !== null && (phase === 'backfill' || phase === 'verify')
    ? { ...backfill, unit: 'rows' }
    : { done: steps.filter((step) => step.state === 'done').length, total: steps.length, unit: 'steps', rate: null, eta_seconds: null };
