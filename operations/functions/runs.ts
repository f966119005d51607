/** The log of runs, as admins read it, and repeating one of them. */
import { execute, runText } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { isUuid } from '../../core/model/fields/uuid.ts';
import { AppError } from '../../core/errors.ts';
import { and, id, sql, value, type Sql } from '../../core/sql/sql.ts';
import type { AppContext } from '../context.ts';
import { checkParameters, readNatural, readText } from '../paging.ts';
import { markFunctionWork } from './match.ts';

const PARAMETERS = ['attachment', 'function', 'entity', 'record_id', 'status', 'kind', 'limit', 'cursor'];
const USUAL_LIMIT = 25;
const MOST = 100;
const STATUSES = ['pending', 'running', 'succeeded', 'failed'];
const KINDS = ['Validation', 'Authorization', 'BusinessLogic', 'ExternalService'];

const view = ({ app }: AppContext): Sql => sql`
  select r.id, r.attachment, r.function, r.event_seq::text as event_id, r.entity, r.record_id, r.status, r.attempt, r.input, r.output, r.error,
    r.error_kind, r.ms, r.created_at, r.finished_at, case when r.status = 'pending' then r.due_at end as next_attempt_at
  from ${id(app.storage, '_function_runs')} r`;

/** Newest first, from cursor to cursor; the whole body as JSON text. */
export async function listFunctionRuns(ctx: AppContext, params: URLSearchParams): Promise<string> {
  checkParameters(params, PARAMETERS);
  const limit = Math.min(readNatural(params, 'limit') ?? USUAL_LIMIT, MOST);
  const text = await runText(
    ctx.services.pool,
    sql`with hits as (${view(ctx)} where ${conditions(params)} order by r.id desc limit ${value(limit + 1, 'integer')}),
          shown as (select * from hits order by id desc limit ${value(limit, 'integer')})
        select json_build_object('data', coalesce((select json_agg(shown order by id desc) from shown), '[]'),
          'page', json_build_object('limit', ${value(limit, 'integer')},
            'next_cursor', case when (select count(*) from hits) > ${value(limit, 'integer')} then (select min(id::text) from shown) end))::text`,
  );
  return text ?? '{"data":[],"page":{}}';
}

const invalid = (field: string, message: string): AppError =>
  new AppError('INVALID_VALUE', message, { details: [{ field, rule: 'type', message }] });

function conditions(params: URLSearchParams): Sql {
  const parts: Sql[] = [];
  for (const column of ['attachment', 'function', 'entity', 'record_id'] as const) {
    const wanted = readText(params, column);
    if (wanted !== undefined) parts.push(sql`r.${id(column)} = ${value(wanted)}`);
  }
  for (const [name, column, known] of [
    ['status', 'status', STATUSES],
    ['kind', 'error_kind', KINDS],
  ] as const) {
    const wanted = params.get(name);
    if (wanted === null) continue;
    if (!known.includes(wanted)) throw invalid(name, `${name} is one of ${known.join(', ')}, not "${wanted.slice(0, 100)}".`);
    parts.push(sql`r.${id(column)} = ${value(wanted)}`);
  }
  const cursor = params.get('cursor');
  if (cursor !== null) {
    if (!isUuid(cursor)) throw invalid('cursor', '"cursor" must be the page.next_cursor of the answer before.');
    parts.push(sql`r.id < ${value(cursor, 'uuid')}`);
  }
  return parts.length === 0 ? sql`true` : and(parts);
}

/** One run as JSON text. */
export async function getFunctionRun(ctx: AppContext, runId: string): Promise<string> {
  const text = isUuid(runId)
    ? await runText(
        ctx.services.pool,
        sql`select json_build_object('data', v)::text from (${view(ctx)} where r.id = ${value(runId, 'uuid')}) v`,
      )
    : null;
  if (text === null) throw new AppError('NOT_FOUND', `There is no run of a function "${runId.slice(0, 100)}".`);
  return text;
}

/** Puts a failed run into the queue again, under its own key: what it did already stands once. */
export async function retryFunctionRun(ctx: AppContext, runId: string): Promise<string> {
  await getFunctionRun(ctx, runId);
  await transaction(ctx.services.pool, async (client) => {
    const changed = await execute(
      client,
      sql`update ${id(ctx.app.storage, '_function_runs')} set status = 'pending', due_at = now(), finished_at = null
          where id = ${value(runId, 'uuid')} and status = 'failed' and change is not null`,
    );
    if (changed === 0)
      throw new AppError('INVALID_STATE', 'Only a failed run after a commit can be tried again.', {
        hint: 'A run inside a write is repeated by sending that write again.',
      });
    await execute(client, markFunctionWork(ctx.app));
  });
  return getFunctionRun(ctx, runId);
}
