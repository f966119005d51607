/** A time of a schedule has come: one run is queued, unless a later time has come as well meanwhile. */
import { transaction } from '../../adapters/postgres/transaction.ts';
import { nextTime, parseCron } from '../../core/cron.ts';
import { processWorkflowId } from '../../workflows/contracts/ids.ts';
import type { ProcessInput } from '../../workflows/contracts/types.ts';
import type { AppRuntime, Services } from '../context.ts';
import { queueStarts } from '../starts.ts';
import { definitionOf } from './match-triggers.ts';
import { runIdOf } from './run-id.ts';

export interface ScheduledTime {
  readonly definition: string;
  /** The time meant. */
  readonly at: string;
  /** The workflow's. */
  readonly now: string;
}

export async function startScheduled(services: Services, app: AppRuntime, time: ScheduledTime): Promise<'started' | 'missed' | 'unwanted'> {
  const definition = app.model.workflows.find(({ id, name }) => (id ?? name) === time.definition);
  const cron = definition?.trigger.cron;
  if (definition === undefined || !definition.active || definition.trigger.type !== 'schedule' || cron === undefined) return 'unwanted';
  const zone = definition.trigger.timezone ?? 'UTC';
  if (nextTime(parseCron(cron), zone, new Date(time.at), new Date(time.now)) !== undefined) return 'missed';
  const workflowId = processWorkflowId(app.id, time.at, time.definition);
  const input: ProcessInput = {
    app: app.id,
    runId: runIdOf(workflowId),
    definition: definitionOf(definition, true),
    schemaVersion: app.version,
    trigger: {
      type: 'schedule',
      eventSeq: null,
      entity: null,
      recordId: null,
      at: time.at,
      actor: { kind: 'system', id: null, roles: [] },
      depth: 0,
    },
  };
  await transaction(services.pool, (client) => queueStarts(client, app, [{ workflow_id: workflowId, kind: 'process', input }]));
  return 'started';
}
