/**
 * Runs that wait for an event. A wait is registered when its step begins; the relay's fan-out matches events against it and
 * has the run told. What needs more than the event and the context, the run asks here. Waits have ids: a repetition is harmless.
 */
import { evaluateInSandbox } from '../../adapters/sandbox/jsonata.ts';
import { type Db, execute, run } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { type CompiledExpression, compileExpression, type ExpressionScope, isTrue } from '../../core/expression/expression.ts';
import { id, sql, value } from '../../core/sql/sql.ts';
import { eventSignalId } from '../../workflows/contracts/ids.ts';
import { eventSignal } from '../../workflows/contracts/messages.ts';
import type { SignalInput } from '../../workflows/contracts/types.ts';
import type { AppRuntime, Services } from '../context.ts';
import type { EventRow } from '../events.ts';
import { toldIdThen } from '../records/former-keys.ts';
import { eventIn } from '../version-names.ts';
import type { JsonRow } from './read-record.ts';
import { type RunProjection, writeRun } from './project.ts';
import { runShape } from './run-shape.ts';
import { loadScope, pathsRead, type StepScope } from './scope.ts';

export interface NewWait {
  readonly id: string;
  readonly strand: string;
  readonly workflowId: string;
  /** A custom event, or one of RECORD_EVENTS. */
  readonly event: string;
  /** Of record events: any record of it; null means the run's own. */
  readonly entity: string | null;
  readonly match: string | null;
}

const RECORD_EVENTS: Readonly<Record<string, string>> = { create: 'record_created', update: 'record_updated', delete: 'record_deleted' };
const isRecordEvent = (event: string): boolean => Object.values(RECORD_EVENTS).includes(event);

/** Shows the run and its wait at once. */
export async function openWait(
  services: Services,
  app: AppRuntime,
  step: StepScope,
  wait: NewWait,
  projection: RunProjection,
): Promise<void> {
  const { trigger } = step;
  const isOwn = isRecordEvent(wait.event) && wait.entity === null;
  const named = isOwn ? trigger.entity : wait.entity;
  const entity = named === null ? null : (await runShape(services.pool, app, step.schemaVersion)).entityNow(named);
  await transaction(services.pool, async (client) => {
    await execute(
      client,
      sql`
      insert into ${id(app.storage, '_waits')} (id, run_id, workflow_id, strand, event, entity, record_id, match, context, schema_version)
      values (${value(wait.id, 'uuid')}, ${value(step.runId, 'uuid')}, ${value(wait.workflowId)}, ${value(wait.strand)}, ${value(wait.event)},
              ${value(entity)}, ${value(isOwn ? trigger.recordId : null)}, ${value(wait.match)}, ${value(JSON.stringify(step.context), 'jsonb')}, ${value(step.schemaVersion ?? null, 'integer')})
      on conflict (id) do nothing`,
    );
    await writeRun(client, app, projection);
  });
}

export interface TakenEvent {
  readonly isMeant: boolean;
  readonly saved?: Record<string, unknown>;
}

/** What an event leaves in the context; more than this belongs in records. */
const MAX_SAVED_BYTES = 16 * 1024;

/** Whether this event is the one; then the wait is over. */
export async function takeEvent(
  services: Services,
  app: AppRuntime,
  step: StepScope,
  input: { readonly waitId: string; readonly seq: string; readonly match: string | null; readonly saveAs: string | null },
): Promise<TakenEvent> {
  const [row] = await run<WaitedEvent>(
    services.pool,
    sql`select seq::text as seq, entity, record_id, action, record, old, actor, schema_version from durabase.events where seq = ${value(input.seq, 'bigint')}`,
  );
  if (row === undefined) return { isMeant: false };
  const event = eventForMatch(await eventThen(services.pool, app, row, step.schemaVersion ?? null));
  if (input.match !== null && !(await matches(services, app, step, compileExpression(input.match), event))) return { isMeant: false };
  await execute(services.pool, sql`delete from ${id(app.storage, '_waits')} where id = ${value(input.waitId, 'uuid')}`);
  const saved = event['data'];
  if (input.saveAs === null) return { isMeant: true };
  const isBrief = Buffer.byteLength(JSON.stringify(saved)) <= MAX_SAVED_BYTES;
  return { isMeant: true, saved: { [input.saveAs]: isBrief ? saved : null } };
}

