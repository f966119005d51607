/** The log of runs inside writes: written after the write has ended, whichever way, and outside its transaction. */
import { uuidv7 } from '../../adapters/ids.ts';
import { execute } from '../../adapters/postgres/run.ts';
import { id, sql, value } from '../../core/sql/sql.ts';
import type { AppContext } from '../context.ts';
import type { NotedRun } from './desk.ts';
import { cut } from './redact.ts';

/** A log that cannot be written is no reason to refuse what was done. */
export async function logRuns(ctx: AppContext, runs: readonly NotedRun[]): Promise<void> {
  if (runs.length === 0) return;
  const rows = runs.map((run) => ({
    id: uuidv7(),
    attachment: run.attachment,
    function: run.function,
    entity: run.entity,
    record_id: run.recordId,
    status: run.failure === null ? 'succeeded' : 'failed',
    input: run.input,
    output: cut(run.output),
    error: run.failure === null ? null : run.failure.message.slice(0, 1_000),
    error_kind: run.failure?.kind ?? null,
    ms: run.ms,
  }));
  try {
    await execute(
      ctx.services.pool,
      sql`insert into ${id(ctx.app.storage, '_function_runs')}
            (id, attachment, function, entity, record_id, status, attempt, input, output, error, error_kind, ms, finished_at)
          select id, attachment, function, entity, record_id, status, 1, input, output, error, error_kind, ms, now()
          from jsonb_to_recordset(${value(JSON.stringify(rows), 'jsonb')})
            as r(id uuid, attachment text, function text, entity text, record_id text, status text, input jsonb, output jsonb, error text, error_kind text, ms integer)`,
      { prepared: true },
    );
  } catch (error) {
    ctx.services.log.warn({ app: ctx.app.id, error: String(error) }, 'runs of functions could not be logged');
  }
}
