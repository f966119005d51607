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
import { makeKeeper } from './keeper.ts';
import { loop, type Loop, pause } from './loop.ts';
import { QUEUES } from './queues.ts';
import { untilAway } from './temporal-away.ts';

const RETRY_MS = 250;
/** What is still under way then is left to other workers: whoever stops a process does not wait for ever. */
const CLOSE_MS = 8_000;

/**
 * Serves all queues for as long as the process lives. Workers that lived through an absence of Temporal ask it again only after
 * pauses of up to ten seconds: they end what they have begun, however long that is, and others serve it as soon as it is back.
 */
export function startTemporalWorkers(services: Services, bundle: () => Promise<WorkflowBundleOption>, health: HealthRecord): Loop {
  installRuntime(services.log);
  const activities = createActivities(services);
  const relieved = new Set<Promise<void>>();
  let loaded: WorkflowBundleOption | undefined;
  const serving = loop('temporal', services.log, async (signal, waker) => {
    try {
      loaded ??= await bundle();
      if (signal.aborted) return;
      const crew = await muster(services, loaded, activities);
      await serve(services, crew, signal, health, (drained) => {
        relieved.add(drained);
        void drained.finally(() => relieved.delete(drained));
      });
    } catch (error) {
      const reason = reasonOf(error);
      if (health.current.reason === null) services.log.warn({ reason }, 'Temporal cannot be served now; trying again');
      health.set('waiting', reason);
      await pause(RETRY_MS, signal, waker);
    }
  });
  return {
    wake: () => serving.wake(),
    async close() {
      const closed = serving.close().then(() => Promise.all(relieved));
      await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, CLOSE_MS).unref())]);
      health.set('stopped');
    },
  };
}

/** A worker per queue, on a connection of their own. */
interface Crew {
  readonly connection: NativeConnection;
  readonly workers: readonly Worker[];
}

async function muster({ config }: Services, workflowBundle: WorkflowBundleOption, activities: object): Promise<Crew> {
  await ensureNamespaceReady(config);
  const connection = await NativeConnection.connect(serverOptions(config));
  const { namespace } = config.temporal;
  const make = (queue: (typeof QUEUES)[number]): Promise<Worker> =>
    Worker.create({
      ...queue,
      connection,
      namespace,
      workflowBundle,
      activities,
      dataConverter,
      shutdownGraceTime: '4s',
      nonStickyToStickyPollRatio: 0.5,
      // After a kill, work bound to the dead worker's cache comes back to the others this soon.
      stickyQueueScheduleToStartTimeout: '3s',
    });
  return { connection, workers: await Promise.all([makeKeeper(connection, namespace), ...QUEUES.map(make)]) };
}

const dismiss = ({ workers }: Crew): void => workers.forEach((worker) => worker.getState() === 'RUNNING' && worker.shutdown());

/** Resolves when the crew has ended, or is to be relieved: `onRelief` is then given its end, which does not fail. */
async function serve(
  { config, log }: Services,
  crew: Crew,
  signal: AbortSignal,
  health: HealthRecord,
  onRelief: (drained: Promise<void>) => void,
): Promise<void> {
  const over = new AbortController();
  const stop = (): void => dismiss(crew);
  const end = async (): Promise<void> => {
    signal.removeEventListener('abort', stop);
    over.abort();
    await crew.connection.close();
  };
  signal.addEventListener('abort', stop, { once: true });
  // One worker that ends takes the others with it: the loop makes all anew.
  const ended = Promise.all(crew.workers.map((worker) => worker.run().finally(stop))).then(end, async (error: unknown) => {
    await end();
    throw error;
  });
  if (signal.aborted) stop();
  health.set('running');
  log.info('serving durable work');
  await Promise.race([ended, untilAway(config, over.signal)]);
  if (over.signal.aborted) return ended;
  log.info('Temporal is away: other workers will serve it when it is back');
  stop();
  onRelief(ended.catch((error: unknown) => log.warn({ error: reasonOf(error) }, 'a worker that was relieved did not end well')));
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

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
