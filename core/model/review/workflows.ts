/** Checks of workflows. They may name entities that do not exist yet. */
import { COMMENT_EVENT } from '../../comments.ts';
import { isTimeZone, parseCron } from '../../cron.ts';
import { nearestNames } from '../../errors.ts';
import type { ProcessAction, ProcessStep, WorkflowDefinition } from '../document.ts';
import { allSteps, gotosOf, innerLists } from '../process-steps.ts';
import { reviewApproval } from './approval.ts';
import { reviewCall } from './functions.ts';
import type { Review } from './review.ts';
import { reviewPaths } from './rules.ts';

export function reviewWorkflows(review: Review): void {
  const { workflows } = review.document;
  review.unique(
    workflows.map(({ name }, index) => ({ name, path: `workflows.${String(index)}.name` })),
    'the workflow name',
  );
  workflows.forEach((workflow, index) => {
    const path = `workflows.${String(index)}`;
    reviewTrigger(review, workflow, path);
    reviewStepIds(review, workflow, path);
    reviewList(review, workflow, workflow.steps, `${path}.steps`);
  });
}

const NEEDS_NO_ENTITY = ['manual', 'event', 'schedule', 'webhook'];

function reviewTrigger(review: Review, workflow: WorkflowDefinition, path: string): void {
  const { trigger } = workflow;
  reviewStart(review, workflow, `${path}.trigger`);
  if (trigger.entity === undefined) {
    if (!NEEDS_NO_ENTITY.includes(trigger.type))
      review.error(`${path}.trigger.entity`, 'required', `${path}: a trigger of type ${trigger.type} needs "entity".`);
    review.expression(`${path}.trigger.condition`, trigger.condition);
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

/** What the types `event` and `schedule` need. */
function reviewStart(review: Review, { trigger }: WorkflowDefinition, path: string): void {
  if (trigger.type === 'event' && trigger.event === undefined)
    review.error(`${path}.event`, 'required', `${path}: a trigger of type event needs "event", the name that send_event gives.`);
  if (trigger.type !== 'schedule') return;
  if (trigger.cron === undefined) {
    review.error(`${path}.cron`, 'required', `${path}: a trigger of type schedule needs "cron", like "0 8 * * mon-fri".`);
    return;
  }
  try {
    parseCron(trigger.cron);
  } catch (error) {
    review.error(`${path}.cron`, 'cron', `${path}.cron: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (trigger.timezone !== undefined && !isTimeZone(trigger.timezone))
    review.error(`${path}.timezone`, 'timezone', `${path}: "${trigger.timezone}" is no time zone; write one like "Europe/Berlin".`);
}

/** Ids are unique in the whole definition: a run knows its steps by them alone. */
function reviewStepIds(review: Review, workflow: WorkflowDefinition, path: string): void {
  const found: { name: string; path: string }[] = [];
  const visit = (steps: readonly ProcessStep[], at: string): void =>
    steps.forEach((step, index) => {
      found.push({ name: step.id, path: `${at}.${String(index)}.id` });
      for (const inner of innerLists(step)) visit(inner.steps, `${at}.${String(index)}.${inner.path}`);
    });
  visit(workflow.steps, `${path}.steps`);
  review.unique(found, `the step id of ${workflow.name}`);
}

/** One list of steps: a goto leads to a step of the same list, or to its end. */
function reviewList(review: Review, workflow: WorkflowDefinition, steps: readonly ProcessStep[], path: string): void {
  const ids = steps.map((step) => step.id);
  const elsewhere = new Set(allSteps(workflow.steps).map((step) => step.id));
  steps.forEach((step, index) => {
    const at = `${path}.${String(index)}`;
    if (step.id === 'end') review.error(`${at}.id`, 'reserved', `${at}: "end" means the end of a run and cannot be the id of a step.`);
    for (const [key, target] of gotosOf(step)) {
      if (target === undefined || target === 'end' || ids.includes(target)) continue;
      const near = nearestNames(target, [...ids, 'end']);
      const why = elsewhere.has(target)
        ? `which is in another list of steps: a branch, or the steps of a foreach, are left at their end only`
        : `which is no step of ${workflow.name}`;
      review.error(`${at}.${key}`, 'unknown_step', `${at}.${key} goes to "${target}", ${why}. Near: ${near.join(', ')}.`, near);
    }
    reviewStep(review, workflow, step, at);
    for (const inner of innerLists(step)) reviewList(review, workflow, inner.steps, `${at}.${inner.path}`);
  });
  reviewReach(review, workflow, steps, path);
}

function reviewStep(review: Review, workflow: WorkflowDefinition, step: ProcessStep, path: string): void {
  step.compensate?.forEach((action, index) => reviewAction(review, workflow, action, `${path}.compensate.${String(index)}`));
  switch (step.type) {
    case 'action':
      step.actions.forEach((action, index) => {
        reviewAction(review, workflow, action, `${path}.actions.${String(index)}`);
      });
      return;
    case 'condition':
      return reviewCondition(review, step, path);
    case 'approval':
      return reviewApproval(review, workflow, step, path);
    case 'wait':
      return reviewWait(review, workflow, step, path);
    case 'parallel':
      if (typeof step.join === 'number' && step.join > step.branches.length)
        review.error(`${path}.join`, 'max', `${path}: ${step.join} branches are to end, but there are only ${step.branches.length}.`);
      return;
    case 'foreach':
      review.expression(`${path}.items`, step.items);
      return;
    case 'subprocess':
      return reviewStarted(review, step.workflow, path);
  }
}

type Kind<T extends ProcessStep['type']> = Extract<ProcessStep, { type: T }>;

function reviewCondition(review: Review, step: Kind<'condition'>, path: string): void {
  if ((step.expression === undefined) === (step.switch === undefined))
    review.error(`${path}.expression`, 'required', `${path}: a condition has either "expression" or "switch".`);
  review.expression(`${path}.expression`, step.expression);
  review.expression(`${path}.switch.on`, step.switch?.on);
  if (step.switch === undefined || step.switch.on !== undefined) return;
  step.switch.cases.forEach(({ when }, index) => {
    const at = `${path}.switch.cases.${String(index)}.when`;
    if (typeof when === 'string' || typeof when === 'boolean') review.expression(at, String(when));
    else review.error(at, 'expression', `${at}: without "on" each "when" is an expression.`);
  });
}

const RECORD_EVENTS = ['record_created', 'record_updated', 'record_deleted'];

function reviewWait(review: Review, workflow: WorkflowDefinition, step: Kind<'wait'>, path: string): void {
  const given = [step.duration, step.until, step.event].filter((one) => one !== undefined);
  if (given.length !== 1) review.error(path, 'required', `${path}: a wait has one of "duration", "until" and "event".`);
  const isEvent = step.event !== undefined;
  for (const key of ['match', 'timeout', 'on_timeout', 'entity', 'save_as'] as const)
    if (!isEvent && step[key] !== undefined) review.error(`${path}.${key}`, 'unused', `${path}: "${key}" belongs to a wait for an event.`);
  review.expression(`${path}.match`, step.match);
  if (step.until !== undefined && !/^\d{4}-/.test(step.until)) review.expression(`${path}.until`, step.until);
  if (step.event === undefined || !RECORD_EVENTS.includes(step.event)) return;
  const entity = step.entity ?? workflow.trigger.entity;
  if (entity === undefined)
    review.error(`${path}.entity`, 'required', `${path}: ${step.event} needs "entity", since the trigger names none.`);
  else review.expectEntity(`${path}.entity`, entity, `The workflow ${workflow.name}`);
}

/** Only definitions that wait to be started can be started by others. */
function reviewStarted(review: Review, name: string, path: string): void {
  const { workflows } = review.document;
  const definition = workflows.find((candidate) => candidate.name === name || candidate.id === name);
  if (definition === undefined) {
    const near = nearestNames(
      name,
      workflows.map((candidate) => candidate.name),
    );
    review.error(
      `${path}.workflow`,
      'unknown_workflow',
      `${path}.workflow names "${name}", which is no workflow of this document.${near.length === 0 ? '' : ` Near: ${near.join(', ')}.`}`,
      near,
    );
  } else if (definition.trigger.type !== 'manual') {
    review.error(
      `${path}.workflow`,
      'not_manual',
      `${path}.workflow: "${name}" starts by itself (${definition.trigger.type}); give it the trigger "manual" to have it started by others.`,
    );
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
    case 'update_record':
      return reviewWrite(review, workflow, action, path);
    case 'delete_record':
      if (action.entity !== undefined) review.expectEntity(`${path}.entity`, action.entity, actingName(workflow));
      return;
    case 'email':
      if (action.text === undefined && action.html === undefined && action.template === undefined)
        review.error(`${path}.text`, 'required', `${path}: a mail needs "text", "html" or "template".`);
      return;
    case 'webhook': {
      const hooks = review.document.webhooks.map(({ id, name }) => name ?? id ?? '');
      if (review.document.webhooks.some(({ id, name }) => id === action.webhook || name === action.webhook)) return;
      const near = nearestNames(action.webhook, hooks);
      review.error(
        `${path}.webhook`,
        'unknown_webhook',
        `${path}.webhook names "${action.webhook}", which is no webhook of this document.`,
        near,
      );
      return;
    }
    case 'start_workflow':
      return reviewStarted(review, action.workflow, path);
    case 'call_function':
      reviewCall(review, action, path);
      return;
    case 'send_event':
      if (action.event.startsWith(COMMENT_EVENT))
        review.error(`${path}.event`, 'reserved', `${path}.event: names that begin with "${COMMENT_EVENT}" are those of comments.`);
      return;
    case 'http':
    case 'notify':
      return;
  }
}

type Write = Extract<ProcessAction, { type: 'set_field' | 'create_record' | 'update_record' }>;

function reviewWrite(review: Review, workflow: Acting, action: Write, path: string): void {
  const entity = action.entity ?? workflow.trigger.entity;
  if (entity === undefined) {
    review.error(`${path}.entity`, 'required', `${path}: ${action.type} needs "entity", since the trigger names none.`);
    return;
  }
  if (!review.expectEntity(`${path}.entity`, entity, actingName(workflow))) return;
  const fields = action.type === 'set_field' ? [action.field] : Object.keys(action.fields);
  for (const field of fields) review.requireField(`${path}.field${action.type === 'set_field' ? '' : 's'}`, entity, field);
  if (action.type === 'set_field') review.expression(`${path}.expression`, action.expression);
}

/** Steps no path leads to. */
function reviewReach(review: Review, workflow: WorkflowDefinition, steps: readonly ProcessStep[], path: string): void {
  const reached = new Set<string>();
  const open = steps.slice(0, 1);
  for (let step = open.pop(); step !== undefined; step = open.pop()) {
    if (reached.has(step.id)) continue;
    reached.add(step.id);
    const targets = gotosOf(step).map(([, target]) => target);
    open.push(...steps.filter((candidate) => targets.includes(candidate.id)));
  }
  steps.forEach((step, index) => {
    if (reached.has(step.id)) return;
    review.find({
      id: `unreachable-step:${workflow.name}.${step.id}`,
      level: 'warning',
      path: `${path}.${String(index)}`,
      message: `No step of ${workflow.name} goes to "${step.id}".`,
      consequence: 'It never runs.',
      fix: `Name it in a goto of another step, or remove it.`,
    });
  });
}
