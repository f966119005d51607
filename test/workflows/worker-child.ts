/** A worker in a process of its own, so that a crash point can kill it. Its settings come in its environment. */
import { loadConfig } from '../../adapters/config.ts';
import { startWorker } from '../../workers/main.ts';

await startWorker(loadConfig(process.env), { bundlePath: process.env['TEST_BUNDLE'] ?? '' });
