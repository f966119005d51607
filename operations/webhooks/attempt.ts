/** One attempt of one delivery: its row is written before the call and completed after it, so that none is ever invisible. */
import { uuidv7 } from '../../adapters/ids.ts';
import { execute, run } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import type { WebhookDefinition } from '../../core/model/document.ts';
import { id, sql, value, type Sql } from '../../core/sql/sql.ts';
import { deliveryWorkflowId } from '../../workflows/contracts/ids.ts';
import type { AttemptResult, DeliveryInput } from '../../workflows/contracts/types.ts';
import type { AppRuntime, Services } from '../context.ts';
import { gate, noteSign } from './endpoint.ts';
import { judge, SWITCHED_OFF, type DeliveryRow, type Judgement } from './judge.ts';
import { callWebhook } from './send.ts';

/**
 * Who makes the attempt: after a failure the dispatcher hands over to a `delivery` workflow, a workflow goes on by itself, a
 * person's trial ends, and asks an endpoint that is paused or disabled too.
 */
export type Attempter = 'dispatcher' | 'workflow' | 'trial';

export interface DeliveryRef {
  readonly id: string;
  readonly webhook: string;
}

/** Answers `delivered` at once when an earlier attempt already was, so repeating it is harmless. */
export async function attemptDelivery(services: Services, app: AppRuntime, ref: DeliveryRef, by: Attempter): Promise<AttemptResult> {
  const hook = app.model.document.webhooks.find((candidate) => candidate.id === ref.webhook);
  const attemptId = uuidv7();
  const delivery = await begin(services, app, hook, ref.id, attemptId, by);
  if (delivery === undefined) return notBegun(services, app, ref, by);
  if (hook?.active !== true) return finish(services, app, hook, delivery, attemptId, by, SWITCHED_OFF);
  const call = await callWebhook(services, app, hook, delivery.id, delivery.body);
  return finish(services, app, hook, delivery, attemptId, by, judge(services.clock(), hook, delivery, call));
}

async function begin(
  services: Services,
  app: AppRuntime,
  hook: WebhookDefinition | undefined,
  deliveryId: string,
  attemptId: string,
  by: Attempter,
): Promise<DeliveryRow | undefined> {
  const { trial, isOpen } = gate(app, hook, deliveryId);
  // Of a webhook that is switched off nothing is sent, so its endpoint is not asked for leave to end what is left.
  const asksNobody = value(by === 'trial' || hook?.active !== true, 'boolean');
  const rows = await run<DeliveryRow>(
    services.pool,
    sql`with trial as (${trial}), d as (
          update ${id(app.storage, '_deliveries')} set tries = tries + 1, tries_in_round = tries_in_round + 1, updated_at = now()
          where id = ${value(deliveryId, 'uuid')} and status in ('pending', 'sending', 'retrying') and (${asksNobody} or ${isOpen})
          returning id, event_seq, webhook, entity, record_id, record_version, round, body, tries, tries_in_round
        ), a as (
          insert into ${id(app.storage, '_attempts')} (id, delivery_id, number) select ${value(attemptId, 'uuid')}, id, tries from d
        )
        select id, event_seq, webhook, round, body::text as body, tries_in_round from d`,
    { prepared: true },
  );
  return rows[0];
}

/**
 * The delivery has ended, or its endpoint is left alone for now: then it goes (back) to the dispatcher's queue, and a workflow ends.
 * The next one of the same delivery belongs to the next round, since ids of workflows are used once.
 */
async function notBegun(services: Services, app: AppRuntime, ref: DeliveryRef, by: Attempter): Promise<AttemptResult> {
  const table = id(app.storage, '_deliveries');
  const rounds = value(by === 'workflow' ? 1 : 0, 'integer');
  const rows = await run<{ status: string; reason: string | null; is_held: boolean }>(
    services.pool,
    sql`with held as (
          update ${table} d set status = 'pending', round = d.round + ${rounds}, leased_until = null, updated_at = now(),
            due_at = greatest(now(), (select greatest(s.paused_until, s.trial_until) from ${id(app.storage, '_webhook_state')} s where s.webhook = d.webhook))
          where id = ${value(ref.id, 'uuid')} and status in ('pending', 'sending', 'retrying') returning id
        ), work as (
          insert into durabase.work (app, kind, due_at) select ${value(app.id)}, 'deliveries', now() from held
          on conflict (app, kind) do update set due_at = least(work.due_at, excluded.due_at)
        )
        select status, reason, exists (select 1 from held) as is_held from ${table} where id = ${value(ref.id, 'uuid')}`,
  );
  const [row] = rows;
  if (row?.is_held === true) return { outcome: 'parked', delayMs: null, reason: 'The endpoint is paused; the delivery waits.' };
  return {
    outcome: row?.status === 'delivered' ? 'delivered' : 'dead',
    delayMs: null,
    reason: row?.reason ?? 'The delivery no longer exists.',
  };
}

