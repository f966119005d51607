/** Reading, replaying and testing deliveries: the admin's view of `_deliveries` and `_attempts`. */
import { randomInt } from 'node:crypto';
import { uuidv7 } from '../../adapters/ids.ts';
import { execute, run, runText } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { AppError } from '../../core/errors.ts';
import { and, id, sql, value, type Sql } from '../../core/sql/sql.ts';
import { checkParameters, readPage } from '../paging.ts';
import type { AppContext } from '../context.ts';
import { attemptDelivery, startDelivery } from './attempt.ts';
import { buildPayload, type Change } from './payload.ts';

const PARAMETERS = ['webhook', 'status', 'entity', 'record_id', 'page', 'per_page'];
const STATUSES: Readonly<Record<string, readonly string[]>> = {
  pending: ['pending', 'sending'],
  retrying: ['retrying'],
  delivered: ['delivered'],
  dead: ['dead'],
};
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const view = (ctx: AppContext): Sql => sql`
  select d.id, d.webhook, d.event_seq::text as event_id, d.entity, d.record_id,
    case when d.status = 'sending' then 'pending' else d.status end as status, d.reason, d.round, d.created_at, d.updated_at,
    case when d.status in ('pending', 'sending', 'retrying') then d.due_at end as next_attempt_at,
    coalesce((
      select json_agg(json_build_object('number', a.number, 'at', a.started_at, 'status', a.status, 'latency_ms', a.latency_ms,
        'error', a.error, 'response', a.response) order by a.number)
      from ${id(ctx.app.storage, '_attempts')} a where a.delivery_id = d.id
    ), '[]') as attempts
  from ${id(ctx.app.storage, '_deliveries')} d`;

/** Newest first; the whole body `{data, meta}` as JSON text. */
export async function listDeliveries(ctx: AppContext, params: URLSearchParams): Promise<string> {
  checkParameters(params, PARAMETERS);
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

function conditions(params: URLSearchParams): Sql {
  const parts: Sql[] = [];
  for (const column of ['webhook', 'entity', 'record_id'] as const) {
    const wanted = params.get(column);
    if (wanted !== null) parts.push(sql`d.${id(column)} = ${value(wanted)}`);
  }
  const status = params.get('status');
  if (status !== null) {
    const stored = STATUSES[status];
    if (stored === undefined) throw new AppError('INVALID_VALUE', `status is one of ${Object.keys(STATUSES).join(', ')}, not "${status}".`);
    parts.push(sql`d.status = any(${value(stored, 'text[]')})`);
  }
  return and(parts);
}

/** One delivery with its attempts and the body that is sent, as JSON text. */
export async function getDelivery(ctx: AppContext, deliveryId: string): Promise<string> {
  const text = UUID.test(deliveryId)
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
    const rows = await run<{ event_seq: string; webhook: string; round: number }>(
      client,
      sql`update ${id(ctx.app.storage, '_deliveries')} set status = 'retrying', round = round + 1, reason = null, due_at = now(), updated_at = now()
          where id = ${value(deliveryId, 'uuid')} and status in ('dead', 'delivered') returning event_seq, webhook, round`,
    );
    const row = rows[0];
    if (row === undefined) {
      throw new AppError('INVALID_STATE', 'This delivery has not ended yet, so it cannot be replayed.', {
        hint: 'Wait until it is delivered or dead.',
      });
    }
    const input = { app: ctx.app.id, deliveryId, webhook: row.webhook, eventSeq: row.event_seq, round: row.round, delayMs: 0 };
    await execute(client, startDelivery(ctx.app, input));
    // A person who replays means the endpoint to be tried again.
    await execute(client, sql`delete from ${id(ctx.app.storage, '_webhook_state')} where webhook = ${value(row.webhook)}`);
  });
  return getDelivery(ctx, deliveryId);
}

/** Sends a made-up change to one webhook now, through the same signing and checks; answers the delivery with its attempt. */
export async function testWebhook(ctx: AppContext, webhookId: string): Promise<string> {
  const hook = ctx.app.model.document.webhooks.find((candidate) => candidate.id === webhookId);
  if (hook === undefined) throw new AppError('NOT_FOUND', `There is no webhook "${webhookId}".`);
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
  await execute(
    ctx.services.pool,
    sql`insert into ${id(ctx.app.storage, '_deliveries')} (id, event_seq, webhook, entity, record_id, record_version, body, status, due_at)
        values (${value(deliveryId, 'uuid')}, ${value(-randomInt(1, 2 ** 47), 'bigint')}, ${value(webhookId)}, ${value(entity.name)}, 'test', 0,
          ${value(JSON.stringify(payload), 'jsonb')}, 'sending', now() + interval '1 minute')`,
  );
  await attemptDelivery(ctx.services, ctx.app, deliveryId, 'test');
  return getDelivery(ctx, deliveryId);
}
