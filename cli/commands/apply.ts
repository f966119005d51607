import { parseArgs } from 'node:util';
import { ConfigError } from '../../adapters/config.ts';
import type { Command } from '../command.ts';
import { readDocumentFile } from '../document-file.ts';
import { CONNECTION_HELP, signIn } from '../http.ts';
import { EXIT_HELP, planOf, publish, PUBLISH_HELP, PUBLISH_OPTIONS } from '../publish.ts';

export const command: Command = {
  help: [
    'Usage: durabase apply FILE [options]',
    '',
    "Makes a schema document (JSON or YAML) the app's next version: shows the plan, publishes it, and shows the",
    'steps of its migration as they finish.',
    '',
    PUBLISH_HELP,
    CONNECTION_HELP,
    '',
    EXIT_HELP,
  ].join('\n'),

  async run(args) {
    const { values, positionals } = parseArgs({ args: [...args], options: PUBLISH_OPTIONS, allowPositionals: true });
    const [file] = positionals;
    if (file === undefined) throw new ConfigError('Say which file to apply: durabase apply FILE --app NAME.');
    const document = readDocumentFile(file);
    const session = await signIn(values);
    const plan = await planOf(session, document);
    return publish(session, { plan, path: `/api/${session.app}/_admin/versions`, request: document }, values);
  },
};
