/** Runs as operators look for them: by what they are stuck at, from cursor to cursor, and counted. */
import { run, runText } from '../../adapters/postgres/run.ts';
import { AppError } from '../../core/errors.ts';
import { and, id, raw, sql, type Sql, value } from '../../core/sql/sql.ts';
import type { AppContext } from '../context.ts';
import { checkParameters, readNatural, readText } from '../paging.ts';
import { readTime } from '../read-time.ts';

const FILTERS = ['status', 'workflow', 'step', 'entity', 'record_id', 'error', 'started_after', 'started_before'];
const STATUSES = ['running', 'stuck', 'completed', 'failed', 'cancelled', 'ended_by_restore'];
const USUAL_LIMIT = 25;
const MOST = 100;
const MAX_GROUPS = 100;
/** So much of an error makes a group, and is shown in a list. */
const ERROR_LENGTH = 500;

export interface RunFilter {
  readonly status?: string | undefined;
  readonly workflow?: string | undefined;
  readonly step?: string | undefined;
  readonly entity?: string | undefined;
  readonly record_id?: string | undefined;
  /** In the text of the error, as it is written. */
  readonly error?: string | undefined;
  readonly after?: Date | null;
  readonly before?: Date | null;
}

const STUCK = raw("r.status = 'running' and r.error is not null");
/** A stuck run tells the step that failed; it may be one of a branch. */
const STEP = raw(`coalesce(case when r.status = 'running' then substring(r.error from '^Step "([^"]+)" failed') end, r.current_step)`);
/** Ids differ from run to run, and are no part of what is wrong. */
const PROBLEM = sql`left(regexp_replace(regexp_replace(r.error, '^Step "[^"]+" failed: ', ''),
  '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', '*', 'gi'), ${value(ERROR_LENGTH, 'integer')})`;

/** Conditions on `r`. */
export function runsWhere(filter: RunFilter): Sql {
  const { status, workflow, step, entity, record_id: record, error, after, before } = filter;
  const parts = [
    status === undefined ? raw('true') : status === 'stuck' ? STUCK : sql`r.status = ${value(status)}`,
    ...(workflow === undefined ? [] : [sql`(r.workflow_name = ${value(workflow)} or r.definition_id = ${value(workflow)})`]),
    ...(step === undefined ? [] : [atStep(step)]),
    ...(entity === undefined ? [] : [sql`r.entity = ${value(entity)}`]),
    ...(record === undefined ? [] : [sql`r.record_id = ${value(record)}`]),
    ...(error === undefined ? [] : [sql`position(lower(${value(error)}) in lower(r.error)) > 0`]),
    ...(after ? [sql`r.created_at >= ${value(after, 'timestamptz')}`] : []),
    ...(before ? [sql`r.created_at < ${value(before, 'timestamptz')}`] : []),
  ];
  return and(parts);
}

const atStep = (step: string): Sql =>
  sql`(r.current_step = ${value(step)} or r.state -> 'strands' @> ${value(JSON.stringify([{ currentStep: step }]), 'jsonb')})`;

function readFilter(query: URLSearchParams): RunFilter {
  const status = readText(query, 'status');
  if (status !== undefined && !STATUSES.includes(status)) {
    throw new AppError('INVALID_VALUE', `The status must be one of ${STATUSES.join(', ')}.`);
  }
  return {
    status,
    workflow: readText(query, 'workflow'),
    step: readText(query, 'step'),
    entity: readText(query, 'entity'),
    record_id: readText(query, 'record_id'),
    error: readText(query, 'error'),
    after: readTime(query.get('started_after'), 'started_after'),
    before: readTime(query.get('started_before'), 'started_before'),
  };
}

interface FoundRow {
  readonly id: string;
  readonly workflow_id: string;
  readonly temporal_workflow_id: string;
  readonly position: string;
}

export interface FoundRun extends Omit<FoundRow, 'position'> {
  readonly temporal_url: string | null;
}

/** The newest first. A cursor is the place of the last one shown: a page costs the same however far it is. */
export async function findRuns(ctx: AppContext, query: URLSearchParams): Promise<{ data: FoundRun[]; page: object }> {
  checkParameters(query, [...FILTERS, 'cursor', 'limit']);
  const limit = Math.min(readNatural(query, 'limit') ?? USUAL_LIMIT, MOST);
  const rows = await run<FoundRow>(
    ctx.services.pool,
    sql`select r.id, r.definition_id as workflow_id, r.workflow_name, case when ${STUCK} then 'stuck' else r.status end as status,
          ${STEP} as step, r.entity, r.record_id, left(r.error, ${value(ERROR_LENGTH, 'integer')}) as error, r.schema_version,
          r.current_step_deadline as deadline, r.created_at as started_at, r.updated_at,
          floor(extract(epoch from ${value(ctx.now, 'timestamptz')} - r.created_at))::integer as age_seconds,
          r.workflow_id as temporal_workflow_id, (extract(epoch from r.created_at) * 1000000)::bigint::text || '.' || r.id as position
        from ${id(ctx.app.storage, '_runs')} r where ${and([runsWhere(readFilter(query)), behind(query.get('cursor'))])}
        order by r.created_at desc, r.id desc limit ${value(limit + 1, 'integer')}`,
  );
  const shown = rows.slice(0, limit);
  const data = shown.map(({ position: _position, ...row }) => ({
    ...row,
    temporal_url: ctx.services.temporal.linkTo(row.temporal_workflow_id),
  }));
  return { data, page: { limit, next_cursor: rows.length > limit ? (shown.at(-1)?.position ?? null) : null } };
}

const CURSOR = /^(\d{1,16})\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i;

function behind(cursor: string | null): Sql {
  if (cursor === null || cursor === '') return raw('true');
  const [, micros, runId] = CURSOR.exec(cursor) ?? [];
  if (micros === undefined || runId === undefined)
    throw new AppError('INVALID_VALUE', '"cursor" must be page.next_cursor of the answer before, or empty for the beginning.');
  return sql`(r.created_at, r.id) < ('epoch'::timestamptz + ${value(micros, 'bigint')} * interval '1 microsecond', ${value(runId, 'uuid')})`;
}

/** How many runs are how, where and why: the largest groups first, as JSON text. */
export async function countRunsByProblem(ctx: AppContext, query: URLSearchParams): Promise<string> {
  checkParameters(query, FILTERS);
  const text = await runText(
    ctx.services.pool,
    sql`with found as (
          select r.workflow_name as workflow, case when ${STUCK} then 'stuck' else r.status end as status, ${STEP} as step,
            ${PROBLEM} as error, r.created_at
          from ${id(ctx.app.storage, '_runs')} r where ${runsWhere(readFilter(query))}
        ), groups as (
          select workflow, status, step, error, count(*) as runs, min(created_at) as oldest_at from found
          group by workflow, status, step, error order by runs desc, workflow, step, error limit ${value(MAX_GROUPS, 'integer')}
        )
        select json_build_object('data', coalesce((select json_agg(groups order by runs desc, workflow, step, error) from groups), '[]'),
          'meta', json_build_object('total', (select count(*) from found)))::text`,
  );
  return text ?? '{"data":[]}';
}
