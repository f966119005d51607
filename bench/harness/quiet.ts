/** Waits until the machine is quiet, for a while: neighbours make every figure larger. */
import os from 'node:os';
import { machineCpu, sleep } from '../lib/proc.mjs';

/** Until less than `share` of all cores is busy, or `seconds` have passed. */
export async function untilQuiet(share: number, seconds: number): Promise<void> {
  const cores = os.availableParallelism();
  for (const until = Date.now() + seconds * 1000; Date.now() < until;) {
    const before = machineCpu().busy;
    await sleep(250);
    if ((machineCpu().busy - before) / 0.25 / cores < share) return;
  }
}
