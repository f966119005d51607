/** Runs of functions after the commit, straight from `_function_runs`: claimed under a lease, app by app in fair turns. */
import { run } from '../adapters/postgres/run.ts';
import { id, sql, value } from '../core/sql/sql.ts';
import type { Services } from '../operations/context.ts';
import { performRun, type ClaimedRun } from '../operations/functions/perform-run.ts';
import { loop, pause, type Loop } from './loop.ts';
import { takeTurn, type Turn } from './turn.ts';

const POLL_MS = 200;
const MAX_IN_FLIGHT = 16;
/** An app whose functions wait for slow servers leaves room for others. */
const MAX_PER_APP = 8;
/** Longer than a run may take. */
const LEASE = '45 seconds';

export function startFunctionRunner(services: Services): Loop {
  const running = new Set<Promise<void>>();
  const inFlight = new Map<string, number>();
  const runner = loop('functions', services.log, async (signal, waker) => {
    const claimed = running.size >= MAX_IN_FLIGHT ? undefined : await claim(services, inFlight, MAX_IN_FLIGHT - running.size);
    if (claimed === undefined || claimed.rows.length === 0) return pause(POLL_MS, signal, waker);
    const { app } = claimed;
    for (const row of claimed.rows) {
      inFlight.set(app.id, (inFlight.get(app.id) ?? 0) + 1);
      const performing = performRun(services, app, row)
        .catch((error: unknown) => services.log.error({ run: row.id, error: String(error) }, 'a run could not be recorded'))
        .finally(() => {
          running.delete(performing);
          const left = (inFlight.get(app.id) ?? 1) - 1;
          if (left === 0) inFlight.delete(app.id);
          else inFlight.set(app.id, left);
          waker.wake();
        });
      running.add(performing);
    }
  });
  return {
    wake: () => runner.wake(),
    async close() {
      await runner.close();
      await Promise.all(running);
    },
  };
}

function claim(services: Services, inFlight: ReadonlyMap<string, number>, room: number): Promise<Turn<ClaimedRun> | undefined> {
  return takeTurn<ClaimedRun>(services, 'functions', async (client, app) => {
    const table = id(app.storage, '_function_runs');
    const most = Math.min(room, MAX_PER_APP - (inFlight.get(app.id) ?? 0));
    const rows = await run<ClaimedRun>(
      client,
      sql`with due as (
            select id from ${table} where status in ('pending', 'running') and due_at <= now()
            order by due_at, id limit ${value(Math.max(0, most), 'integer')} for update skip locked
          )
          update ${table} r set status = 'running', attempt = r.attempt + 1, due_at = now() + ${value(LEASE, 'interval')} from due
          where r.id = due.id returning r.id, r.attachment, r.entity, r.record_id, r.attempt, r.change`,
      { prepared: true },
    );
    return {
      rows,
      nextDue: sql`select min(due_at) as at from ${table} where status in ('pending', 'running')`,
      pause: rows.length === 0 ? '200 milliseconds' : '0',
    };
  });
}
