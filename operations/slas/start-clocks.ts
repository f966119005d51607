/** Having clocks begun and told: their rows, and what the starter does, in one transaction. */
import { type Db, execute } from '../../adapters/postgres/run.ts';
import { id, sql, value } from '../../core/sql/sql.ts';
import { lookAgainSignal } from '../../workflows/contracts/messages.ts';
import type { ClockInput, SignalInput } from '../../workflows/contracts/types.ts';
import type { AppRuntime } from '../context.ts';
import { clockIdOf, insertClocks, type NewClock } from './rows.ts';

export interface ClockStart {
  readonly workflow_id: string;
  readonly kind: 'clock' | 'signal';
  readonly input: ClockInput | SignalInput;
}

export const clockStart = (app: AppRuntime, { workflowId }: NewClock): ClockStart => ({
  workflow_id: workflowId,
  kind: 'clock',
  input: { app: app.id, clockId: clockIdOf(workflowId) },
});

/** `reason` is what is told: the version of the record, or of the definitions. Told once per reason. */
export const clockSignal = (app: AppRuntime, workflowId: string, reason: string): ClockStart => ({
  workflow_id: `${workflowId}#${reason}`,
  kind: 'signal',
  input: { app: app.id, workflowId, signal: lookAgainSignal.name, args: [reason] },
});

/** Inserts clocks and their starts. */
export async function startClocks(db: Db, app: AppRuntime, clocks: readonly NewClock[]): Promise<void> {
  // A start without its row would end at once, and its id could not be started again for the row that a look inserts later.
  const inserted = await insertClocks(db, app, clocks);
  await queueStarts(
    db,
    app,
    inserted.map((clock) => clockStart(app, clock)),
  );
}

/** What the starter does next for the app. */
export async function queueStarts(db: Db, app: AppRuntime, starts: readonly ClockStart[]): Promise<void> {
  if (starts.length === 0) return;
  await execute(
    db,
    sql`insert into ${id(app.storage, '_starts')} (workflow_id, kind, input)
        select workflow_id, kind, input
        from jsonb_to_recordset(${value(JSON.stringify(starts), 'jsonb')}) as r(workflow_id text, kind text, input jsonb)
        on conflict (workflow_id) do nothing`,
  );
  await execute(
    db,
    sql`insert into durabase.work (app, kind, due_at) values (${value(app.id)}, 'starts', now())
        on conflict (app, kind) do update set due_at = least(work.due_at, excluded.due_at)`,
  );
}
