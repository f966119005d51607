/** Side effects of runs: thin, each one idempotent by run, revision, task or effect key; the work is in operations/processes. */
import { AppError } from '../core/errors.ts';
import type { ProcessAction } from '../core/model/document.ts';
import { isTrue } from '../core/expression/expression.ts';
import type { AppRuntime, Services } from '../operations/context.ts';
import { listItems } from '../operations/processes/items.ts';
import { openRun, type OpenedRun, type OpenRunInput } from '../operations/processes/open-run.ts';
import { type ActionResult, performAction } from '../operations/processes/perform-action.ts';
import { type PreparedRun, prepareRun, type RunOrder } from '../operations/processes/prepare-run.ts';
import { projectRun, type RunProjection } from '../operations/processes/project.ts';
import { stepNow } from '../operations/processes/step-now.ts';
import { chooseCase, evaluateFor, resolveTime, type StepScope } from '../operations/processes/scope.ts';
import { type NewWait, openWait, takeEvent, type TakenEvent } from '../operations/processes/waits.ts';
import { whileAlive } from './while-alive.ts';

export interface ProcessActivities {
  openRun(input: OpenRunInput): Promise<OpenedRun>;
  evaluateCondition(input: StepScope & { readonly expression: string }): Promise<boolean>;
  performAction(input: StepScope & { readonly action: ProcessAction; readonly key: string }): Promise<ActionResult>;
  projectRun(input: RunProjection): Promise<void>;
  chooseCase(input: StepScope & { readonly on: string | null; readonly cases: readonly unknown[] }): Promise<number | null>;
  resolveTime(input: StepScope & { readonly until: string }): Promise<string>;
  openWait(input: StepScope & { readonly wait: NewWait; readonly projection: RunProjection }): Promise<void>;
  takeEvent(
    input: StepScope & { readonly waitId: string; readonly seq: string; readonly match: string | null; readonly saveAs: string | null },
  ): Promise<TakenEvent>;
  /** `list`, not `items`: those are the ones at hand. */
  listItems(input: StepScope & { readonly list: string; readonly max: number; readonly key: string }): Promise<number>;
  prepareRun(input: StepScope & RunOrder): Promise<PreparedRun>;
}

/** The activities of the `process` workflow. */
export function createProcessActivities(services: Services): ProcessActivities {
  const appOf = async (app: string): Promise<AppRuntime> => {
    const runtime = await services.registry.byId(app);
    if (runtime === undefined) throw new AppError('APP_NOT_FOUND', `The app ${app} does not exist any more.`);
    return runtime;
  };
  const now = async <T extends StepScope>(input: T): Promise<[AppRuntime, T]> => {
    const app = await appOf(input.app);
    return [app, await stepNow(services, app, input)];
  };
  return {
    openRun: async (input) => openRun(services, await appOf(input.app), input),
    evaluateCondition: async (input) => isTrue(await evaluateFor(services, ...(await now(input)), input.expression)),
    performAction: async (input) => whileAlive(async () => performAction(services, ...(await now(input)), input.action, input.key)),
    projectRun: async (input) => projectRun(services, await appOf(input.app), input),
    chooseCase: async (input) => chooseCase(services, ...(await now(input)), input.on, input.cases),
    resolveTime: async (input) => resolveTime(services, ...(await now(input)), input.until),
    openWait: async (input) => openWait(services, ...(await now(input)), input.wait, input.projection),
    takeEvent: async (input) => takeEvent(services, ...(await now(input)), input),
    listItems: async (input) => listItems(services, ...(await now(input)), input),
    prepareRun: async (input) => prepareRun(services, ...(await now(input)), input),
  };
}
