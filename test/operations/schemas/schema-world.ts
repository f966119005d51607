/** One app with real Postgres, Temporal and a worker of its own; publishes go the whole way. */
import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import pg from 'pg';
import { afterAll } from 'vitest';
import { loadConfig, type Config } from '../../../adapters/config.ts';
import { appId, uuidv7 } from '../../../adapters/ids.ts';
import { migrateApp, migrateControl } from '../../../adapters/postgres/migrate.ts';
import { systemActor, type AppContext, type Services } from '../../../operations/context.ts';
import { createServices, type RunningServices } from '../../../operations/services.ts';
import { NativeConnection, Worker } from '@temporalio/worker';
import { createDdlActivities } from '../../../activities/ddl.ts';
import { withFailures } from '../../../activities/failure.ts';
import { dataConverter } from '../../../adapters/temporal/data-converter.ts';
import { ensureNamespaceReady } from '../../../adapters/temporal/namespace.ts';
import { makeKeeper } from '../../../workers/keeper.ts';
import { CONTROL_QUEUE } from '../../../workflows/contracts/queues.ts';
import { freshDatabase } from '../../support/database.ts';
import { temporalAddress, workflowBundle } from '../../support/temporal.ts';

export interface SchemaWorld {
  readonly url: string;
  readonly app: string;
  readonly storage: string;
  readonly config: Config;
  readonly env: Record<string, string>;
  readonly services: RunningServices;
  context(): Promise<AppContext>;
  query<Row extends pg.QueryResultRow = pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
}

export interface SchemaWorldOptions {
  readonly worker?: boolean;
  readonly temporal?: string;
  /** An empty database of a server that the test started itself. */
  readonly url?: string;
}

export async function schemaWorld(options: SchemaWorldOptions = {}): Promise<SchemaWorld> {
  const url = options.url ?? (await freshDatabase());
  await migrateControl(url);
  const owner = new pg.Pool({ connectionString: url, max: 4 });
  owner.on('error', () => undefined);
  const app = appId();
  const storage = `app_${app}`;
  await owner.query("insert into durabase.schemas (name, owner_app) values ('desk', $1)", [app]);
  await owner.query(
    "insert into durabase.apps (id, name, display_name, storage, status, schema_name) values ($1, 'desk', 'Desk', $2, 'active', 'desk')",
    [app, storage],
  );
  await migrateApp(url, storage);
  const env = {
    DATABASE_URL: url,
    SECRET_KEY: 'a key of the tests, of thirty-two characters or more',
    LOG_LEVEL: 'silent',
    NODE_ENV: 'test',
    PORT: '0',
    TEMPORAL_ADDRESS: options.temporal ?? (await temporalAddress()),
    TEMPORAL_NAMESPACE: `schema-${randomBytes(4).toString('hex')}`,
  };
  const config = loadConfig(env);
  const log = pino({ level: process.env['TEST_LOG'] ?? 'silent' });
  const services = await createServices(config, 'api', log);
  const worker = options.worker === false ? undefined : await startMigrationWorker(config, services);
  afterAll(async () => {
    await worker?.close();
    await services.close();
    await owner.end();
  });
  return {
    url,
    app,
    storage,
    config,
    env,
    services,
    async context() {
      await services.registry.refresh();
      const runtime = await services.registry.byId(app);
      if (runtime === undefined) throw new Error('the app is gone');
      return { services, app: runtime, actor: systemActor(), now: new Date(), requestId: uuidv7(), cause: null, depth: 0 };
    },
    query: async (text, values = []) => (await owner.query(text, values)).rows as never,
  };
}

/** Only what migrations need of a worker. */
export async function startMigrationWorker(config: Config, services: Services): Promise<{ close(): Promise<void> }> {
  await ensureNamespaceReady(config);
  const connection = await NativeConnection.connect({ address: config.temporal.address ?? '' });
  const worker = await Worker.create({
    connection,
    namespace: config.temporal.namespace,
    taskQueue: CONTROL_QUEUE,
    dataConverter,
    workflowBundle: { codePath: await workflowBundle() },
    activities: withFailures(createDdlActivities(services), services.log),
  });
  const keeper = await makeKeeper(connection, config.temporal.namespace);
  const running = [worker.run(), keeper.run()];
  return {
    async close() {
      worker.shutdown();
      keeper.shutdown();
      await Promise.all(running);
      await connection.close();
    },
  };
}
