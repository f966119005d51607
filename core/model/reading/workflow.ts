/** Reading workflows: triggers, steps, actions, assignees and the three spellings of a goto. */
import { APPROVAL_OPTIONS, readApproval } from './approval.ts';
import { clean, isRaw, isUsed, ITEM_NOISE, listOf, mapRaw, synonym, withValue, type Raw, type Reading } from './reading.ts';

const TRIGGER_SYNONYMS: Readonly<Record<string, string>> = {
  field_change: 'state_change',
  status_change: 'state_change',
  created: 'record_created',
  updated: 'record_updated',
  deleted: 'record_deleted',
  record_create: 'record_created',
  record_update: 'record_updated',
  record_delete: 'record_deleted',
};
const STEP_SYNONYMS: Readonly<Record<string, string>> = { actions: 'action', decision: 'condition', approve: 'approval', delay: 'wait' };
const ACTION_SYNONYMS: Readonly<Record<string, string>> = {
  http_request: 'http',
  set: 'set_field',
  create: 'create_record',
  update: 'update_record',
  delete: 'delete_record',
};

const LATER_TRIGGERS = ['event', 'schedule', 'webhook'];
const LATER_STEPS = ['parallel', 'foreach', 'subprocess', 'switch', 'loop', 'sub_workflow'];
const LATER_ACTIONS = ['email', 'send_email', 'notify', 'start_workflow', 'transform'];
const LATER_STEP_KEYS = ['switch', 'cases', 'until', 'event', 'match', 'retry', 'compensate'];
const GOTOS = ['then', 'on_error', 'on_true', 'on_false', 'on_approve', 'on_reject', 'on_timeout'];

export function readWorkflow(reading: Reading, raw: Raw, path: string): Raw {
  const workflow = clean(raw, { rename: { enabled: 'active', is_active: 'active' }, drop: ITEM_NOISE });
  return {
    ...workflow,
    ...withValue('name', readName(workflow['name'])),
    ...withValue('trigger', readTrigger(reading, workflow['trigger'], `${path}.trigger`)),
    ...withValue(
      'steps',
      mapRaw(workflow['steps'], `${path}.steps`, (step, at) => readStep(reading, step, at)),
    ),
  };
}

/** Names stand in paths and ids: what people write with spaces gets underscores. */
export const readName = (name: unknown): unknown =>
  typeof name === 'string'
    ? name
        .trim()
        .replace(/[^a-zA-Z0-9_-]+/g, '_')
        .replace(/^_+|_+$/g, '')
    : name;

function readTrigger(reading: Reading, raw: unknown, path: string): unknown {
  if (!isRaw(raw)) return raw;
  const trigger = clean(raw, { rename: { collection: 'entity', when: 'condition' }, keepNull: ['from', 'to'] });
  for (const key of ['from', 'to']) if (trigger[key] === null && raw['field'] === undefined) delete trigger[key];
  const type = synonym(trigger['type'], TRIGGER_SYNONYMS);
  if (typeof type === 'string' && LATER_TRIGGERS.includes(type)) reading.refuse(`${path}.type`, `The trigger type "${type}"`);
  return {
    ...trigger,
    ...withValue('type', type),
    ...withValue(
      'condition',
      trigger['condition'] === undefined ? undefined : reading.expression(`${path}.condition`, trigger['condition']),
    ),
  };
}

function readStep(reading: Reading, raw: Raw, path: string): Raw {
  const step = clean(raw, { rename: { next: 'then', action: 'actions', condition: 'expression', delay: 'duration' } });
  const type = synonym(step['type'], STEP_SYNONYMS);
  if (typeof type === 'string' && LATER_STEPS.includes(type)) reading.refuse(`${path}.type`, `The step type "${type}"`);
  for (const key of LATER_STEP_KEYS) if (isUsed(step[key])) reading.refuse(`${path}.${key}`, `"${key}" in a step`);
  const gotos = Object.fromEntries(GOTOS.flatMap((key) => (step[key] === undefined ? [] : [[key, readGoto(step[key])]])));
  const read: Raw = { ...step, ...gotos, ...withValue('type', type) };
  for (const key of [...GOTOS, ...LATER_STEP_KEYS])
    if (read[key] === undefined || (LATER_STEP_KEYS.includes(key) && !isUsed(read[key]))) delete read[key];
  if (read['actions'] !== undefined) {
    read['actions'] = mapRaw(listOf(read['actions']), `${path}.actions`, (action, at) => readAction(reading, action, at));
  }
  if (read['expression'] !== undefined) read['expression'] = reading.expression(`${path}.expression`, read['expression']);
  if (type === 'approval') return readApproval(reading, read, path, readGoto);
  for (const key of APPROVAL_OPTIONS) if (!isUsed(read[key])) delete read[key];
  return read;
}

function readGoto(value: unknown): unknown {
  if (!isRaw(value)) return value;
  return value['goto'] ?? undefined;
}

export function readAction(reading: Reading, raw: Raw, path: string): Raw {
  const action = clean(raw, { rename: { data: undefinedFor(raw, 'send_event', 'fields'), values: 'fields' }, keepNull: ['value'] });
  const type = synonym(action['type'], ACTION_SYNONYMS);
  if (typeof type === 'string' && LATER_ACTIONS.includes(type)) reading.refuse(`${path}.type`, `The action "${type}"`);
  const isCall = type === 'webhook' && typeof action['url'] === 'string';
  if (type === 'webhook' && !isCall) reading.refuse(`${path}.type`, 'The action "webhook" without a url');
  if (action['expression'] !== undefined) action['expression'] = reading.expression(`${path}.expression`, action['expression']);
  return { ...action, ...withValue('type', isCall ? 'http' : type) };
}

/** `data` is the fields of a record, except where the action has data of its own. */
const undefinedFor = (raw: Raw, type: string, ours: string): string => (raw['type'] === type ? 'data' : ours);
