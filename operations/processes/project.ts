/** Projections of runs and tasks: what lists and screens read. Written by the run's own activities only. */
import { execute, run, type Db } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { id, sql, type Sql, value } from '../../core/sql/sql.ts';
import type { ProcessInput, ProcessState, RunStatus } from '../../workflows/contracts/types.ts';
import type { AppRuntime, Services } from '../context.ts';

export interface RunProjection {
  readonly app: string;
  readonly runId: string;
  readonly status: RunStatus;
  readonly error: string | null;
  readonly state: ProcessState;
  /** The workflow's time. */
  readonly now: string;
  /** Tasks to close in the same transaction. */
  readonly closes?: readonly { readonly taskId: string; readonly state: 'timed_out' | 'cancelled' }[];
}

export interface NewRun {
  readonly runId: string;
  readonly workflowId: string;
  readonly definition: Pick<ProcessInput['definition'], 'id' | 'name'>;
  readonly schemaVersion: number;
  readonly trigger: ProcessInput['trigger'];
  /** The trigger's, as it is called today. */
  readonly entity: string | null;
  readonly firstStep: string | null;
  readonly parent?: ProcessInput['parent'];
  readonly context: Record<string, unknown>;
  readonly now: string;
}

/** Inserts the run; the first insert wins, and its context is the answer. */
export async function insertRun(db: Db, app: AppRuntime, opened: NewRun): Promise<Record<string, unknown>> {
  const table = id(app.storage, '_runs');
  const { trigger, definition } = opened;
  await execute(
    db,
    sql`
    insert into ${table} (id, workflow_id, definition_id, workflow_name, schema_version, entity, record_id, status, current_step, context, trigger, started_by, parent_run, created_at, updated_at)
    values (${value(opened.runId, 'uuid')}, ${value(opened.workflowId)}, ${value(definition.id)}, ${value(definition.name)}, ${value(opened.schemaVersion)},
            ${value(opened.entity)}, ${value(trigger.recordId)}, 'running', ${value(opened.firstStep)}, ${value(JSON.stringify(opened.context), 'jsonb')},
            ${value(JSON.stringify(trigger), 'jsonb')}, ${value(JSON.stringify(trigger.actor), 'jsonb')}, ${value(opened.parent?.runId ?? null, 'uuid')}, ${value(opened.now, 'timestamptz')}, ${value(opened.now, 'timestamptz')})
    on conflict (id) do nothing`,
  );
  const rows = await run<{ context: Record<string, unknown> }>(
    db,
    sql`select context from ${table} where id = ${value(opened.runId, 'uuid')}`,
  );
  return rows[0]?.context ?? opened.context;
}

/** Shows the run as `projection` has it, unless something newer is shown already. */
export async function projectRun(services: Services, app: AppRuntime, projection: RunProjection): Promise<void> {
  const { closes, state, status } = projection;
  if (closes === undefined && status === 'running') {
    await writeRun(services.pool, app, projection);
    return;
  }
  const waits = status === 'running' ? state.strands.flatMap(({ wait }) => wait?.id ?? []) : [];
  await transaction(services.pool, async (client) => {
    await execute(client, closeWaits(app, projection.runId, waits));
    await execute(
      client,
      sql`
      update ${id(app.storage, '_tasks')} t set state = c.state, decided_at = ${value(projection.now, 'timestamptz')}
      from jsonb_to_recordset(${value(JSON.stringify(closes ?? []), 'jsonb')}) as c("taskId" uuid, state text)
      where t.id = c."taskId" and t.state = 'pending'`,
    );
    await writeRun(client, app, projection);
  });
}

/** In a transaction of its own, or in that of what the run shows. */
export async function writeRun(db: Db, app: AppRuntime, { runId, status, error, state, now }: RunProjection): Promise<void> {
  const [main] = state.strands;
  await execute(
    db,
    sql`
    update ${id(app.storage, '_runs')} set
      status = ${value(status)}, current_step = ${value(main?.currentStep ?? null)}, current_step_deadline = ${value(main?.deadline ?? null, 'timestamptz')},
      context = ${value(JSON.stringify(state.context), 'jsonb')}, history = ${value(JSON.stringify(state.history), 'jsonb')},
      state = ${value(JSON.stringify(state), 'jsonb')}, revision = ${value(state.revision)}, error = ${value(error)},
      updated_at = ${value(now, 'timestamptz')}
    where id = ${value(runId, 'uuid')} and revision < ${value(state.revision)} and status <> 'ended_by_restore'`,
  );
}

/** Takes away the waits of a run that are not open any more. */
const closeWaits = (app: AppRuntime, runId: string, open: readonly string[]): Sql =>
  sql`delete from ${id(app.storage, '_waits')} where run_id = ${value(runId, 'uuid')} and id <> all(${value(open, 'uuid[]')})`;
