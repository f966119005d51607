#!/usr/bin/env node
/** The command line: `durabase <verb>`. Each verb is a file of commands/, loaded when it is asked for. */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigError } from '../adapters/config.ts';
import { isAppError } from '../core/errors.ts';
import type { Command } from './command.ts';

interface Verb {
  readonly summary: string;
  load(): Promise<{ readonly command: Command }>;
}

const VERBS: Readonly<Record<string, Verb>> = {
  start: { summary: 'everything on this machine: Postgres, Temporal, api, worker, admin', load: () => import('./commands/start.ts') },
  api: { summary: 'the HTTP process alone (DATABASE_URL, SECRET_KEY)', load: () => import('./commands/api.ts') },
  worker: { summary: 'the worker process alone (DATABASE_URL, TEMPORAL_ADDRESS, SECRET_KEY)', load: () => import('./commands/worker.ts') },
  export: { summary: "an app's schema document to a file or the console", load: () => import('./commands/export.ts') },
  import: { summary: 'a schema document into an app', load: () => import('./commands/import.ts') },
  plan: { summary: 'what publishing a schema document would do: changes, SQL, locks, findings', load: () => import('./commands/plan.ts') },
  apply: { summary: 'publishes a schema document and shows its migration', load: () => import('./commands/apply.ts') },
  diff: { summary: 'what changes between two documents or versions', load: () => import('./commands/diff.ts') },
  rollback: { summary: 'publishes a version equal to an older one', load: () => import('./commands/rollback.ts') },
  migration: { summary: 'approve, reject, pause, resume, abort or contract one', load: () => import('./commands/migration.ts') },
  types: { summary: "TypeScript types of an app's entities, for the client", load: () => import('./commands/types.ts') },
  admin: { summary: 'accounts: reset-password', load: () => import('./commands/admin.ts') },
  temporal: { summary: 'restore: start again what a lost Temporal database held', load: () => import('./commands/temporal.ts') },
  registry: { summary: 'verify: the registry against its events', load: () => import('./commands/registry.ts') },
  functions: { summary: 'the functions a document may attach, as Markdown', load: () => import('./commands/functions.ts') },
  doctor: { summary: 'what is found on this machine and what is missing', load: () => import('./commands/doctor.ts') },
};

/** EX_CONFIG: a supervisor must not try again. */
const EXIT_CONFIG = 78;

export async function main(argv: readonly string[]): Promise<number> {
  const [name = '--help', ...args] = argv;
  if (name === '--help' || name === '-h' || name === 'help') {
    print(overview());
    return 0;
  }
  const verb = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
  if (verb === undefined) {
    process.stderr.write(`durabase: there is no verb "${name}".\n\n${overview()}\n`);
    return 2;
  }
  try {
    const { command } = await verb.load();
    if (args.includes('--help') || args.includes('-h')) {
      print(command.help);
      return 0;
    }
    return await command.run(args);
  } catch (error) {
    return explain(name, error);
  }
}

/** Failures we know are one line; anything else is a mistake of ours and keeps its stack. */
function explain(verb: string, error: unknown): number {
  const isKnown = error instanceof ConfigError || isAppError(error) || isUsageError(error);
  const hint = isAppError(error) && error.hint !== undefined ? ` ${error.hint}` : '';
  process.stderr.write(
    `durabase ${verb}: ${isKnown ? (error as Error).message + hint : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  if (error instanceof ConfigError) return verb === 'api' || verb === 'worker' ? EXIT_CONFIG : 1;
  return isUsageError(error) ? 2 : 1;
}

const isUsageError = (error: unknown): boolean =>
  error instanceof TypeError && String((error as NodeJS.ErrnoException).code).startsWith('ERR_PARSE_ARGS');

function overview(): string {
  const rows = Object.entries(VERBS).map(([name, { summary }]) => `  ${name.padEnd(8)} ${summary}`);
  return [
    'Usage: durabase <verb> [options]',
    '',
    ...rows,
    '',
    'durabase <verb> --help tells more; durabase start --help lists all settings.',
  ].join('\n');
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);

const started = process.argv[1];
if (started !== undefined && path.resolve(fs.realpathSync(started)) === fileURLToPath(import.meta.url)) {
  const code = await main(process.argv.slice(2));
  // Verbs that serve end only when they were told to; whatever still ticks then must not hold the process.
  process.exit(code);
}
