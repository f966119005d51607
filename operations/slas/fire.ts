/** What a warning, a breach or an escalation does: the actions of workflows, each with its effect once. */
import { type Db, execute, run } from '../../adapters/postgres/run.ts';
import { AppError } from '../../core/errors.ts';
import type { Mark } from '../../core/sla/fold.ts';
import { id, sql, value } from '../../core/sql/sql.ts';
import type { ClockMark } from '../../workflows/contracts/types.ts';
import type { AppRuntime, Services } from '../context.ts';
import { performAction } from '../processes/perform-action.ts';
import type { StepScope } from '../processes/scope.ts';
import { actionsOf } from './assess.ts';
import { readForm } from './forms.ts';
import { CLOCK_COLUMNS, type ClockRow } from './rows.ts';

export interface MarkAction {
  readonly mark: ClockMark;
  /** Which of the mark's actions. */
  readonly index: number;
  /** The workflow's time. */
  readonly now: string;
}

/** One action of a mark; a repetition under the same key does nothing more. */
export async function performMarkAction(services: Services, app: AppRuntime, clockId: string, given: MarkAction): Promise<void> {
  const { mark, index } = given;
  const row = await readClock(services.pool, app, clockId);
  const form = row === undefined ? undefined : await readForm(services.pool, app, row.form);
  const [, kind = '', label = ''] = mark.key.split(':');
  const action = form === undefined ? undefined : actionsOf(form, { kind: kind as Mark['kind'], label })[index];
  if (row === undefined || action === undefined)
    throw new AppError('NOT_FOUND', 'The clock, or what it was to do, is not defined any more.');
  const key = `clock/${app.id}/${row.id}/${mark.key}/${String(index)}`;
  await performAction(services, app, scopeOf(app, row, given, { kind, label }), action, key);
}

/** The record, and `context.sla` with what is to be told about the clock. */
function scopeOf(app: AppRuntime, row: ClockRow, { mark, now }: MarkAction, { kind, label }: { kind: string; label: string }): StepScope {
  return {
    app: app.id,
    runId: row.id,
    origin: 'clock',
    schemaVersion: app.version,
    now,
    trigger: {
      type: `sla_${kind}`,
      eventSeq: row.started_seq,
      entity: row.entity,
      recordId: row.record_id,
      actor: { kind: 'system', id: row.id, roles: [] },
      depth: row.depth,
    },
    context: {
      sla: {
        name: row.sla_name,
        mark: label === '' ? kind : label,
        state: row.state,
        started_at: row.started_at,
        due_at: row.due_at,
        at: mark.at,
        elapsed_ms: Number(row.elapsed_ms),
        target_ms: row.target_ms === null ? null : Number(row.target_ms),
      },
    },
  };
}

async function readClock(db: Db, app: AppRuntime, clockId: string): Promise<ClockRow | undefined> {
  const [row] = await run<ClockRow>(
    db,
    sql`select ${CLOCK_COLUMNS} from ${id(app.storage, '_clocks')} c where c.id = ${value(clockId, 'uuid')}`,
  );
  return row;
}

/** The mark has fired; with `error` where an action was refused for good, which the row then shows. */
export async function noteFired(
  services: Services,
  app: AppRuntime,
  clockId: string,
  { mark, now, error }: { readonly mark: ClockMark; readonly now: string; readonly error: string | null },
): Promise<void> {
  const entry = { key: mark.key, at: now, ...(error === null ? {} : { error }) };
  await execute(
    services.pool,
    sql`update ${id(app.storage, '_clocks')}
        set fired = fired || ${value(JSON.stringify([entry]), 'jsonb')}, error = coalesce(${value(error, 'text')}, error)
        where id = ${value(clockId, 'uuid')} and not fired @> ${value(JSON.stringify([{ key: mark.key }]), 'jsonb')}`,
    { prepared: true },
  );
}
