/** Checks of workflows, permissions and webhooks. They may name entities that do not exist yet. */
import { nearestNames } from '../../errors.ts';
import type { PermissionDefinition, ProcessAction, ProcessStep, WebhookDefinition, WorkflowDefinition } from '../document.ts';
import { labelOf } from '../identity.ts';
import { REQUESTER, reviewApproval } from './approval.ts';
import { reviewCall } from './functions.ts';
import { reviewPaths } from './rules.ts';
import type { Review } from './review.ts';

export function reviewWorkflows(review: Review): void {
  const { workflows } = review.document;
  review.unique(
    workflows.map(({ name }, index) => ({ name, path: `workflows.${String(index)}.name` })),
    'the workflow name',
  );
  workflows.forEach((workflow, index) => {
    const path = `workflows.${String(index)}`;
    reviewTrigger(review, workflow, path);
    reviewSteps(review, workflow, path);
  });
}

function reviewTrigger(review: Review, workflow: WorkflowDefinition, path: string): void {
  const { trigger } = workflow;
  if (trigger.entity === undefined) {
    if (trigger.type !== 'manual')
      review.error(`${path}.trigger.entity`, 'required', `${path}: a trigger of type ${trigger.type} needs "entity".`);
    return;
  }
  const isKnown = review.expectEntity(`${path}.trigger.entity`, trigger.entity, `The workflow ${workflow.name}`);
  if (trigger.type === 'state_change' && trigger.field === undefined) {
    review.error(
      `${path}.trigger.field`,
      'required',
      `${path}: a trigger of type state_change needs "field", the field whose change starts it.`,
    );
  }
  if (isKnown && trigger.field !== undefined) review.requireField(`${path}.trigger.field`, trigger.entity, trigger.field);
  reviewPaths(review, review.expression(`${path}.trigger.condition`, trigger.condition), trigger.entity, `${path}.trigger.condition`);
}

function gotosOf(step: ProcessStep): [string, string | undefined][] {
  switch (step.type) {
    case 'action':
      return [
        ['then', step.then],
        ['on_error', step.on_error],
      ];
    case 'condition':
      return [
        ['on_true', step.on_true],
        ['on_false', step.on_false],
      ];
    case 'approval':
      return [
        ['on_approve', step.on_approve],
        ['on_reject', step.on_reject],
        ['on_timeout', step.on_timeout],
        ['on_send_back', step.on_send_back === REQUESTER ? undefined : step.on_send_back],
      ];
    case 'wait':
      return [['then', step.then]];
  }
}

function reviewSteps(review: Review, workflow: WorkflowDefinition, path: string): void {
  const ids = workflow.steps.map((step) => step.id);
  review.unique(
    workflow.steps.map(({ id }, index) => ({ name: id, path: `${path}.steps.${String(index)}.id` })),
    `the step id of ${workflow.name}`,
  );
  workflow.steps.forEach((step, index) => {
    const at = `${path}.steps.${String(index)}`;
    if (step.id === 'end') review.error(`${at}.id`, 'reserved', `${at}: "end" means the end of a run and cannot be the id of a step.`);
    for (const [key, target] of gotosOf(step)) {
      if (target === undefined || target === 'end' || ids.includes(target)) continue;
      const near = nearestNames(target, [...ids, 'end']);
      review.error(
        `${at}.${key}`,
        'unknown_step',
        `${at}.${key} goes to "${target}", which is no step of ${workflow.name}. Near: ${near.join(', ')}.`,
        near,
      );
    }
    reviewStep(review, workflow, step, at);
  });
  reviewReach(review, workflow, path);
}

function reviewStep(review: Review, workflow: WorkflowDefinition, step: ProcessStep, path: string): void {
  switch (step.type) {
    case 'action':
      step.actions.forEach((action, index) => {
        reviewAction(review, workflow, action, `${path}.actions.${String(index)}`);
      });
      return;
    case 'condition':
      review.expression(`${path}.expression`, step.expression);
      return;
    case 'approval':
      reviewApproval(review, workflow, step, path);
      return;
    case 'wait':
      return;
  }
}

/** Whose actions they are: a workflow's, or those of something else that acts on records. */
export interface Acting {
  readonly name: string;
  readonly noun?: string;
  readonly trigger: { readonly entity?: string | undefined };
}

const actingName = ({ noun = 'workflow', name }: Acting): string => `The ${noun} ${name}`;

