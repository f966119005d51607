/** Whether this process lives, and whether it should get requests. Only Postgres and the registry's lease decide the latter. */
import type { Redis } from 'ioredis';
import { raw } from '../core/sql/sql.ts';
import { run } from '../adapters/postgres/run.ts';
import type { Services } from '../operations/context.ts';
import { bodyAnswer, NO_STORE, type Answer } from './http/answer.ts';

type State = 'ok' | 'degraded' | 'down';

const CHECK_MS = 2_000;
/** Being ready does not depend on Temporal, so its silence must not make the answer late. */
const TEMPORAL_MS = 300;
const LATER_MS = 20;

export interface Health {
  live(): Answer;
  ready(isClosing: boolean): Promise<Answer>;
  close(): void;
}

export function createHealth(services: Services): Health {
  const redis = services.config.redisUrl === undefined ? undefined : openRedis(services.config.redisUrl);
  let isAsked = false;
  /** The first question loads the client, which takes longer than a start: it is asked when this answer is on its way. */
  const isTemporalReachable = async (): Promise<boolean | undefined> => {
    if (isAsked) return within(services.temporal.isReachable(), TEMPORAL_MS);
    isAsked = true;
    setTimeout(() => void services.temporal.isReachable(), LATER_MS).unref();
    return undefined;
  };
  return {
    live: () => bodyAnswer({ status: 'ok' }),
    async ready(isClosing) {
      const [postgres, temporal, cache] = await Promise.all([
        within(run(services.pool, raw('select 1'))),
        isTemporalReachable(),
        redis === undefined ? undefined : within(redis.then((client) => client.ping())),
      ]);
      const dependencies: Record<string, State> = {
        postgres: postgres === undefined ? 'down' : 'ok',
        registry: services.registry.isHealthy ? 'ok' : 'down',
        temporal: temporal === true ? 'ok' : 'degraded',
        ...(redis === undefined ? {} : { redis: cache === undefined ? ('degraded' as const) : ('ok' as const) }),
      };
      const status = isClosing ? 'down' : worst(Object.values(dependencies));
      return bodyAnswer({ status, dependencies }, status === 'down' ? 503 : 200, NO_STORE);
    },
    close: () => void redis?.then((client) => client.disconnect()).catch(() => undefined),
  };
}

const worst = (states: readonly State[]): State => (states.includes('down') ? 'down' : states.includes('degraded') ? 'degraded' : 'ok');

/** The result, or undefined when it failed or took too long. */
async function within<T>(work: Promise<T>, ms = CHECK_MS): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([work.catch(() => undefined), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function openRedis(url: string): Promise<Redis> {
  const { Redis } = await import('ioredis');
  const redis = new Redis(url, { lazyConnect: true, enableOfflineQueue: false, maxRetriesPerRequest: 0 });
  redis.on('error', () => undefined);
  void redis.connect().catch(() => undefined);
  return redis;
}
