// The supervisor as a process of its own, over stand-ins for api and worker.
import path from 'node:path';
import { loadConfig } from '../../adapters/config.ts';
import { supervise } from '../../infra/local/supervisor.ts';

const stopRequested = new Promise<string>((resolve) => process.once('SIGTERM', () => resolve('SIGTERM')));
const keepAlive = setInterval(() => undefined, 60_000);
try {
  process.exitCode = await supervise(loadConfig(process.env), {
    isInProcess: process.argv.includes('--in-process'),
    env: process.env,
    print: (line) => void process.stdout.write(`${line}\n`),
    main: path.join(import.meta.dirname, 'stand-in.mjs'),
    stopRequested,
  });
} catch (error) {
  process.stdout.write(`durabase start: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
clearInterval(keepAlive);
process.exit();
