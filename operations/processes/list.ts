import { AppError } from '../../core/errors.ts';
import { and, id, raw, sql, type Sql, value } from '../../core/sql/sql.ts';
import type { AppContext } from '../context.ts';
import { checkParameters, readPage } from '../paging.ts';
import { assignedTo, countRuns, type RunAnswer, selectRuns, toAnswer, visibleTo } from './runs.ts';

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
    visibleTo(ctx.app, ctx.actor),
    ...(status === null
      ? []
      : [status === 'stuck' ? raw("r.status = 'running' and r.error is not null") : sql`r.status = ${value(status)}`]),
    ...equal(query, 'workflow', raw('r.workflow_name')),
    ...equal(query, 'entity', raw('r.entity')),
    ...equal(query, 'record_id', raw('r.record_id')),
  ];
  return pageOf(ctx, query, and(conditions));
}

/** Runs with a task to decide: with `assignee=me` those that name the caller, else all the caller may see. */
export async function listPending(ctx: AppContext, query: URLSearchParams): Promise<RunPage> {
  checkParameters(query, ['assignee', 'page', 'per_page']);
  const assignee = query.get('assignee');
  if (assignee !== null && assignee !== 'me') throw new AppError('INVALID_VALUE', 'assignee can only be "me".');
  const mine =
    assignee !== 'me'
      ? []
      : [
          assignedTo('t', ctx.actor),
          ...(ctx.actor.kind === 'user' || ctx.actor.kind === 'api_key'
            ? [sql`(t.allow_self_approval or t.requested_by is distinct from ${value(ctx.actor.id)})`]
            : []),
        ];
  const open = and([raw("t.run_id = r.id and t.state = 'pending'"), ...mine]);
  const hasTask = sql`exists (select from ${id(ctx.app.storage, '_tasks')} t where ${open})`;
  return pageOf(ctx, query, and([raw("r.status = 'running'"), hasTask, visibleTo(ctx.app, ctx.actor)]));
}

async function pageOf(ctx: AppContext, query: URLSearchParams, where: Sql): Promise<RunPage> {
  const { page, perPage, offset } = readPage(query, 100, 20);
  const { services, app, actor } = ctx;
  const [rows, total] = await Promise.all([
    selectRuns(services.pool, app, where, { limit: perPage, offset }),
    countRuns(services.pool, app, where),
  ]);
  return { data: rows.map((row) => toAnswer(services, actor, row)), meta: { page, per_page: perPage, total } };
}

const equal = (query: URLSearchParams, parameter: string, column: Sql): Sql[] => {
  const wanted = query.get(parameter);
  if (wanted === null) return [];
  if (wanted.includes('\0')) throw new AppError('INVALID_VALUE', `${parameter} has the character NUL, which nothing stored has.`);
  return [sql`${column} = ${value(wanted)}`];
};