async function finish(
  services: Services,
  app: AppRuntime,
  hook: WebhookDefinition | undefined,
  delivery: DeliveryRow,
  attemptId: string,
  by: Attempter,
  judgement: Judgement,
): Promise<AttemptResult> {
  const planned = judgement.result;
  const result: AttemptResult = by === 'trial' && planned.outcome === 'retry' ? { ...planned, outcome: 'dead', delayMs: null } : planned;
  await transaction(services.pool, async (client) => {
    await execute(client, recordAttempt(app, delivery, attemptId, judgement, result), { prepared: true });
    // Whoever tries by hand learns it from the answer; only good news counts for the endpoint.
    if (judgement.sign !== null && (by !== 'trial' || judgement.sign.kind === 'delivered')) {
      await noteSign(client, services, app, delivery.webhook, hook, judgement.sign);
    }
    if (result.outcome === 'retry' && by === 'dispatcher') {
      await execute(client, handOver(app, delivery, result.delayMs ?? 0), { prepared: true });
    }
  });
  return result;
}

function recordAttempt(app: AppRuntime, delivery: DeliveryRow, attemptId: string, judgement: Judgement, result: AttemptResult): Sql {
  const status = result.outcome === 'retry' ? 'retrying' : result.outcome;
  return sql`with a as (
      update ${id(app.storage, '_attempts')} set finished_at = now(), status = ${value(judgement.status, 'integer')},
        latency_ms = ${value(judgement.latencyMs, 'integer')}, error = ${value(judgement.error)}, response = ${value(judgement.response)}
      where id = ${value(attemptId, 'uuid')}
    )
    update ${id(app.storage, '_deliveries')} set status = ${value(status)}, reason = ${value(result.reason)}, leased_until = null,
      due_at = now() + ${value(result.delayMs ?? 0, 'double precision')} * interval '1 millisecond', updated_at = now()
    where id = ${value(delivery.id, 'uuid')} and status <> 'delivered'`;
}

/** The decision to go on in Temporal commits with the failed attempt; the starter carries it out when Temporal is there. */
function handOver(app: AppRuntime, delivery: DeliveryRow, delayMs: number): Sql {
  const input: DeliveryInput = {
    app: app.id,
    deliveryId: delivery.id,
    webhook: delivery.webhook,
    eventSeq: delivery.event_seq,
    round: delivery.round,
    delayMs,
  };
  const workflowId = deliveryWorkflowId(app.id, input.eventSeq, input.webhook, input.round);
  return sql`with s as (
      insert into ${id(app.storage, '_starts')} (workflow_id, kind, input)
      values (${value(workflowId)}, 'delivery', ${value(JSON.stringify(input), 'jsonb')}) on conflict (workflow_id) do nothing
    )
    insert into durabase.work (app, kind, due_at) values (${value(app.id)}, 'starts', now())
    on conflict (app, kind) do update set due_at = least(work.due_at, excluded.due_at)`;
}

/** Of rows `d`: an earlier change of the same record has not been delivered to the same webhook, and has not been given up either. */
export const isBehind = (app: AppRuntime): Sql => sql`exists (
  select 1 from ${id(app.storage, '_deliveries')} before
  where before.webhook = d.webhook and before.entity = d.entity and before.record_id = d.record_id
    and before.record_version < d.record_version and before.status in ('pending', 'sending', 'retrying'))`;

/** True while an earlier change of the same record has not been delivered to the same ordered webhook. */
export async function hasPredecessor(services: Services, app: AppRuntime, deliveryId: string): Promise<boolean> {
  const rows = await run<{ found: boolean }>(
    services.pool,
    sql`select ${isBehind(app)} as found from ${id(app.storage, '_deliveries')} d where d.id = ${value(deliveryId, 'uuid')}`,
    { prepared: true },
  );
  return rows[0]?.found === true;
}
