/** The end of a run that cannot end itself any more, because Temporal has no open workflow of it: its projection is all there is to end. */
import { execute, run, type Db } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { id, sql, value } from '../../core/sql/sql.ts';
import { childEndedSignalId } from '../../workflows/contracts/ids.ts';
import { childEndedSignal } from '../../workflows/contracts/messages.ts';
import type { ChildOutcome, SignalInput } from '../../workflows/contracts/types.ts';
import type { AppRuntime, Services } from '../context.ts';
import { queueStarts } from '../starts.ts';

export interface LostEnd {
  readonly status: 'failed' | 'cancelled';
  readonly error: string | null;
  /** Who ended it. */
  readonly by?: string;
  readonly at: Date;
}

/** Ends a run that is shown as running; what it had open is closed, and the run that waits for it is told. */
export async function endLostRun(services: Services, app: AppRuntime, runId: string, { status, error, by, at }: LostEnd): Promise<void> {
  const entry = { status, ...(by === undefined ? {} : { by }), ...(error === null ? {} : { error }), at: at.toISOString() };
  await transaction(services.pool, async (client) => {
    const [ended] = await run<EndedRun>(
      client,
      sql`
      update ${id(app.storage, '_runs')} r set status = ${value(status)}, error = ${value(error)}, current_step_deadline = null, updated_at = now(),
        history = r.history || jsonb_build_array(jsonb_build_object('step', coalesce(r.current_step, '')) || ${value(JSON.stringify(entry), 'jsonb')})
      where r.id = ${value(runId, 'uuid')} and r.status = 'running'
      returning r.workflow_id, r.context, (select p.workflow_id from ${id(app.storage, '_runs')} p where p.id = r.parent_run) as parent`,
    );
    if (ended === undefined) return;
    await execute(
      client,
      sql`update ${id(app.storage, '_tasks')} set state = 'cancelled', decided_at = now() where run_id = ${value(runId, 'uuid')} and state = 'pending'`,
    );
    await execute(client, sql`delete from ${id(app.storage, '_waits')} where run_id = ${value(runId, 'uuid')}`);
    if (ended.parent !== null) await tellParent(client, app, { runId, ended, parent: ended.parent, outcome: { status, error } });
  });
}

interface EndedRun {
  readonly workflow_id: string;
  readonly context: ChildOutcome['context'];
  readonly parent: string | null;
}

interface Telling {
  readonly runId: string;
  readonly ended: EndedRun;
  readonly parent: string;
  readonly outcome: Omit<ChildOutcome, 'context'>;
}

/** What the run's workflow would have said itself. The parent may have heard it already, and ignores a repetition. */
async function tellParent(db: Db, app: AppRuntime, { runId, ended, parent, outcome }: Telling): Promise<void> {
  const input: SignalInput = {
    app: app.id,
    workflowId: parent,
    signal: childEndedSignal.name,
    args: [{ workflowId: ended.workflow_id, outcome: { ...outcome, context: ended.context } }],
  };
  await queueStarts(db, app, [{ workflow_id: childEndedSignalId(app.id, runId), kind: 'signal', input }]);
}
