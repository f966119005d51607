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
  cron: 'schedule',
  scheduled: 'schedule',
  hook: 'webhook',
  inbound_webhook: 'webhook',
  custom_event: 'event',
};
const STEP_SYNONYMS: Readonly<Record<string, string>> = {
  actions: 'action',
  decision: 'condition',
  approve: 'approval',
  delay: 'wait',
  sub_workflow: 'subprocess',
  loop: 'foreach',
  for_each: 'foreach',
};
const ACTION_SYNONYMS: Readonly<Record<string, string>> = {
  http_request: 'http',
  set: 'set_field',
  create: 'create_record',
  update: 'update_record',
  delete: 'delete_record',
  send_email: 'email',
  notification: 'notify',
};

const LATER_ACTIONS = ['transform'];
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
  const trigger = clean(raw, {
    rename: { collection: 'entity', when: 'condition', schedule: 'cron', time_zone: 'timezone', tz: 'timezone', event_name: 'event' },
    keepNull: ['from', 'to'],
  });
  for (const key of ['from', 'to']) if (trigger[key] === null && raw['field'] === undefined) delete trigger[key];
  const type = synonym(trigger['type'], TRIGGER_SYNONYMS);
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
  const step = switchOf(clean(raw, { rename: STEP_KEYS }));
  const type = synonym(step['type'], STEP_SYNONYMS);
  const gotos = Object.fromEntries(GOTOS.flatMap((key) => (step[key] === undefined ? [] : [[key, readGoto(step[key])]])));
  const read: Raw = { ...step, ...gotos, ...withValue('type', type) };
  for (const key of GOTOS) if (read[key] === undefined) delete read[key];
  for (const key of OPTIONAL_KEYS) if (!isUsed(read[key])) delete read[key];
  for (const key of ['actions', 'compensate']) {
    if (read[key] === undefined) continue;
    read[key] = mapRaw(listOf(read[key]), `${path}.${key}`, (action, at) => readAction(reading, action, at));
  }
  for (const key of type === 'foreach' ? ['items'] : ['expression', 'match'])
    if (read[key] !== undefined) read[key] = reading.expression(`${path}.${key}`, read[key]);
  if (type === 'approval') return readApproval(reading, read, path, readGoto);
  for (const key of APPROVAL_OPTIONS) if (!isUsed(read[key])) delete read[key];
  if (isRaw(read['switch'])) read['switch'] = readSwitch(reading, read['switch'], `${path}.switch`);
  return { ...read, ...readInnerSteps(reading, read, path) };
}

const STEP_KEYS = { next: 'then', action: 'actions', condition: 'expression', delay: 'duration', max_items: 'max' };
/** What other systems write with nothing in it. */
const OPTIONAL_KEYS = ['switch', 'cases', 'until', 'event', 'match', 'retry', 'compensate'];

/** `{type: switch, on, cases, default}` is a condition with a switch. */
function switchOf(step: Raw): Raw {
  if (synonym(step['type'], {}) !== 'switch' && !(isUsed(step['cases']) && step['switch'] === undefined)) return step;
  const { on, cases, default: otherwise, expression, ...rest } = step;
  return { ...rest, type: 'condition', switch: clean({ on: on ?? expression, cases, default: otherwise }) };
}

function readSwitch(reading: Reading, raw: Raw, path: string): Raw {
  const choice = clean(raw, { rename: { expression: 'on' } });
  return {
    ...choice,
    ...withValue('on', choice['on'] === undefined ? undefined : reading.expression(`${path}.on`, choice['on'])),
    ...withValue('default', readGoto(choice['default'])),
    ...withValue(
      'cases',
      mapRaw(choice['cases'], `${path}.cases`, (one) => {
        const read = clean(one, { rename: { value: 'when', then: 'goto' }, keepNull: ['when'] });
        return { ...read, ...withValue('goto', readGoto(read['goto'])) };
      }),
    ),
  };
}

function readInnerSteps(reading: Reading, step: Raw, path: string): Raw {
  const stepsOf = (steps: unknown, at: string): unknown => mapRaw(steps, at, (inner, place) => readStep(reading, inner, place));
  if (Array.isArray(step['branches'])) {
    return {
      branches: step['branches'].map((branch: unknown, index) => {
        const at = `${path}.branches.${String(index)}`;
        if (Array.isArray(branch)) return { steps: stepsOf(branch, at) };
        return isRaw(branch) ? { ...branch, ...withValue('steps', stepsOf(branch['steps'], `${at}.steps`)) } : branch;
      }),
    };
  }
  return step['steps'] === undefined ? {} : { steps: stepsOf(step['steps'], `${path}.steps`) };
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
  if (action['expression'] !== undefined) action['expression'] = reading.expression(`${path}.expression`, action['expression']);
  return { ...action, ...withValue('type', isCall ? 'http' : type) };
}

/** `data` is the fields of a record, except where the action has data of its own. */
const undefinedFor = (raw: Raw, type: string, ours: string): string => (raw['type'] === type ? 'data' : ours);
