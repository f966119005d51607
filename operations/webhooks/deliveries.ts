/** Reading, replaying and trying deliveries: the admin's view of `_deliveries` and `_attempts`. */
import { randomInt } from 'node:crypto';
import { uuidv7 } from '../../adapters/ids.ts';
import { execute, run, runText } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { isUuid } from '../../core/model/fields/uuid.ts';
import { AppError } from '../../core/errors.ts';
import { and, id, sql, value, type Sql } from '../../core/sql/sql.ts';
import { checkParameters, readNatural, readPage } from '../paging.ts';
import type { AppContext } from '../context.ts';
import { attemptDelivery } from './attempt.ts';
import { requireWebhook } from './definition.ts';
import { buildPayload, type Change } from './payload.ts';
import { readTime } from '../read-time.ts';
import { markDeliveries } from './work.ts';

const FILTERS = ['webhook', 'status', 'entity', 'record_id', 'event_id', 'from', 'to'];
const USUAL_LIMIT = 25;
const STATUSES: Readonly<Record<string, readonly string[]>> = {
  pending: ['pending', 'sending'],
  retrying: ['retrying'],
  delivered: ['delivered'],
  dead: ['dead'],
};

const view = (ctx: AppContext): Sql => sql`
  select d.id, d.webhook, d.event_seq::text as event_id, d.entity, d.record_id,
    case when d.status = 'sending' then 'pending' else d.status end as status, d.reason, d.round, d.created_at, d.updated_at,
    case when d.status in ('pending', 'sending', 'retrying') and s.disabled_at is null then greatest(d.due_at, s.paused_until) end as next_attempt_at,
    coalesce((
      select json_agg(json_build_object('number', a.number, 'at', a.started_at, 'status', a.status, 'latency_ms', a.latency_ms,
        'error', a.error, 'response', a.response) order by a.number)
      from ${id(ctx.app.storage, '_attempts')} a where a.delivery_id = d.id
    ), '[]') as attempts
  from ${id(ctx.app.storage, '_deliveries')} d left join ${id(ctx.app.storage, '_webhook_state')} s on s.webhook = d.webhook`;

/** Newest first, by pages or from a cursor on; the whole body as JSON text. */
export async function listDeliveries(ctx: AppContext, params: URLSearchParams): Promise<string> {
  return params.has('cursor') ? walk(ctx, params) : pageOf(ctx, params);
}

async function pageOf(ctx: AppContext, params: URLSearchParams): Promise<string> {
  checkParameters(params, [...FILTERS, 'page', 'per_page']);
  const { page, perPage, offset } = readPage(params, ctx.app.model.settings.max_per_page);
  const where = conditions(params);
  const text = await runText(
    ctx.services.pool,
    sql`with hits as (${view(ctx)} where ${where} order by d.id desc limit ${value(perPage, 'bigint')} offset ${value(offset, 'bigint')}),
          total as (select count(*) as n from ${id(ctx.app.storage, '_deliveries')} d where ${where})
        select json_build_object('data', coalesce((select json_agg(hits) from hits), '[]'),
          'meta', json_build_object('page', ${value(page, 'integer')}, 'per_page', ${value(perPage, 'integer')}, 'total', (select n from total)))::text`,
  );
  return text ?? '{"data":[]}';
}

/** A cursor is the id of the last delivery that was shown; however far it leads, the next page costs the same. */
async function walk(ctx: AppContext, params: URLSearchParams): Promise<string> {
  checkParameters(params, [...FILTERS, 'cursor', 'limit']);
  const limit = Math.min(readNatural(params, 'limit') ?? USUAL_LIMIT, ctx.app.model.settings.max_per_page);
  const cursor = params.get('cursor') ?? '';
  if (cursor !== '' && !isUuid(cursor))
    throw new AppError('INVALID_VALUE', '"cursor" must be page.next_cursor of the answer before, or empty for the beginning.');
  const after = cursor === '' ? sql`true` : sql`d.id < ${value(cursor, 'uuid')}`;
  const text = await runText(
    ctx.services.pool,
    sql`with hits as (${view(ctx)} where ${and([conditions(params), after])} order by d.id desc limit ${value(limit + 1, 'bigint')}),
          shown as (select * from hits order by id desc limit ${value(limit, 'bigint')})
        select json_build_object('data', coalesce((select json_agg(shown order by id desc) from shown), '[]'),
          'page', json_build_object('limit', ${value(limit, 'integer')}, 'next_cursor', case when (select count(*) from hits) > ${value(limit, 'integer')}
            then (select id from shown order by id limit 1) end))::text`,
  );
  return text ?? '{"data":[]}';
}

