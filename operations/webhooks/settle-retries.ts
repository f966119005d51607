/**
 * Whether a retry that is about due becomes a workflow. One does for a delivery that failed alone; where the endpoint fails by now, or
 * more come due at once than workflows are to be started, the dispatcher makes the attempt from its queue, at the same time.
 */
import { transaction } from '../../adapters/postgres/transaction.ts';
import { execute, run } from '../../adapters/postgres/run.ts';
import { id, sql, value } from '../../core/sql/sql.ts';
import { FEW_FAILURES } from '../../core/webhook/circuit.ts';
import type { AppRuntime, Services } from '../context.ts';

/** A retry's start is looked at so long before its attempt: by then most of what is wrong with an endpoint is known. */
export const START_AHEAD = '2 seconds';

interface Retry {
  readonly workflow_id: string;
  readonly delivery_id: string | null;
  readonly wait_ms: number;
  readonly is_failing: boolean;
}

/**
 * Of the starts with these ids those are left that `take` has room for, each with the milliseconds until its attempt. The others are
 * gone: their deliveries are the dispatcher's again, or have ended or been replayed meanwhile. What was claimed before (`tries`) is left
 * too, since its workflow may have been started by a worker that could not say so any more: nobody else may make its attempt.
 */
export async function settleRetries(
  services: Services,
  app: AppRuntime,
  starts: readonly { readonly workflow_id: string; readonly tries: number }[],
  take: (wanted: number) => number,
): Promise<ReadonlyMap<string, number>> {
  const claimedBefore = new Set(starts.filter(({ tries }) => tries > 1).map((start) => start.workflow_id));
  return transaction(services.pool, async (client) => {
    const retries = await run<Retry>(
      client,
      sql`select s.workflow_id, d.id as delivery_id, coalesce(greatest(0, extract(epoch from d.due_at - now()) * 1000), 0)::float as wait_ms,
            coalesce(w.failures > ${value(FEW_FAILURES, 'integer')} or w.disabled_at is not null or w.paused_until > now(), false) as is_failing
          from ${id(app.storage, '_starts')} s
          left join ${id(app.storage, '_deliveries')} d
            on d.id = (s.input ->> 'deliveryId')::uuid and d.round = (s.input ->> 'round')::integer and d.status = 'retrying'
          left join ${id(app.storage, '_webhook_state')} w on w.webhook = d.webhook
          where s.workflow_id = any(${value(
            starts.map((start) => start.workflow_id),
            'text[]',
          )}) and s.state = 'pending' order by d.due_at, s.workflow_id`,
      { prepared: true },
    );
    const isBegun = ({ workflow_id }: Retry): boolean => claimedBefore.has(workflow_id);
    const wanted = retries.filter((one) => !isBegun(one) && one.delivery_id !== null && !one.is_failing);
    const kept = [...retries.filter(isBegun), ...wanted.slice(0, take(wanted.length))];
    const dropped = retries.filter((one) => !kept.includes(one));
    if (dropped.length > 0) {
      await execute(
        client,
        sql`with back as (
              update ${id(app.storage, '_deliveries')} set status = 'pending', updated_at = now()
              where id = any(${value(
                dropped.flatMap((one) => one.delivery_id ?? []),
                'uuid[]',
              )}) and status = 'retrying' returning due_at
            ), gone as (
              delete from ${id(app.storage, '_starts')} where workflow_id = any(${value(
                dropped.map((one) => one.workflow_id),
                'text[]',
              )})
            )
            insert into durabase.work (app, kind, due_at)
            select ${value(app.id)}, 'deliveries', min(due_at) from back having count(*) > 0
            on conflict (app, kind) do update set due_at = least(work.due_at, excluded.due_at)`,
        { prepared: true },
      );
    }
    return new Map(kept.map((one) => [one.workflow_id, one.wait_ms]));
  });
}
