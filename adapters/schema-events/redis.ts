/**
 * Wake-ups through a Redis Stream, where one is configured: the same event numbers reach api processes whose LISTEN connection
 * is slow to notice a dead network. Postgres stays the source; losing Redis costs only the poll's second.
 */
import { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { WakeUps } from './postgres.ts';

const STREAM = 'durabase:schema-events';
const KEEP = 1_000;

export interface SchemaEventStream extends WakeUps {
  /** Never throws: the event is committed already. */
  announce(event: number, app: string): Promise<void>;
}

export function createSchemaEventStream(url: string, log: Logger, wake?: () => void): SchemaEventStream {
  const options = { lazyConnect: true, maxRetriesPerRequest: 1, enableOfflineQueue: false } as const;
  const writer = new Redis(url, options);
  const reader = wake === undefined ? undefined : new Redis(url, { ...options, maxRetriesPerRequest: null });
  let isClosed = false;
  for (const client of [writer, reader]) client?.on('error', (error: Error) => log.warn({ err: error.message }, 'Redis is not reachable'));
  void writer.connect().catch(() => undefined);
  const reading = reader === undefined || wake === undefined ? Promise.resolve() : read(reader, wake, () => isClosed);
  return {
    async announce(event, app) {
      try {
        await writer.xadd(STREAM, 'MAXLEN', '~', KEEP, '*', 'event', String(event), 'app', app);
      } catch (error) {
        log.warn({ err: error }, 'a schema event was not announced through Redis; listeners poll');
      }
    },
    async close() {
      isClosed = true;
      writer.disconnect();
      reader?.disconnect();
      await reading;
    },
  };
}

async function read(reader: Redis, wake: () => void, isClosed: () => boolean): Promise<void> {
  await reader.connect().catch(() => undefined);
  let last = '$';
  while (!isClosed()) {
    try {
      const answer = await reader.xread('BLOCK', 5_000, 'STREAMS', STREAM, last);
      const entries = answer?.[0]?.[1] ?? [];
      last = entries.at(-1)?.[0] ?? last;
      if (entries.length > 0) wake();
    } catch {
      if (!isClosed()) await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  }
}
