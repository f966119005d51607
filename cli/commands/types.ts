import { parseArgs } from 'node:util';
import { typesOf } from '../../core/openapi/types.ts';
import { CONNECTION_HELP, CONNECTION_OPTIONS, signIn } from '../http.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  help: `Usage: durabase types [options] > types.ts\n\nWrites TypeScript types of an app's entities for the client: createClient<Schema>(url, {app}).\n\n${CONNECTION_HELP}`,

  async run(args) {
    const { values } = parseArgs({ args: [...args], options: CONNECTION_OPTIONS });
    const session = await signIn(values);
    const description = JSON.parse(await session.request('GET', `/api/${session.app}/_openapi.json`)) as Record<string, unknown>;
    process.stdout.write(typesOf(description));
    return 0;
  },
};
