import { parseArgs } from 'node:util';
import { loadConfig, SETTINGS } from '../../adapters/config.ts';
import { supervise } from '../../infra/local/supervisor.ts';
import { commandLine, parentOf } from '../../infra/local/system.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  help: [
    'Usage: npm start -- [--in-process]',
    '',
    'Starts what is not given by the environment (Postgres, Temporal), the api, the worker and the admin, and keeps them running.',
    '',
    '  --in-process   api and worker in one process (less memory)',
    '  --help         this text',
    '',
    'Other verbs: npm test, npm run test:e2e, npm run check, npm run bench, npm run prove -- <name>; npm run durabase -- --help.',
    '',
    'Settings (environment variables):',
    '',
    ...settingRows(),
  ].join('\n'),

  async run(args) {
    const { values } = parseArgs({ args: [...args], options: { 'in-process': { type: 'boolean', default: false } } });
    const config = loadConfig(process.env);
    return supervise(config, {
      isInProcess: values['in-process'],
      env: process.env,
      print: (line) => void process.stdout.write(`${line}\n`),
      stopRequested: stopRequest(),
    });
  },
};

function settingRows(): string[] {
  return Object.entries(SETTINGS).map(([name, { schema, help }]) => {
    const fallback: unknown = schema.safeParse(undefined).data;
    const shown =
      fallback === undefined || fallback === '' || (Array.isArray(fallback) && fallback.length === 0) ? '' : ` [${String(fallback)}]`;
    return `  ${name.padEnd(26)} ${help}${shown}`;
  });
}

/** A signal, or the end of the npm process that started us. A second signal ends at once. */
function stopRequest(): Promise<string> {
  return new Promise((resolve) => {
    let isAsked = false;
    const ask = (why: string) => (): void => {
      if (isAsked && why !== 'SIGHUP') process.exit(130);
      isAsked = true;
      resolve(why);
    };
    // npm passes a terminal's Ctrl-C on, so that it arrives twice within a moment.
    let last = 0;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        const isEcho = Date.now() - last < 500;
        last = Date.now();
        if (!isEcho) ask(signal)();
      });
    }
    if (process.env['npm_lifecycle_event'] !== undefined) {
      const starters = npmProcesses();
      setInterval(() => {
        if (npmProcesses() !== starters && !isAsked) ask('npm ended')();
      }, 250).unref();
    }
    // Signal listeners alone do not keep a process alive while its children are detached.
    setInterval(() => undefined, 60_000);
  });
}

/** Our parent, and when that is the shell npm runs scripts in, npm itself: a shell passes no signal on and outlives it. */
function npmProcesses(): string {
  const parent = process.ppid;
  return / -c /.test(commandLine(parent)) ? `${parent} ${parentOf(parent) ?? 0}` : String(parent);
}
