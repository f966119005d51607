/** The life of a serving process: start, say so to the supervisor, stop gracefully when told or when the supervisor is gone. */
import type { Config } from '../adapters/config.ts';

export interface Served {
  close(): Promise<void>;
}

/** Longer than any request may take (30 s) would be rude to whoever stops us; unfinished ones are cut. */
const GRACE_MS = 10_000;

/** Serves until a stop is asked for; answers the exit code. */
export async function serve(start: (config: Config) => Promise<readonly Served[]>, config: Config): Promise<number> {
  const stop = stopAsked();
  const starting = start(config);
  const first = await Promise.race([starting, stop]);
  if (first === 'stop') return 0;
  const served = await starting;
  process.send?.({ type: 'ready' });
  await stop;
  const deadline = new Promise<void>(
    (resolve) => void setTimeout(resolve, process.connected || process.channel === undefined ? GRACE_MS : 2000),
  );
  // What was started last is closed first.
  const closing = [...served].reverse().reduce<Promise<void>>((before, one) => before.then(() => one.close()), Promise.resolve());
  await Promise.race([closing, deadline]);
  return 0;
}

function stopAsked(): Promise<'stop'> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve('stop'));
    // The supervisor was killed: its pipes are gone too, and writing to them must not be what ends us.
    process.on('disconnect', () => resolve('stop'));
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  });
}
