/** What a step can read: the trigger as it was, the record as it is now, the run's context. */
import { evaluateInSandbox } from '../../adapters/sandbox/jsonata.ts';
import { type Db, run } from '../../adapters/postgres/run.ts';
import { AppError } from '../../core/errors.ts';
import { type CompiledExpression, compileExpression, type ExpressionScope, isTrue } from '../../core/expression/expression.ts';
import { sql, value } from '../../core/sql/sql.ts';
import type { ItemRef, ProcessInput } from '../../workflows/contracts/types.ts';
import type { AppRuntime, Services } from '../context.ts';
import type { EventRow } from '../events.ts';
import { eventIn } from '../version-names.ts';
import { type JsonRow, readRecord, type RecordPaths, withRelated } from './read-record.ts';
import { readItems } from './read-items.ts';
import { runShape } from './run-shape.ts';
import { isOneOf, resolveValue, type ValueScope } from './values.ts';

/** `recordId` is today's id of the record; where that is another one, `calledId` is what the run calls it, and `readId` what it is read by. */
type Trigger = ProcessInput['trigger'] & { readonly calledId?: string; readonly readId?: string };

export interface StepScope {
  readonly app: string;
  readonly runId: string;
  /** What acts, when it is no run of a process. */
  readonly origin?: 'clock';
  readonly trigger: Trigger;
  /** Whose names the definition and the trigger have; missing from what was scheduled before there was such a note. */
  readonly schemaVersion?: number | undefined;
  readonly context: Record<string, unknown>;
  /** The workflow's time. */
  readonly now: string;
  /** The items of foreach steps at hand. */
  readonly items?: readonly ItemRef[];
}

/** The trigger for paths and expressions: `trigger.record` is the record as the event left it (before a deletion). */
export async function readTrigger(
  db: Db,
  app: AppRuntime,
  { trigger, schemaVersion }: Pick<StepScope, 'trigger' | 'schemaVersion'>,
  paths: RecordPaths,
): Promise<Record<string, unknown>> {
  const found = trigger.eventSeq === null ? undefined : await readEvent(db, trigger.eventSeq);
  const event = found === undefined ? undefined : await eventIn(db, app, found, schemaVersion);
  const entity = trigger.entity === null ? undefined : app.model.entities.get(trigger.entity);
  const row = event === undefined || event.action === 'custom' ? null : (event.record ?? event.old ?? null);
  const record = row === null || entity === undefined ? row : await withRelated(db, app, entity, row, paths);
  const isCustom = event?.action === 'custom';
  return {
    type: trigger.type,
    ...(isCustom ? customParts(event.record ?? {}) : {}),
    ...(trigger.at === undefined ? {} : { at: trigger.at }),
    entity: trigger.entity,
    record_id: trigger.calledId ?? trigger.recordId,
    record:
      record ??
      (trigger.entity === null || trigger.recordId === null
        ? null
        : await readRecord(db, app, trigger.entity, trigger.readId ?? trigger.recordId, paths)),
    old: event?.action === 'update' ? { ...event.record, ...event.old } : (event?.old ?? null),
    action: event?.action ?? null,
    user: { id: trigger.actor.id, roles: trigger.actor.roles },
    ...(trigger.context === undefined ? {} : { context: trigger.context }),
  };
}

/** Of a custom event its name and data; of an inbound hook what was sent. */
function customParts({ event, ...data }: JsonRow): Record<string, unknown> {
  return { event: event ?? null, data, ...('body' in data ? { body: data['body'], headers: data['headers'] ?? {} } : {}) };
}

type EventOfTrigger = Pick<EventRow, 'entity' | 'record' | 'old' | 'action' | 'schema_version'>;

async function readEvent(db: Db, seq: string): Promise<EventOfTrigger | undefined> {
  const rows = await run<EventOfTrigger>(
    db,
    sql`select entity, record, old, action, schema_version from durabase.events where seq = ${value(seq, 'bigint')}`,
  );
  return rows[0];
}

