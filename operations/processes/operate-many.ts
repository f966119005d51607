/**
 * One thing done to many runs: a request becomes a row with the runs it means, and a worker asks them one by one, app by app in
 * turns. Each is asked under an id of its own, so a worker that was killed in between asks again without doing it twice.
 */
import { crashPoint } from '../../adapters/crash-points.ts';
import { uuidv7 } from '../../adapters/ids.ts';
import { execute, run, runText } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { isUuid } from '../../core/model/fields/uuid.ts';
import { AppError, isAppError } from '../../core/errors.ts';
import { operatePayload } from '../../core/payloads/operating.ts';
import { id, sql, type Sql, value } from '../../core/sql/sql.ts';
import type { ActorRef, HistoryEntry } from '../../workflows/contracts/types.ts';
import { actorRef } from '../actor-ref.ts';
import type { AppContext, AppRuntime, Services } from '../context.ts';
import { readPayload } from '../payload.ts';
import { audit } from '../platform/audit.ts';
import { readTime } from '../read-time.ts';
import { runsWhere } from './find-runs.ts';
import { askToCancel, resolve } from './operate.ts';

/** As many runs as one request means; the rest is left for the next one. */
const MAX_RUNS = 1_000;
const SHOWN = 50;

type Action = 'retry' | 'skip' | 'cancel';

export interface Operation {
  readonly status: 200 | 202;
  /** JSON. */
  readonly text: string;
}

/** Begins it, or with `dry_run` answers which runs it would be done to. */
export async function operateMany(ctx: AppContext, body: unknown): Promise<Operation> {
  const { action, filter, dry_run: isDry, step: named, strand } = readPayload(operatePayload, body, '_admin/runs/operate');
  if (JSON.stringify([filter, named, strand]).includes('\\u0000'))
    throw new AppError('INVALID_PAYLOAD', 'The request has the character NUL, which nothing stored has.');
  const { status = 'stuck', workflow, step, error_contains: error, since } = filter;
  if (action !== 'cancel' && status !== 'stuck') {
    throw new AppError('INVALID_PAYLOAD', `Only stuck runs can be asked to ${action}: leave "status" out.`);
  }
  if (action === 'cancel' && (named !== undefined || strand !== undefined))
    throw new AppError('INVALID_PAYLOAD', 'A run is cancelled as a whole: leave "step" and "strand" out.');
  const found = matching(ctx.app, runsWhere({ status, workflow, step, error, after: readTime(since, 'since') }));
  if (isDry) return { status: 200, text: await preview(ctx, action, found) };
  const operationId = uuidv7();
  await transaction(ctx.services.pool, async (client) => {
    await execute(
      client,
      sql`insert into ${id(ctx.app.storage, '_operations')} (id, action, step, strand, filter, actor)
          values (${value(operationId, 'uuid')}, ${value(action)}, ${value(named ?? step ?? null)}, ${value(strand ?? null)}, ${value(JSON.stringify(filter), 'jsonb')},
            ${value(JSON.stringify(actorRef(ctx.actor)), 'jsonb')})`,
    );
    const runs = await execute(
      client,
      sql`insert into ${id(ctx.app.storage, '_operated_runs')} (operation_id, run_id) select ${value(operationId, 'uuid')}, f.id from (${found}) f`,
    );
    await execute(
      client,
      sql`insert into durabase.work (app, kind, due_at) values (${value(ctx.app.id)}, 'operations', now())
          on conflict (app, kind) do update set due_at = least(work.due_at, excluded.due_at)`,
    );
    await audit(client, ctx.actor, { app: ctx.app.id, action: 'runs.operate', target: operationId, detail: { action, filter, runs } });
  });
  return { status: 202, text: await getOperation(ctx, operationId) };
}

/** The oldest first. */
const matching = (app: AppRuntime, where: Sql): Sql =>
  sql`select r.id, r.workflow_name, r.current_step, r.created_at, left(r.error, 500) as error
      from ${id(app.storage, '_runs')} r where ${where} order by r.created_at, r.id limit ${value(MAX_RUNS, 'integer')}`;

async function preview(ctx: AppContext, action: Action, found: Sql): Promise<string> {
  const text = await runText(
    ctx.services.pool,
    sql`select json_build_object('data', json_build_object('id', null, 'action', ${value(action)}::text, 'state', 'dry_run', 'total', count(*),
          'done', 0, 'failed', 0, 'runs', coalesce(json_agg(json_build_object('id', f.id, 'state', 'pending', 'error', f.error)), '[]')))::text
        from (${found}) f`,
  );
  return text ?? 'null';
}

const view = (app: AppRuntime): Sql => sql`
  select o.id, o.action, o.step, o.strand, o.filter, o.created_at, c.total, c.done, c.failed, case when c.pending > 0 then 'running' else 'done' end as state
  from ${id(app.storage, '_operations')} o cross join lateral (
    select count(*) as total, count(*) filter (where x.state = 'done') as done, count(*) filter (where x.state = 'failed') as failed,
      count(*) filter (where x.state = 'pending') as pending
    from ${id(app.storage, '_operated_runs')} x where x.operation_id = o.id) c`;

