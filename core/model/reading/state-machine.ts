/** Reading state machines: nested or flat, and transition webhooks as webhooks. */
import { clean, isRaw, isUsed, ITEM_NOISE, listOf, mapRaw, synonym, withValue, type Raw, type Reading } from './reading.ts';

/** A machine, and the webhooks its transitions call after the commit. */
export interface ReadMachine {
  readonly machine: Raw;
  readonly webhooks: readonly Raw[];
}

const LATER_ACTIONS = ['send_event', 'start_workflow', 'notify', 'email', 'call_function'];

export function readStateMachine(reading: Reading, raw: Raw, path: string): ReadMachine {
  const { initial, start, transitions, states, ...rest } = clean(raw, {
    rename: { enabled: 'active', is_active: 'active', initial_state: 'initial' },
    drop: ITEM_NOISE,
  });
  const isFlat = rest['definition'] === undefined;
  const given = isFlat
    ? {
        ...withValue('initial', initial),
        ...withValue('start', start),
        ...withValue('transitions', transitions),
        ...withValue('states', states),
      }
    : rest['definition'];
  if (!isRaw(given)) return { machine: { ...rest, definition: given }, webhooks: [] };
  const definition = clean(given, { rename: { initial_state: 'initial' } });
  const listed = definition['states'];
  delete definition['states'];
  const all = statesOf(definition, listed);
  const webhooks: Raw[] = [];
  const at = isFlat ? path : `${path}.definition`;
  const read = mapRaw(definition['transitions'], `${at}.transitions`, (transition, where) => {
    const result = readTransition(reading, transition, where, all);
    webhooks.push(...result.webhooks.map((hook) => transitionWebhook(rest, result.transition, hook)));
    return result.transition;
  });
  return { machine: { ...rest, definition: { ...definition, ...withValue('transitions', read) } }, webhooks };
}

function readTransition(reading: Reading, raw: Raw, path: string, states: readonly unknown[]): { transition: Raw; webhooks: Raw[] } {
  const transition = clean(raw, { rename: { condition: 'guard', role: 'roles' } });
  const webhooks: Raw[] = [];
  const actions = listOf(transition['actions']).flatMap((action, index) => {
    if (!isRaw(action)) return [action];
    const read = readAction(action);
    if (read['type'] === 'webhook' && typeof read['url'] === 'string') {
      webhooks.push(read);
      return [];
    }
    if (read['type'] === 'webhook' || LATER_ACTIONS.includes(String(read['type']))) {
      reading.refuse(`${path}.actions.${String(index)}`, `The transition action "${String(read['type'])}"`);
      return [];
    }
    if (read['expression'] !== undefined)
      read['expression'] = reading.expression(`${path}.actions.${String(index)}.expression`, read['expression']);
    return [read];
  });
  const from = transition['from'] === '*' ? states.filter((state) => state !== transition['to']) : transition['from'];
  return {
    transition: {
      ...transition,
      ...withValue('from', from),
      ...withValue('roles', transition['roles'] === undefined ? undefined : listOf(transition['roles'])),
      ...withValue('guard', transition['guard'] === undefined ? undefined : reading.expression(`${path}.guard`, transition['guard'])),
      actions,
    },
    webhooks,
  };
}

function readAction(raw: Raw): Raw {
  const action = clean(raw, { rename: { data: 'fields', values: 'fields', record: 'fields' }, keepNull: ['value'] });
  return { ...action, ...withValue('type', synonym(action['type'], { create: 'create_record', set: 'set_field' })) };
}

/** A webhook of a transition is a webhook of the entity that fires when a record has made the transition. */
function transitionWebhook(machine: Raw, transition: Raw, action: Raw): Raw {
  const { type: _type, ...options } = action;
  const field = String(machine['field']);
  const from = listOf(transition['from'])
    .map((state) => JSON.stringify(state))
    .join(', ');
  return {
    ...options,
    entity: machine['entity'],
    hook: 'after_write',
    condition: `action = "update" and record.${field} = ${JSON.stringify(transition['to'])} and old.${field} in [${from}]`,
  };
}

function statesOf(definition: Raw, listed: unknown): unknown[] {
  const named = listOf(listed).map((state) => (isRaw(state) ? state['name'] : state));
  const used = listOf(definition['transitions']).flatMap((entry) => (isRaw(entry) ? [...listOf(entry['from']), entry['to']] : []));
  return [...new Set([...named, definition['initial'], ...used])].filter((state) => isUsed(state) && state !== '*');
}
