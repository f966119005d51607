import type { Services } from './context.ts';

export const RELAY_CHANNEL = 'durabase_relay';
const COALESCE_MS = 10;
const waiting = new WeakSet<object>();

/**
 * Tells the relay that there is something to read, after the commit and outside any data transaction: a NOTIFY inside one
 * would serialize all commits. Many hints within 10 ms become one; a lost hint costs one poll interval.
 */
export function hintRelay(services: Services): void {
  if (waiting.has(services.pool)) return;
  waiting.add(services.pool);
  setTimeout(() => {
    waiting.delete(services.pool);
    services.pool.query(`notify ${RELAY_CHANNEL}`).catch((error: Error) => services.log.debug({ error: error.message }, 'relay hint lost'));
  }, COALESCE_MS).unref();
}
