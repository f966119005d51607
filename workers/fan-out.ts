/** What follows from a page of events: process starts and webhook deliveries, inserted once by their unique keys. */
import type pg from 'pg';
import { uuidv7 } from '../adapters/ids.ts';
import { isAppError } from '../core/errors.ts';
import { id, render, sql, value, type Sql } from '../core/sql/sql.ts';
import type { AppRuntime, Services } from '../operations/context.ts';
import type { EventRow } from '../operations/events.ts';
import { eventIn } from '../operations/version-names.ts';
import { functionRunsOf, insertRuns, type RunRow } from '../operations/functions/match.ts';
import { markWork } from '../operations/mark-work.ts';
import { matchTriggers } from '../operations/processes/match-triggers.ts';
import { matchWaits } from '../operations/processes/waits.ts';
import { matchClocks } from '../operations/slas/match-clocks.ts';
import { idToday } from '../operations/records/former-keys.ts';
import { renameLate } from '../operations/records/rename-records.ts';
import { clockSignal, clockStarts } from '../operations/slas/start-clocks.ts';
import { insertStarts, type Start } from '../operations/starts.ts';
import { isSynchronous } from '../operations/webhooks/call-sync.ts';
import { changeOf, deliveredPayload, isAbout, meetsCondition } from '../operations/webhooks/payload.ts';

const WAITS_FOR_DISABLED = '30 days';
const ABANDONED = 'The endpoint has been disabled for more than 30 days. Enable it, then replay.';

interface DeliveryRow {
  readonly id: string;
  readonly event_seq: string;
  readonly webhook: string;
  readonly entity: string;
  readonly record_id: string;
  readonly record_version: string;
  readonly body: unknown;
  readonly status: 'pending' | 'dead';
  readonly reason: string | null;
}

export interface FanOut {
  readonly starts: number;
  readonly deliveries: number;
  readonly functionRuns: number;
}

const NOTHING: FanOut = { starts: 0, deliveries: 0, functionRuns: 0 };

/** `renamed` are the shapes of apps in which what is open has the names that records have there; a pass that comes to nothing forgets its own. */
export async function fanOut(services: Services, client: pg.Client, events: readonly EventRow[], renamed: Set<string>): Promise<FanOut> {
  let total: FanOut = NOTHING;
  for (const [appId, own] of groupByApp(events)) {
    const app = await runtimeFor(services, appId, Math.max(...own.map((event) => event.schema_version)));
    if (app === undefined) continue;
    const { starts, deliveries, functionRuns } = await followUps(services, client, app, own, renamed);
    total = {
      starts: total.starts + starts,
      deliveries: total.deliveries + deliveries,
      functionRuns: total.functionRuns + functionRuns,
    };
  }
  return total;
}

async function followUps(
  services: Services,
  client: pg.Client,
  app: AppRuntime,
  events: readonly EventRow[],
  renamed: Set<string>,
): Promise<FanOut> {
  await client.query('savepoint app');
  try {
    const decided = await decide(services, client, app, await named(client, app, events, renamed));
    await store(client, app, decided);
    await client.query('release savepoint app');
    return { starts: decided.starts.length, deliveries: decided.deliveries.length, functionRuns: decided.runs.length };
  } catch (error) {
    // An app whose storage is being removed must not stop the others; a lost connection stops the pass by itself.
    await client.query('rollback to savepoint app');
    services.log.error({ app: app.id, error: String(error) }, 'the follow-ups of an app could not be stored');
    if (!isMissingTable(error)) throw error;
    return NOTHING;
  }
}

/**
 * The events as this version calls what they are about. The process before, or this one a moment ago, may have stored what follows from
 * an event in the names of an older version when the next was served already.
 */
async function named(client: pg.Client, app: AppRuntime, events: readonly EventRow[], renamed: Set<string>): Promise<readonly EventRow[]> {
  const shape = `${app.id}.${String(app.version)}`;
  if (!renamed.has(shape)) await renameLate(client, app);
  renamed.add(shape);
  const told: EventRow[] = [];
  for (const event of events) {
    const today = await eventIn(client, app, event);
    const entity = app.model.entities.get(today.entity);
    const { schema_version } = event;
    const id = entity === undefined ? event.record_id : await idToday(client, app, entity, { ...today, schema_version }, (name) => name);
    told.push(id === event.record_id ? today : { ...today, record_id: id });
  }
  return told;
}

interface Decisions {
  readonly starts: readonly Start[];
  readonly deliveries: readonly DeliveryRow[];
  readonly runs: readonly RunRow[];
}

async function decide(services: Services, client: pg.Client, app: AppRuntime, events: readonly EventRow[]): Promise<Decisions> {
  const abandoned = await abandonedWebhooks(client, app);
  return {
    starts: [
      ...events.flatMap((event) => startsOf(services, app, event)),
      ...(await toldOf(client, app, events)),
      ...(app.model.document.slas.length === 0 ? [] : await clocksOf(services, client, app, events)),
    ],
    deliveries: events.flatMap((event) => deliveriesOf(services, app, event, abandoned)),
    runs: events.flatMap((event) => functionRunsOf(app, event)),
  };
}

function groupByApp(events: readonly EventRow[]): Map<string, EventRow[]> {
  const groups = new Map<string, EventRow[]>();
  for (const event of events) {
    const own = groups.get(event.app);
    if (own === undefined) groups.set(event.app, [event]);
    else own.push(event);
  }
  return groups;
}