/** One with what became of each run, as JSON text. */
export async function getOperation(ctx: AppContext, operationId: string): Promise<string> {
  const text = isUuid(operationId)
    ? await runText(
        ctx.services.pool,
        sql`select json_build_object('data', to_jsonb(v) || jsonb_build_object('runs', coalesce((
              select jsonb_agg(jsonb_build_object('id', x.run_id, 'state', x.state, 'error', x.error) order by x.state desc, x.run_id)
              from ${id(ctx.app.storage, '_operated_runs')} x where x.operation_id = v.id), '[]')))::text
            from (${view(ctx.app)} where o.id = ${value(operationId, 'uuid')}) v`,
      )
    : null;
  if (text === null) throw new AppError('NOT_FOUND', `There is no operation "${operationId.slice(0, 100)}".`);
  return text;
}

/** The newest with their counts, as JSON text. */
export async function listOperations(ctx: AppContext): Promise<string> {
  const text = await runText(
    ctx.services.pool,
    sql`select json_build_object('data', coalesce(json_agg(v), '[]'))::text
        from (${view(ctx.app)} order by o.id desc limit ${value(SHOWN, 'integer')}) v`,
  );
  return text ?? '{"data":[]}';
}

// --- the worker's part -----------------------------------------------------------------------------------------------

export interface OperatedRun {
  readonly operation_id: string;
  readonly run_id: string;
  readonly tries: number;
}

/** `later`: Temporal is away. */
type Outcome = { readonly state: 'done' } | { readonly state: 'failed'; readonly error: string } | { readonly state: 'later' };

/** Asks one run, and writes down what came of it. */
export async function operateOne(services: Services, app: AppRuntime, item: OperatedRun): Promise<void> {
  const outcome = await ask(services, app, item);
  crashPoint('operation.asked');
  const where = sql`operation_id = ${value(item.operation_id, 'uuid')} and run_id = ${value(item.run_id, 'uuid')} and state = 'pending'`;
  const table = id(app.storage, '_operated_runs');
  if (outcome.state === 'later') {
    await execute(services.pool, sql`update ${table} set due_at = now() + interval '5 seconds' where ${where}`);
    return;
  }
  const error = outcome.state === 'failed' ? outcome.error.slice(0, 1_000) : null;
  await execute(services.pool, sql`update ${table} set state = ${value(outcome.state)}, error = ${value(error)} where ${where}`);
}

interface Target {
  readonly action: Action;
  readonly step: string | null;
  readonly strand: string | null;
  readonly actor: ActorRef;
  readonly asked_at: Date;
  readonly workflow_id: string | null;
  readonly status: string | null;
  readonly history: readonly HistoryEntry[] | null;
}

async function ask(services: Services, app: AppRuntime, item: OperatedRun): Promise<Outcome> {
  const [target] = await run<Target>(
    services.pool,
    sql`select o.action, o.step, o.strand, o.actor, o.created_at as asked_at, r.workflow_id, r.status, r.history from ${id(app.storage, '_operations')} o
        left join ${id(app.storage, '_runs')} r on r.id = ${value(item.run_id, 'uuid')} where o.id = ${value(item.operation_id, 'uuid')}`,
  );
  if (target === undefined || target.workflow_id === null) return { state: 'failed', error: 'The run is not there any more.' };
  const { action, actor, workflow_id } = target;
  const row = { id: item.run_id, workflow_id };
  const updateId = `${action}-${item.operation_id}`;
  try {
    if (target.status !== 'running') return endedBefore(target, item);
    if (action === 'cancel') await askToCancel({ services, app, now: new Date() }, row, actor, updateId);
    else await resolve(services, row, { action, actor, step: target.step ?? undefined, strand: target.strand ?? undefined }, updateId);
    return { state: 'done' };
  } catch (error) {
    if (isAppError(error, 'UNAVAILABLE')) return { state: 'later' };
    if (item.tries > 1 && hasHappened(target)) return { state: 'done' };
    return { state: 'failed', error: error instanceof Error ? error.message : String(error) };
  }
}

const endedBefore = (target: Target, { tries }: OperatedRun): Outcome =>
  tries > 1 && hasHappened(target) ? { state: 'done' } : { state: 'failed', error: `The run is ${target.status ?? 'gone'} already.` };

const SAID = { retry: 'retried', skip: 'skipped', cancel: 'cancelled' } as const;

/** An earlier try was heard, and its answer lost: the run's own history says so. */
const hasHappened = ({ action, actor, asked_at, history }: Target): boolean =>
  (history ?? []).some(
    (entry) => entry.status === SAID[action] && entry.by === (actor.id ?? actor.kind) && Date.parse(entry.at) >= asked_at.getTime(),
  );
