/** An api in a process of its own, so that a crash point can kill it. Its settings come in its environment. */
import { loadConfig } from '../../adapters/config.ts';
import { startApi } from '../../api/main.ts';

await startApi(loadConfig(process.env));
