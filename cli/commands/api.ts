import { parseArgs } from 'node:util';
import { loadConfig } from '../../adapters/config.ts';
import { createLogger } from '../../adapters/log.ts';
import { startApi } from '../../api/main.ts';
import { serve } from '../serve.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  help: 'Usage: durabase api [--with-worker]\n\nThe HTTP process. Needs DATABASE_URL and SECRET_KEY; TEMPORAL_ADDRESS for what is durable. --with-worker hosts the worker too.',

  async run(args) {
    const { values } = parseArgs({ args: [...args], options: { 'with-worker': { type: 'boolean', default: false } } });
    return serve(async (config) => {
      if (!values['with-worker']) return [await startApi(config, createLogger(config, 'api'))];
      const { startWorker } = await import('../../workers/main.ts');
      const worker = await startWorker(config, { log: createLogger(config, 'worker') });
      return [worker, await startApi(config, createLogger(config, 'api'))];
    }, loadConfig(process.env));
  },
};
