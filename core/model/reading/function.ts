/** Reading attachments of functions. */
import { FUNCTION_EVENTS } from '../document.ts';
import { clean, isRaw, ITEM_NOISE, snakeCase, withValue, type Raw, type Reading } from './reading.ts';

export function readFunction(reading: Reading, raw: Raw, path: string): Raw {
  const item = clean(raw, {
    rename: {
      enabled: 'active',
      is_active: 'active',
      collection: 'entity',
      trigger: 'on',
      event: 'on',
      events: 'on',
      config: 'params',
      condition: 'when',
      target: 'into',
    },
    drop: [...ITEM_NOISE, 'type'],
  });
  return {
    ...item,
    ...withValue('name', item['name'] ?? madeName(item)),
    ...withValue('on', readEvents(item['on'])),
    ...withValue('when', item['when'] === undefined ? undefined : reading.expression(`${path}.when`, item['when'])),
    ...withValue('params', isRaw(item['params']) ? readParams(reading, item['params'], `${path}.params`) : item['params']),
  };
}

/** Other systems name what they attach by what it does. */
const madeName = (item: Raw): unknown =>
  typeof item['function'] === 'string' ? `${item['function']}${typeof item['field'] === 'string' ? ` ${item['field']}` : ''}` : undefined;

/** `beforeCreate`, `onCreate` and `before_create` are one event. */
function readEvents(on: unknown): unknown {
  if (Array.isArray(on)) return on.map(readEvents);
  if (typeof on !== 'string') return on;
  const word = snakeCase(on);
  const after = word.replace(/^on_/, 'after_');
  return FUNCTION_EVENTS.some((event) => event === after) ? after : word;
}

/** The stored form of expressions inside parameters, however deep. */
function readParams(reading: Reading, params: Raw, path: string): Raw {
  const read = (value: unknown, at: string): unknown => {
    if (Array.isArray(value)) return value.map((item, index) => read(item, `${at}.${String(index)}`));
    if (!isRaw(value)) return value;
    const keys = Object.keys(value);
    if (keys.length === 1 && keys[0] === 'literal') return value;
    if (keys.length === 1 && keys[0] === 'expression') return { expression: reading.expression(`${at}.expression`, value['expression']) };
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, read(member, `${at}.${key}`)]));
  };
  return read(params, path) as Raw;
}
