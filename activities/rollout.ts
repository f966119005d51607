/** The side effects of a rollout: its rows, the plans of its apps' migrations, and looking after them. */
import { heartbeat } from '@temporalio/activity';
import type { Services } from '../operations/context.ts';
import { probeRing } from '../operations/rollouts/health.ts';
import { beginMoves, openRollout, saveRollout, watchMoves, type BeginInput, type Begun } from '../operations/rollouts/work.ts';
import type { RolloutCounts, RolloutFacts, RolloutRequest, RolloutState } from '../workflows/contracts/types.ts';

interface RingRef {
  readonly rolloutId: string;
  readonly ring: number;
}

export interface RolloutActivities {
  openRollout(rolloutId: string): Promise<{ readonly facts: RolloutFacts; readonly state: RolloutState }>;
  saveRollout(input: { readonly rolloutId: string; readonly state: RolloutState; readonly request?: RolloutRequest }): Promise<void>;
  beginMoves(input: BeginInput): Promise<Begun>;
  watchMoves(input: RingRef): Promise<RolloutCounts>;
  probeRing(input: RingRef): Promise<RolloutCounts>;
}

export function createRolloutActivities(services: Services): RolloutActivities {
  return {
    openRollout: (rolloutId) => openRollout(services, rolloutId),
    saveRollout: ({ rolloutId, state, request }) => saveRollout(services, rolloutId, state, request),
    beginMoves: (input) => beginMoves(services, input),
    watchMoves: ({ rolloutId, ring }) => watchMoves(services, rolloutId, ring, () => heartbeat()),
    probeRing: ({ rolloutId, ring }) => probeRing(services, rolloutId, ring, () => heartbeat()),
  };
}
