/** Stage two of the relay: starts the workflows, and sends the signals, that stage one decided on, app by app in fair turns, whenever Temporal is there. */
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import type { SearchAttributePair } from '@temporalio/common';
import type pg from 'pg';
import { execute, run } from '../adapters/postgres/run.ts';
import { isAppError } from '../core/errors.ts';
import { id, sql, value } from '../core/sql/sql.ts';
import type { AppRuntime, Services } from '../operations/context.ts';
import { settleRetries } from '../operations/webhooks/settle-retries.ts';
import { CONTROL_QUEUE, OUTBOUND_QUEUE } from '../workflows/contracts/queues.ts';
import {
  appIdAttribute,
  dueAtAttribute,
  entityAttribute,
  MAX_KEYWORD,
  recordIdAttribute,
  stateAttribute,
} from '../workflows/contracts/search-attributes.ts';
import type { SignalInput } from '../workflows/contracts/types.ts';
import { loop, pause, type Loop } from './loop.ts';
import { Pace } from './pace.ts';
import { takeTurn, type Turn } from './turn.ts';

const POLL_MS = 250;
const LEASE = '15 seconds';
const MAX_TRIES = 10;
/** Of retries that come due together more than that are left to the dispatcher: each workflow costs what a hundred deliveries do. */
const RETRIES_PER_SECOND = 5;
/** The kinds of starts that begin a workflow of the same name; a `signal` tells one that lives already. */
const QUEUES = { process: CONTROL_QUEUE, clock: CONTROL_QUEUE, delivery: OUTBOUND_QUEUE, recordImport: CONTROL_QUEUE } as const;

interface WorkflowStart {
  readonly kind: keyof typeof QUEUES;
  readonly input: {
    readonly app: string;
    /** Of a process. */
    readonly definition?: { readonly name: string };
    readonly trigger?: { readonly type: string; readonly entity: string | null; readonly recordId?: string | null };
    /** Of a delivery. */
    readonly webhook?: string;
    readonly eventSeq?: string;
    readonly delayMs?: number;
    /** Of an import too. */
    readonly entity?: string;
    readonly recordId?: string;
  };
}

interface SignalStart {
  readonly kind: 'signal';
  readonly input: SignalInput;
}

type Start = pg.QueryResultRow & { readonly workflow_id: string; readonly tries: number } & (WorkflowStart | SignalStart);

export function startStarter(services: Services): Loop {
  const pace = new Pace(RETRIES_PER_SECOND);
  return loop('starter', services.log, async (signal, waker) => {
    const claimed = await claim(services);
    if (claimed === undefined) return pause(POLL_MS, signal, waker);
    const { app, rows: starts } = claimed;
    try {
      await services.temporal.client();
    } catch (error) {
      // Retries do not wait for Temporal: the dispatcher makes them.
      await giveBack(services, app, await withRetriesSettled(services, app, starts, () => 0));
      await pause(1_000, signal);
      if (!isAppError(error, 'UNAVAILABLE')) throw error;
      return;
    }
    const settled = await withRetriesSettled(services, app, starts, (wanted) => pace.take(wanted));
    await Promise.all(settled.map((start) => startOne(services, app, start)));
  });
}

/** Without the retries that need no workflow; the others know how long they still have to wait. */
async function withRetriesSettled(
  services: Services,
  app: AppRuntime,
  starts: readonly Start[],
  take: (wanted: number) => number,
): Promise<readonly Start[]> {
  const retries = starts.filter(({ kind }) => kind === 'delivery');
  if (retries.length === 0) return starts;
  const waits = await settleRetries(services, app, retries, take);
  return starts.flatMap((start) => {
    if (start.kind !== 'delivery') return [start];
    const delayMs = waits.get(start.workflow_id);
    return delayMs === undefined ? [] : [{ ...start, input: { ...start.input, delayMs } }];
  });
}

/** One app's due starts, at most as many as it may start in a second; the app's next turn comes a second later. */
function claim(services: Services): Promise<Turn<Start> | undefined> {
  return takeTurn<Start>(services, 'starts', async (client, app) => {
    const limit = app.model.settings.starts_per_second;
    const table = id(app.storage, '_starts');
    const rows = await run<Start>(
      client,
      sql`with due as (
            select workflow_id from ${table} where state = 'pending' and due_at <= now()
            order by due_at limit ${value(limit, 'integer')} for update skip locked
          )
          update ${table} s set due_at = now() + ${value(LEASE, 'interval')}, tries = s.tries + 1 from due
          where s.workflow_id = due.workflow_id returning s.workflow_id, s.kind, s.input, s.tries`,
      { prepared: true },
    );
    return {
      rows,
      nextDue: sql`select min(due_at) as at from ${table} where state = 'pending'`,
      pause: rows.length >= limit ? '1 second' : '0',
    };
  });
}

