/** A process with nothing but the migration worker, so that a test can kill it. Reads its settings from the environment. */
import { pino } from 'pino';
import { armCrashPoint } from '../../adapters/crash-points.ts';
import { loadConfig } from '../../adapters/config.ts';
import { NativeConnection, Worker } from '@temporalio/worker';
import { createDdlActivities } from '../../activities/ddl.ts';
import { withFailures } from '../../activities/failure.ts';
import { dataConverter } from '../../adapters/temporal/data-converter.ts';
import { ensureNamespaceReady } from '../../adapters/temporal/namespace.ts';
import { createServices } from '../../operations/services.ts';
import { startPlannedMigrations } from '../../operations/schemas/sweep.ts';
import { makeKeeper } from '../../workers/keeper.ts';
import { CONTROL_QUEUE } from '../../workflows/contracts/queues.ts';

const config = loadConfig(process.env);
armCrashPoint(config.crashAt);
const services = await createServices(config, 'worker', pino({ level: 'silent' }));
await ensureNamespaceReady(config);
const connection = await NativeConnection.connect({ address: config.temporal.address ?? '' });
const worker = await Worker.create({
  connection,
  namespace: config.temporal.namespace,
  taskQueue: CONTROL_QUEUE,
  dataConverter,
  workflowBundle: { codePath: process.env['BUNDLE'] ?? '' },
  activities: withFailures(createDdlActivities(services), services.log),
});
setInterval(() => void startPlannedMigrations(services).catch(() => undefined), 1_000);
process.stdout.write('ready\n');
const keeper = await makeKeeper(connection, config.temporal.namespace);
await Promise.all([worker.run(), keeper.run()]);
