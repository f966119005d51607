/** Checks of approval steps. */
import type { ProcessStep, WorkflowDefinition } from '../document.ts';
import type { AssigneesDefinition } from '../approval-step.ts';
import type { Review } from './review.ts';

type Approval = Extract<ProcessStep, { type: 'approval' }>;

/** Where a step that was sent back may go beside a step: to who caused the run. */
export const REQUESTER = 'requester';

export function reviewApproval(review: Review, workflow: WorkflowDefinition, step: Approval, path: string): void {
  const what = `The approval ${step.id} of ${workflow.name}`;
  reviewAssignees(review, step.assignee, `${path}.assignee`, what);
  reviewGroups(review, step, path, what);
  reviewAlarms(review, step, path, what);
  if (step.timeout !== undefined && step.on_timeout === undefined) {
    review.find({
      id: `timeout-fails:${workflow.name}.${step.id}`,
      level: 'info',
      path: `${path}.on_timeout`,
      message: `The approval ${step.id} has a timeout but no on_timeout.`,
      consequence: 'A run nobody decides in time fails.',
      fix: 'Say where it goes: on_timeout: {"goto": "..."} or "end".',
    });
  }
  if (workflow.steps.some(({ id }) => id === REQUESTER) && step.on_send_back === REQUESTER) {
    review.error(
      `${path}.on_send_back`,
      'reserved',
      `${path}: "requester" means who caused the run; give the step of that name another id.`,
    );
  }
}

export function reviewAssignees(review: Review, assignees: AssigneesDefinition | undefined, path: string, what: string): void {
  for (const assignee of assignees === undefined ? [] : [assignees].flat()) {
    if (assignee.type === 'role') review.expectRole(`${path}.role`, assignee.role, what);
    if (assignee.type === 'expression') review.expression(`${path}.expression`, assignee.expression);
    if (assignee.type === 'manager' && assignee.key !== undefined && assignee.via === undefined) {
      review.error(`${path}.key`, 'value', `${path}: "key" names a field of the record that "via" leads to, so it needs "via".`);
    }
  }
}

function reviewGroups(review: Review, step: Approval, path: string, what: string): void {
  const { groups, order } = step;
  if (groups === undefined) {
    if (order !== undefined) review.error(`${path}.order`, 'value', `${path}: "order" is of "groups", and the step has none.`);
    return;
  }
  for (const key of ['assignee', 'quorum'] as const) {
    if (step[key] !== undefined)
      review.error(`${path}.${key}`, 'value', `${path}: "${key}" stands in each of the "groups", or there are no groups.`);
  }
  groups.forEach((group, index) => {
    reviewAssignees(review, group.assignee, `${path}.groups.${String(index)}.assignee`, what);
  });
}

function reviewAlarms(review: Review, step: Approval, path: string, what: string): void {
  step.reminders?.forEach((reminder, index) => {
    const at = `${path}.reminders.${String(index)}`;
    const { after, before_due: before, every, max } = reminder;
    if (after === undefined && before === undefined && every === undefined)
      review.error(at, 'required', `${at}: a reminder needs "after", "before_due" or "every".`);
    if (after !== undefined && before !== undefined) review.error(at, 'value', `${at}: say "after" or "before_due", not both.`);
    if (before !== undefined && step.timeout === undefined)
      review.error(`${at}.before_due`, 'value', `${at}: "before_due" needs a "timeout" of the step to count back from.`);
    if (max !== undefined && every === undefined) review.error(`${at}.max`, 'value', `${at}: "max" counts what "every" repeats.`);
  });
  step.escalate?.forEach((escalation, index) => {
    reviewAssignees(review, escalation.to, `${path}.escalate.${String(index)}.to`, what);
  });
}
