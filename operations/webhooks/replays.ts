/**
 * Replays of many deliveries: `{webhook, from, to, status}` becomes a row, and a worker goes through the deliveries in short
 * transactions, app by app in turns. Each goes out again under its id, as its next round.
 */
import type pg from 'pg';
import { uuidv7 } from '../../adapters/ids.ts';
import { execute, run, runText } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { AppError } from '../../core/errors.ts';
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

const view = (app: AppRuntime): Sql => sql`
  select r.id, r.webhook, r.from_at as "from", r.to_at as "to", r.statuses[1] as status, r.state, r.replayed, r.created_at, r.updated_at
  from ${id(app.storage, '_replays')} r`;

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
  return (
    (await runText(ctx.services.pool, sql`select to_jsonb(v)::text from (${view(ctx.app)} where r.id = ${value(replayId, 'uuid')}) v`)) ??
    'null'
  );
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
          update ${deliveries} d set status = 'pending', round = d.round + 1, tries_in_round = 0, reason = null, due_at = now(), updated_at = now()
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
