import { parseArgs } from 'node:util';
import { ConfigError, loadConfig, type Config } from '../../adapters/config.ts';
import { createPool } from '../../adapters/postgres/pool.ts';
import { run } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { sql, value } from '../../core/sql/sql.ts';
import { withDatabase } from '../../infra/local/database.ts';
import type { Actor } from '../../operations/context.ts';
import { audit } from '../../operations/platform/audit.ts';
import type { RestoredApp } from '../../operations/processes/lost-runs.ts';
import { restoreApp, type Restored } from '../../operations/processes/restore.ts';
import type { Command } from '../command.ts';

const USAGE = 'Usage: durabase temporal restore [--app NAME] [--dry-run] [--json]';

export const command: Command = {
  help: [
    USAGE,
    '',
    "After Temporal's database was lost: queues what is open in Postgres to be started again, under the ids it had. Workers do the rest.",
    'What Temporal still knows stays as it is.',
    '',
    '  --app NAME   this app only',
    '  --dry-run    says what there is, and changes nothing',
    '  --json       for programs',
  ].join('\n'),

  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { app: { type: 'string' }, 'dry-run': { type: 'boolean', default: false }, json: { type: 'boolean', default: false } },
    });
    if (positionals.length !== 1 || positionals[0] !== 'restore') throw new ConfigError(`${USAGE}.`);
    const restored = await restore(loadConfig(process.env), values.app, values['dry-run']);
    process.stdout.write(values.json ? `${JSON.stringify(restored)}\n` : restored.map(lineOf).join(''));
    return restored.some(({ refused }) => refused.length > 0) ? 1 : 0;
  },
};

type Line = Restored & { readonly app: string };

const OPERATOR: Actor = { kind: 'system', id: 'cli', email: null, roles: [], isAdmin: true, sessionId: null };

class DryRun extends Error {}

async function restore(config: Config, name: string | undefined, isDry: boolean): Promise<Line[]> {
  const lines: Line[] = [];
  await withDatabase(config, async (url) => {
    const pool = createPool({ url, max: 2, applicationName: 'durabase-cli' });
    try {
      const apps = await run<RestoredApp & { name: string }>(
        pool,
        sql`select id, name, storage, schema_name from durabase.apps
            where status in ('active', 'suspended') and (${value(name ?? null, 'text')} is null or name = ${value(name ?? null, 'text')}) order by name`,
      );
      if (name !== undefined && apps.length === 0) throw new ConfigError(`There is no app "${name}".`);
      for (const app of apps) {
        await transaction(pool, async (client) => {
          const restored = await restoreApp(client, app);
          lines.push({ app: app.name, ...restored });
          if (isDry) throw new DryRun();
          const { refused, ...counts } = restored;
          await audit(client, OPERATOR, {
            app: app.id,
            action: 'temporal.restore',
            target: null,
            detail: { ...counts, refused: refused.length },
          });
        }).catch((error: unknown) => {
          if (!(error instanceof DryRun)) throw error;
        });
      }
    } finally {
      await pool.end();
    }
  });
  return lines;
}

const lineOf = ({ app, runs, stuck, clocks, deliveries, starts, signals, refused }: Line): string =>
  [
    `${app}: ${runs} runs, ${stuck} runs that will be stuck, ${clocks} clocks, ${deliveries} deliveries, ${starts} starts, ${signals} signals`,
    ...refused.map(({ run: id, reason }) => `  run ${id} cannot go on: ${reason}`),
  ]
    .map((line) => `${line}\n`)
    .join('');
