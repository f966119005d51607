/** Workflow definitions (processes in code), as the schema document has them. */
import { z } from 'zod';
import { approvalShape, goto } from './approval-step.ts';
import { duration, expression, name, scalar, stableId } from './parts.ts';

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
]);

const stepBase = { id: z.string().regex(/^[a-zA-Z][a-zA-Z0-9_-]{0,99}$/), name: z.string().max(200).optional() };

export const processStepSchema = z.discriminatedUnion('type', [
  z.strictObject({
    ...stepBase,
    type: z.literal('action'),
    actions: z.array(processActionSchema).min(1),
    then: goto.optional(),
    on_error: goto.optional(),
  }),
  z.strictObject({ ...stepBase, type: z.literal('condition'), expression, on_true: goto.optional(), on_false: goto.optional() }),
  z.strictObject({
    ...stepBase,
    ...approvalShape,
  }),
  z.strictObject({ ...stepBase, type: z.literal('wait'), duration, then: goto.optional() }),
]);

export const triggerSchema = z.strictObject({
  type: z.enum(['state_change', 'record_created', 'record_updated', 'record_deleted', 'manual']),
  entity: name.optional(),
  field: name.optional(),
  from: z.union([scalar, z.array(scalar)]).optional(),
  to: z.union([scalar, z.array(scalar)]).optional(),
  condition: expression.optional(),
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
export type ProcessStep = z.infer<typeof processStepSchema>;
export type ProcessAction = z.infer<typeof processActionSchema>;
