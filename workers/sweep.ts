import { startPlannedMigrations } from '../operations/schemas/sweep.ts';
import { startOpenRollouts } from '../operations/rollouts/start.ts';
import { pruneFeed } from '../operations/realtime/feed.ts';
import type { Services } from '../operations/context.ts';
import { loop, type Loop, pause } from './loop.ts';

const EVERY_MS = 10_000;

/** Looks for migrations and rollouts that are recorded and that nobody works on, and forgets what is old: at the start, then every ten seconds. */
export function startSweep(services: Services): Loop {
  return loop('sweep', services.log, async (signal, waker) => {
    await startPlannedMigrations(services).catch((error: unknown) =>
      services.log.debug({ err: error }, 'open migrations could not be looked at'),
    );
    await startOpenRollouts(services).catch((error: unknown) => services.log.debug({ err: error }, 'open rollouts could not be looked at'));
    await pruneFeed(services).catch((error: unknown) => services.log.warn({ err: error }, 'the feed of realtime could not be pruned'));
    await pause(EVERY_MS, signal, waker);
  });
}
