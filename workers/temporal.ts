/** The Temporal half of a worker process: one worker per queue, made again whenever the server comes back. */
import type { LogLevel, LogMetadata } from '@temporalio/common';
import { NativeConnection, Runtime, Worker, type WorkflowBundleOption } from '@temporalio/worker';
import type { Logger } from 'pino';
import { dataConverter } from '../adapters/temporal/data-converter.ts';
import { serverOptions } from '../adapters/temporal/connection-options.ts';
import { ensureNamespaceReady } from '../adapters/temporal/namespace.ts';
import { createActivities } from '../activities/index.ts';
import type { Services } from '../operations/context.ts';
import type { HealthRecord } from './health.ts';
import { loop, type Loop, pause } from './loop.ts';
import { QUEUES } from './queues.ts';

const RETRY_MS = 1_000;

/** Serves both queues for as long as the process lives. `Worker.create` fails while Temporal is down, hence the loop. */
export function startTemporalWorkers(services: Services, bundle: () => Promise<WorkflowBundleOption>, health: HealthRecord): Loop {
  installRuntime(services.log);
  const activities = createActivities(services);
  let loaded: WorkflowBundleOption | undefined;
  return loop('temporal', services.log, async (signal, waker) => {
    try {
      loaded ??= await bundle();
      if (!signal.aborted) await serve(services, loaded, activities, signal, health);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (health.current.reason === null) services.log.warn({ reason }, 'Temporal cannot be served now; trying again every second');
      health.set('waiting', reason);
      await pause(RETRY_MS, signal, waker);
    }
  });
}

async function serve(
  services: Services,
  workflowBundle: WorkflowBundleOption,
  activities: object,
  signal: AbortSignal,
  health: HealthRecord,
): Promise<void> {
  const { config, log } = services;
  await ensureNamespaceReady(config);
  const connection = await NativeConnection.connect(serverOptions(config));
  const workers: Worker[] = [];
  const stop = (): void => workers.forEach((worker) => worker.getState() === 'RUNNING' && worker.shutdown());
  try {
    for (const queue of QUEUES) {
      workers.push(
        await Worker.create({
          ...queue,
          connection,
          namespace: config.temporal.namespace,
          workflowBundle,
          activities,
          dataConverter,
          shutdownGraceTime: '4s',
          shutdownForceTime: '8s',
          // After a kill, work bound to the dead worker's cache comes back to the others this soon.
          stickyQueueScheduleToStartTimeout: '3s',
        }),
      );
    }
    if (signal.aborted) return;
    signal.addEventListener('abort', stop, { once: true });
    health.set('running');
    log.info('serving durable work');
    // One worker that ends takes the other with it: the loop makes both anew.
    await Promise.all(workers.map((worker) => worker.run().finally(stop)));
  } finally {
    signal.removeEventListener('abort', stop);
    if (signal.aborted) health.set('stopped');
    await connection.close();
  }
}

let isInstalled = false;

/** Once per process, before anything native: signals stay ours, and the SDK's words go to our log. */
function installRuntime(log: Logger): void {
  if (isInstalled) return;
  isInstalled = true;
  const sdk = log.child({ part: 'temporal' });
  Runtime.install({
    shutdownSignals: [],
    telemetryOptions: { logging: { forward: {}, filter: 'WARN' } },
    logger: {
      log: (level, message, meta) => sdk[levelOf(level, meta)](meta ?? {}, message),
      trace: (message, meta) => sdk.trace(meta ?? {}, message),
      debug: (message, meta) => sdk.debug(meta ?? {}, message),
      info: (message, meta) => sdk[levelOf('INFO', meta)](meta ?? {}, message),
      warn: (message, meta) => sdk[levelOf('WARN', meta)](meta ?? {}, message),
      error: (message, meta) => sdk.error(meta ?? {}, message),
    },
  });
}

/**
 * Below a warning: starts and stops of pollers, and refusals of activities and workflows. Those are results, shown where the
 * run or delivery is shown; what is unexpected about one is logged by our own wrapping, once and with its error.
 */
function levelOf(level: LogLevel, meta: LogMetadata | undefined): 'trace' | 'debug' | 'warn' | 'error' {
  switch (level) {
    case 'TRACE':
      return 'trace';
    case 'DEBUG':
    case 'INFO':
      return 'debug';
    case 'WARN':
      return meta?.['sdkComponent'] === 'worker' ? 'debug' : 'warn';
    case 'ERROR':
      return 'error';
  }
}
