import type { Services } from './context.ts';

export const RELAY_CHANNEL = 'durabase_relay';
const COALESCE_MS = 10;
/** Pools that have told the relay within the last 10 ms, and whether it must be told again when they are over. */
const resting = new WeakMap<object, { isAsked: boolean }>();

/**
 * Tells the relay that there is something to read, after the commit and outside any data transaction: a NOTIFY inside one
 * would serialize all commits. The first is told at once, and what comes within 10 ms together; a lost hint costs one poll interval.
 */
export function hintRelay(services: Services): void {
  const rest = resting.get(services.pool);
  if (rest !== undefined) rest.isAsked = true;
  else tell(services);
}

function tell(services: Services): void {
  const rest = { isAsked: false };
  resting.set(services.pool, rest);
  services.pool.query(`notify ${RELAY_CHANNEL}`).catch((error: Error) => services.log.debug({ error: error.message }, 'relay hint lost'));
  setTimeout(() => {
    resting.delete(services.pool);
    if (rest.isAsked) tell(services);
  }, COALESCE_MS).unref();
}
