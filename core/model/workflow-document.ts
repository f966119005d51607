/** Workflow definitions (processes in code), as the schema document has them. */
import { z } from 'zod';
import { approvalShape, goto } from './approval-step.ts';
import { duration, expression, name, scalar, stableId } from './parts.ts';

/** A value worked out: `{expression: "..."}`. */
const valueExpression = z.strictObject({ expression });

/** What another definition is started with. */
const started = {
  workflow: z.string().min(1).max(100),
  context: z.record(z.string(), z.json()).default({}),
  record_id: z.string().optional(),
  save_as: name.optional(),
};

export const processActionSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('set_field'),
    entity: name.optional(),
    record_id: z.string().optional(),
    field: name,
    value: z.json().optional(),
    expression: expression.optional(),
    strict: z.boolean().default(false),
  }),
  z.strictObject({ type: z.literal('create_record'), entity: name, fields: z.record(z.string(), z.json()), save_as: name.optional() }),
  z.strictObject({
    type: z.literal('update_record'),
    entity: name.optional(),
    record_id: z.string().optional(),
    fields: z.record(z.string(), z.json()),
    strict: z.boolean().default(false),
  }),
  z.strictObject({ type: z.literal('delete_record'), entity: name.optional(), record_id: z.string().optional() }),
  z.strictObject({
    type: z.literal('http'),
    url: z.string().min(1),
    method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']).default('POST'),
    headers: z.record(z.string(), z.string()).default({}),
    body: z.json().optional(),
    save_as: name.optional(),
  }),
  z.strictObject({
    type: z.literal('call_function'),
    function: z.string().min(1).max(100),
    params: z.record(z.string().max(100), z.json()).default({}),
    save_as: name.optional(),
  }),
  z.strictObject({ type: z.literal('send_event'), event: z.string().min(1).max(100), data: z.record(z.string(), z.json()).default({}) }),
  /** A webhook of the document, delivered now about the run's record. */
  z.strictObject({ type: z.literal('webhook'), webhook: z.string().min(1).max(200) }),
  /** Texts may hold `{{context.x}}`, filled when it is sent. `template` is a text with its own HTML form. */
  z.strictObject({
    type: z.literal('email'),
    to: z.union([z.string().min(1), z.array(z.string().min(1)).min(1).max(50), valueExpression]),
    subject: z.string().min(1).max(500),
    text: z.string().min(1).max(100_000).optional(),
    html: z.string().min(1).max(200_000).optional(),
    template: z.string().min(1).max(100_000).optional(),
  }),
  z.strictObject({
    type: z.literal('notify'),
    to: z.union([z.string().min(1), z.array(z.string().min(1)).min(1).max(50), valueExpression]),
    message: z.string().min(1).max(2_000),
    link: z.string().min(1).max(2_000).optional(),
  }),
  z.strictObject({ type: z.literal('start_workflow'), ...started }),
]);

const stepBase = {
  id: z.string().regex(/^[a-zA-Z][a-zA-Z0-9_-]{0,99}$/),
  name: z.string().max(200).optional(),
  /** Where it goes when it failed for good; without it an operator is waited for. */
  on_error: goto.optional(),
  /** How often a step that failed is tried in all. What is away on our own side does not count: it is waited for. */
  retry: z
    .strictObject({
      max_attempts: z.int().min(1).max(50),
      initial: duration.default('1s'),
      backoff: z.enum(['exponential', 'fixed']).default('exponential'),
    })
    .optional(),
  /** What undoes the step: performed in reverse order when the run ends failed or cancelled. */
  compensate: z.array(processActionSchema).min(1).max(20).optional(),
};