/** This process may not have heard yet of the version under which the event was written. */
async function runtimeFor(services: Services, appId: string, version: number): Promise<AppRuntime | undefined> {
  const app = await services.registry.byId(appId);
  if (app === undefined || app.version >= version) return app;
  return (await services.registry.newerThan(app)) ?? app;
}

function startsOf(services: Services, app: AppRuntime, event: EventRow): Start[] {
  try {
    return matchTriggers(app, event).map(({ workflowId, input }) => ({ workflow_id: workflowId, kind: 'process', input }));
  } catch (error) {
    // One bad definition must not hold up what is behind it: it becomes a visible failed start.
    services.log.error({ app: app.id, event: event.seq, error: String(error) }, 'triggers of an event could not be matched');
    return [
      { workflow_id: `process/${app.id}/${event.seq}.unmatched`, kind: 'process', input: { event: event.seq }, error: String(error) },
    ];
  }
}

/** Runs that wait for one of these events, told by a signal. */
async function toldOf(client: pg.Client, app: AppRuntime, events: readonly EventRow[]): Promise<Start[]> {
  const told = await matchWaits(client, app, events);
  return told.map(({ workflowId, input }) => ({ workflow_id: workflowId, kind: 'signal', input }));
}

/** Deliveries wait for a disabled endpoint, but not for ever. */
async function abandonedWebhooks(client: pg.Client, app: AppRuntime): Promise<ReadonlySet<string>> {
  if (app.model.document.webhooks.length === 0) return new Set();
  const rows = await query<{ webhook: string }>(
    client,
    sql`select webhook from ${id(app.storage, '_webhook_state')} where disabled_at < now() - ${value(WAITS_FOR_DISABLED, 'interval')}`,
  );
  return new Set(rows.map((row) => row.webhook));
}

function deliveriesOf(services: Services, app: AppRuntime, event: EventRow, abandoned: ReadonlySet<string>): DeliveryRow[] {
  const entity = app.model.entities.get(event.entity);
  const change = changeOf(event);
  if (entity === undefined || change === undefined) return [];
  return entity.webhooks.flatMap((hook): DeliveryRow[] => {
    if (hook.id === undefined || isSynchronous(hook) || !isAbout(hook, change.action)) return [];
    const base = {
      id: uuidv7(),
      event_seq: event.seq,
      webhook: hook.id,
      entity: event.entity,
      record_id: event.record_id,
      record_version: event.record_version,
    };
    try {
      if (!meetsCondition(hook, change)) return [];
      const body = deliveredPayload(app, entity, hook, change, base.id);
      if (abandoned.has(hook.id)) return [{ ...base, body, status: 'dead', reason: ABANDONED }];
      return [{ ...base, body, status: 'pending', reason: null }];
    } catch (error) {
      services.log.warn({ app: app.id, webhook: hook.id, error: String(error) }, 'a webhook condition failed');
      const reason = `Its condition could not be evaluated: ${error instanceof Error ? error.message : String(error)}`;
      return [{ ...base, body: {}, status: 'dead', reason }];
    }
  });
}

async function store(client: pg.Client, app: AppRuntime, { starts, deliveries, runs }: Decisions): Promise<void> {
  if (starts.length > 0) await query(client, insertStarts(app, starts));
  if (deliveries.length > 0) await query(client, insertDeliveries(app, deliveries));
  if (runs.length > 0) await query(client, insertRuns(app, runs));
  const isPending = deliveries.some((row) => row.status === 'pending');
  if (starts.length > 0 || isPending) await query(client, markWork(app, starts.length > 0, isPending));
}

/** Clocks of SLAs: those that start, and word to those that run. */
async function clocksOf(services: Services, client: pg.Client, app: AppRuntime, events: readonly EventRow[]): Promise<Start[]> {
  try {
    const { started, told } = await matchClocks(client, app, events);
    return [
      ...(await clockStarts(client, app, started)),
      ...[...told].map(([workflowId, version]) => clockSignal(app, workflowId, version)),
    ];
  } catch (error) {
    // One bad definition must not hold up the log; trouble of the database is the pass's own.
    if (!(error instanceof RangeError || error instanceof TypeError || isAppError(error))) throw error;
    services.log.error({ app: app.id, err: error }, 'the clocks of an app could not be worked out');
    return [];
  }
}

const isMissingTable = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === '42P01' || error.code === '3F000');

const insertDeliveries = (app: AppRuntime, rows: readonly DeliveryRow[]): Sql => sql`
  insert into ${id(app.storage, '_deliveries')} (id, event_seq, webhook, entity, record_id, record_version, body, status, reason)
  select id, event_seq, webhook, entity, record_id, record_version, body, status, reason
  from jsonb_to_recordset(${value(JSON.stringify(rows), 'jsonb')})
    as r(id uuid, event_seq bigint, webhook text, entity text, record_id text, record_version bigint, body jsonb, status text, reason text)
  on conflict (event_seq, webhook) do nothing`;

async function query<Row extends pg.QueryResultRow>(client: pg.Client, statement: Sql): Promise<Row[]> {
  const { text, values } = render(statement);
  return (await client.query<Row>(text, values as unknown[])).rows;
}