async function startOne(services: Services, app: AppRuntime, start: Start): Promise<void> {
  try {
    const client = await services.temporal.client();
    if (start.kind === 'signal') {
      const { workflowId, signal, args } = start.input;
      await client.workflow.getHandle(workflowId).signal(signal, ...args);
    } else {
      await client.workflow.start(start.kind, {
        workflowId: start.workflow_id,
        taskQueue: QUEUES[start.kind],
        args: [start.input],
        workflowIdConflictPolicy: 'USE_EXISTING',
        // A clock that was ended by hand in Temporal is started again.
        workflowIdReusePolicy: start.kind === 'clock' ? 'ALLOW_DUPLICATE_FAILED_ONLY' : 'REJECT_DUPLICATE',
        staticSummary: summaryOf(start),
        typedSearchAttributes: [{ key: appIdAttribute, value: app.id }, ...shownOf(start)],
      });
    }
    services.tallies.starts.add(start.kind);
    await mark(services, app, start, 'started', null);
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return mark(services, app, start, 'started', null);
    if (start.kind === 'signal' && error instanceof WorkflowNotFoundError && !(await isYetToStart(services, app, start.input.workflowId))) {
      // Whom it was for has ended: there is nobody left to tell.
      return mark(services, app, start, 'started', null);
    }
    const message = error instanceof Error ? error.message : String(error);
    services.log.warn({ app: app.id, workflow: start.workflow_id, error: message }, 'a workflow could not be started');
    if (start.tries >= MAX_TRIES) return mark(services, app, start, 'failed', message);
    await postpone(services, app, [start], 2 ** start.tries * 200, false);
  }
}

/** What the Web UI shows of a workflow before anything else. Names of definitions only: it is stored in clear. */
function summaryOf({ kind, input }: WorkflowStart): string {
  const { definition, trigger, webhook, eventSeq, entity } = input;
  if (kind === 'process') return `${definition?.name ?? ''} (${[trigger?.type, trigger?.entity].filter(Boolean).join(' of ')})`;
  if (kind === 'recordImport') return `Import of ${entity ?? ''} records`;
  return kind === 'delivery' ? `Webhook ${webhook ?? ''}, event ${eventSeq ?? ''}` : 'Clock of an SLA';
}

/** What is shown from the start on: a delivery is one activity for days, and a run may go on after Temporal had lost it. */
function shownOf({ kind, input }: WorkflowStart): SearchAttributePair[] {
  if (kind === 'clock') return [];
  if (kind === 'process') return [{ key: stateAttribute, value: 'running' }, ...aboutOf(input.trigger?.entity, input.trigger?.recordId)];
  const { entity, recordId, delayMs = 0 } = input;
  if (kind === 'recordImport') return [{ key: stateAttribute, value: 'running' }, ...aboutOf(entity, null)];
  return [
    { key: stateAttribute, value: 'retrying' },
    { key: dueAtAttribute, value: new Date(Date.now() + delayMs) },
    ...aboutOf(entity, recordId),
  ];
}

const aboutOf = (entity: string | null | undefined, recordId: string | null | undefined): SearchAttributePair[] => [
  ...(entity ? [{ key: entityAttribute, value: entity }] : []),
  ...(recordId ? [{ key: recordIdAttribute, value: recordId.slice(0, MAX_KEYWORD) }] : []),
];

async function isYetToStart(services: Services, app: AppRuntime, workflowId: string): Promise<boolean> {
  const rows = await run<{ found: boolean }>(
    services.pool,
    sql`select exists (select 1 from ${id(app.storage, '_starts')} where workflow_id = ${value(workflowId)} and state = 'pending') as found`,
  );
  return rows[0]?.found === true;
}

async function mark(services: Services, app: AppRuntime, start: Start, state: 'started' | 'failed', error: string | null): Promise<void> {
  await execute(
    services.pool,
    sql`update ${id(app.storage, '_starts')} set state = ${value(state)}, error = ${value(error)} where workflow_id = ${value(start.workflow_id)}`,
    { prepared: true },
  );
}

/** Temporal is not there: due again in a second, and this try does not count. */
const giveBack = (services: Services, app: AppRuntime, starts: readonly Start[]): Promise<void> =>
  postpone(services, app, starts, 1_000, true);

async function postpone(services: Services, app: AppRuntime, starts: readonly Start[], ms: number, isUncounted: boolean): Promise<void> {
  await execute(
    services.pool,
    sql`with s as (
          update ${id(app.storage, '_starts')} set due_at = now() + ${value(ms, 'double precision')} * interval '1 millisecond',
            tries = tries - ${value(isUncounted ? 1 : 0, 'integer')}
          where workflow_id = any(${value(
            starts.map((start) => start.workflow_id),
            'text[]',
          )})
        )
        insert into durabase.work (app, kind, due_at)
        values (${value(app.id)}, 'starts', now() + ${value(ms, 'double precision')} * interval '1 millisecond')
        on conflict (app, kind) do update set due_at = least(work.due_at, excluded.due_at)`,
  );
}
