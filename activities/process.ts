/** Side effects of runs: thin, each one idempotent by run, revision, task or effect key; the work is in operations/processes. */
import { AppError } from '../core/errors.ts';
import type { ProcessAction } from '../core/model/document.ts';
import { isTrue } from '../core/expression/expression.ts';
import type { AppRuntime, Services } from '../operations/context.ts';
import { openRun, type OpenedRun, type OpenRunInput } from '../operations/processes/open-run.ts';
import { type ActionResult, performAction } from '../operations/processes/perform-action.ts';
import { projectRun, type RunProjection } from '../operations/processes/project.ts';
import { evaluateFor, type StepScope } from '../operations/processes/scope.ts';
import { whileAlive } from './while-alive.ts';

export interface ProcessActivities {
  openRun(input: OpenRunInput): Promise<OpenedRun>;
  evaluateCondition(input: StepScope & { readonly expression: string }): Promise<boolean>;
  performAction(input: StepScope & { readonly action: ProcessAction; readonly key: string }): Promise<ActionResult>;
  projectRun(input: RunProjection): Promise<void>;
}

/** The activities of the `process` workflow. */
export function createProcessActivities(services: Services): ProcessActivities {
  const appOf = async (app: string): Promise<AppRuntime> => {
    const runtime = await services.registry.byId(app);
    if (runtime === undefined) throw new AppError('APP_NOT_FOUND', `The app ${app} does not exist any more.`);
    return runtime;
  };
  return {
    openRun: async (input) => openRun(services, await appOf(input.app), input),
    evaluateCondition: async (input) => isTrue(await evaluateFor(services, await appOf(input.app), input, input.expression)),
    performAction: async (input) => whileAlive(async () => performAction(services, await appOf(input.app), input, input.action, input.key)),
    projectRun: async (input) => projectRun(services, await appOf(input.app), input),
  };
}
