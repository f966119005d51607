import type { ProcessInput } from '../../workflows/contracts/types.ts';
import { AppError } from '../../core/errors.ts';
import { isTrue } from '../../core/expression/expression.ts';
import type { AppRuntime, Services } from '../context.ts';
import { insertRun } from './project.ts';
import { runShape } from './run-shape.ts';
import { evaluateFor, loadScope, resolveFor, type StepScope } from './scope.ts';
import { stepNow } from './step-now.ts';
import { recordPathsOf } from './values.ts';

export interface OpenRunInput {
  readonly app: string;
  readonly runId: string;
  readonly workflowId: string;
  readonly definition: Omit<ProcessInput['definition'], 'steps'>;
  readonly firstStep: string | null;
  readonly parent?: ProcessInput['parent'];
  readonly schemaVersion: number;
  readonly trigger: ProcessInput['trigger'];
  readonly now: string;
}

export interface OpenedRun {
  /** False when the trigger's condition does not hold: nothing was opened. */
  readonly isWanted: boolean;
  readonly context: Record<string, unknown>;
}

/** A run's context goes along in every step; more than this belongs in records. */
export const MAX_CONTEXT_BYTES = 64 * 1024;

/** Reads the context once and shows the run. */
export async function openRun(services: Services, app: AppRuntime, input: OpenRunInput): Promise<OpenedRun> {
  const { app: appId, runId, trigger, schemaVersion, now } = input;
  const step = await stepNow<StepScope>(services, app, { app: appId, runId, trigger, schemaVersion, context: {}, now });
  const { condition, context: declared } = input.definition;
  if (condition !== undefined && !isTrue(await evaluateFor(services, app, step, condition))) return { isWanted: false, context: {} };
  const scope = await loadScope(services, app, step, recordPathsOf(declared));
  // At the start `record` is the record as the trigger saw it: a late relay must not read a later state.
  const atStart = { ...scope, record: scope.trigger['record'] ?? scope.record };
  const context = {
    ...((await resolveFor(services, app, step, atStart, declared)) as Record<string, unknown>),
    ...(input.trigger.context ?? {}),
  };
  if (Buffer.byteLength(JSON.stringify(context)) > MAX_CONTEXT_BYTES) {
    throw new AppError('TOO_LARGE', `The context of the workflow "${input.definition.name}" has more than 64 KiB.`, {
      hint: 'Keep ids in the context and read the records in the steps.',
    });
  }
  return {
    isWanted: true,
    context: await insertRun(services.pool, app, { ...input, entity: await entityNowOf(services, app, input), context }),
  };
}

/** The version may have changed between the event and the start. */
async function entityNowOf(services: Services, app: AppRuntime, { trigger, schemaVersion }: OpenRunInput): Promise<string | null> {
  return trigger.entity === null ? null : (await runShape(services.pool, app, schemaVersion)).entityNow(trigger.entity);
}
