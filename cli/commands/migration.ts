import { parseArgs } from 'node:util';
import { ConfigError } from '../../adapters/config.ts';
import type { MigrationView } from '../../operations/schemas/migrations.ts';
import type { Command } from '../command.ts';
import { CONNECTION_HELP, CONNECTION_OPTIONS, signIn } from '../http.ts';

const WORDS = ['approve', 'reject', 'pause', 'resume', 'abort', 'contract'];

const OPTIONS = {
  ...CONNECTION_OPTIONS,
  'plan-hash': { type: 'string' },
  comment: { type: 'string' },
  drop: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const;

export const command: Command = {
  help: [
    `Usage: durabase migration ${WORDS.join('|')} ID [options]`,
    '',
    'Says one word to a migration, by its id or the version it leads to, and shows it as it is then.',
    '',
    '  --plan-hash HASH  with approve: the plan that was read; another is refused',
    '  --comment TEXT    kept with the decision',
    '  --drop            with contract: the retention is over as well',
    '  --json            the migration as JSON',
    CONNECTION_HELP,
  ].join('\n'),

  async run(args) {
    const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
    const [word, id, ...rest] = positionals;
    if (word === undefined || !WORDS.includes(word) || id === undefined || rest.length > 0)
      throw new ConfigError(`Say what to do with which migration: durabase migration ${WORDS.join('|')} ID --app NAME.`);
    const session = await signIn(values);
    const body = {
      ...(values['plan-hash'] === undefined ? {} : { plan_hash: values['plan-hash'] }),
      ...(values.comment === undefined ? {} : { comment: values.comment }),
      ...(values.drop ? { drop: true } : {}),
    };
    const path = `/api/${session.app}/_admin/migrations/${encodeURIComponent(id)}/${word}`;
    const answer = await session.request('POST', path, { body: JSON.stringify(body), contentType: 'application/json' });
    const { data } = JSON.parse(answer) as { data: MigrationView };
    process.stdout.write(values.json ? `${JSON.stringify(data, null, 2)}\n` : `${line(data)}\n`);
    return 0;
  },
};

function line({ id, status, phase, to_version: version, waiting_for: reason }: MigrationView): string {
  const head = `Migration ${id} to version ${version} is ${status.replaceAll('_', ' ')}, phase ${phase}`;
  return reason === null ? `${head}.` : `${head}: it waits for ${reason}.`;
}
