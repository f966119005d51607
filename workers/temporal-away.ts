/** Notices that Temporal is away. */
import { Connection } from '@temporalio/client';
import type { Config } from '../adapters/config.ts';
import { RECONNECTING, serverOptions } from '../adapters/temporal/connection-options.ts';
import { grpcCode } from '../adapters/temporal/errors.ts';
import { pause } from './loop.ts';

const GRPC_DEADLINE_EXCEEDED = 4;
const GRPC_UNAVAILABLE = 14;
/** After an absence that is shorter the pauses of the pollers are short as well. */
const LOOK_MS = 500;
const SECOND_LOOK_MS = 100;
const ANSWER_MS = 2_000;
/** One refusal may be a frontend of a cluster that is being replaced. */
const REFUSALS = 2;
/** Silence is a busy server, until it has lasted this long. */
const SILENCE_MS = 15_000;

/** Resolves when the server refuses, or has been silent for long; or when `signal` is aborted. */
export async function untilAway(config: Config, signal: AbortSignal): Promise<void> {
  const connection = Connection.lazy({ ...serverOptions(config), channelArgs: RECONNECTING, interceptors: [] });
  let refusals = 0;
  let heardAt = performance.now();
  try {
    while (!signal.aborted && refusals < REFUSALS && performance.now() - heardAt < SILENCE_MS) {
      const found = await look(connection);
      if (found === 'refuses') refusals++;
      if (found === 'answers') [refusals, heardAt] = [0, performance.now()];
      await pause(found === 'answers' ? LOOK_MS : SECOND_LOOK_MS, signal);
    }
  } finally {
    await connection.close();
  }
}

async function look(connection: Connection): Promise<'answers' | 'refuses' | 'silent'> {
  try {
    await connection.withDeadline(Date.now() + ANSWER_MS, () => connection.workflowService.getSystemInfo({}));
    return 'answers';
  } catch (error) {
    const code = grpcCode(error);
    if (code === GRPC_UNAVAILABLE) return 'refuses';
    return code === GRPC_DEADLINE_EXCEEDED ? 'silent' : 'answers';
  }
}
