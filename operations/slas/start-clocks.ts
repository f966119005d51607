/** Having clocks begun and told: their rows, and what the starter then does. */
import type { Db } from '../../adapters/postgres/run.ts';
import { lookAgainSignal } from '../../workflows/contracts/messages.ts';
import type { AppRuntime } from '../context.ts';
import type { Start } from '../starts.ts';
import { clockIdOf, insertClocks, type NewClock } from './rows.ts';

const clockStart = (app: AppRuntime, { workflowId }: NewClock): Start => ({
  workflow_id: workflowId,
  kind: 'clock',
  input: { app: app.id, clockId: clockIdOf(workflowId) },
});

/** `reason` is what is told: the version of the record, or of the definitions. Told once per reason. */
export const clockSignal = (app: AppRuntime, workflowId: string, reason: string): Start => ({
  workflow_id: `${workflowId}#${reason}`,
  kind: 'signal',
  input: { app: app.id, workflowId, signal: lookAgainSignal.name, args: [reason] },
});

/** Inserts clocks; answers the starts that are to be queued in the same transaction. */
export async function clockStarts(db: Db, app: AppRuntime, clocks: readonly NewClock[]): Promise<Start[]> {
  // A start without its row would end at once, and its id could not be started again for the row that a look inserts later.
  const inserted = await insertClocks(db, app, clocks);
  return inserted.map((clock) => clockStart(app, clock));
}
