import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import type pg from 'pg';
import type { Config } from '../../adapters/config.ts';
import { ConfigError, loadConfig } from '../../adapters/config.ts';
import { createPool } from '../../adapters/postgres/pool.ts';
import { run } from '../../adapters/postgres/run.ts';
import type { Realm } from '../../adapters/tokens.ts';
import { appRealm, PLATFORM_REALM } from '../../adapters/tokens.ts';
import { sql, value } from '../../core/sql/sql.ts';
import { withDatabase } from '../../infra/local/database.ts';
import type { Actor, Services } from '../../operations/context.ts';
import { updateAccount } from '../../operations/users/accounts.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  help: [
    'Usage: durabase admin reset-password --email EMAIL [--app NAME] [--password TEXT]',
    '',
    "Sets a new password straight in the database and ends the account's sessions. Prints a generated one without --password.",
    '',
    '  --email EMAIL     whose',
    '  --app NAME        a user of this app; a platform account without it',
    '  --password TEXT   the new password',
  ].join('\n'),

  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { email: { type: 'string' }, app: { type: 'string' }, password: { type: 'string' } },
    });
    const { email, app } = values;
    if (positionals[0] !== 'reset-password' || email === undefined)
      throw new ConfigError('Usage: durabase admin reset-password --email EMAIL [--app NAME] [--password TEXT].');
    const password = values.password ?? randomBytes(15).toString('base64url');
    await resetPassword(loadConfig(process.env), { email, app, password });
    process.stdout.write(values.password === undefined ? `New password of ${email}: ${password}\n` : `The password of ${email} is set.\n`);
    return 0;
  },
};

interface Reset {
  readonly email: string;
  readonly app: string | undefined;
  readonly password: string;
}

const OPERATOR: Actor = { kind: 'system', id: 'cli', email: null, roles: [], isAdmin: true, sessionId: null };

async function resetPassword(config: Config, { email, app, password }: Reset): Promise<void> {
  await withDatabase(config, async (url) => {
    const pool = createPool({ url, max: 2, applicationName: 'durabase-cli' });
    try {
      const realm = app === undefined ? PLATFORM_REALM : await realmOf(pool, app);
      const [account] = await run<{ id: string }>(
        pool,
        sql`select id from ${realm.users} u where lower(u.email) = lower(${value(email, 'text')})`,
      );
      if (account === undefined)
        throw new ConfigError(
          `There is no account ${email} ${app === undefined ? 'on the platform (say --app NAME for a user of an app)' : `in the app ${app}`}.`,
        );
      // The accounts' operations use the pool and nothing else of a process's services.
      await updateAccount({ services: { pool } as unknown as Services, actor: OPERATOR, realm }, account.id, { password });
    } finally {
      await pool.end();
    }
  });
}

async function realmOf(pool: pg.Pool, name: string): Promise<Realm> {
  const [app] = await run<{ id: string; storage: string }>(
    pool,
    sql`
    select id, storage from durabase.apps where name = ${value(name, 'text')} and status <> 'retired'`,
  );
  if (app === undefined) throw new ConfigError(`There is no app "${name}".`);
  return appRealm(app);
}
