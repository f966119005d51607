/** What a run of another definition is started with: by a subprocess step or by the action start_workflow. */
import { AppError, nearestNames } from '../../core/errors.ts';
import type { WorkflowDefinition } from '../../core/model/document.ts';
import { entityOf } from '../../core/model/model.ts';
import { processWorkflowId } from '../../workflows/contracts/ids.ts';
import type { ProcessInput } from '../../workflows/contracts/types.ts';
import type { AppRuntime, Services } from '../context.ts';
import { notFound } from '../records/record-key.ts';
import { MAX_DEPTH } from '../events.ts';
import { definitionOf } from './match-triggers.ts';
import { runIdOf } from './run-id.ts';
import { runShape } from './run-shape.ts';
import { loadScope, resolveFor, type StepScope } from './scope.ts';
import { recordNow } from './step-now.ts';
import { recordPathsOf } from './values.ts';

export interface RunOrder {
  readonly workflow: string;
  readonly given: Readonly<Record<string, unknown>>;
  readonly recordId: string | null;
  /** Makes the run's id: the same order is the same run. */
  readonly key: string;
  readonly parent?: { readonly workflowId: string; readonly runId: string };
}

export interface PreparedRun {
  readonly workflowId: string;
  readonly input: ProcessInput;
}

export async function prepareRun(services: Services, app: AppRuntime, step: StepScope, order: RunOrder): Promise<PreparedRun> {
  const definition = startableNamed(app, order.workflow);
  const depth = step.trigger.depth + 1;
  if (depth > MAX_DEPTH)
    throw new AppError('INVALID_STATE', `Runs that start runs go ${MAX_DEPTH} deep at most: "${order.workflow}" is not started.`);
  const scope = await loadScope(services, app, step, recordPathsOf([order.given, order.recordId]));
  const context = (await resolveFor(services, app, step, scope, order.given)) as Record<string, unknown>;
  const named = order.recordId === null ? null : await resolveFor(services, app, step, scope, order.recordId);
  const entity = definition.trigger.entity ?? null;
  const { entityNow } = await runShape(services.pool, app, step.schemaVersion);
  const own = entity !== null && step.trigger.entity !== null && entity === entityNow(step.trigger.entity) ? step.trigger.recordId : null;
  const workflowId = processWorkflowId(app.id, order.key, definition.id ?? definition.name);
  return {
    workflowId,
    input: {
      app: app.id,
      runId: runIdOf(workflowId),
      definition: definitionOf(definition, false),
      schemaVersion: app.version,
      trigger: {
        type: 'manual',
        eventSeq: null,
        entity,
        recordId:
          entity === null ? null : order.recordId === null ? own : await namedNow(services, app, step, entity, textOf(named, order)),
        actor: step.trigger.actor,
        depth,
        context,
      },
      ...(order.parent === undefined ? {} : { parent: order.parent }),
    },
  };
}

/** A run that is started now names records as versions do now. */
async function namedNow(services: Services, app: AppRuntime, step: StepScope, entity: string, recordId: string): Promise<string> {
  const now = await recordNow(services.pool, app, { entity, recordId, version: step.schemaVersion });
  if (now === undefined) throw notFound(entityOf(app.model, entity), recordId);
  return now;
}

function textOf(recordId: unknown, { recordId: given, workflow }: RunOrder): string {
  if (typeof recordId === 'string' || typeof recordId === 'number') return String(recordId);
  throw new AppError('INVALID_STATE', `"${workflow}" is to be started about the record ${given ?? ''}, and there is none.`);
}

function startableNamed(app: AppRuntime, name: string): WorkflowDefinition {
  const { workflows } = app.model;
  const definition = workflows.find((candidate) => candidate.name === name || candidate.id === name);
  if (definition === undefined) {
    const near = nearestNames(
      name,
      workflows.map((candidate) => candidate.name),
    );
    throw new AppError('NOT_FOUND', `There is no workflow "${name}".`, near.length === 0 ? {} : { hint: `Near: ${near.join(', ')}.` });
  }
  if (definition.trigger.type !== 'manual')
    throw new AppError(
      'INVALID_STATE',
      `The workflow "${name}" starts by itself (${definition.trigger.type}); others start only those with the trigger "manual".`,
    );
  if (!definition.active) throw new AppError('INVALID_STATE', `The workflow "${name}" is switched off.`);
  return definition;
}