type WaitedEvent = Pick<EventRow, 'seq' | 'entity' | 'record_id' | 'action' | 'record' | 'old' | 'actor' | 'schema_version'>;

async function matches(services: Services, app: AppRuntime, step: StepScope, match: CompiledExpression, event: JsonRow): Promise<boolean> {
  const scope = await loadScope(services, app, step, pathsRead(match));
  const record = { ...((scope.record as JsonRow | null) ?? {}), event };
  const variables: ExpressionScope = { record, context: scope.context, trigger: scope.trigger, user: scope.trigger['user'], now: step.now };
  return isTrue(match.isCommon ? match.evaluate(variables) : await evaluateInSandbox(match.source, variables));
}

/** An event as a run of that version calls what it is about, the record too. */
async function eventThen<T extends WaitedEvent>(db: Db, app: AppRuntime, event: T, version: number | null): Promise<T> {
  const today = await eventIn(db, app, event);
  const entity = app.model.entities.get(today.entity);
  const then = await eventIn(db, app, event, version);
  return entity === undefined || version === null ? then : { ...then, record_id: toldIdThen(entity, today, version) };
}

/** `event` in a match: a first name that is no variable is a member of the record, so the event is put there. */
function eventForMatch(row: WaitedEvent): JsonRow {
  if (row.action === 'custom') {
    const { event, ...data } = row.record ?? {};
    return { name: event ?? null, data, entity: row.entity, record_id: row.record_id };
  }
  const record = row.record ?? row.old;
  const name = RECORD_EVENTS[row.action] ?? row.action;
  return { name, data: record, record, old: row.old, entity: row.entity, record_id: row.record_id, user: { id: row.actor.id } };
}

interface WaitRow {
  readonly id: string;
  readonly workflow_id: string;
  readonly event: string;
  readonly entity: string | null;
  readonly record_id: string | null;
  readonly match: string | null;
  readonly context: Record<string, unknown>;
  readonly schema_version: number | null;
}

export interface Told {
  readonly workflowId: string;
  readonly input: SignalInput;
}

/** The runs to be told of these events of one app, under the names of today, each once per wait and event. */
export async function matchWaits(db: Db, app: AppRuntime, events: readonly EventRow[]): Promise<Told[]> {
  const names = [...new Set(events.map(nameOfEvent))];
  if (names.length === 0) return [];
  const waits = await run<WaitRow>(
    db,
    sql`select id, workflow_id, event, entity, record_id, match, context, schema_version from ${id(app.storage, '_waits')} where event = any(${value(names, 'text[]')})`,
  );
  if (waits.length === 0) return [];
  const told: Told[] = [];
  for (const event of events) {
    for (const wait of waits) {
      if (!concerns(wait, event)) continue;
      // A match has the names of its run's version.
      if (mayMatch(wait, await eventThen(db, app, event, wait.schema_version))) told.push(tell(app, wait, event));
    }
  }
  return told;
}

const nameOfEvent = (event: EventRow): string =>
  event.action === 'custom' ? String(event.record?.['event'] ?? '') : (RECORD_EVENTS[event.action] ?? event.action);

const concerns = (wait: WaitRow, event: EventRow): boolean =>
  wait.event === nameOfEvent(event) &&
  (event.action === 'custom' ||
    ((wait.entity === null || wait.entity === event.entity) && (wait.record_id === null || wait.record_id === event.record_id)));

/** False only where the event and the context decide it; what reads the record, the run asks for itself. */
function mayMatch(wait: WaitRow, event: EventRow): boolean {
  if (wait.match === null) return true;
  try {
    const match = compileExpression(wait.match);
    const isDecidable =
      match.isCommon && match.paths.every(({ root, path }) => root === 'context' || (root === 'record' && path[0] === 'event'));
    return !isDecidable || isTrue(match.evaluate({ record: { event: eventForMatch(event) }, context: wait.context }));
  } catch {
    // The run meets the same failure and shows it.
    return true;
  }
}

function tell(app: AppRuntime, wait: WaitRow, event: EventRow): Told {
  return {
    workflowId: eventSignalId(app.id, wait.id, event.seq),
    input: { app: app.id, workflowId: wait.workflow_id, signal: eventSignal.name, args: [{ waitId: wait.id, seq: event.seq }] },
  };
}
