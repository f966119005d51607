/**
 * Wake-ups through a Redis Stream, where one is configured: the same event numbers reach api processes whose LISTEN connection
 * is slow to notice a dead network. Postgres stays the source; losing Redis costs only the poll's second.
 */
import { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { WakeUps } from './postgres.ts';

const STREAM = 'durabase:schema-events';
const KEEP = 1_000;
const RETRY_MS = 500;

export interface SchemaEventStream extends WakeUps {
  /** Never throws: the event is committed already. */
  announce(event: number, app: string): Promise<void>;
}

/** A server that hangs must not hold up a publish. */
const ANNOUNCE_MS = 500;
const BLOCK_MS = 5_000;
/** A read is answered every BLOCK_MS; a connection silent for longer is half-open. */
const SILENCE_MS = 15_000;

export function createSchemaEventStream(url: string, log: Logger, wake?: () => void): SchemaEventStream {
  // Without retries a lost connection fails the read at once, and the place in the stream is looked up anew.
  const options = { lazyConnect: true, enableOfflineQueue: false, maxRetriesPerRequest: 0 } as const;
  const writer = new Redis(url, { ...options, commandTimeout: ANNOUNCE_MS });
  const reader = wake === undefined ? undefined : new Redis(url, { ...options, socketTimeout: SILENCE_MS });
  const state = { isClosed: false, isAway: false };
  for (const client of [writer, reader]) {
    client?.on('error', (error: Error) => {
      if (!state.isAway) log.warn({ err: error.message }, 'Redis is not reachable; schema events are polled');
      state.isAway = true;
    });
    client?.on('ready', () => {
      if (state.isAway) log.info('Redis is back');
      state.isAway = false;
    });
  }
  void writer.connect().catch(() => undefined);
  const reading = reader === undefined || wake === undefined ? Promise.resolve() : read(reader, wake, () => state.isClosed);
  return {
    async announce(event, app) {
      try {
        await writer.xadd(STREAM, 'MAXLEN', '~', KEEP, '*', 'event', String(event), 'app', app);
      } catch (error) {
        log.debug({ err: error }, 'a schema event was not announced through Redis; listeners poll');
      }
    },
    async close() {
      state.isClosed = true;
      writer.disconnect();
      reader?.disconnect();
      await reading;
    },
  };
}

/** Wakes on every new entry. An entry says only that there is something to read: what is trimmed or lost costs nothing. */
async function read(reader: Redis, wake: () => void, isClosed: () => boolean): Promise<void> {
  await reader.connect().catch(() => undefined);
  let last: string | undefined;
  while (!isClosed()) {
    try {
      // A place, not `$`: what is added between two reads would be passed over.
      if (last === undefined) {
        last = (await reader.xrevrange(STREAM, '+', '-', 'COUNT', 1))[0]?.[0] ?? '0-0';
        wake();
      }
      const answer = await reader.xread('BLOCK', BLOCK_MS, 'STREAMS', STREAM, last);
      const entries = answer?.[0]?.[1] ?? [];
      last = entries.at(-1)?.[0] ?? last;
      if (entries.length > 0) wake();
    } catch {
      // The server may come back without its data, and with a clock of its own.
      last = undefined;
      if (!isClosed()) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}
