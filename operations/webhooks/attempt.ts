/** One attempt of one delivery: its row is written before the call and completed after it, so that none is ever invisible. */
import { uuidv7 } from '../../adapters/ids.ts';
import { execute, run } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import type { WebhookDefinition } from '../../core/model/document.ts';
import { id, sql, value } from '../../core/sql/sql.ts';
import { delayAfter, judgeStatus, retryAfterMs } from '../../core/webhook/backoff.ts';
import { deliveryWorkflowId } from '../../workflows/contracts/ids.ts';
import type { AttemptResult, DeliveryInput } from '../../workflows/contracts/types.ts';
import type { AppRuntime, Services } from '../context.ts';
import { callWebhook, type CallResult } from './send.ts';

/** After this long without one success the endpoint is disabled, and its owner sees why. */
const DISABLE_AFTER = '5 days';

interface DeliveryRow {
  readonly id: string;
  readonly event_seq: string;
  readonly webhook: string;
  readonly round: number;
  readonly body: string;
  readonly tries: number;
}

/** Who makes the attempt: after a failure the dispatcher hands over to a `delivery` workflow, a workflow goes on by itself, a test ends. */
export type Attempter = 'dispatcher' | 'workflow' | 'test';

/** Answers `delivered` at once when an earlier attempt already was, so repeating it is harmless. */
export async function attemptDelivery(services: Services, app: AppRuntime, deliveryId: string, by: Attempter): Promise<AttemptResult> {
  const attemptId = uuidv7();
  const delivery = await begin(services, app, deliveryId, attemptId);
  if (delivery === undefined) return settled(services, app, deliveryId);
  const hook = app.model.document.webhooks.find((candidate) => candidate.id === delivery.webhook);
  if (hook === undefined || !hook.active) {
    return finish(services, app, delivery, attemptId, by, {
      status: null,
      latencyMs: null,
      error: 'The webhook was deleted or switched off.',
      response: null,
      result: { outcome: 'dead', delayMs: null, reason: 'The webhook was deleted or switched off.' },
      isGone: false,
    });
  }
  const call = await callWebhook(services, app, hook, delivery.id, delivery.body);
  return finish(services, app, delivery, attemptId, by, judge(services, hook, delivery, call));
}

async function begin(services: Services, app: AppRuntime, deliveryId: string, attemptId: string): Promise<DeliveryRow | undefined> {
  const rows = await run<DeliveryRow>(
    services.pool,
    sql`with d as (
          update ${id(app.storage, '_deliveries')} set tries = tries + 1, updated_at = now()
          where id = ${value(deliveryId, 'uuid')} and status in ('pending', 'sending', 'retrying')
          returning id, event_seq, webhook, round, body, tries
        ), a as (
          insert into ${id(app.storage, '_attempts')} (id, delivery_id, number) select ${value(attemptId, 'uuid')}, id, tries from d
        )
        select id, event_seq, webhook, round, body::text as body, tries from d`,
    { prepared: true },
  );
  return rows[0];
}

async function settled(services: Services, app: AppRuntime, deliveryId: string): Promise<AttemptResult> {
  const rows = await run<{ status: string; reason: string | null }>(
    services.pool,
    sql`select status, reason from ${id(app.storage, '_deliveries')} where id = ${value(deliveryId, 'uuid')}`,
  );
  const isDelivered = rows[0]?.status === 'delivered';
  return { outcome: isDelivered ? 'delivered' : 'dead', delayMs: null, reason: rows[0]?.reason ?? 'The delivery no longer exists.' };
}

interface Judgement {
  readonly status: number | null;
  readonly latencyMs: number | null;
  readonly error: string | null;
  readonly response: string | null;
  readonly result: AttemptResult;
  readonly isGone: boolean;
}

function judge(services: Services, hook: WebhookDefinition, delivery: DeliveryRow, call: CallResult): Judgement {
  if (call.kind === 'denied') {
    const result = { outcome: 'dead', delayMs: null, reason: call.message } as const;
    return { status: null, latencyMs: null, error: call.message, response: null, result, isGone: false };
  }
  if (call.kind === 'failed') {
    return {
      status: null,
      latencyMs: null,
      error: call.message,
      response: null,
      result: again(hook, delivery, null, call.message),
      isGone: false,
    };
  }
  const { status, headers, body, latencyMs } = call.response;
  const outcome = judgeStatus(status);
  const common = { status, latencyMs, response: body, error: outcome === 'delivered' ? null : `The receiver answered ${status}.` };
  if (outcome === 'delivered') return { ...common, result: { outcome: 'delivered', delayMs: null, reason: null }, isGone: false };
  if (outcome === 'gone') {
    return { ...common, result: { outcome: 'dead', delayMs: null, reason: 'The receiver answered 410: never again.' }, isGone: true };
  }
  const wait = retryAfterMs(headers['retry-after'], services.clock());
  return { ...common, result: again(hook, delivery, wait, `The receiver answered ${status}.`), isGone: false };
}

