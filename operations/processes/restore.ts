/**
 * After Temporal's database was lost: what is open in our tables is queued to be started again, under the ids it had. A workflow that
 * Temporal still has, open or closed, is left as it is, so doing this once too often is harmless. Migrations and rollouts are started again
 * by the worker's own looks.
 */
import { execute, type Db } from '../../adapters/postgres/run.ts';
import { id, sql, type Sql, value } from '../../core/sql/sql.ts';
import { markWork } from '../mark-work.ts';
import { restartClocks } from '../slas/restart-clocks.ts';
import { lostRuns, type RestoredApp } from './lost-runs.ts';

/** How many of each are queued. */
export interface Restored {
  readonly clocks: number;
  readonly deliveries: number;
  /** Go on where their last recorded state has them. */
  readonly runs: number;
  /** Go on stuck, because what they did after their last recorded state is not known; an operator retries, skips, rewinds or cancels. */
  readonly stuck: number;
  /** Were to start when Temporal was lost. */
  readonly starts: number;
  /** Events told of waits that are open. */
  readonly signals: number;
  /** Cannot be started again, with the reason; they are left as they are. */
  readonly refused: readonly { readonly run: string; readonly reason: string }[];
}

/** To be called in a transaction; what it writes is queued for the starter. */
export async function restoreApp(db: Db, app: RestoredApp): Promise<Restored> {
  const runs = await lostRuns(db, app);
  await queue(
    db,
    app,
    sql`select * from jsonb_to_recordset(${value(JSON.stringify(runs.starts), 'jsonb')}) as r(workflow_id text, kind text, input jsonb)`,
  );
  const clocks = await execute(db, restartClocks(app, sql`true`));
  const deliveries = await queue(db, app, openDeliveries(app));
  const starts = await execute(db, again(app, neverOpened(app)));
  const signals = await execute(db, again(app, toldToWaits(app)));
  // The worker makes an app's schedules anew where it does not know of having done so.
  await execute(db, sql`delete from durabase.schedule_sync where app = ${value(app.id, 'text')}`);
  await execute(db, markWork(app, true, false));
  return { clocks, deliveries, runs: runs.starts.length - runs.stuck, stuck: runs.stuck, starts, signals, refused: runs.refused };
}

/** `found` has workflow_id, kind and input. As if claimed before: Temporal may have the workflow still, so no retry becomes the dispatcher's. */
const queue = (db: Db, app: RestoredApp, found: Sql): Promise<number> =>
  execute(
    db,
    sql`insert into ${id(app.storage, '_starts')} (workflow_id, kind, input, tries) select f.workflow_id, f.kind, f.input, 1 from (${found}) f
        on conflict (workflow_id) do update set kind = excluded.kind, input = excluded.input, state = 'pending', tries = 1, due_at = now(), error = null`,
  );

/** Those that a workflow repeats; the others wait in their table anyway. */
const openDeliveries = (app: RestoredApp): Sql => sql`
  select 'delivery/' || ${value(app.id, 'text')} || '/' || d.event_seq || '.' || d.webhook || '.' || d.round as workflow_id, 'delivery' as kind,
    jsonb_build_object('app', ${value(app.id, 'text')}, 'deliveryId', d.id, 'webhook', d.webhook, 'eventSeq', d.event_seq::text, 'round', d.round,
      'entity', d.entity, 'recordId', d.record_id,
      'delayMs', greatest(0, floor(extract(epoch from coalesce(d.due_at, now()) - now()) * 1000))::bigint) as input
  from ${id(app.storage, '_deliveries')} d where d.status = 'retrying'`;

const again = (app: RestoredApp, where: Sql): Sql => sql`
  update ${id(app.storage, '_starts')} s set state = 'pending', tries = 0, due_at = now(), error = null where s.state = 'started' and ${where}`;

/**
 * Started, and not opened yet. A run whose condition did not hold has no row either, so those with a condition are left: by now it may
 * read something else.
 */
const neverOpened = (app: RestoredApp): Sql => sql`s.kind = 'process' and s.created_at > now() - interval '1 day'
  and not coalesce(s.input -> 'definition' ? 'condition', false)
  and not exists (select from ${id(app.storage, '_runs')} r where r.workflow_id = s.workflow_id)`;

/** What a run had been told and not looked at was in Temporal only. Told again it is looked at once more. */
const toldToWaits = (app: RestoredApp): Sql => sql`s.kind = 'signal' and exists (
  select from ${id(app.storage, '_waits')} w where starts_with(s.workflow_id, 'signal/' || ${value(app.id, 'text')} || '/' || w.id || '.'))`;
