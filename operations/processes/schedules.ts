/**
 * Temporal's schedules, kept in step with the definitions that are served: made, changed, paused and removed after a publish.
 * What was made is noted in `durabase.schedules`, so that a schedule whose definition has gone is found again.
 */
import type { Client, ScheduleOptions } from '@temporalio/client';
import { type Db, execute, run } from '../../adapters/postgres/run.ts';
import { isTemporalError } from '../../adapters/temporal/errors.ts';
import { longestGapMs, parseCron } from '../../core/cron.ts';
import type { WorkflowDefinition } from '../../core/model/document.ts';
import { raw, sql, value } from '../../core/sql/sql.ts';
import { scheduledStartWorkflowId, scheduleId } from '../../workflows/contracts/ids.ts';
import { appIdAttribute } from '../../workflows/contracts/search-attributes.ts';
import { CONTROL_QUEUE } from '../../workflows/contracts/queues.ts';
import type { AppRuntime, Services } from '../context.ts';

interface AppToSee {
  readonly app: string;
  readonly version: number;
  readonly status: string;
}

const MAX_APPS = 50;

/** Apps whose served version or state is not the one their schedules were made by. */
const appsToSee = (db: Db): Promise<AppToSee[]> =>
  run<AppToSee>(
    db,
    sql`select a.id as app, a.served_version as version, a.status
        from durabase.apps a left join durabase.schedule_sync s on s.app = a.id
        where a.status <> 'provisioning' and (s.version is distinct from a.served_version or s.status is distinct from a.status)
        order by a.id limit ${value(MAX_APPS)}`,
  );

/** Brings the schedules of apps that have changed into step; answers how many apps. */
export async function reconcileSchedules(services: Services): Promise<number> {
  const apps = await appsToSee(services.pool);
  for (const seen of apps) {
    await reconcileApp(services, seen);
    await execute(
      services.pool,
      sql`insert into durabase.schedule_sync (app, version, status) values (${value(seen.app)}, ${value(seen.version)}, ${value(seen.status)})
          on conflict (app) do update set version = excluded.version, status = excluded.status`,
    );
  }
  return apps.length;
}

async function reconcileApp(services: Services, { app: appId, version, status }: AppToSee): Promise<void> {
  const served = await services.registry.byId(appId);
  const app = served !== undefined && served.version < version ? ((await services.registry.newerThan(served)) ?? served) : served;
  const isEnding = app === undefined || ['retiring', 'retired', 'failed'].includes(status);
  const wanted = isEnding ? [] : app.model.document.workflows.filter(({ trigger }) => trigger.type === 'schedule');
  const known = await run<{ definition: string }>(
    services.pool,
    sql`select definition from durabase.schedules where app = ${value(appId)}`,
  );
  if (wanted.length === 0 && known.length === 0) return;
  const client = await services.temporal.client();
  const ids = new Set(wanted.map(keyOf));
  for (const { definition } of known.filter((row) => !ids.has(row.definition))) await remove(services, client, appId, definition);
  if (app === undefined) return;
  for (const definition of wanted) await keep(services, client, app, definition, status === 'suspended' || !definition.active);
}

const keyOf = (definition: WorkflowDefinition): string => definition.id ?? definition.name;

async function remove(services: Services, client: Client, app: string, definition: string): Promise<void> {
  try {
    await client.schedule.getHandle(scheduleId(app, definition)).delete();
  } catch (error) {
    if (!isTemporalError(error, 'ScheduleNotFoundError')) throw error;
  }
  await execute(services.pool, sql`delete from durabase.schedules where app = ${value(app)} and definition = ${value(definition)}`);
}

async function keep(services: Services, client: Client, app: AppRuntime, definition: WorkflowDefinition, isPaused: boolean): Promise<void> {
  const key = keyOf(definition);
  // Noted before it is made: one too many noted is harmless, one too few would never be found again.
  await execute(
    services.pool,
    sql`insert into durabase.schedules (app, definition) values (${value(app.id)}, ${value(key)}) ${raw('on conflict do nothing')}`,
  );
  const options = optionsFor(app, definition, isPaused);
  try {
    await client.schedule.create(options);
  } catch (error) {
    if (!isTemporalError(error, 'ScheduleAlreadyRunning')) throw error;
    const { action, spec, policies, state } = options;
    await client.schedule.getHandle(options.scheduleId).update((before) => ({
      ...before,
      spec,
      action: { ...action, workflowId: scheduledStartWorkflowId(app.id, key) },
      policies: { ...before.policies, ...policies },
      state: { ...before.state, ...state, paused: isPaused },
    }));
  }
}

function optionsFor(app: AppRuntime, definition: WorkflowDefinition, isPaused: boolean): ScheduleOptions & { state: { paused: boolean } } {
  const { cron = '', timezone = 'UTC' } = definition.trigger;
  const key = keyOf(definition);
  return {
    scheduleId: scheduleId(app.id, key),
    spec: { cronExpressions: [cron], timezone },
    action: {
      type: 'startWorkflow',
      workflowType: 'scheduledStart',
      taskQueue: CONTROL_QUEUE,
      workflowId: scheduledStartWorkflowId(app.id, key),
      args: [{ app: app.id, definition: key }],
      staticSummary: `${definition.name} (${cron}, ${timezone})`,
      typedSearchAttributes: [{ key: appIdAttribute, value: app.id }],
    },
    // Long enough to find the last time that was missed; which of several it is, the activity knows.
    policies: { overlap: 'ALLOW_ALL', catchupWindow: longestGapMs(parseCron(cron)) },
    state: { paused: isPaused, note: `${definition.name} of ${app.name}` },
  };
}
