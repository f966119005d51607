/**
 * Replays of many deliveries: `{webhook, from, to, status}` becomes a row, and a worker goes through the deliveries in short
 * transactions, app by app in turns. Each goes out again under its id, as its next round.
 */
import type pg from 'pg';
import { uuidv7 } from '../../adapters/ids.ts';
import { execute, run, runText } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { AppError } from '../../core/errors.ts';
import { isUuid } from '../../core/model/fields/uuid.ts';
import { id, sql, value, type Sql } from '../../core/sql/sql.ts';
import type { AppContext, AppRuntime } from '../context.ts';
import { requireWebhook } from './definition.ts';
import { readTime } from '../read-time.ts';
import { markDeliveries, markReplays } from './work.ts';

/** Deliveries looked at in one turn. */
const PAGE = 500;
const SHOWN = 50;
/** Ids tell when they were made, by the relay's clock; the row's time is Postgres's. */
const CLOCKS_DIFFER_MS = 3_600_000;
const REPLAYABLE = ['dead', 'delivered'];

export interface ReplayInput {
  readonly webhook?: unknown;
  readonly from?: unknown;
  readonly to?: unknown;
  readonly status?: unknown;
}

/** What became of its deliveries is counted as it is now; one that was replayed again since belongs to that replay. */
const view = (app: AppRuntime): Sql => sql`
  select r.id, r.webhook, r.from_at as "from", r.to_at as "to", r.statuses[1] as status, r.state, r.replayed, n.waiting, n.delivered, n.dead,
    r.created_at, r.updated_at
  from ${id(app.storage, '_replays')} r cross join lateral (
    select count(*) filter (where d.status in ('pending', 'sending', 'retrying')) as waiting,
      count(*) filter (where d.status = 'delivered') as delivered, count(*) filter (where d.status = 'dead') as dead
    from ${id(app.storage, '_deliveries')} d where d.replay = r.id
  ) n`;

/** Begins a replay: of what is dead, unless `status` says otherwise, of all webhooks and times that are not narrowed. */
export async function startReplay(ctx: AppContext, input: ReplayInput): Promise<string> {
  const { webhook = null, status = 'dead' } = input;
  if (webhook !== null && typeof webhook !== 'string') throw new AppError('VALIDATION_FAILED', '"webhook" must be the id of a webhook.');
  if (webhook !== null) requireWebhook(ctx.app, webhook);
  if (typeof status !== 'string' || !REPLAYABLE.includes(status)) {
    throw new AppError('VALIDATION_FAILED', `"status" must be one of ${REPLAYABLE.join(', ')}: only what has ended can be replayed.`);
  }
  const [from, to] = [readTime(input.from, 'from'), readTime(input.to, 'to')];
  if (from !== null && to !== null && from >= to) throw new AppError('VALIDATION_FAILED', '"from" must be before "to".');
  const replayId = uuidv7();
  await transaction(ctx.services.pool, async (client) => {
    await execute(
      client,
      sql`insert into ${id(ctx.app.storage, '_replays')} (id, webhook, from_at, to_at, statuses, position, created_by)
          values (${value(replayId, 'uuid')}, ${value(webhook, 'text')}, ${value(from, 'timestamptz')}, ${value(to, 'timestamptz')},
            ${value([status], 'text[]')}, ${value(from === null ? null : firstIdOf(from), 'uuid')},
            ${value(JSON.stringify({ kind: ctx.actor.kind, id: ctx.actor.id }), 'jsonb')})`,
    );
    await execute(client, markReplays(ctx.app));
  });
  return getReplay(ctx, replayId);
}

/** One replay with what it has done so far, as JSON text. */
export async function getReplay(ctx: AppContext, replayId: string): Promise<string> {
  const text = isUuid(replayId)
    ? await runText(ctx.services.pool, sql`select to_jsonb(v)::text from (${view(ctx.app)} where r.id = ${value(replayId, 'uuid')}) v`)
    : null;
  if (text === null) throw new AppError('NOT_FOUND', `There is no replay "${replayId}".`);
  return text;
}

