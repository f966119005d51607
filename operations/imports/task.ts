/** Beginning, settling and continuing what is done to an import; each in the transaction of the caller. */
import type pg from 'pg';
import { execute, run, type Db } from '../../adapters/postgres/run.ts';
import type { AppError } from '../../core/errors.ts';
import { id, raw, sql, value, type Sql } from '../../core/sql/sql.ts';
import { importWorkflowId } from '../../workflows/contracts/ids.ts';
import type { ImportInput, ImportState, ImportTask } from '../../workflows/contracts/types.ts';
import type { AppRuntime } from '../context.ts';
import { queueStarts } from '../starts.ts';
import { importsOf, type ImportActor, type ImportOptions } from './import-row.ts';

const STATES: Readonly<Record<ImportTask, ImportState>> = { check: 'checking', run: 'running', undo: 'undoing' };

export interface TaskRequest {
  readonly importId: string;
  /** To show. */
  readonly entity: string;
  readonly task: ImportTask;
  /** The rows it is about. */
  readonly total: number;
  /** By whose permissions it goes from now on. */
  readonly actor?: ImportActor;
  readonly options?: ImportOptions;
  readonly afterUndo?: ImportState;
}

/** Begins a task, and has its workflow started: whether Temporal is there or not. */
export async function beginTask(client: pg.PoolClient, app: AppRuntime, request: TaskRequest): Promise<void> {
  await enterTask(client, app, request);
  const [row] = await run<{ round: number }>(
    client,
    sql`update ${importsOf(app)} set round = round + 1 where id = ${value(request.importId, 'uuid')} returning round`,
  );
  await startRound(client, app, { app: app.id, importId: request.importId, round: row?.round ?? 1, entity: request.entity });
}

/** The state of a task at its beginning. What an earlier one has found is forgotten, not what it has written. */
export async function enterTask(client: pg.PoolClient, app: AppRuntime, request: TaskRequest): Promise<void> {
  const { importId, task, total, actor, options, afterUndo } = request;
  const own = value(importId, 'uuid');
  if (task !== 'undo') {
    await execute(client, sql`delete from ${id(app.storage, '_import_errors')} where import_id = ${own}`);
    await execute(client, sql`delete from ${id(app.storage, '_import_keys')} where import_id = ${own}`);
  } else {
    // What was kept before may be as the import left it by now.
    await execute(
      client,
      sql`update ${id(app.storage, '_import_records')} set outcome = null, reason = null where import_id = ${own} and outcome = 'kept'`,
    );
  }
  const set: Sql[] = [
    sql`state = ${value(STATES[task])}, task = ${value(task)}, task_total = ${value(total, 'integer')}, done = 0, segment_from = 0`,
    raw('segment_at = null, finished_at = null, updated_at = now(), error = null'),
    task === 'undo' ? raw('kept = 0') : raw('created = 0, updated = 0, unchanged = 0, failed = 0'),
    sql`after_undo = ${value(afterUndo ?? null)}`,
    ...(actor === undefined ? [] : [sql`actor = ${value(JSON.stringify(actor), 'jsonb')}`]),
    ...(options === undefined ? [] : [sql`options = ${value(JSON.stringify(options), 'jsonb')}`]),
  ];
  const [first, ...rest] = set;
  await execute(
    client,
    sql`update ${importsOf(app)} set ${rest.reduce((all, part) => sql`${all}, ${part}`, first ?? raw(''))} where id = ${own}`,
  );
}

/** A workflow for a task that has begun. */
export async function startRound(client: Db, app: AppRuntime, input: ImportInput): Promise<void> {
  await execute(
    client,
    sql`insert into durabase.open_imports (app, import_id) values (${value(app.id)}, ${value(input.importId, 'uuid')}) on conflict do nothing`,
  );
  await queueStarts(client, app, [{ workflow_id: importWorkflowId(app.id, input.importId, input.round), kind: 'recordImport', input }]);
}

/** The task is over. */
export async function settle(
  client: Db,
  app: Pick<AppRuntime, 'id' | 'storage'>,
  importId: string,
  state: ImportState,
  error?: Pick<AppError, 'code' | 'message'>,
): Promise<void> {
  const told = error === undefined ? null : JSON.stringify({ code: error.code, message: error.message });
  await execute(
    client,
    sql`update ${importsOf(app)} set state = ${value(state)}, error = ${value(told, 'jsonb')}, updated_at = now(), after_undo = null,
          checked_at = case when task = 'check' then now() else checked_at end,
          finished_at = case when ${value(state)} = 'checked' then null else now() end
        where id = ${value(importId, 'uuid')}`,
  );
  await execute(client, sql`delete from durabase.open_imports where app = ${value(app.id)} and import_id = ${value(importId, 'uuid')}`);
}
