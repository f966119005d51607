import type { Services } from '../operations/context.ts';
import { tellChangedClocks } from '../operations/slas/catch-up.ts';
import { loop, pause, type Loop } from './loop.ts';

const EVERY_MS = 2_000;

/** Tells the clocks of apps that serve another version than before. `onTold` is told after each turn that left work for the starter. */
export function startClockKeeper(services: Services, onTold: () => void): Loop {
  return loop('clock keeper', services.log, async (signal, waker) => {
    if (await tellChangedClocks(services)) onTold();
    else await pause(EVERY_MS, signal, waker);
  });
}