const STOPPED = 'Its replay was stopped.';

/**
 * Stops a replay: no more deliveries are put on their way, and those that wait are again what they were. What is being sent at that
 * moment goes on. A round that began no attempt is none.
 */
export async function stopReplay(ctx: AppContext, replayId: string): Promise<string> {
  await getReplay(ctx, replayId);
  const stopped = await transaction(ctx.services.pool, async (client) => {
    const [replays, deliveries] = [id(ctx.app.storage, '_replays'), id(ctx.app.storage, '_deliveries')];
    // Its row comes first, as for the worker that goes through it: neither holds what the other waits for.
    await execute(client, sql`select id from ${replays} where id = ${value(replayId, 'uuid')} for update`);
    const back = await execute(
      client,
      sql`update ${deliveries} d set status = r.statuses[1], updated_at = now(), leased_until = null,
            round = d.round - case when d.tries_in_round = 0 then 1 else 0 end,
            reason = case when r.statuses[1] = 'dead' then ${value(STOPPED)} end
          from ${replays} r where r.id = ${value(replayId, 'uuid')} and d.replay = r.id and d.status in ('pending', 'retrying')`,
    );
    const state = await execute(
      client,
      sql`update ${replays} set state = 'stopped', updated_at = now()
          where id = ${value(replayId, 'uuid')} and (state = 'running' or ${value(back > 0, 'boolean')})`,
    );
    return state > 0;
  });
  if (!stopped) throw new AppError('INVALID_STATE', 'This replay has ended: none of its deliveries waits.');
  return getReplay(ctx, replayId);
}

/** The newest replays with what they have done so far, as JSON text. */
export async function listReplays(ctx: AppContext): Promise<string> {
  const text = await runText(
    ctx.services.pool,
    sql`select coalesce(json_agg(v), '[]')::text from (${view(ctx.app)} order by r.id desc limit ${value(SHOWN, 'integer')}) v`,
  );
  return text ?? '[]';
}

/** The lowest id of version 7 that may have been made then. */
function firstIdOf(time: Date): string {
  const hex = Math.max(0, time.getTime() - CLOCKS_DIFFER_MS)
    .toString(16)
    .padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7000-8000-000000000000`;
}

/** One page of the oldest running replay; true while there is more to do. What ends after the replay was asked for is not replayed. */
export async function replayPage(client: pg.PoolClient, app: AppRuntime): Promise<boolean> {
  const [replays, deliveries] = [id(app.storage, '_replays'), id(app.storage, '_deliveries')];
  const rows = await run<{ replayed: string }>(
    client,
    sql`with r as (select * from ${replays} where state = 'running' order by id limit 1 for update),
        page as (
          select d.id, d.status, d.created_at, d.updated_at, d.event_seq from ${deliveries} d, r
          where (r.webhook is null or d.webhook = r.webhook) and (r.position is null or d.id > r.position)
          order by d.id limit ${value(PAGE, 'integer')}
        ), again as (
          update ${deliveries} d set status = 'pending', round = d.round + 1, tries_in_round = 0, reason = null, replay = r.id, due_at = now(), updated_at = now()
          from page, r where d.id = page.id and d.status = any(r.statuses) and d.updated_at < r.created_at and d.event_seq > 0
            and (r.from_at is null or d.created_at >= r.from_at) and (r.to_at is null or d.created_at < r.to_at)
          returning d.id
        )
        update ${replays} x set position = coalesce((select id from page order by id desc limit 1), x.position),
          replayed = x.replayed + (select count(*) from again), updated_at = now(),
          state = case when (select count(*) from page) < ${value(PAGE, 'integer')} then 'done' else 'running' end
        from r where x.id = r.id returning (select count(*) from again) as replayed`,
    { prepared: true },
  );
  const [row] = rows;
  if (row !== undefined && row.replayed !== '0') await execute(client, markDeliveries(app));
  return row !== undefined;
}
