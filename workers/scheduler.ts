import type { Services } from '../operations/context.ts';
import { reconcileSchedules } from '../operations/processes/schedules.ts';
import { loop, type Loop, pause } from './loop.ts';

const EVERY_MS = 2_000;

/** Keeps Temporal's schedules as the published definitions say: looks every two seconds which apps have changed. */
export function startScheduler(services: Services): Loop {
  return loop('scheduler', services.log, async (signal, waker) => {
    const seen = await reconcileSchedules(services).catch((error: unknown) => {
      services.log.debug({ err: error }, 'schedules could not be looked at');
      return 0;
    });
    if (seen === 0) await pause(EVERY_MS, signal, waker);
  });
}
