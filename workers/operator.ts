/** Does to many runs what operators asked for: a few runs of one app at a time, under a lease. */
import { run } from '../adapters/postgres/run.ts';
import { id, sql, value } from '../core/sql/sql.ts';
import type { Services } from '../operations/context.ts';
import { operateOne, type OperatedRun } from '../operations/processes/operate-many.ts';
import { loop, pause, type Loop } from './loop.ts';
import { takeTurn } from './turn.ts';

const POLL_MS = 500;
/** Runs are asked beside each other: an answer takes as long as the run's next step. */
const PAGE = 10;
/** Longer than a page takes. */
const LEASE = '30 seconds';

export function startOperator(services: Services): Loop {
  return loop('operator', services.log, async (signal, waker) => {
    const turn = await takeTurn<OperatedRun>(services, 'operations', async (client, app) => {
      const table = id(app.storage, '_operated_runs');
      const rows = await run<OperatedRun>(
        client,
        sql`with due as (
              select operation_id, run_id from ${table} where state = 'pending' and due_at <= now()
              order by due_at, operation_id, run_id limit ${value(PAGE, 'integer')} for update skip locked
            )
            update ${table} x set due_at = now() + ${value(LEASE, 'interval')}, tries = x.tries + 1 from due
            where x.operation_id = due.operation_id and x.run_id = due.run_id returning x.operation_id, x.run_id, x.tries`,
        { prepared: true },
      );
      return { rows, nextDue: sql`select min(due_at) as at from ${table} where state = 'pending'`, pause: '0' };
    });
    if (turn === undefined) return pause(POLL_MS, signal, waker);
    await Promise.all(turn.rows.map((row) => operateOne(services, turn.app, row)));
  });
}
