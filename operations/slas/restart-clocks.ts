import { id, sql, value, type Sql } from '../../core/sql/sql.ts';

/** Queues open clocks `c` to be started under the ids they had; everything else of a clock is in its row. */
export const restartClocks = (app: { readonly id: string; readonly storage: string }, which: Sql): Sql => sql`
  insert into ${id(app.storage, '_starts')} (workflow_id, kind, input)
  select c.workflow_id, 'clock', jsonb_build_object('app', ${value(app.id, 'text')}, 'clockId', c.id)
  from ${id(app.storage, '_clocks')} c where c.stopped_at is null and ${which}
  on conflict (workflow_id) do update set kind = excluded.kind, input = excluded.input, state = 'pending', tries = 0, due_at = now(), error = null`;
