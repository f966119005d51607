/** Which functions follow from an event: one row each, inserted once by event and attachment. */
import { uuidv7 } from '../../adapters/ids.ts';
import { isTrue, type ExpressionScope } from '../../core/expression/expression.ts';
import { compileAttachment, runsInWrite, type CompiledAttachment } from '../../core/functions/attachment.ts';
import { id, sql, value, type Sql } from '../../core/sql/sql.ts';
import type { AppRuntime } from '../context.ts';
import { MAX_DEPTH, recordBefore, type EventRow } from '../events.ts';
import type { ActorRef } from '../../workflows/contracts/types.ts';

/** What a run after the commit is about; kept with it, because the log of events is not kept for ever. */
export interface RunChange {
  readonly seq: string;
  readonly at: string;
  readonly action: 'create' | 'update' | 'delete';
  readonly record: Readonly<Record<string, unknown>> | null;
  readonly old: Readonly<Record<string, unknown>> | null;
  readonly actor: ActorRef;
  readonly depth: number;
  /** Whose names the run's row and the change have; missing from what was stored before there was such a note. */
  readonly schema_version?: number;
}

export interface RunRow {
  readonly id: string;
  readonly attachment: string;
  readonly function: string;
  readonly event_seq: string;
  readonly entity: string;
  readonly record_id: string;
  readonly change: RunChange;
  readonly status: 'pending' | 'failed';
  readonly error: string | null;
  readonly error_kind: 'Validation' | null;
}

const AFTER = {};

/** The attachments of an entity that run after a commit. */
export function attachedAfter(app: AppRuntime, entityName: string): readonly CompiledAttachment[] {
  const known = app.memo(AFTER, () => new Map<string, readonly CompiledAttachment[]>());
  let found = known.get(entityName);
  if (found === undefined) {
    const entity = app.model.entities.get(entityName);
    const all = entity === undefined ? [] : entity.functions.map((definition) => compileAttachment(definition, entity));
    found = all.filter(({ definition, events }) => events.some((event) => !runsInWrite(definition, event)));
    known.set(entityName, found);
  }
  return found;
}

export function functionRunsOf(app: AppRuntime, event: EventRow): RunRow[] {
  const { action } = event;
  if (event.depth > MAX_DEPTH || action === 'custom' || action === 'restore') return [];
  const old = recordBefore(event);
  return attachedAfter(app, event.entity).flatMap((one): RunRow[] => {
    if (one.definition.id === undefined || !one.events.some((on) => isMeant(one, on, event))) return [];
    const { seq, at, record, actor, depth, schema_version } = event;
    const change: RunChange = { seq, at, action, record, old, actor, depth, schema_version };
    const row = {
      id: uuidv7(),
      attachment: one.definition.id,
      function: one.definition.function ?? 'script',
      event_seq: event.seq,
      entity: event.entity,
      record_id: event.record_id,
      change,
    };
    try {
      // A condition in whole JSONata is asked when the run begins: it may take a thread and time.
      if (one.when?.isCommon === true && !isTrue(one.when.evaluate(scopeOfChange(change)))) return [];
      return [{ ...row, status: 'pending', error: null, error_kind: null }];
    } catch (error) {
      const message = `Its condition could not be evaluated: ${error instanceof Error ? error.message : String(error)}`;
      return [{ ...row, status: 'failed', error: message.slice(0, 1_000), error_kind: 'Validation' }];
    }
  });
}

function isMeant({ definition, field }: CompiledAttachment, on: CompiledAttachment['events'][number], event: EventRow): boolean {
  if (runsInWrite(definition, on)) return false;
  const isChanged = field === undefined || Object.hasOwn(event.old ?? {}, field.name);
  if (on === 'field_change') return event.action === 'update' && isChanged;
  return on === `after_${event.action}` && (event.action !== 'update' || isChanged);
}

export const scopeOfChange = ({ record, old, action, at, actor }: RunChange): ExpressionScope => ({
  record: record ?? old ?? {},
  old,
  action,
  now: at,
  user: { id: actor.id, roles: actor.roles },
});

/** The rows, and that the app has due runs. */
export const insertRuns = (app: AppRuntime, rows: readonly RunRow[]): Sql => sql`
  with r as (
    insert into ${id(app.storage, '_function_runs')} (id, attachment, function, event_seq, entity, record_id, change, status, error, error_kind, finished_at)
    select id, attachment, function, event_seq, entity, record_id, change, status, error, error_kind, case when status = 'failed' then now() end
    from jsonb_to_recordset(${value(JSON.stringify(rows), 'jsonb')})
      as r(id uuid, attachment text, function text, event_seq bigint, entity text, record_id text, change jsonb, status text, error text, error_kind text)
    on conflict (event_seq, attachment) where event_seq is not null do nothing
  )
  ${markFunctionWork(app)}`;

export const markFunctionWork = (app: Pick<AppRuntime, 'id'>): Sql => sql`
  insert into durabase.work (app, kind, due_at) values (${value(app.id)}, 'functions', now())
  on conflict (app, kind) do update set due_at = least(work.due_at, excluded.due_at)`;