export function reviewAction(review: Review, workflow: Acting, action: ProcessAction, path: string): void {
  switch (action.type) {
    case 'set_field':
    case 'create_record':
    case 'update_record': {
      const entity = action.entity ?? workflow.trigger.entity;
      if (entity === undefined) {
        review.error(`${path}.entity`, 'required', `${path}: ${action.type} needs "entity", since the trigger names none.`);
        return;
      }
      if (!review.expectEntity(`${path}.entity`, entity, actingName(workflow))) return;
      const fields = action.type === 'set_field' ? [action.field] : Object.keys(action.fields);
      for (const field of fields) review.requireField(`${path}.field${action.type === 'set_field' ? '' : 's'}`, entity, field);
      if (action.type === 'set_field') review.expression(`${path}.expression`, action.expression);
      return;
    }
    case 'delete_record':
      if (action.entity !== undefined) review.expectEntity(`${path}.entity`, action.entity, actingName(workflow));
      return;
    case 'call_function':
      reviewCall(review, action, path);
      return;
    case 'http':
    case 'send_event':
      return;
  }
}

/** Steps no path leads to. */
function reviewReach(review: Review, workflow: WorkflowDefinition, path: string): void {
  const reached = new Set<string>();
  const open = workflow.steps.slice(0, 1);
  for (let step = open.pop(); step !== undefined; step = open.pop()) {
    if (reached.has(step.id)) continue;
    reached.add(step.id);
    const targets = gotosOf(step).map(([, target]) => target);
    open.push(...workflow.steps.filter((candidate) => targets.includes(candidate.id)));
  }
  workflow.steps.forEach((step, index) => {
    if (reached.has(step.id)) return;
    review.find({
      id: `unreachable-step:${workflow.name}.${step.id}`,
      level: 'warning',
      path: `${path}.steps.${String(index)}`,
      message: `No step of ${workflow.name} goes to "${step.id}".`,
      consequence: 'It never runs.',
      fix: `Name it in a goto of another step, or remove it.`,
    });
  });
}

export function reviewPermissions(review: Review): void {
  review.document.permissions.forEach((permission, index) => {
    reviewPermission(review, permission, `permissions.${String(index)}`);
  });
  review.unique(
    review.document.roles.map(({ name }, index) => ({ name: name.toLowerCase(), path: `roles.${String(index)}.name` })),
    'the role name',
  );
}

function reviewPermission(review: Review, permission: PermissionDefinition, path: string): void {
  const what = `The permission ${labelOf('permissions', permission)}`;
  review.expectEntity(`${path}.entity`, permission.entity, what);
  for (const role of permission.roles) review.expectRole(`${path}.roles`, role, what);
  if (permission.entity !== '*') {
    for (const field of permission.fields?.read ?? []) review.requireField(`${path}.fields.read`, permission.entity, field);
    for (const field of permission.fields?.write ?? []) review.requireField(`${path}.fields.write`, permission.entity, field);
    for (const field of Object.keys(permission.presets ?? {})) review.requireField(`${path}.presets`, permission.entity, field);
  }
  reviewPaths(review, review.expression(`${path}.expression`, permission.expression), permission.entity, `${path}.expression`);
}

export function reviewWebhooks(review: Review): void {
  review.document.webhooks.forEach((webhook, index) => {
    reviewWebhook(review, webhook, `webhooks.${String(index)}`);
  });
}

function reviewWebhook(review: Review, webhook: WebhookDefinition, path: string): void {
  const what = `The webhook ${labelOf('webhooks', webhook)}`;
  review.expectEntity(`${path}.entity`, webhook.entity, what);
  if (webhook.as_role !== undefined) review.expectRole(`${path}.as_role`, webhook.as_role, what);
  if (webhook.entity !== '*') for (const field of webhook.fields ?? []) review.requireField(`${path}.fields`, webhook.entity, field);
  reviewPaths(review, review.expression(`${path}.condition`, webhook.condition), webhook.entity, `${path}.condition`);
  if (webhook.retry.backoff === 'custom' && webhook.retry.schedule === undefined) {
    review.error(
      `${path}.retry.schedule`,
      'required',
      `${path}: the backoff "custom" needs "schedule", a list of waits like ["5s", "1m"].`,
    );
  }
  const isAsked = !webhook.async || webhook.hook.startsWith('before_');
  const moment = webhook.hook.endsWith('_delete') ? ['record.deleted'] : ['record.created', 'record.updated'];
  if (isAsked && webhook.events?.some((event) => moment.includes(event)) === false) {
    review.find({
      id: `never-asked:${labelOf('webhooks', webhook)}`,
      level: 'warning',
      path: `${path}.events`,
      message: `${what} is asked at ${webhook.hook}, and none of its events happens there.`,
      consequence: 'It is never called.',
      fix: `Name one of ${moment.join(', ')}, or another hook.`,
    });
  }
  if (!webhook.async && webhook.hook.startsWith('after_')) {
    review.find({
      id: `sync-after:${labelOf('webhooks', webhook)}`,
      level: 'info',
      path: `${path}.async`,
      message: `${what} is synchronous but called after the write.`,
      consequence: 'Only before_write and before_delete webhooks can refuse a write.',
      fix: 'Use the hook before_write to ask first, or async: true.',
    });
  }
}
