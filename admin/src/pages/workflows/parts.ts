/** What actions, steps and triggers hold, part by part: one form shows them all. */
import type { StepKind, TriggerKind } from './workflow.ts';

export type PartKind =
  | 'text'
  | 'long'
  | 'count'
  | 'flag'
  | 'choice'
  | 'expression'
  | 'entity'
  | 'field'
  | 'workflow'
  | 'webhook'
  | 'function'
  | 'role'
  | 'people'
  | 'value'
  | 'values'
  | 'map';

export interface Part<Key extends string = string> {
  readonly key: Key;
  readonly kind: PartKind;
  readonly options?: readonly string[];
  /** Without it a draft cannot be published. */
  readonly isRequired?: boolean;
  /** What is typed, by way of example. */
  readonly example?: string;
  /** What is used when nothing is said. */
  readonly usual?: string;
  /** Without the hint that others of its key have. */
  readonly isPlain?: boolean;
}

const part = <const Key extends string>(key: Key, kind: PartKind, more: Omit<Part<Key>, 'key' | 'kind'> = {}): Part<Key> => ({
  key,
  kind,
  ...more,
});
const needed = { isRequired: true } as const;
const RECORD_ID = part('record_id', 'text', { example: 'context.record_id' });
const SAVE_AS = part('save_as', 'text', { example: 'answer' });
const STARTED = [part('workflow', 'workflow', needed), RECORD_ID, part('context', 'map'), SAVE_AS] as const;

export const ACTION_PARTS = {
  set_field: [
    part('field', 'field', needed),
    part('value', 'value'),
    part('expression', 'expression'),
    part('entity', 'entity'),
    RECORD_ID,
    part('strict', 'flag'),
  ],
  create_record: [part('entity', 'entity', { ...needed, isPlain: true }), part('fields', 'map'), SAVE_AS],
  update_record: [part('fields', 'map'), part('entity', 'entity'), RECORD_ID, part('strict', 'flag')],
  delete_record: [part('entity', 'entity'), RECORD_ID],
  email: [
    part('to', 'people', needed),
    part('subject', 'text', needed),
    part('text', 'long'),
    part('html', 'long'),
    part('template', 'long'),
  ],
  notify: [part('to', 'people', needed), part('message', 'long', needed), part('link', 'text')],
  http: [
    part('method', 'choice', { options: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'], usual: 'POST' }),
    part('url', 'text', { ...needed, example: 'https://example.com/orders' }),
    part('headers', 'map'),
    part('body', 'value'),
    SAVE_AS,
  ],
  webhook: [part('webhook', 'webhook', needed)],
  send_event: [part('event', 'text', needed), part('data', 'map')],
  call_function: [part('function', 'function', needed), part('params', 'map'), SAVE_AS],
  start_workflow: STARTED,
} as const satisfies Readonly<Record<string, readonly Part[]>>;

export type ActionKind = keyof typeof ACTION_PARTS;
export const ACTION_KINDS = Object.keys(ACTION_PARTS) as ActionKind[];

/** Of the kinds whose form is nothing but parts. */
export const STEP_PARTS = {
  foreach: [
    part('items', 'expression', needed),
    part('as', 'text', needed),
    part('concurrency', 'count', { usual: '1' }),
    part('max', 'count', { usual: '1000' }),
    SAVE_AS,
  ],
  subprocess: STARTED,
} as const satisfies Partial<Readonly<Record<StepKind, readonly Part[]>>>;

export const WAIT_PARTS = {
  duration: [part('duration', 'text', { ...needed, example: '2h' })],
  until: [part('until', 'expression', needed)],
  event: [
    part('event', 'text', { ...needed, example: 'record_updated' }),
    part('entity', 'entity'),
    part('match', 'expression'),
    part('timeout', 'text', { example: '2d' }),
    SAVE_AS,
  ],
} as const satisfies Readonly<Record<string, readonly Part[]>>;
export type WaitKind = keyof typeof WAIT_PARTS;
export const WAIT_KINDS = Object.keys(WAIT_PARTS) as WaitKind[];

const CONDITION = part('condition', 'expression');
const ENTITY = part('entity', 'entity', { ...needed, isPlain: true });

export const TRIGGER_PARTS = {
  record_created: [ENTITY, CONDITION],
  record_updated: [ENTITY, part('field', 'field'), part('from', 'values'), part('to', 'values'), CONDITION],
  record_deleted: [ENTITY, CONDITION],
  state_change: [ENTITY, part('field', 'field', needed), part('from', 'values'), part('to', 'values'), CONDITION],
  event: [part('event', 'text', needed), CONDITION],
  schedule: [
    part('cron', 'text', { ...needed, example: '0 8 * * mon-fri' }),
    part('timezone', 'text', { usual: 'UTC', example: 'Europe/Berlin' }),
    CONDITION,
  ],
  webhook: [CONDITION],
  manual: [part('entity', 'entity', { isPlain: true }), CONDITION],
} as const satisfies Readonly<Record<TriggerKind, readonly Part[]>>;

export const RETRY_PARTS = [
  part('max_attempts', 'count', { usual: '1' }),
  part('initial', 'text', { example: '1s' }),
  part('backoff', 'choice', { options: ['exponential', 'fixed'], usual: 'exponential' }),
] as const;

export const ASSIGNEE_PARTS = {
  role: [part('role', 'role', needed)],
  user: [part('user', 'text', { ...needed, example: 'ada@example.com' })],
  relation: [part('path', 'text', { ...needed, example: 'record.agent.email' })],
  manager: [
    part('of', 'text', { example: 'record.employee' }),
    part('level', 'count', { usual: '1' }),
    part('via', 'text', { example: 'manager' }),
    part('key', 'text', { usual: 'email' }),
  ],
  expression: [part('expression', 'expression', needed)],
} as const satisfies Readonly<Record<string, readonly Part[]>>;
export type AssigneeKind = keyof typeof ASSIGNEE_PARTS;
export const ASSIGNEE_KINDS = Object.keys(ASSIGNEE_PARTS) as AssigneeKind[];

export const REMINDER_PARTS = [
  part('after', 'text', { example: '1d' }),
  part('before_due', 'text', { example: '4h' }),
  part('every', 'text', { example: '1d' }),
  part('max', 'count'),
] as const;

export const ESCALATION_PARTS = [
  part('after', 'text', { ...needed, example: '3d' }),
  part('mode', 'choice', { options: ['add', 'replace'], usual: 'add' }),
] as const;

export const APPROVAL_PARTS = [
  part('reject', 'choice', { options: ['any', 'majority'], usual: 'any' }),
  part('timeout', 'text', { example: '5d' }),
  part('delegation', 'choice', { options: ['allowed', 'forbidden'], usual: 'allowed' }),
  part('substitution', 'choice', { options: ['allowed', 'forbidden'], usual: 'allowed' }),
  part('allow_self_approval', 'flag'),
] as const;

export const MAIL_PARTS = [part('subject', 'text'), part('text', 'long')] as const;
