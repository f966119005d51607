import { parseArgs } from 'node:util';
import { ConfigError } from '../../adapters/config.ts';
import type { Command } from '../command.ts';
import { CONNECTION_HELP, signIn } from '../http.ts';
import { EXIT_HELP, planOf, publish, PUBLISH_HELP, PUBLISH_OPTIONS } from '../publish.ts';

export const command: Command = {
  help: [
    'Usage: durabase rollback N [options]',
    '',
    'Publishes a new version equal to version N: shows the plan, and the steps of its migration as they finish.',
    '',
    PUBLISH_HELP,
    CONNECTION_HELP,
    '',
    EXIT_HELP,
  ].join('\n'),

  async run(args) {
    const { values, positionals } = parseArgs({ args: [...args], options: PUBLISH_OPTIONS, allowPositionals: true });
    const [version] = positionals;
    if (version === undefined || !/^[1-9]\d{0,8}$/.test(version))
      throw new ConfigError('Say the number of the version to go back to: durabase rollback N --app NAME.');
    const session = await signIn(values);
    const plan = await planOf(session, {}, `/${version}/rollback`);
    return publish(session, { plan, path: `/api/${session.app}/_admin/versions/${version}/rollback`, request: {} }, values);
  },
};