const plainStepSchema = z.discriminatedUnion('type', [
  z.strictObject({
    ...stepBase,
    type: z.literal('action'),
    actions: z.array(processActionSchema).min(1),
    then: goto.optional(),
  }),
  /** By `expression`, or by `switch`: the first case whose `when` is the value of `on`; without `on` each `when` is an expression. */
  z.strictObject({
    ...stepBase,
    type: z.literal('condition'),
    expression: expression.optional(),
    on_true: goto.optional(),
    on_false: goto.optional(),
    switch: z
      .strictObject({
        on: expression.optional(),
        cases: z
          .array(z.strictObject({ when: z.union([scalar, z.array(scalar)]), goto: goto.optional() }))
          .min(1)
          .max(100),
        default: goto.optional(),
      })
      .optional(),
  }),
  z.strictObject({
    ...stepBase,
    ...approvalShape,
  }),
  /** One of `duration`, `until` and `event`. */
  z.strictObject({
    ...stepBase,
    type: z.literal('wait'),
    duration: duration.optional(),
    /** A time, a path to one, or an expression. */
    until: z.string().min(1).max(10_000).optional(),
    /** A custom event, or `record_created`, `record_updated`, `record_deleted`: of the run's own record, or of any of `entity`. */
    event: z.string().min(1).max(100).optional(),
    entity: name.optional(),
    /** Over `event`, `record` and `context`: which of those events. */
    match: expression.optional(),
    timeout: duration.optional(),
    on_timeout: goto.optional(),
    save_as: name.optional(),
    then: goto.optional(),
  }),
  /** A run of another definition, waited for: its failure is this step's. */
  z.strictObject({ ...stepBase, type: z.literal('subprocess'), ...started, then: goto.optional() }),
]);

const parallelBase = z.strictObject({
  ...stepBase,
  type: z.literal('parallel'),
  /** How many branches must come to their end; the others are then cancelled. */
  join: z.union([z.enum(['all', 'any']), z.int().min(1).max(20)]).default('all'),
  then: goto.optional(),
});

const foreachBase = z.strictObject({
  ...stepBase,
  type: z.literal('foreach'),
  /** A path or an expression: a list. */
  items: expression,
  /** The item at hand is `context.<as>`. */
  as: name,
  concurrency: z.int().min(1).max(10).default(1),
  max: z.int().min(1).max(1_000).default(1_000),
  /** What the steps of each item saved, as a list in the order of the items. */
  save_as: name.optional(),
  then: goto.optional(),
});

export type PlainStep = z.infer<typeof plainStepSchema>;
export type ParallelStep = z.infer<typeof parallelBase> & { readonly branches: readonly { readonly steps: readonly ProcessStep[] }[] };
export type ForeachStep = z.infer<typeof foreachBase> & { readonly steps: readonly ProcessStep[] };
/** Written out, because a type cannot be inferred out of itself. */
export type ProcessStep = PlainStep | ParallelStep | ForeachStep;

const stepList: z.ZodType<readonly ProcessStep[]> = z.lazy(() => z.array(processStepSchema).min(1).max(200));

export const processStepSchema: z.ZodType<ProcessStep> = z.discriminatedUnion('type', [
  ...plainStepSchema.options,
  parallelBase.extend({
    branches: z
      .array(z.strictObject({ steps: stepList }))
      .min(1)
      .max(20),
  }),
  foreachBase.extend({ steps: stepList }),
]);

export const triggerSchema = z.strictObject({
  type: z.enum(['state_change', 'record_created', 'record_updated', 'record_deleted', 'manual', 'event', 'schedule', 'webhook']),
  entity: name.optional(),
  field: name.optional(),
  from: z.union([scalar, z.array(scalar)]).optional(),
  to: z.union([scalar, z.array(scalar)]).optional(),
  condition: expression.optional(),
  /** Type `event`: the name that `send_event` gives. */
  event: z.string().min(1).max(100).optional(),
  /** Type `schedule`: minute, hour, day of month, month, day of week. */
  cron: z.string().min(9).max(200).optional(),
  timezone: z.string().min(1).max(100).optional(),
});

export const workflowSchema = z.strictObject({
  id: stableId.optional(),
  name: z.string().regex(/^[a-zA-Z][a-zA-Z0-9_-]{0,99}$/),
  description: z.string().max(2000).optional(),
  trigger: triggerSchema,
  /** Paths (`trigger.record.x`, `record.x`) or literals, read once at the start. */
  context: z.record(z.string(), z.json()).default({}),
  steps: z.array(processStepSchema).min(1).max(200),
  active: z.boolean().default(true),
});

export type WorkflowDefinition = z.infer<typeof workflowSchema>;
export type ProcessAction = z.infer<typeof processActionSchema>;