function conditions(params: URLSearchParams): Sql {
  const parts: Sql[] = [];
  for (const column of ['webhook', 'entity', 'record_id'] as const) {
    const wanted = params.get(column);
    if (wanted !== null) parts.push(sql`d.${id(column)} = ${value(wanted)}`);
  }
  const event = params.get('event_id');
  if (event !== null) {
    if (!/^-?\d{1,18}$/.test(event)) throw new AppError('INVALID_VALUE', '"event_id" must be a whole number.');
    parts.push(sql`d.event_seq = ${value(event, 'bigint')}`);
  }
  const [from, to] = [readTime(params.get('from'), 'from'), readTime(params.get('to'), 'to')];
  if (from !== null) parts.push(sql`d.created_at >= ${value(from, 'timestamptz')}`);
  if (to !== null) parts.push(sql`d.created_at < ${value(to, 'timestamptz')}`);
  const status = params.get('status');
  if (status !== null) {
    const stored = Object.hasOwn(STATUSES, status) ? STATUSES[status] : undefined;
    if (stored === undefined) throw new AppError('INVALID_VALUE', `status is one of ${Object.keys(STATUSES).join(', ')}, not "${status}".`);
    parts.push(sql`d.status = any(${value(stored, 'text[]')})`);
  }
  return and(parts);
}

/** One delivery with its attempts and the body that is sent, as JSON text. */
export async function getDelivery(ctx: AppContext, deliveryId: string): Promise<string> {
  const text = isUuid(deliveryId)
    ? await runText(
        ctx.services.pool,
        sql`select json_build_object('data', to_jsonb(v) || jsonb_build_object('body', b.body))::text
            from (${view(ctx)} where d.id = ${value(deliveryId, 'uuid')}) v join ${id(ctx.app.storage, '_deliveries')} b on b.id = v.id`,
      )
    : null;
  if (text === null) throw new AppError('NOT_FOUND', `There is no delivery "${deliveryId}".`);
  return text;
}

/** Sends an ended delivery again, with the same id, as a new round. */
export async function replayDelivery(ctx: AppContext, deliveryId: string): Promise<string> {
  await getDelivery(ctx, deliveryId);
  await transaction(ctx.services.pool, async (client) => {
    const replayed = await execute(
      client,
      sql`update ${id(ctx.app.storage, '_deliveries')}
          set status = 'pending', round = round + 1, tries_in_round = 0, reason = null, replay = null, due_at = now(), updated_at = now()
          where id = ${value(deliveryId, 'uuid')} and status in ('dead', 'delivered')`,
    );
    if (replayed === 0) {
      throw new AppError('INVALID_STATE', 'This delivery has not ended yet, so it cannot be replayed.', {
        hint: 'Wait until it is delivered or dead.',
      });
    }
    await execute(client, markDeliveries(ctx.app));
  });
  return getDelivery(ctx, deliveryId);
}

/**
 * Sends a made-up change to one webhook now: a delivery like any other, made and judged by the same code. Only the patience
 * is missing: it is tried once, whether or not the endpoint is paused.
 */
export async function testWebhook(ctx: AppContext, webhookId: string): Promise<string> {
  const hook = requireWebhook(ctx.app, webhookId);
  const entity = ctx.app.model.entities.get(hook.entity) ?? [...ctx.app.model.entities.values()][0];
  if (entity === undefined) throw new AppError('INVALID_STATE', 'A test needs an entity, and this app has none yet.');
  const record = Object.fromEntries([...entity.fields.values()].map((field) => [field.name, null]));
  const change: Change = {
    action: 'create',
    entity: entity.name,
    record,
    old: null,
    changes: {},
    actor: { id: ctx.actor.id, roles: ctx.actor.roles },
    at: ctx.now.toISOString(),
    schemaVersion: ctx.app.version,
  };
  const deliveryId = uuidv7();
  const payload = { ...buildPayload(ctx.app, entity, hook, change, deliveryId), test: true };
  await run(
    ctx.services.pool,
    sql`insert into ${id(ctx.app.storage, '_deliveries')} (id, event_seq, webhook, entity, record_id, record_version, body, status, due_at)
        values (${value(deliveryId, 'uuid')}, ${value(-randomInt(1, 2 ** 47), 'bigint')}, ${value(webhookId)}, ${value(entity.name)}, 'test', 0,
          ${value(JSON.stringify(payload), 'jsonb')}, 'sending', now() + interval '1 minute')`,
  );
  await attemptDelivery(ctx.services, ctx.app, { id: deliveryId, webhook: webhookId }, 'trial');
  return getDelivery(ctx, deliveryId);
}
