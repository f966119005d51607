import { run } from '../../adapters/postgres/run.ts';
import { AppError } from '../../core/errors.ts';
import { and, id, raw, sql, type Sql, value } from '../../core/sql/sql.ts';
import { powersOf, waitsFor } from '../approvals/powers.ts';
import type { AppContext } from '../context.ts';
import { checkParameters, readPage, readText } from '../paging.ts';
import { answerRuns, countRuns, type RunAnswer, selectRuns, visibleTo } from './runs.ts';

export interface RunPage {
  readonly data: readonly RunAnswer[];
  readonly meta: { readonly page: number; readonly per_page: number; readonly total: number };
}

const STATUSES = ['running', 'completed', 'failed', 'cancelled', 'ended_by_restore'];
const LIST_PARAMETERS = ['status', 'workflow', 'entity', 'record_id', 'page', 'per_page'];

/** The runs the caller may see, newest first. */
export async function listRuns(ctx: AppContext, query: URLSearchParams): Promise<RunPage> {
  checkParameters(query, LIST_PARAMETERS);
  const status = query.get('status');
  if (status !== null && status !== 'stuck' && !STATUSES.includes(status)) {
    throw new AppError('INVALID_VALUE', `The status must be one of ${STATUSES.join(', ')} or stuck.`);
  }
  const conditions = [
    await visibleTo(ctx),
    ...(status === null
      ? []
      : [status === 'stuck' ? raw("r.status = 'running' and r.error is not null") : sql`r.status = ${value(status)}`]),
    ...equal(query, 'workflow', raw('r.workflow_name')),
    ...equal(query, 'entity', raw('r.entity')),
    ...equal(query, 'record_id', raw('r.record_id')),
  ];
  return pageOf(ctx, query, and(conditions));
}

const PENDING_PARAMETERS = ['assignee', 'workflow', 'entity', 'overdue', 'sort', 'page', 'per_page'];
/** Without a due time last, whichever way. */
const PENDING_ORDERS: Readonly<Record<string, string>> = {
  due_at: 'm.due_at asc nulls last, r.created_at, r.id',
  '-due_at': 'm.due_at desc nulls last, r.created_at, r.id',
  created_at: 'r.created_at, r.id',
  '-created_at': 'r.created_at desc, r.id desc',
};

export interface PendingPage extends RunPage {
  readonly meta: RunPage['meta'] & { readonly overdue: number; readonly by_workflow: Readonly<Record<string, number>> };
}

/** Runs with a task to decide: with `assignee=me` those that wait for the caller, else all the caller may see. */
export async function listPending(ctx: AppContext, query: URLSearchParams): Promise<PendingPage> {
  checkParameters(query, PENDING_PARAMETERS);
  const order = PENDING_ORDERS[query.get('sort') ?? '-created_at'];
  if (order === undefined) throw new AppError('INVALID_VALUE', `sort must be one of ${Object.keys(PENDING_ORDERS).join(', ')}.`);
  const beside = await openTasks(ctx, query);
  const where = and([
    raw("r.status = 'running' and m.run_id is not null"),
    await visibleTo(ctx),
    ...equal(query, 'workflow', raw('r.workflow_name')),
    ...equal(query, 'entity', raw('r.entity')),
  ]);
  const { page, perPage, offset } = readPage(query, 100, 20);
  const [rows, counts] = await Promise.all([
    selectRuns(ctx.services.pool, ctx.app, where, { limit: perPage, offset, order: raw(order), beside }),
    countPending(ctx, beside, where),
  ]);
  return { data: await answerRuns(ctx, rows), meta: { page, per_page: perPage, ...counts } };
}

/** The open tasks of each run that are asked for, as `m` beside `r`. */
async function openTasks(ctx: AppContext, query: URLSearchParams): Promise<Sql> {
  const assignee = query.get('assignee');
  if (assignee !== null && assignee !== 'me') throw new AppError('INVALID_VALUE', 'assignee can only be "me".');
  const overdue = query.get('overdue');
  if (overdue !== null && overdue !== 'true' && overdue !== 'false') throw new AppError('INVALID_VALUE', 'overdue must be true or false.');
  const now = value(ctx.now.toISOString(), 'timestamptz');
  const conditions = [
    raw("t.run_id = r.id and t.state = 'pending'"),
    ...(assignee === null ? [] : [waitsFor(ctx, await powersOf(ctx))]),
    ...(overdue === null ? [] : [overdue === 'true' ? sql`t.due_at < ${now}` : sql`(t.due_at is null or t.due_at >= ${now})`]),
  ];
  return sql`left join lateral (
    select t.run_id, min(t.due_at) as due_at from ${id(ctx.app.storage, '_tasks')} t where ${and(conditions)} group by t.run_id) m on true`;
}

async function countPending(ctx: AppContext, beside: Sql, where: Sql): Promise<Omit<PendingPage['meta'], 'page' | 'per_page'>> {
  const rows = await run<{ workflow_name: string; total: string; overdue: string }>(
    ctx.services.pool,
    sql`select r.workflow_name, count(*) as total, count(*) filter (where m.due_at < ${value(ctx.now.toISOString(), 'timestamptz')}) as overdue
        from ${id(ctx.app.storage, '_runs')} r ${beside} where ${where} group by r.workflow_name order by r.workflow_name`,
  );
  const sum = (of: 'total' | 'overdue'): number => rows.reduce((all, row) => all + Number(row[of]), 0);
  return {
    total: sum('total'),
    overdue: sum('overdue'),
    by_workflow: Object.fromEntries(rows.map((row) => [row.workflow_name, Number(row.total)])),
  };
}

async function pageOf(ctx: AppContext, query: URLSearchParams, where: Sql): Promise<RunPage> {
  const { page, perPage, offset } = readPage(query, 100, 20);
  const { services, app } = ctx;
  const [rows, total] = await Promise.all([
    selectRuns(services.pool, app, where, { limit: perPage, offset }),
    countRuns(services.pool, app, where),
  ]);
  return { data: await answerRuns(ctx, rows), meta: { page, per_page: perPage, total } };
}

const equal = (query: URLSearchParams, parameter: string, column: Sql): Sql[] => {
  const wanted = readText(query, parameter);
  return wanted === undefined ? [] : [sql`${column} = ${value(wanted)}`];
};
