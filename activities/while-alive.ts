import { Context } from '@temporalio/activity';

const HEARTBEAT_MS = 1_500;

/** Says every moment that this worker still is at it; nobody asks that of a local activity. */
export async function whileAlive<T>(work: () => Promise<T>): Promise<T> {
  const context = Context.current();
  if (context.info.isLocal) return work();
  const timer = setInterval(() => context.heartbeat(), HEARTBEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
