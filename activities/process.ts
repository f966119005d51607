/** Side effects of runs: thin, each one idempotent by run, revision, task or effect key; the work is in operations/processes. */
import { crashPoint } from '../adapters/crash-points.ts';
import { AppError } from '../core/errors.ts';
import type { AssigneeDefinition, ProcessAction } from '../core/model/document.ts';
import { isTrue } from '../core/expression/expression.ts';
import type { AppRuntime, Services } from '../operations/context.ts';
import { resolveAssignee } from '../operations/processes/assignee.ts';
import { openRun, type OpenedRun, type OpenRunInput } from '../operations/processes/open-run.ts';
import { type ActionResult, performAction } from '../operations/processes/perform-action.ts';
import { insertTask, projectRun, type RunProjection } from '../operations/processes/project.ts';
import { recordDecision } from '../operations/processes/record-decision.ts';
import { evaluateFor, type StepScope } from '../operations/processes/scope.ts';
import type { DecisionInput, OpenTask } from '../workflows/contracts/types.ts';
import { whileAlive } from './while-alive.ts';

export interface OpenTaskInput extends StepScope {
  readonly task: OpenTask;
  readonly strand: string;
  /** Null = admins. */
  readonly assignee: AssigneeDefinition | null;
  readonly allowSelfApproval: boolean;
  readonly commentRequired: boolean;
  readonly projection: RunProjection;
}

export interface ProcessActivities {
  openRun(input: OpenRunInput): Promise<OpenedRun>;
  evaluateCondition(input: StepScope & { readonly expression: string }): Promise<boolean>;
  performAction(input: StepScope & { readonly action: ProcessAction; readonly key: string }): Promise<ActionResult>;
  openTask(input: OpenTaskInput): Promise<void>;
  recordDecision(input: {
    readonly app: string;
    readonly runId: string;
    readonly decision: DecisionInput;
    readonly now: string;
  }): Promise<void>;
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
    openTask: async (input) => {
      const app = await appOf(input.app);
      const assignee = await resolveAssignee(services, app, input, input.assignee);
      const { task, strand, allowSelfApproval, commentRequired, trigger, now } = input;
      await insertTask(
        services,
        app,
        { ...task, strand, assignee, allowSelfApproval, commentRequired, requestedBy: trigger.actor.id, now },
        input.projection,
      );
    },
    recordDecision: async (input) => {
      crashPoint('process.before_decision');
      await recordDecision(services, await appOf(input.app), input.decision, input.now);
      crashPoint('process.after_decision');
    },
    projectRun: async (input) => projectRun(services, await appOf(input.app), input),
  };
}
