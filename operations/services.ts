import type { Logger } from 'pino';
import { type Config, ConfigError, requireSecretKey } from '../adapters/config.ts';
import { createKeyring } from '../adapters/keys.ts';
import { createOutbound } from '../adapters/outbound.ts';
import { createPool } from '../adapters/postgres/pool.ts';
import { createRateLimiter } from '../adapters/rate-limit/rate-limit.ts';
import { Tally } from '../adapters/tally.ts';
import { createTemporalGateway } from '../adapters/temporal/client.ts';
import type { Services } from './context.ts';
import { createRegistry } from './registry-follow.ts';

export type RunningServices = Services & { close(): Promise<void> };

/** What a process works with, made once. Needs Postgres with our control schema; everything else may be away. */
export async function createServices(config: Config, role: 'api' | 'worker', log: Logger): Promise<RunningServices> {
  const { databaseUrl } = config;
  if (databaseUrl === undefined)
    throw new ConfigError('DATABASE_URL is not set. Set it, or use `npm start`, which brings an embedded Postgres.');
  const keyring = createKeyring(requireSecretKey(config));
  const pool = createPool({
    url: databaseUrl,
    max: config.databasePoolMax,
    applicationName: `durabase-${role}`,
    onError: (error) => log.warn({ error: error.message }, 'a database connection was lost'),
  });
  try {
    const registry = await createRegistry({
      pool,
      listenUrl: config.databaseDirectUrl ?? databaseUrl,
      log,
      redisUrl: config.redisUrl,
      role,
      address: `${config.host}:${config.port}`,
    });
    const temporal = createTemporalGateway(config, log);
    const outbound = createOutbound(config.webhookAllowCidrs, config.webhookPorts);
    const limiter = await createRateLimiter(pool, config.redisUrl, (message) =>
      log.warn({ err: message }, 'Redis is not reachable; rate limits count in Postgres'),
    );
    return {
      config,
      log,
      pool,
      registry,
      temporal,
      keyring,
      outbound,
      limiter,
      tallies: { attempts: new Tally(), starts: new Tally() },
      clock: () => new Date(),
      async close() {
        await registry.close();
        await temporal.close();
        outbound.close();
        limiter.close();
        await pool.end();
      },
    };
  } catch (error) {
    await pool.end();
    throw error;
  }
}
