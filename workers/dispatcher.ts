/**
 * First attempts of deliveries, straight from `_deliveries`: no workflow is started for what succeeds at once. Claimed rows
 * carry a lease; a lost one repeats the attempt with the same webhook-id. One slow endpoint fills only its own share.
 */
import { execute, run } from '../adapters/postgres/run.ts';
import { transaction } from '../adapters/postgres/transaction.ts';
import { id, sql, value } from '../core/sql/sql.ts';
import type { AppRuntime, Services } from '../operations/context.ts';
import { attemptDelivery } from '../operations/webhooks/attempt.ts';
import { loop, pause, type Loop } from './loop.ts';

const POLL_MS = 150;
const MAX_IN_FLIGHT = 64;
const MAX_PER_WEBHOOK = 8;
const LEASE = '45 seconds';

interface Claimed {
  readonly id: string;
  readonly webhook: string;
}

export function startDispatcher(services: Services): Loop {
  const inFlight = new Map<string, number>();
  const running = new Set<Promise<void>>();
  const deliveries = loop('dispatcher', services.log, async (signal, waker) => {
    const claimed = running.size >= MAX_IN_FLIGHT ? undefined : await claim(services, inFlight, MAX_IN_FLIGHT - running.size);
    if (claimed === undefined || claimed.rows.length === 0) return pause(POLL_MS, signal, waker);
    for (const row of claimed.rows) {
      inFlight.set(row.webhook, (inFlight.get(row.webhook) ?? 0) + 1);
      const attempt = attemptDelivery(services, claimed.app, row.id, 'dispatcher')
        .then(() => undefined, (error: unknown) => services.log.error({ delivery: row.id, error: String(error) }, 'an attempt could not be recorded'))
        .finally(() => {
          running.delete(attempt);
          const left = (inFlight.get(row.webhook) ?? 1) - 1;
          if (left === 0) inFlight.delete(row.webhook);
          else inFlight.set(row.webhook, left);
          waker.wake();
        });
      running.add(attempt);
    }
  });
  return {
    wake: () => deliveries.wake(),
    async close() {
      await deliveries.close();
      await Promise.all(running);
    },
  };
}

async function claim(
  services: Services, inFlight: ReadonlyMap<string, number>, room: number,
): Promise<{ app: AppRuntime; rows: Claimed[] } | undefined> {
  const busy = [...inFlight].flatMap(([webhook, count]) => (count >= MAX_PER_WEBHOOK ? [webhook] : []));
  return transaction(services.pool, async (client) => {
    const due = await run<{ app: string }>(
      client,
      sql`select app from durabase.work where kind = 'deliveries' and due_at <= now() order by due_at limit 1 for update skip locked`,
      { prepared: true },
    );
    const appId = due[0]?.app;
    if (appId === undefined) return undefined;
    const app = await services.registry.byId(appId);
    if (app === undefined) {
      await execute(client, sql`delete from durabase.work where app = ${value(appId)} and kind = 'deliveries'`);
      return undefined;
    }
    const table = id(app.storage, '_deliveries');
    const rows = await run<Claimed>(
      client,
      sql`with due as (
            select c.id
            from (select distinct webhook from ${table} where status in ('pending', 'sending') and due_at <= now() and webhook <> all(${value(busy, 'text[]')})) w
            cross join lateral (
              select id from ${table} d where d.webhook = w.webhook and d.status in ('pending', 'sending') and d.due_at <= now()
              order by d.due_at limit ${value(MAX_PER_WEBHOOK, 'integer')} for update skip locked
            ) c
            limit ${value(room, 'integer')}
          )
          update ${table} d set status = 'sending', due_at = now() + ${value(LEASE, 'interval')}, leased_until = now() + ${value(LEASE, 'interval')}
          from due where d.id = due.id returning d.id, d.webhook`,
      { prepared: true },
    );
    // Rows that remain due belong to endpoints that are full: look again soon, other apps first.
    await execute(
      client,
      sql`with next as (select min(due_at) as at from ${table} where status in ('pending', 'sending')),
            gone as (delete from durabase.work using next where app = ${value(app.id)} and kind = 'deliveries' and next.at is null)
          update durabase.work set due_at = greatest(next.at, now() + ${value(rows.length === 0 ? '100 milliseconds' : '0', 'interval')}) from next
          where app = ${value(app.id)} and kind = 'deliveries' and next.at is not null`,
    );
    return { app, rows };
  });
}
