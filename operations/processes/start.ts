import { uuidv7 } from '../../adapters/ids.ts';
import { z } from 'zod';
import { AppError, nearestNames } from '../../core/errors.ts';
import { entityOf } from '../../core/model/model.ts';
import { temporalUnavailable } from '../../adapters/temporal/client.ts';
import { processWorkflowId } from '../../workflows/contracts/ids.ts';
import { CONTROL_QUEUE } from '../../workflows/contracts/queues.ts';
import { appIdAttribute } from '../../workflows/contracts/search-attributes.ts';
import type { ProcessInput } from '../../workflows/contracts/types.ts';
import type { AppContext } from '../context.ts';
import { readPayload } from '../payload.ts';
import { idServed } from '../records/former-keys.ts';
import { getRecord } from '../records/get.ts';
import { actorRef } from '../actor-ref.ts';
import { definitionOf } from './match-triggers.ts';
import { openRun } from './open-run.ts';
import { runIdOf } from './run-id.ts';
import { answerRun, findRun, type RunAnswer } from './runs.ts';

const bodySchema = z
  .strictObject({
    context: z.record(z.string(), z.json()).default({}),
    /** The record the run is about, of the trigger's entity. */
    record_id: z.union([z.string(), z.number()]).transform(String).optional(),
  })
  .prefault({});

/** Starts a definition whose trigger is `manual`. The run exists in the answer; Temporal has accepted it. */
export async function startRun(ctx: AppContext, name: string, body: unknown): Promise<RunAnswer> {
  const given = readPayload(bodySchema, body ?? {}, '_workflows/start');
  if (ctx.actor.id === null && !ctx.actor.isAdmin) throw new AppError('UNAUTHORIZED', 'Sign in to start a workflow.');
  const definition = definitionNamed(ctx, name);
  const entity = definition.trigger.entity ?? null;
  const named = given.record_id ?? null;
  // The run acts as the system: who cannot see a record must not have it handled.
  if (entity !== null && named !== null) await getRecord(ctx, entity, named, new URLSearchParams());
  const recordId = entity === null || named === null ? named : await idServed(ctx, entityOf(ctx.app.model, entity), named);
  const workflowId = processWorkflowId(ctx.app.id, uuidv7(), definition.id ?? definition.name);
  const input: ProcessInput = {
    app: ctx.app.id,
    runId: runIdOf(workflowId),
    definition: definitionOf(definition, false),
    schemaVersion: ctx.app.version,
    trigger: {
      type: 'manual',
      eventSeq: null,
      entity,
      recordId: entity === null ? null : recordId,
      actor: actorRef(ctx.actor),
      depth: ctx.depth,
      context: given.context,
    },
  };
  await startInTemporal(ctx, workflowId, input);
  // Shown at once; the run's own first step finds it and goes on with the same context.
  await openRun(ctx.services, ctx.app, {
    ...input,
    workflowId,
    firstStep: definition.steps[0]?.id ?? null,
    now: ctx.now.toISOString(),
  });
  return answerRun(ctx, await findRun(ctx, input.runId));
}

function definitionNamed(ctx: AppContext, name: string): AppContext['app']['model']['workflows'][number] {
  const { workflows } = ctx.app.model;
  const definition = workflows.find((candidate) => candidate.name === name || candidate.id === name);
  if (definition === undefined) {
    const near = nearestNames(
      name,
      workflows.filter(({ trigger }) => trigger.type === 'manual').map((candidate) => candidate.name),
    );
    throw new AppError(
      'NOT_FOUND',
      `There is no workflow "${name}".`,
      near.length === 0 ? {} : { hint: `Did you mean ${near.join(', ')}?` },
    );
  }
  if (definition.trigger.type !== 'manual') {
    throw new AppError(
      'INVALID_STATE',
      `The workflow "${name}" starts by itself (${definition.trigger.type}); only those with the trigger "manual" are started by hand.`,
    );
  }
  if (!definition.active) throw new AppError('INVALID_STATE', `The workflow "${name}" is switched off.`);
  return definition;
}

async function startInTemporal(ctx: AppContext, workflowId: string, input: ProcessInput): Promise<void> {
  const client = await ctx.services.temporal.client();
  try {
    await client.withDeadline(Date.now() + 5_000, () =>
      client.workflow.start('process', {
        taskQueue: CONTROL_QUEUE,
        workflowId,
        args: [input],
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
        staticSummary: `${input.definition.name} (started by hand)`,
        typedSearchAttributes: [{ key: appIdAttribute, value: ctx.app.id }],
      }),
    );
  } catch (error) {
    throw temporalUnavailable(error);
  }
}
