import type { Logger } from 'pino';
import { connectDirect } from './pool.ts';
import { sqlState } from './run.ts';

/** Recovering after a crash, or still starting: the server says so itself and will be there. */
const STARTING_MS = 120_000;
/** Nobody listens: it is being started again by whoever keeps it, or the address is wrong. */
const REFUSED_MS = 10_000;
const PAUSE_MS = 100;

/** Resolves when the server takes connections. What will not pass by waiting (a wrong password, a wrong name) is thrown at once. */
export async function waitForServer(url: string, log: Logger): Promise<void> {
  const started = Date.now();
  for (let isTold = false; ; isTold = true) {
    try {
      await (await connectDirect(url, 'durabase-start')).end();
      return;
    } catch (error) {
      if (Date.now() - started > patienceFor(error)) throw error;
      if (!isTold) log.info('waiting for the database server');
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

function patienceFor(error: unknown): number {
  if (sqlState(error) === '57P03') return STARTING_MS;
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ECONNREFUSED' || code === 'ECONNRESET' ? REFUSED_MS : 0;
}
