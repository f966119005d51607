/** Reading webhooks. */
import { WEBHOOK_EVENTS } from '../document.ts';
import { clean, isRaw, ITEM_NOISE, snakeCase, withValue, type Raw, type Reading } from './reading.ts';

export function readWebhook(reading: Reading, raw: Raw, path: string): Raw {
  const webhook = clean(raw, { rename: { enabled: 'active', is_active: 'active', collection: 'entity', event: 'hook' }, drop: ITEM_NOISE });
  // "event" of other systems names either a moment of a write or what happened.
  if (typeof webhook['hook'] === 'string' && /^record\.|^\*$/.test(webhook['hook'])) {
    webhook['events'] ??= webhook['hook'];
    delete webhook['hook'];
  }
  if (typeof webhook['sync'] === 'boolean' && webhook['async'] === undefined) webhook['async'] = !webhook['sync'];
  delete webhook['sync'];
  return {
    ...webhook,
    ...withValue('hook', typeof webhook['hook'] === 'string' ? snakeCase(webhook['hook']) : webhook['hook']),
    ...withValue('method', typeof webhook['method'] === 'string' ? webhook['method'].toUpperCase() : webhook['method']),
    ...withValue('events', readEvents(webhook['events'])),
    ...withValue('headers', readHeaders(webhook['headers'])),
    ...withValue(
      'condition',
      webhook['condition'] === undefined ? undefined : reading.expression(`${path}.condition`, webhook['condition']),
    ),
    ...withValue(
      'retry',
      isRaw(webhook['retry'])
        ? clean(webhook['retry'], { rename: { attempts: 'max_attempts', initial_delay: 'initial' } })
        : webhook['retry'],
    ),
  };
}

/** One or a list; `*` is every event. */
function readEvents(events: unknown): unknown {
  const list: unknown = typeof events === 'string' ? [events] : events;
  return Array.isArray(list) && list.includes('*') ? [...WEBHOOK_EVENTS] : list;
}

/** Values become text; `{{env.NAME}}` of other systems names a secret here, never a variable of the server. */
function readHeaders(headers: unknown): unknown {
  if (!isRaw(headers)) return headers;
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => {
      if (value === null) return [];
      const text = typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
      return [[name, typeof text === 'string' ? text.replace(/\{\{\s*env\.(\w+)\s*\}\}/g, '{{secret.$1}}') : text]];
    }),
  );
}
