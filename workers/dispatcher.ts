/**
 * First attempts of deliveries, straight from `_deliveries`: no workflow is started for what succeeds at once. Claimed rows
 * carry a lease; a lost one repeats the attempt with the same webhook-id. One slow endpoint fills only its own share.
 */
import { run } from '../adapters/postgres/run.ts';
import { id, sql, value } from '../core/sql/sql.ts';
import type { Services } from '../operations/context.ts';
import { attemptDelivery } from '../operations/webhooks/attempt.ts';
import { loop, pause, type Loop } from './loop.ts';
import { takeTurn, type Turn } from './turn.ts';

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
        .then(
          () => undefined,
          (error: unknown) => services.log.error({ delivery: row.id, error: String(error) }, 'an attempt could not be recorded'),
        )
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

async function claim(services: Services, inFlight: ReadonlyMap<string, number>, room: number): Promise<Turn<Claimed> | undefined> {
  const busy = [...inFlight].flatMap(([webhook, count]) => (count >= MAX_PER_WEBHOOK ? [webhook] : []));
  return takeTurn<Claimed>(services, 'deliveries', async (client, app) => {
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
    return {
      rows,
      nextDue: sql`select min(due_at) as at from ${table} where status in ('pending', 'sending')`,
      // Rows that remain due belong to endpoints that are full: look again soon, other apps first.
      pause: rows.length === 0 ? '100 milliseconds' : '0',
    };
  });
}
