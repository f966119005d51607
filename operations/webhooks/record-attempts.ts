/**
 * What attempts came to, many in one statement: their rows are completed, their deliveries end or are to be repeated, and their
 * endpoints are judged, all or nothing. Until then nothing counts as delivered; who dies before repeats the call under the same id.
 */
import type pg from 'pg';
import { execute, run } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import type { WebhookDefinition } from '../../core/model/document.ts';
import { id, sql, value, type Sql } from '../../core/sql/sql.ts';
import { breakAfter, FEW_FAILURES } from '../../core/webhook/circuit.ts';
import { deliveryWorkflowId } from '../../workflows/contracts/ids.ts';
import type { AttemptResult, DeliveryInput } from '../../workflows/contracts/types.ts';
import type { AppRuntime, Services } from '../context.ts';
import { GONE, noteFailures, noteSuccesses, type Sign } from './endpoint.ts';
import type { DeliveryRow, Judgement } from './judge.ts';
import { START_AHEAD } from './settle-retries.ts';
import { tellAdmins } from './tell-admins.ts';

/** An attempt that is over and not recorded yet. */
export interface MadeAttempt {
  readonly delivery: DeliveryRow;
  readonly attemptId: string;
  readonly hook: WebhookDefinition | undefined;
  readonly judgement: Judgement;
  readonly result: AttemptResult;
  /** What it says about the endpoint, if it counts. */
  readonly sign: Sign | null;
  /** Made by the dispatcher, so that somebody else must go on when it is to be repeated. */
  readonly isFirst: boolean;
}

export const isFailure = ({ sign }: MadeAttempt): boolean => sign !== null && sign.kind !== 'delivered';

/** Of each webhook either successes or one failure: failures in a row are counted one by one. */
export async function recordAttempts(services: Services, app: AppRuntime, made: readonly MadeAttempt[]): Promise<void> {
  await write(services, app, made);
  for (const one of made) services.tallies.attempts.add(outcomeOf(one));
}

/** `refused` was not sent: the address, the port, a missing secret, or the webhook is switched off. */
const outcomeOf = ({ result, judgement }: MadeAttempt): string =>
  judgement.sign === null ? 'refused' : result.outcome === 'retry' ? 'retrying' : result.outcome;

async function write(services: Services, app: AppRuntime, made: readonly MadeAttempt[]): Promise<void> {
  // What nearly all attempts come to: one statement, one commit.
  if (made.every((one) => !isFailure(one) && one.result.outcome !== 'retry')) {
    await execute(services.pool, recordSuccesses(app, made), { prepared: true });
    return;
  }
  await transaction(services.pool, async (client) => {
    const signs = await run<SignRow>(client, recordWithFailures(app, made), { prepared: true });
    for (const { webhook, reason } of signs) {
      await tellAdmins(client, services, app, made.find(({ delivery }) => delivery.webhook === webhook)?.hook, reason ?? GONE);
    }
  });
}

const recordSuccesses = (app: AppRuntime, made: readonly MadeAttempt[]): Sql => sql`
  ${given(app, made)}, well as (${noteSuccesses(app)}), ${work(app, sql`select 'deliveries' as kind, now() as due_at from well`)}
  ${ended(app, sql`${value(null)}::text`)}`;

interface SignRow extends pg.QueryResultRow {
  readonly webhook: string;
  readonly reason: string | null;
}

/** When the start of a retry is looked at (`settle-retries.ts`); its row makes it durable from now on. */
const BEFORE_DUE = sql`due_at - ${value(START_AHEAD, 'interval')}`;

