/** Every proof, small: the same code as `npm run prove -- <name>`. */
import { expect, it } from 'vitest';
import { proveApprovalCrash } from './approval-crash.ts';
import { proveTemporalAway } from './temporal-away.ts';

const say = (line: string): void => console.log(line);

it('an approval survives kill -9 of everything, and its effect happens once', async () => {
  const result = await proveApprovalCrash({ rounds: 1, seed: 1 }, say);
  expect(result.recoveryMs).toHaveLength(1);
}, 120_000);

it('plain data goes on without Temporal, and what it missed starts when it is back', async () => {
  const result = await proveTemporalAway(say);
  expect(result.failedRequests).toBe(0);
}, 120_000);
