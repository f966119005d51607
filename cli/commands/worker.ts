import { loadConfig } from '../../adapters/config.ts';
import { createLogger } from '../../adapters/log.ts';
import { startWorker } from '../../workers/main.ts';
import { serve } from '../serve.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  help: "Usage: durabase worker\n\nThe worker process: brings our own tables up to date, follows the event log, runs workflows and activities.\nNeeds DATABASE_URL, TEMPORAL_ADDRESS and SECRET_KEY; DATABASE_OWNER_URL when its role is another one than the api's.",

  run: async () => serve(async (config) => [await startWorker(config, { log: createLogger(config, 'worker') })], loadConfig(process.env)),
};
