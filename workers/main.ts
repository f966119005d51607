/** A worker process: migrates our own tables, reads the event log, makes first deliveries, and serves durable work. */
import type { WorkflowBundleOption } from '@temporalio/worker';
import { pino, type Logger } from 'pino';
import { armCrashPoint } from '../adapters/crash-points.ts';
import { type Config, ConfigError } from '../adapters/config.ts';
import { migrateApps, migrateControl } from '../adapters/postgres/migrate.ts';
import { waitForServer } from '../adapters/postgres/wait.ts';
import { createServices } from '../operations/services.ts';
import { loadWorkflowBundle } from './bundle.ts';
import { startClockKeeper } from './clock-keeper.ts';
import { startDispatcher } from './dispatcher.ts';
import { startFunctionRunner } from './functions.ts';
import { HealthRecord, type WorkerHealth } from './health.ts';
import { startMailer } from './mailer.ts';
import { serveMetrics } from './metrics.ts';
import { startRelay } from './relay.ts';
import { startOperator } from './operator.ts';
import { startReplayer } from './replayer.ts';
import { startScheduler } from './scheduler.ts';
import { startStarter } from './starter.ts';
import { startSweep } from './sweep.ts';
import { startTemporalWorkers } from './temporal.ts';

export interface RunningWorker {
  health(): WorkerHealth;
  close(): Promise<void>;
}

export interface WorkerStart {
  readonly log?: Logger;
  /** A workflow bundle built ahead; without one it is the built tree's, or made from the sources once per content. */
  readonly bundlePath?: string;
}

/** Starts everything. Resolves when the event log is followed; Temporal may come later, and go and come again. */
export async function startWorker(config: Config, options: WorkerStart = {}): Promise<RunningWorker> {
  const log = options.log ?? pino({ level: config.logLevel, name: 'worker' });
  armCrashPoint(config.crashAt);
  const ownerUrl = config.databaseOwnerUrl ?? config.databaseUrl;
  if (ownerUrl === undefined)
    throw new ConfigError('DATABASE_URL is not set. Set it, or use `npm start`, which brings an embedded Postgres.');
  await waitForServer(ownerUrl, log);
  await migrateControl(ownerUrl, log);
  await migrateApps(ownerUrl, log);
  const services = await createServices(config, 'worker', log);
  const metrics = await serveMetrics(services);
  const health = new HealthRecord();
  const starter = startStarter(services);
  const dispatcher = startDispatcher(services);
  const replayer = startReplayer(services, () => dispatcher.wake());
  const operator = startOperator(services);
  const sweep = startSweep(services);
  const mailer = startMailer(services);
  const clockKeeper = startClockKeeper(services, () => starter.wake());
  const functions = startFunctionRunner(services);
  const scheduler = startScheduler(services);
  const relay = startRelay(services, (decided) => {
    if (decided.starts > 0) starter.wake();
    if (decided.deliveries > 0) dispatcher.wake();
    if (decided.functionRuns > 0) functions.wake();
  });
  const { bundlePath } = options;
  const bundle = async (): Promise<WorkflowBundleOption> =>
    bundlePath === undefined ? loadWorkflowBundle(`${config.dataDir}/cache`) : { codePath: bundlePath };
  const temporal = startTemporalWorkers(services, bundle, health);
  return {
    health: () => health.current,
    async close() {
      // First what brings work in, then what does it, then what both stand on.
      await relay.close();
      await Promise.all([
        starter.close(),
        dispatcher.close(),
        replayer.close(),
        operator.close(),
        functions.close(),
        sweep.close(),
        mailer.close(),
        scheduler.close(),
        clockKeeper.close(),
        temporal.close(),
        metrics?.close(),
      ]);
      await services.close();
    },
  };
}
