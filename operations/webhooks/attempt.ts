/** One attempt of one delivery: its row is written before the call and completed after it, so that none is ever invisible. */
import { run } from '../../adapters/postgres/run.ts';
import type { WebhookDefinition } from '../../core/model/document.ts';
import { id, sql, value, type Sql } from '../../core/sql/sql.ts';
import type { AttemptResult } from '../../workflows/contracts/types.ts';
import type { AppRuntime, Services } from '../context.ts';
import { gate } from './endpoint.ts';
import { judge, SWITCHED_OFF, type DeliveryRow } from './judge.ts';
import { recordAttempts, type MadeAttempt } from './record-attempts.ts';
import type { SealedKeys } from './secrets.ts';
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

/** An attempt whose row is written, and nothing else done. */
export interface BegunAttempt extends DeliveryRow {
  readonly attempt_id: string;
  /** The webhook's signing keys where they were read along. */
  readonly keys?: SealedKeys;
}

/** Answers `delivered` at once when an earlier attempt already was, so repeating it is harmless. */
export async function attemptDelivery(services: Services, app: AppRuntime, ref: DeliveryRef, by: Attempter): Promise<AttemptResult> {
  const begun = await begin(services, app, hookOf(app, ref.webhook), ref.id, by);
  if (begun === undefined) return notBegun(services, app, ref, by);
  const made = await makeAttempt(services, app, begun, by);
  await recordAttempts(services, app, [made]);
  return made.result;
}

/** The call, and what it came to. Nothing of it is written yet: `recordAttempts` does that, for many at once. */
export async function makeAttempt(services: Services, app: AppRuntime, begun: BegunAttempt, by: Attempter): Promise<MadeAttempt> {
  const hook = hookOf(app, begun.webhook);
  const judgement =
    hook?.active === true
      ? judge(services.clock(), hook, begun, await callWebhook(services, app, hook, begun.id, begun.body, begun.keys))
      : SWITCHED_OFF;
  const { result } = judgement;
  return {
    delivery: begun,
    attemptId: begun.attempt_id,
    hook,
    judgement,
    // Whoever tries by hand learns of a failure from the answer: it ends there, and does not count for the endpoint.
    result: by === 'trial' && result.outcome === 'retry' ? { ...result, outcome: 'dead', delayMs: null } : result,
    sign: by === 'trial' && judgement.sign?.kind !== 'delivered' ? null : judgement.sign,
    isFirst: by === 'dispatcher',
  };
}

const hookOf = (app: AppRuntime, webhook: string): WebhookDefinition | undefined =>
  app.model.document.webhooks.find((candidate) => candidate.id === webhook);

async function begin(
  services: Services,
  app: AppRuntime,
  hook: WebhookDefinition | undefined,
  deliveryId: string,
  by: Attempter,
): Promise<BegunAttempt | undefined> {
  const { trial, isOpen } = gate(app, hook, deliveryId);
  // Of a webhook that is switched off nothing is sent, so its endpoint is not asked for leave to end what is left.
  const asksNobody = value(by === 'trial' || hook?.active !== true, 'boolean');
  const rows = await run<BegunAttempt>(
    services.pool,
    sql`with trial as (${trial}), d as (
          update ${id(app.storage, '_deliveries')} set tries = tries + 1, tries_in_round = tries_in_round + 1, updated_at = now()
          where id = ${value(deliveryId, 'uuid')} and status in ('pending', 'sending', 'retrying') and (${asksNobody} or ${isOpen})
          returning id, event_seq, webhook, entity, record_id, record_version, round, body, tries, tries_in_round
        ), a as (
          insert into ${id(app.storage, '_attempts')} (id, delivery_id, number) select uuidv7(), id, tries from d returning id
        )
        select id, (select id from a) as attempt_id, event_seq, webhook, round, body::text as body, tries_in_round from d`,
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