/** Everything a value or expression of a step may read, loaded as far as `paths` ask. */
export async function loadScope(services: Services, app: AppRuntime, step: StepScope, paths: RecordPaths): Promise<ValueScope> {
  const { entity, readId, recordId } = step.trigger;
  const { reader, check } = await runShape(services.pool, app, step.schemaVersion);
  check(entity, paths);
  const [trigger, record, items] = await Promise.all([
    readTrigger(services.pool, reader, step, paths),
    entity === null || recordId === null ? null : readRecord(services.pool, reader, entity, readId ?? recordId, paths),
    readItems(services.pool, app, step.items ?? []),
  ]);
  return { trigger, record, context: { ...step.context, ...items }, now: step.now };
}

/** What an expression reads of the record. Of whole JSONata that is any of its words, lest one that is gone be taken for null. */
export const pathsRead = ({ isCommon, recordPaths, source }: CompiledExpression): RecordPaths =>
  isCommon ? recordPaths : [...source.matchAll(/[A-Za-z_]\w*/g)].map(([word]) => [word]);

/** Evaluates an expression of a step. Whole JSONata runs in a worker thread that can be ended. */
export async function evaluateFor(services: Services, app: AppRuntime, step: StepScope, text: string): Promise<unknown> {
  const expression = compileExpression(text);
  const scope = await loadScope(services, app, step, pathsRead(expression));
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

/** Resolves the paths in a value, and what stands in it as `{expression: "..."}`. */
export async function resolveFor(
  services: Services,
  app: AppRuntime,
  step: StepScope,
  scope: ValueScope,
  given: unknown,
): Promise<unknown> {
  const text = expressionOf(given);
  if (text !== undefined) return (await evaluateFor(services, app, step, text)) ?? null;
  if (Array.isArray(given)) return Promise.all(given.map((item: unknown) => resolveFor(services, app, step, scope, item)));
  if (typeof given === 'object' && given !== null) {
    const entries = Object.entries(given).map(async ([key, item]) => [key, await resolveFor(services, app, step, scope, item)] as const);
    return Object.fromEntries(await Promise.all(entries));
  }
  return resolveValue(given, scope);
}

function expressionOf(given: unknown): string | undefined {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return undefined;
  const [entry, ...more] = Object.entries(given);
  return entry?.[0] === 'expression' && more.length === 0 && typeof entry[1] === 'string' ? entry[1] : undefined;
}

const ISO_TIME = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/;

/** The moment a wait is `until`: a time as it is written, a path to one, or an expression. Without a zone it is UTC. */
export async function resolveTime(services: Services, app: AppRuntime, step: StepScope, until: string): Promise<string> {
  const found = ISO_TIME.test(until) ? until : await evaluateFor(services, app, step, until);
  const text = typeof found === 'string' && ISO_TIME.test(found) ? found.replace(' ', 'T') : '';
  const time = new Date(text.includes('T') && !/(Z|[+-]\d{2}:?\d{2})$/.test(text) ? `${text}Z` : text);
  if (Number.isNaN(time.getTime()))
    throw new AppError('INVALID_VALUE', `"${until}" is no time: it gives ${JSON.stringify(found ?? null)}.`, {
      hint: 'It must give a timestamp or a date.',
    });
  return time.toISOString();
}

/** The first case that holds; null when none does. With `on` a case is a value, without it an expression. */
export async function chooseCase(
  services: Services,
  app: AppRuntime,
  step: StepScope,
  on: string | null,
  cases: readonly unknown[],
): Promise<number | null> {
  const found = on === null ? undefined : await evaluateFor(services, app, step, on);
  for (const [index, when] of cases.entries()) {
    const holds = on === null ? isTrue(await evaluateFor(services, app, step, String(when))) : isOneOf(when, found ?? null);
    if (holds) return index;
  }
  return null;
}
