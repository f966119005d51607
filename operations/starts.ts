/** What stage two of the relay has to do: workflows to start and signals to send, each once by its id. */
import { type Db, execute } from '../adapters/postgres/run.ts';
import { id, sql, value, type Sql } from '../core/sql/sql.ts';
import type { AppRuntime } from './context.ts';
import { markWork } from './mark-work.ts';

export interface Start {
  readonly workflow_id: string;
  readonly kind: 'process' | 'clock' | 'delivery' | 'recordImport' | 'signal';
  readonly input: unknown;
  /** Why it can never be carried out: then it is only shown. */
  readonly error?: string;
}

/** For callers who say themselves that there is work. */
export const insertStarts = (app: AppRuntime, starts: readonly Start[]): Sql => sql`
  insert into ${id(app.storage, '_starts')} (workflow_id, kind, input, state, error)
  select workflow_id, kind, input, case when error is null then 'pending' else 'failed' end, error
  from jsonb_to_recordset(${value(JSON.stringify(starts), 'jsonb')}) as r(workflow_id text, kind text, input jsonb, error text)
  on conflict (workflow_id) do nothing`;

/** The starter carries them out in the app's turn. */
export async function queueStarts(db: Db, app: AppRuntime, starts: readonly Start[]): Promise<void> {
  if (starts.length === 0) return;
  await execute(db, insertStarts(app, starts));
  await execute(db, markWork(app, true, false));
}
