import { parseArgs } from 'node:util';
import { ConfigError, loadConfig } from '../../adapters/config.ts';
import { createPool } from '../../adapters/postgres/pool.ts';
import { withDatabase } from '../../infra/local/database.ts';
import { verifyRegistry, type RegistryDifference, type RegistryReport } from '../../operations/schemas/verify-registry.ts';
import type { Command } from '../command.ts';
import { indented, paperOf, wrap, type Paper } from '../text/paper.ts';

export const command: Command = {
  help: [
    'Usage: durabase registry verify [--json]',
    '',
    'Makes the registry again from its events alone and compares it with what is stored, straight in the database:',
    'apps and the versions they serve, schemas, versions, migrations. Changes nothing; publishes may go on.',
    'Ends with 1 when something differs.',
    '',
    '  --json            the report as JSON',
  ].join('\n'),

  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { json: { type: 'boolean', default: false } },
    });
    if (positionals.length !== 1 || positionals[0] !== 'verify') throw new ConfigError('Usage: durabase registry verify [--json].');
    const report = await withDatabase(loadConfig(process.env), async (url) => {
      const pool = createPool({ url, max: 1, applicationName: 'durabase-cli' });
      try {
        return await verifyRegistry(pool);
      } finally {
        await pool.end();
      }
    });
    const lines = values.json ? [JSON.stringify(report, null, 2)] : reportLines(report, paperOf(process.stdout));
    process.stdout.write(`${lines.join('\n')}\n`);
    return report.isEqual ? 0 : 1;
  },
};

function reportLines({ isEqual, events, rows, differences }: RegistryReport, paper: Paper): string[] {
  const counts = `${rows.apps} apps, ${rows.schemas} schemas, ${rows.schema_versions} versions and ${rows.migrations} migrations`;
  if (isEqual) return [paper.paint('green', `The registry equals its ${events} events:`), `${counts}.`];
  const count = differences.length === 1 ? '1 row differs' : `${differences.length} rows differ`;
  return [
    paper.paint('red', `${count} between the registry and its ${events} events:`),
    ...differences.flatMap((one) => lineOf(one, paper)),
  ];
}

function lineOf({ table, key, kind, members }: RegistryDifference, paper: Paper): string[] {
  const head = `  ${paper.paint('bold', `${table} ${key}`)}`;
  if (kind === 'missing') return [`${head}  is not stored, and the events tell of it`];
  if (kind === 'unknown') return [`${head}  is stored, and no event tells of it`];
  return [
    head,
    ...members.flatMap(({ path, expected, actual }) =>
      indented(wrap(`${path}: the events say ${short(expected)}, stored is ${short(actual)}`, paper.width - 4), 4),
    ),
  ];
}

const LONGEST_VALUE = 120;

function short(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length <= LONGEST_VALUE ? text : `${text.slice(0, LONGEST_VALUE - 3)}...`;
}
