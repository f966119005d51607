/** Two connections that hold read transactions of some seconds, one after the other all the time: what DDL and index builds wait for. */
import pg from 'pg';
import type { App } from './app.ts';

const HOLD_MS = 3_000;

export function startLongReaders(app: App): { stop(): Promise<void> } {
  let isStopped = false;
  let wake: () => void = () => undefined;
  const reading = (async () => {
    const clients = [0, 1].map(() => new pg.Client({ connectionString: app.databaseUrl, application_name: 'long-reader' }));
    // Without a listener a server that ends would end this process.
    for (const client of clients) await client.on('error', () => undefined).connect();
    for (let turn = 0; !isStopped; turn = 1 - turn) {
      const client = clients[turn]!;
      await client.query('begin isolation level repeatable read read only');
      await client.query(`select ref from ${app.table} limit 1`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, HOLD_MS);
        wake = () => (clearTimeout(timer), resolve());
      });
      await client.query('commit');
    }
    for (const client of clients) await client.end();
  })();
  // What went wrong is told by `stop`, which may be asked much later.
  reading.catch(() => undefined);
  return {
    stop() {
      isStopped = true;
      wake();
      return reading;
    },
  };
}
