import fs from 'node:fs';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import { CONNECTION_HELP, CONNECTION_OPTIONS, signIn } from '../http.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  help: `Usage: durabase export [FILE] [options]\n\nWrites an app's schema document: YAML for a FILE ending in .yaml or .yml, else JSON; to the console without a FILE.\n\n${CONNECTION_HELP}`,

  async run(args) {
    const { values, positionals } = parseArgs({ args: [...args], options: CONNECTION_OPTIONS, allowPositionals: true });
    const [file] = positionals;
    const session = await signIn(values);
    const answer = JSON.parse(await session.request('GET', `/api/${session.app}/_admin/export`)) as Record<string, unknown>;
    // The document itself, whether or not it came in an envelope.
    const document = 'data' in answer && !('entities' in answer) ? answer['data'] : answer;
    const text = file !== undefined && /\.ya?ml$/.test(file) ? stringify(document) : `${JSON.stringify(document, null, 2)}\n`;
    if (file === undefined) process.stdout.write(text);
    else {
      fs.writeFileSync(file, text);
      process.stdout.write(`Wrote ${file}\n`);
    }
    return 0;
  },
};
