import { startPlannedMigrations } from '../operations/schemas/sweep.ts';
import { resumeLostImports } from '../operations/imports/sweep.ts';
import { noticeTerminated, type Period } from '../operations/notice-terminated.ts';
import { startOpenRollouts } from '../operations/rollouts/start.ts';
import { forgetOld } from '../operations/retention.ts';
import { pruneFeed } from '../operations/realtime/feed.ts';
import type { Services } from '../operations/context.ts';
import { loop, type Loop, pause } from './loop.ts';

const EVERY_MS = 10_000;
/** What is kept for days need not go to the minute. */
const FORGET_EVERY_MS = 600_000;

/** As long as Temporal keeps what is closed. */
const LOOK_BACK_MS = 30 * 86_400_000;

/**
 * Looks for migrations, rollouts and imports that are recorded and that nobody works on, and for what was terminated in Temporal, and forgets
 * what is old: at the start, then every ten seconds.
 */
export function startSweep(services: Services): Loop {
  let forgottenAt = -FORGET_EVERY_MS;
  let unnoticed: Period = { since: new Date(Date.now() - LOOK_BACK_MS) };
  return loop('sweep', services.log, async (signal, waker) => {
    await startPlannedMigrations(services).catch((error: unknown) =>
      services.log.debug({ err: error }, 'open migrations could not be looked at'),
    );
    await startOpenRollouts(services).catch((error: unknown) => services.log.debug({ err: error }, 'open rollouts could not be looked at'));
    await resumeLostImports(services).catch((error: unknown) => services.log.debug({ err: error }, 'open imports could not be looked at'));
    await noticeTerminated(services, unnoticed).then(
      (rest) => (unnoticed = rest),
      (error: unknown) => services.log.debug({ err: error }, 'what was terminated could not be looked for'),
    );
    await pruneFeed(services).catch((error: unknown) => services.log.warn({ err: error }, 'the feed of realtime could not be pruned'));
    if (performance.now() - forgottenAt >= FORGET_EVERY_MS) {
      forgottenAt = performance.now();
      await forgetOld(services, () => signal.aborted).catch((error: unknown) =>
        services.log.warn({ err: error }, 'what is old could not be forgotten'),
      );
    }
    await pause(EVERY_MS, signal, waker);
  });
}
