/** Activities of approval steps: thin, each one idempotent by task, decision key or alarm; the work is in operations/approvals. */
import { crashPoint } from '../adapters/crash-points.ts';
import { AppError } from '../core/errors.ts';
import { ringAlarm, type RingInput } from '../operations/approvals/alarms.ts';
import { delegateTask, reassignTask, type DelegateRequest, type ReassignRequest } from '../operations/approvals/hand-over.ts';
import type { Told } from '../operations/approvals/notices.ts';
import { expireTask, openTask, type OpenTaskInput } from '../operations/approvals/open-task.ts';
import { findDecision, recordDecision } from '../operations/approvals/record-decision.ts';
import type { AppRuntime, Services } from '../operations/context.ts';
import type { StepScope } from '../operations/processes/scope.ts';
import { stepNow } from '../operations/processes/step-now.ts';
import type { DecisionInput, Expired, HandedOver, Recorded, Rung } from '../workflows/contracts/types.ts';

export interface ApprovalActivities {
  openTask(input: OpenTaskInput): Promise<Told>;
  recordDecision(input: {
    readonly app: string;
    readonly runId: string;
    readonly decision: DecisionInput;
    readonly now: string;
  }): Promise<Recorded>;
  /** What was recorded under a decision's key; null when nothing was. */
  findDecision(input: { readonly app: string; readonly taskId: string; readonly key: string }): Promise<Recorded | null>;
  ringAlarm(input: RingInput): Promise<Rung>;
  expireTask(input: { readonly app: string; readonly taskId: string; readonly now: string }): Promise<Expired>;
  delegateTask(input: { readonly app: string; readonly request: DelegateRequest; readonly now: string }): Promise<HandedOver>;
  reassignTask(input: StepScope & { readonly request: ReassignRequest }): Promise<HandedOver>;
}

export function createApprovalActivities(services: Services): ApprovalActivities {
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
    openTask: async (input) => openTask(services, ...(await now(input))),
    recordDecision: async (input) => {
      crashPoint('process.before_decision');
      const recorded = await recordDecision(services, await appOf(input.app), input.decision, input.now);
      crashPoint('process.after_decision');
      return recorded;
    },
    findDecision: async ({ app, taskId, key }) => findDecision(services, await appOf(app), taskId, key),
    ringAlarm: async (input) => ringAlarm(services, ...(await now(input))),
    expireTask: async ({ app, taskId, now }) => expireTask(services, await appOf(app), taskId, now),
    delegateTask: async ({ app, request, now }) => delegateTask(services, await appOf(app), request, now),
    reassignTask: async ({ request, ...scope }) => reassignTask(services, ...(await now(scope)), request),
  };
}
