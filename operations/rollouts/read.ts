/** Rollouts as clients see them: a projection the workflow's activities keep. */
import type pg from 'pg';
import { run } from '../../adapters/postgres/run.ts';
import { AppError } from '../../core/errors.ts';
import { sql, value, type Sql } from '../../core/sql/sql.ts';
import { rolloutWorkflowId } from '../../workflows/contracts/ids.ts';
import type { RolloutAppStatus, RolloutStatus } from '../../workflows/contracts/types.ts';
import type { Services } from '../context.ts';
import { checkParameters, readPage } from '../paging.ts';

export interface RolloutView {
  readonly id: string;
  readonly schema: string;
  readonly version: number;
  readonly status: RolloutStatus;
  /** The name of the ring under way, or of the last one there was. */
  readonly ring: string;
  readonly rings: readonly { readonly name: string; readonly bake_seconds: number; readonly apps: Counts }[];
  readonly apps: Counts;
  readonly max_failures: number;
  readonly parallel: number;
  readonly bake_until: string | null;
  readonly error: string | null;
  readonly workflow_id: string;
  readonly temporal_url: string | null;
  readonly created_by: unknown;
  readonly created_at: string;
  readonly updated_at: string;
  readonly ended_at: string | null;
}

/** How many apps are how far; `total` is all of them. */
type Counts = Readonly<Partial<Record<RolloutAppStatus | 'total', number>>>;

/** One app's line of the report. */
export interface RolloutAppView {
  readonly app: string;
  readonly ring: string;
  readonly status: RolloutAppStatus;
  readonly from_version: number | null;
  readonly to_version: number;
  readonly migration_id: string | null;
  readonly rollback_migration_id: string | null;
  readonly error: string | null;
  readonly started_at: string | null;
  readonly ended_at: string | null;
}

export interface RolloutDetail extends RolloutView {
  readonly report: readonly RolloutAppView[];
}

interface Row extends pg.QueryResultRow {
  readonly id: string;
  readonly schema: string;
  readonly version: number;
  readonly status: RolloutStatus;
  readonly ring: number;
  readonly rings: readonly { readonly name: string; readonly bakeMs: number }[];
  readonly counts: readonly { readonly ring: number; readonly status: RolloutAppStatus; readonly count: number }[];
  readonly max_failures: number;
  readonly parallel: number;
  readonly bake_until: string | null;
  readonly error: string | null;
  readonly created_by: unknown;
  readonly created_at: string;
  readonly updated_at: string;
  readonly ended_at: string | null;
}

const select = (condition: Sql): Sql => sql`
  select r.id, r.schema_name as schema, r.version, r.status, r.ring, r.rings, r.max_failures, r.parallel, r.error, r.created_by,
    to_json(r.bake_until)#>>'{}' as bake_until, to_json(r.created_at)#>>'{}' as created_at, to_json(r.updated_at)#>>'{}' as updated_at,
    to_json(r.ended_at)#>>'{}' as ended_at,
    (select coalesce(json_agg(c), '[]') from (select a.ring, a.status, count(*)::integer as count from durabase.rollout_apps a
       where a.rollout = r.id group by a.ring, a.status) c) as counts
  from durabase.rollouts r where ${condition}`;

export async function listRollouts(
  services: Services,
  query: URLSearchParams,
): Promise<{ data: RolloutView[]; meta: { page: number; per_page: number; total: number } }> {
  checkParameters(query, ['schema', 'status', 'page', 'per_page']);
  const { page, perPage, offset } = readPage(query, 200);
  const schema = value(query.get('schema'), 'text');
  const status = value(query.get('status'), 'text');
  const where = sql`(${schema} is null or r.schema_name = ${schema}) and (${status} is null or r.status = ${status})`;
  const [counted] = await run<{ total: number }>(
    services.pool,
    sql`select count(*)::integer as total from durabase.rollouts r where ${where}`,
  );
  const rows = await run<Row>(
    services.pool,
    sql`${select(where)} order by r.created_at desc limit ${value(perPage, 'integer')} offset ${value(offset, 'bigint')}`,
  );
  return { data: rows.map((row) => view(services, row)), meta: { page, per_page: perPage, total: counted?.total ?? 0 } };
}

/** With a page of its report; `status` narrows that to apps of one status. */
export async function getRollout(services: Services, id: string, query: URLSearchParams): Promise<RolloutDetail> {
  checkParameters(query, ['status', 'page', 'per_page']);
  const [row] = await run<Row>(services.pool, select(sql`r.id::text = ${value(id.toLowerCase())}`));
  if (row === undefined) throw noSuchRollout(id);
  return { ...view(services, row), report: await reportOf(services.pool, row, query) };
}

export const noSuchRollout = (id: string): AppError =>
  new AppError('NOT_FOUND', `There is no rollout "${id.slice(0, 100)}".`, { hint: 'GET /api/_platform/rollouts lists them.' });

async function reportOf(pool: pg.Pool, row: Row, query: URLSearchParams): Promise<RolloutAppView[]> {
  const { perPage, offset } = readPage(query, 1_000, 200);
  const status = value(query.get('status'), 'text');
  const apps = await run<Omit<RolloutAppView, 'ring' | 'to_version'> & { ring: number } & pg.QueryResultRow>(
    pool,
    sql`
    select p.name as app, a.ring, a.status, a.from_version, a.migration as migration_id, a.back_migration as rollback_migration_id, a.error,
      to_json(a.started_at)#>>'{}' as started_at, to_json(a.ended_at)#>>'{}' as ended_at
    from durabase.rollout_apps a join durabase.apps p on p.id = a.app
    where a.rollout = ${value(row.id, 'uuid')} and (${status} is null or a.status = ${status})
    order by a.position limit ${value(perPage, 'integer')} offset ${value(offset, 'bigint')}`,
  );
  return apps.map((app) => ({ ...app, ring: ringName(row, app.ring), to_version: row.version }));
}

const ringName = (row: Row, ring: number): string => row.rings[ring]?.name ?? '';

function view(services: Services, row: Row): RolloutView {
  const { rings, ring, counts, ...rest } = row;
  const workflowId = rolloutWorkflowId(row.id);
  return {
    ...rest,
    ring: ringName(row, ring),
    rings: rings.map(({ name, bakeMs }, index) => ({
      name,
      bake_seconds: bakeMs / 1000,
      apps: sum(counts.filter((count) => count.ring === index)),
    })),
    apps: sum(counts),
    workflow_id: workflowId,
    temporal_url: services.temporal.linkTo(workflowId),
  };
}

function sum(counts: Row['counts']): Counts {
  const totals: Partial<Record<RolloutAppStatus | 'total', number>> = { total: 0 };
  for (const { status, count } of counts) {
    totals[status] = (totals[status] ?? 0) + count;
    totals.total = (totals.total ?? 0) + count;
  }
  return totals;
}
