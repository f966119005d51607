import { parseArgs } from 'node:util';
import { ConfigError } from '../../adapters/config.ts';
import type { Command } from '../command.ts';
import { readDocumentFile } from '../document-file.ts';
import { CONNECTION_HELP, CONNECTION_OPTIONS, signIn } from '../http.ts';
import { planOf } from '../publish.ts';
import { paperOf } from '../text/paper.ts';
import { planLines } from '../text/plan.ts';

const OPTIONS = { ...CONNECTION_OPTIONS, json: { type: 'boolean', default: false } } as const;

export const command: Command = {
  help: [
    'Usage: durabase plan FILE [options]',
    '',
    'Says what publishing a schema document (JSON or YAML) would do: the changes, the SQL of each step with its',
    'lock, and what the reviewer finds. Changes nothing. A "!" marks a breaking change.',
    '',
    '  --json            the plan as the api answers it',
    CONNECTION_HELP,
  ].join('\n'),

  async run(args) {
    const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
    const [file] = positionals;
    if (file === undefined) throw new ConfigError('Say which file to plan: durabase plan FILE --app NAME.');
    const document = readDocumentFile(file);
    const session = await signIn(values);
    const plan = await planOf(session, document);
    if (values.json) process.stdout.write(`${JSON.stringify(plan, null, 2)}\n`);
    else process.stdout.write(`${planLines(session.app, plan, paperOf(process.stdout)).join('\n')}\n`);
    return 0;
  },
};
