/** What a step can read: the trigger as it was, the record as it is now, the run's context. */
import { evaluateInSandbox } from '../../adapters/sandbox/jsonata.ts';
import { type Db, run } from '../../adapters/postgres/run.ts';
import { compileExpression, type ExpressionScope } from '../../core/expression/expression.ts';
import { sql, value } from '../../core/sql/sql.ts';
import type { ProcessInput } from '../../workflows/contracts/types.ts';
import type { AppRuntime, Services } from '../context.ts';
import { type JsonRow, readRecord, type RecordPaths, withRelated } from './read-record.ts';
import type { ValueScope } from './values.ts';

export interface StepScope {
  readonly app: string;
  readonly runId: string;
  /** What acts, when it is no run of a process. */
  readonly origin?: 'clock';
  readonly trigger: ProcessInput['trigger'];
  readonly context: Record<string, unknown>;
  /** The workflow's time. */
  readonly now: string;
}

/** The trigger for paths and expressions: `trigger.record` is the record as the event left it (before a deletion). */
export async function readTrigger(
  db: Db,
  app: AppRuntime,
  trigger: ProcessInput['trigger'],
  paths: RecordPaths,
): Promise<Record<string, unknown>> {
  const event = trigger.eventSeq === null ? undefined : await readEvent(db, trigger.eventSeq);
  const entity = trigger.entity === null ? undefined : app.model.entities.get(trigger.entity);
  const row = event?.record ?? event?.old ?? null;
  const record = row === null || entity === undefined ? row : await withRelated(db, app, entity, row, paths);
  return {
    type: trigger.type,
    entity: trigger.entity,
    record_id: trigger.recordId,
    record:
      record ??
      (trigger.entity === null || trigger.recordId === null ? null : await readRecord(db, app, trigger.entity, trigger.recordId, paths)),
    old: event?.action === 'update' ? { ...event.record, ...event.old } : (event?.old ?? null),
    action: event?.action ?? null,
    user: { id: trigger.actor.id, roles: trigger.actor.roles },
    ...(trigger.context === undefined ? {} : { context: trigger.context }),
  };
}

async function readEvent(db: Db, seq: string): Promise<{ record: JsonRow | null; old: JsonRow | null; action: string } | undefined> {
  const rows = await run<{ record: JsonRow | null; old: JsonRow | null; action: string }>(
    db,
    sql`select record, old, action from durabase.events where seq = ${value(seq, 'bigint')}`,
  );
  return rows[0];
}

/** Everything a value or expression of a step may read, loaded as far as `paths` ask. */
export async function loadScope(services: Services, app: AppRuntime, step: StepScope, paths: RecordPaths): Promise<ValueScope> {
  const { entity, recordId } = step.trigger;
  const [trigger, record] = await Promise.all([
    readTrigger(services.pool, app, step.trigger, paths),
    entity === null || recordId === null ? null : readRecord(services.pool, app, entity, recordId, paths),
  ]);
  return { trigger, record, context: step.context, now: step.now };
}

/** Evaluates an expression of a step. Whole JSONata runs in a worker thread that can be ended. */
export async function evaluateFor(services: Services, app: AppRuntime, step: StepScope, text: string): Promise<unknown> {
  const expression = compileExpression(text);
  const scope = await loadScope(services, app, step, expression.recordPaths);
  const variables: ExpressionScope = {
    record: scope.record ?? scope.trigger['record'],
    old: scope.trigger['old'],
    trigger: scope.trigger,
    context: scope.context,
    user: scope.trigger['user'],
    action: scope.trigger['action'],
    now: step.now,
  };
  return expression.isCommon ? expression.evaluate(variables) : evaluateInSandbox(expression.source, variables);
}