function again(hook: WebhookDefinition, delivery: DeliveryRow, wait: number | null, reason: string): AttemptResult {
  // A replay starts its schedule anew: tries are counted over all rounds, attempts allowed per round.
  const inRound = delivery.round === 0 ? delivery.tries : ((delivery.tries - 1) % hook.retry.max_attempts) + 1;
  const delayMs = delayAfter(hook.retry, inRound, wait);
  if (delayMs === null) return { outcome: 'dead', delayMs, reason: `${reason} That was attempt ${inRound} of ${hook.retry.max_attempts}.` };
  return { outcome: 'retry', delayMs, reason };
}

async function finish(
  services: Services,
  app: AppRuntime,
  delivery: DeliveryRow,
  attemptId: string,
  by: Attempter,
  judgement: Judgement,
): Promise<AttemptResult> {
  const planned = judgement.result;
  const result: AttemptResult = by === 'test' && planned.outcome === 'retry' ? { ...planned, outcome: 'dead', delayMs: null } : planned;
  const status = result.outcome === 'retry' ? 'retrying' : result.outcome;
  await transaction(services.pool, async (client) => {
    await execute(
      client,
      sql`with a as (
            update ${id(app.storage, '_attempts')} set finished_at = now(), status = ${value(judgement.status, 'integer')},
              latency_ms = ${value(judgement.latencyMs, 'integer')}, error = ${value(judgement.error)}, response = ${value(judgement.response)}
            where id = ${value(attemptId, 'uuid')}
          )
          update ${id(app.storage, '_deliveries')} set status = ${value(status)}, reason = ${value(result.reason)}, leased_until = null,
            due_at = now() + ${value(result.delayMs ?? 0, 'double precision')} * interval '1 millisecond', updated_at = now()
          where id = ${value(delivery.id, 'uuid')} and status <> 'delivered'`,
      { prepared: true },
    );
    await execute(client, noteHealth(app, delivery.webhook, judgement), { prepared: true });
    if (result.outcome === 'retry' && by === 'dispatcher') {
      await execute(client, handOver(app, delivery, result.delayMs ?? 0), { prepared: true });
    }
  });
  return result;
}

/** Remembers since when nothing got through; a success clears it, 410 or five days of failures disable the endpoint. */
function noteHealth(app: AppRuntime, webhook: string, judgement: Judgement) {
  const table = id(app.storage, '_webhook_state');
  if (judgement.result.outcome === 'delivered') return sql`delete from ${table} where webhook = ${value(webhook)} and disabled_at is null`;
  if (judgement.isGone) {
    return sql`insert into ${table} (webhook, disabled_at, reason, failing_since) values (${value(webhook)}, now(), 'The receiver answered 410.', now())
               on conflict (webhook) do update set disabled_at = now(), reason = excluded.reason`;
  }
  return sql`insert into ${table} as s (webhook, failing_since) values (${value(webhook)}, now())
             on conflict (webhook) do update set failing_since = coalesce(s.failing_since, now()),
               disabled_at = case when s.failing_since < now() - ${value(DISABLE_AFTER, 'interval')} then coalesce(s.disabled_at, now()) else s.disabled_at end,
               reason = case when s.failing_since < now() - ${value(DISABLE_AFTER, 'interval')} then 'Nothing was delivered for five days.' else s.reason end`;
}

/** The decision to go on in Temporal commits with the failed attempt; the starter carries it out when Temporal is there. */
function handOver(app: AppRuntime, delivery: DeliveryRow, delayMs: number) {
  const input: DeliveryInput = {
    app: app.id,
    deliveryId: delivery.id,
    webhook: delivery.webhook,
    eventSeq: delivery.event_seq,
    round: delivery.round,
    delayMs,
  };
  return startDelivery(app, input);
}

/** Inserts the start of a delivery workflow and marks the app as having work. */
export function startDelivery(app: AppRuntime, input: DeliveryInput) {
  const workflowId = deliveryWorkflowId(app.id, input.eventSeq, input.webhook, input.round);
  return sql`with s as (
      insert into ${id(app.storage, '_starts')} (workflow_id, kind, input)
      values (${value(workflowId)}, 'delivery', ${value(JSON.stringify(input), 'jsonb')}) on conflict (workflow_id) do nothing
    )
    insert into durabase.work (app, kind, due_at) values (${value(app.id)}, 'starts', now())
    on conflict (app, kind) do update set due_at = least(work.due_at, excluded.due_at)`;
}

/** True while an earlier change of the same record has not been delivered to the same ordered webhook. */
export async function hasPredecessor(services: Services, app: AppRuntime, deliveryId: string): Promise<boolean> {
  const table = id(app.storage, '_deliveries');
  const rows = await run<{ found: boolean }>(
    services.pool,
    sql`select exists (
          select 1 from ${table} mine join ${table} before
            on before.webhook = mine.webhook and before.entity = mine.entity and before.record_id = mine.record_id
            and before.record_version < mine.record_version
          where mine.id = ${value(deliveryId, 'uuid')} and before.status in ('pending', 'sending', 'retrying')
        ) as found`,
    { prepared: true },
  );
  return rows[0]?.found === true;
}
