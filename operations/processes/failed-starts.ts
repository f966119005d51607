/** Workflows that Temporal refused to start, and signals it refused to take, ten times over: shown, and tried again by an operator's word. */
import { execute, run, runText } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { AppError } from '../../core/errors.ts';
import { and, id, raw, sql, value } from '../../core/sql/sql.ts';
import { retryStartsPayload } from '../../core/payloads/operating.ts';
import type { AppContext } from '../context.ts';
import { checkParameters, readNatural } from '../paging.ts';
import { readPayload } from '../payload.ts';
import { audit } from '../platform/audit.ts';

const STATES = ['pending', 'failed'];
/** Those that were tried, in one list; and as many as one request tries again. */
const SHOWN = 100;
const MOST = 1_000;

/** The newest first, as JSON text. */
export async function listStarts(ctx: AppContext, query: URLSearchParams): Promise<string> {
  checkParameters(query, ['state', 'limit']);
  const state = query.get('state') ?? 'failed';
  if (!STATES.includes(state))
    throw new AppError('INVALID_VALUE', `The state must be one of ${STATES.join(', ')}: what has started is a run.`);
  const limit = Math.min(readNatural(query, 'limit') ?? SHOWN, MOST);
  const table = id(ctx.app.storage, '_starts');
  const where = sql`s.state = ${value(state)}`;
  const text = await runText(
    ctx.services.pool,
    sql`with shown as (
          select s.workflow_id as id, s.kind, s.state, s.tries, s.error, s.input #>> '{definition,name}' as workflow,
            s.input #>> '{trigger,entity}' as entity, s.input #>> '{trigger,recordId}' as record_id, s.created_at,
            case when s.state = 'pending' then s.due_at end as next_attempt_at
          from ${table} s where ${where} order by s.created_at desc, s.workflow_id desc limit ${value(limit, 'integer')}
        )
        select json_build_object('data', coalesce((select json_agg(shown order by created_at desc, id desc) from shown), '[]'),
          'meta', json_build_object('total', (select count(*) from ${table} s where ${where})))::text`,
  );
  return text ?? '{"data":[]}';
}

/** Puts failed starts back, those named or the oldest thousand. */
export async function retryStarts(ctx: AppContext, body: unknown): Promise<{ readonly retried: number; readonly left: number }> {
  const { ids } = readPayload(retryStartsPayload, body ?? {}, '_admin/starts/retry');
  if (ids?.some((one) => one.includes('\0')) === true)
    throw new AppError('INVALID_PAYLOAD', '"ids" has the character NUL, which no id has.');
  const table = id(ctx.app.storage, '_starts');
  const where = and([raw("state = 'failed'"), ids === undefined ? raw('true') : sql`workflow_id = any(${value(ids, 'text[]')})`]);
  return transaction(ctx.services.pool, async (client) => {
    const retried = await execute(
      client,
      sql`update ${table} set state = 'pending', tries = 0, due_at = now(), error = null
          where workflow_id in (select workflow_id from ${table} where ${where} order by created_at limit ${value(MOST, 'integer')} for update)`,
    );
    await execute(
      client,
      sql`insert into durabase.work (app, kind, due_at) values (${value(ctx.app.id)}, 'starts', now())
          on conflict (app, kind) do update set due_at = least(work.due_at, excluded.due_at)`,
    );
    const [left] = await run<{ left: string }>(client, sql`select count(*) as left from ${table} where state = 'failed'`);
    await audit(client, ctx.actor, { app: ctx.app.id, action: 'starts.retry', target: null, detail: { retried } });
    return { retried, left: Number(left?.left ?? 0) };
  });
}
