/**
 * Requests made out of the served description by schemathesis, all checks, all phases, as an admin and as an agent of the helpdesk
 * example. It must find nothing: neither in the API nor in its description.
 *
 *   npm run prove -- fuzz [--examples 30] [--seed n]
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { callerOf, signIn } from '../support/api.ts';
import { demand } from '../support/demand.ts';
import { Stack } from '../support/process.ts';
import { findSchemathesis, runSchemathesis } from '../support/schemathesis.ts';

type Phase = 'examples' | 'coverage' | 'fuzzing' | 'stateful';
const PHASES: readonly Phase[] = ['examples', 'coverage', 'fuzzing', 'stateful'];

export interface FuzzOptions {
  readonly seed: number;
  /** Requests per operation while fuzzing, and walks over the links while stateful. */
  readonly examples: number;
  readonly phases?: readonly Phase[];
  readonly accounts?: readonly ('admin' | 'agent')[];
}

export interface FuzzResult {
  readonly cases: number;
  /** What each run with findings said. */
  readonly findings: readonly string[];
}

interface Account {
  readonly email: string;
  readonly password: string;
}

const ACCOUNTS: Readonly<Record<'admin' | 'agent', Account>> = {
  admin: { email: 'admin@localhost', password: 'changeme' },
  agent: { email: 'fuzz@example.com', password: 'a long enough password' },
};

export async function proveFuzz(options: FuzzOptions, say: (line: string) => void): Promise<FuzzResult> {
  const program = findSchemathesis(say);
  const stack = await (await Stack.spawn()).ready();
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'durabase-fuzz-'));
  try {
    const admin = await signIn(stack.url, ACCOUNTS.admin.email, ACCOUNTS.admin.password, 'helpdesk');
    await admin('POST', '/api/helpdesk/_admin/users', { ...ACCOUNTS.agent, roles: ['agent'] });
    let cases = 0;
    const findings: string[] = [];
    for (const { name, phase, tags } of runsOf(options)) {
      const started = Date.now();
      const args = await argumentsOf(stack.url, dir, ACCOUNTS[name]);
      const limits = ['--phases', phase, '--seed', String(options.seed), '--max-examples', String(options.examples)];
      const run = await runSchemathesis(program, [...args, ...limits, ...tags.flatMap((tag) => ['--include-tag', tag])], dir);
      const what = [name, phase, ...tags].join(' ');
      say(`${what}, seed ${options.seed}: ${run.cases} cases in ${Math.round((Date.now() - started) / 1000)} s`);
      cases += run.cases;
      if (run.code !== 0) findings.push(`${what}:\n${run.output}`);
    }
    return { cases, findings };
  } finally {
    await stack.stop();
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

/** By tags: coverage of everything at once would outlive its access token. */
const COVERED_PARTS = [['customer'], ['agent'], ['ticket'], ['response'], ['batch', 'workflows', 'auth', 'description']];

interface Run {
  readonly name: 'admin' | 'agent';
  readonly phase: Phase;
  /** None: all operations. */
  readonly tags: readonly string[];
}

const runsOf = ({ accounts = ['admin', 'agent'], phases = PHASES }: FuzzOptions): Run[] =>
  accounts.flatMap((name) =>
    phases.flatMap((phase) => (phase === 'coverage' ? COVERED_PARTS : [[]]).map((tags): Run => ({ name, phase, tags }))),
  );

/** Signs in anew for each run: an access token lives shorter than the whole proof. */
async function argumentsOf(url: string, dir: string, account: Account): Promise<string[]> {
  const login = await callerOf(url)('POST', '/api/helpdesk/auth/login', account);
  const token = String(login.at('data', 'access_token'));
  const described = await callerOf(url, token)('GET', '/api/helpdesk/_openapi.json');
  demand(described.status === 200, `The description answered ${described.status}: ${described.text}`);
  const file = path.join(dir, 'openapi.json');
  fs.writeFileSync(file, described.text);
  return [
    ...['--config-file', path.join(import.meta.dirname, 'schemathesis.toml'), 'run', file, '--url', url],
    ...['--header', `Authorization: Bearer ${token}`, '--continue-on-failure', '--request-timeout', '20'],
    ...['--suppress-health-check', 'all'],
  ];
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({ options: { examples: { type: 'string', default: '30' }, seed: { type: 'string' } } });
  const seed = Number(values.seed ?? Date.now() % 1_000_000);
  const { cases, findings } = await proveFuzz({ seed, examples: Number(values.examples) }, (line) => console.log(line));
  demand(findings.length === 0, `seed ${seed} found, in ${cases} cases:\n${findings.join('\n')}`);
  demand(cases >= 5_000, `only ${cases} cases were made`);
  console.log(`proved: ${cases} cases, nothing found`);
}