/** The decision how to go on commits with the failed attempt: a workflow repeats it, or of an endpoint that fails again and again it waits. */
const recordWithFailures = (app: AppRuntime, made: readonly MadeAttempt[]): Sql => sql`
  ${given(app, made)}, well as (${noteSuccesses(app)}), signs as (${noteFailures(app)}), ended as (
    ${ended(
      app,
      sql`case when g.outcome = 'retry' and g.is_first
      and (select failures from signs where signs.webhook = g.webhook) > ${value(FEW_FAILURES, 'integer')} then 'pending' end`,
    )}
  ), going_on as (
    select g.workflow_id, g.input || jsonb_build_object('entity', d.entity, 'recordId', d.record_id) as input, now() + g.delay_ms * interval '1 millisecond' as due_at, signs.failures > ${value(FEW_FAILURES, 'integer')} as waits
    from given g join signs on signs.webhook = g.webhook join ${id(app.storage, '_deliveries')} d on d.id = g.delivery_id where g.outcome = 'retry' and g.is_first
  ), starts as (
    insert into ${id(app.storage, '_starts')} (workflow_id, kind, input, due_at)
    select workflow_id, 'delivery', input, ${BEFORE_DUE} from going_on where not waits on conflict (workflow_id) do nothing
  ), ${work(
    app,
    sql`select 'deliveries' as kind, now() as due_at from well
      union all select case when waits then 'deliveries' else 'starts' end, case when waits then due_at else ${BEFORE_DUE} end from going_on`,
  )}
  select webhook, reason from signs where is_new`;

/** Says what the app has to do from when on; `due` has kinds and times. */
const work = (app: AppRuntime, due: Sql): Sql => sql`work as (
    insert into durabase.work (app, kind, due_at) select ${value(app.id)}, kind, min(due_at) from (${due}) due group by kind order by kind
    on conflict (app, kind) do update set due_at = least(work.due_at, excluded.due_at)
  )`;

function given(app: AppRuntime, made: readonly MadeAttempt[]): Sql {
  const rows = [...made].sort((a, b) => (a.delivery.id < b.delivery.id ? -1 : 1)).map((one) => rowOf(app, one));
  return sql`with given as materialized (
      select * from jsonb_to_recordset(${value(JSON.stringify(rows), 'jsonb')}) as r(attempt_id uuid, delivery_id uuid, webhook text, status integer,
        latency_ms integer, error text, response text, outcome text, reason text, delay_ms double precision, sign text, throttle_ms double precision,
        break_after integer, is_first boolean, workflow_id text, input jsonb)
    ), completed as (
      update ${id(app.storage, '_attempts')} a set finished_at = now(), status = g.status, latency_ms = g.latency_ms, error = g.error, response = g.response
      from given g where a.id = g.attempt_id and a.id = any(array(select attempt_id from given))
    )`;
}

/** `instead` is the status of what is to be repeated, where it is not `retrying`. */
const ended = (app: AppRuntime, instead: Sql): Sql => sql`
  update ${id(app.storage, '_deliveries')} d set status = coalesce(${instead}, case when g.outcome = 'retry' then 'retrying' else g.outcome end),
    reason = g.reason, leased_until = null, due_at = now() + g.delay_ms * interval '1 millisecond', updated_at = now()
  from given g where d.id = g.delivery_id and d.id = any(array(select delivery_id from given)) and d.status <> 'delivered'`;

function rowOf(app: AppRuntime, { delivery, attemptId, hook, judgement, result, sign, isFirst }: MadeAttempt): object {
  const delayMs = result.delayMs ?? 0;
  const input: DeliveryInput = {
    app: app.id,
    deliveryId: delivery.id,
    webhook: delivery.webhook,
    eventSeq: delivery.event_seq,
    round: delivery.round,
    delayMs,
  };
  return {
    attempt_id: attemptId,
    delivery_id: delivery.id,
    webhook: delivery.webhook,
    status: judgement.status,
    latency_ms: judgement.latencyMs,
    error: judgement.error,
    response: judgement.response,
    outcome: result.outcome,
    reason: result.reason,
    delay_ms: delayMs,
    sign: sign?.kind ?? null,
    throttle_ms: sign?.throttleMs ?? null,
    break_after: breakAfter(hook),
    is_first: isFirst,
    ...(result.outcome === 'retry' && isFirst
      ? { workflow_id: deliveryWorkflowId(app.id, input.eventSeq, input.webhook, input.round), input }
      : {}),
  };
}
