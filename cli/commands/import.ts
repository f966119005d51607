import { parseArgs } from 'node:util';
import { ConfigError } from '../../adapters/config.ts';
import { readDocumentFile } from '../document-file.ts';
import { CONNECTION_HELP, CONNECTION_OPTIONS, signIn } from '../http.ts';
import type { Command } from '../command.ts';

const OPTIONS = { ...CONNECTION_OPTIONS, mode: { type: 'string', default: 'skip' }, create: { type: 'boolean', default: false } } as const;

interface ImportAnswer {
  readonly message: string;
  readonly items: readonly { readonly section: string; readonly name: string; readonly outcome: string }[];
  readonly findings: readonly { readonly level: string; readonly path: string; readonly message: string }[];
  readonly schema_version: number;
}

export const command: Command = {
  help: [
    'Usage: durabase import FILE [options]',
    '',
    'Imports a schema document (JSON or YAML) into an app. Idempotent: what exists already is skipped.',
    '',
    '  --mode skip|merge|replace   what happens to items that exist [skip]',
    '  --create          make the app first when there is none',
    CONNECTION_HELP,
  ].join('\n'),

  async run(args) {
    const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
    const [file] = positionals;
    if (file === undefined) throw new ConfigError('Say which file to import: durabase import FILE --app NAME.');
    if (!['skip', 'merge', 'replace'].includes(values.mode))
      throw new ConfigError(`--mode ${values.mode} is not one of skip, merge, replace.`);
    const document = readDocumentFile(file);
    const session = await signIn(values);
    if (values.create) await createApp(session);
    const answer = await session.request('POST', `/api/${session.app}/_admin/import?mode=${values.mode}`, document);
    process.stdout.write(report(answer));
    return 0;
  },
};

async function createApp(session: Awaited<ReturnType<typeof signIn>>): Promise<void> {
  const { data } = JSON.parse(await session.request('GET', '/api/_platform/apps?per_page=100')) as { data: { name: string }[] };
  if (data.some((app) => app.name === session.app)) return;
  await session.request('POST', '/api/_platform/apps', { body: JSON.stringify({ name: session.app }) });
  process.stdout.write(`Created the app ${session.app}\n`);
}

function report(answer: string): string {
  const { data } = JSON.parse(answer) as { data: ImportAnswer };
  const items = data.items.map(({ section, name, outcome }) => `  ${outcome.padEnd(8)} ${section} ${name}`);
  const findings = data.findings.map(({ level, path, message }) => `  ${level.padEnd(8)} ${path}: ${message}`);
  return `${[...items, ...findings, `${data.message} Schema version ${data.schema_version}.`].join('\n')}\n`;
}
