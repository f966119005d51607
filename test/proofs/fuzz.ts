/**
 * Requests made out of the served description by schemathesis, all checks, all phases, as an admin and as an agent of the helpdesk
 * example. It must find nothing: neither in the API nor in its description.
 *
 *   npm run prove -- fuzz [--examples 20] [--seed n] [--accounts admin,agent] [--phases examples,coverage,fuzzing,stateful]
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { callerOf, signIn, type Reply } from '../support/api.ts';
import { demand } from '../support/demand.ts';
import { Stack } from '../support/process.ts';
import { findSchemathesis, runSchemathesis } from '../support/schemathesis.ts';

const PHASES = ['examples', 'coverage', 'fuzzing', 'stateful'] as const;
type Phase = (typeof PHASES)[number];
const NAMES = ['admin', 'agent'] as const;
type Name = (typeof NAMES)[number];

export interface FuzzOptions {
  readonly seed: number;
  /** Requests per operation while fuzzing, and walks over the links while stateful. */
  readonly examples: number;
  readonly phases?: readonly Phase[];
  readonly accounts?: readonly Name[];
}

export interface FuzzResult {
  readonly cases: number;
  /** What each run with findings said. */
  readonly findings: readonly string[];
}

const PASSWORDS: Readonly<Record<Name, { readonly email: string; readonly password: string }>> = {
  admin: { email: 'admin@localhost', password: 'changeme' },
  agent: { email: 'fuzz@example.com', password: 'a long enough password' },
};

/**
 * What is fuzzed, by tags of the description, in parts that end before their access token does; coverage, the longest phase,
 * goes through them one by one. A part names the accounts that cover it: the reads of all entities are the same code, and
 * most of the time goes into making up their many parameters, so each entity is covered as one account. Examples, fuzzing and
 * stateful walks take everything as both.
 */
const PARTS: readonly { readonly tags: readonly string[]; readonly coveredBy: readonly Name[] }[] = [
  { tags: ['customer'], coveredBy: ['agent'] },
  { tags: ['agent'], coveredBy: ['admin'] },
  { tags: ['ticket'], coveredBy: ['admin'] },
  { tags: ['response'], coveredBy: ['agent'] },
  { tags: ['batch', 'workflows', 'auth', 'description'], coveredBy: NAMES },
  {
    tags: ['slas', 'realtime', 'imports', 'lists', 'notifications', '_admin/slas', '_admin/audit', '_admin/runs', '_admin/functions'],
    coveredBy: NAMES,
  },
];

/**
 * Tags that are left out: what they write takes away what the others stand on. Made up definitions, permissions, accounts and
 * imports would change or lock out the app that is being fuzzed, so that what follows is refused and proves nothing.
 */
const LEFT_OUT = ['_admin/users', '_admin/definitions', '_admin/schema', '_admin/trials', '_admin/webhooks'];

const FUZZED = PARTS.flatMap(({ tags }) => tags);

interface Run {
  readonly name: Name;
  readonly phase: Phase;
  readonly tags: readonly string[];
}

const runsOf = ({ accounts = NAMES, phases = PHASES }: FuzzOptions): Run[] =>
  accounts.flatMap((name) => phases.flatMap((phase) => partsOf(name, phase).map((tags): Run => ({ name, phase, tags }))));

const partsOf = (name: Name, phase: Phase): (readonly string[])[] =>
  phase === 'coverage' ? PARTS.filter(({ coveredBy }) => coveredBy.includes(name)).map(({ tags }) => tags) : [FUZZED];

export async function proveFuzz(options: FuzzOptions, say: (line: string) => void): Promise<FuzzResult> {
  const program = findSchemathesis(say);
  const stack = await (await Stack.spawn()).ready();
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'durabase-fuzz-'));
  fs.copyFileSync(path.join(import.meta.dirname, 'schemathesis_hooks.py'), path.join(dir, 'schemathesis_hooks.py'));
  try {
    const admin = await signIn(stack.url, PASSWORDS.admin.email, PASSWORDS.admin.password, 'helpdesk');
    await admin('POST', '/api/helpdesk/_admin/users', { ...PASSWORDS.agent, roles: ['agent'] });
    const sessions = { admin: await Session.begin(stack.url, 'admin'), agent: await Session.begin(stack.url, 'agent') };
    const done: Done[] = [];
    for (const run of runsOf(options)) {
      const args = [...(await argumentsOf(stack.url, dir, sessions[run.name])), ...limitsOf(run, options)];
      done.push(await fuzz(stack.url, run, () => runSchemathesis(program, args, dir)));
      say(lineOf(done.slice(-1), `${run.name} ${run.phase}${run.tags === FUZZED ? '' : ` ${run.tags.join(' ')}`}`));
      done.slice(-1).forEach(({ finding }) => finding !== undefined && say(finding));
    }
    sayFigures(done, options.seed, say);
    return { cases: sum(done, ({ cases }) => cases), findings: done.flatMap(({ finding }) => finding ?? []) };
  } finally {
    await stack.stop();
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

interface Done extends Run {
  readonly cases: number;
  readonly seconds: number;
  /** How many answers had each status, as the API counts them: more than cases, checks send requests of their own. */
  readonly statuses: ReadonlyMap<string, number>;
  readonly finding: string | undefined;
}

async function fuzz(url: string, run: Run, start: () => ReturnType<typeof runSchemathesis>): Promise<Done> {
  const before = await statusesOf(url);
  const started = Date.now();
  const { code, output, cases } = await start();
  const seconds = (Date.now() - started) / 1000;
  const after = await statusesOf(url);
  const statuses = new Map([...after].map(([status, n]) => [status, n - (before.get(status) ?? 0)]));
  const finding = code === 0 ? undefined : `${run.name} ${run.phase} ${run.tags.join(' ')}:\n${output}`;
  const done: Done = { ...run, cases, seconds, statuses, finding };
  // With a token that has run out everything is refused alike, and nothing is proved. One check sends requests without any.
  const heard = [...statuses].reduce((all, [status, n]) => (status === '401' ? all : all + n), 0);
  demand(heard >= cases / 2, `Most answers were 401: ${lineOf([done], `${run.name} ${run.phase}`)}\n${output}`);
  return done;
}

async function statusesOf(url: string): Promise<Map<string, number>> {
  const { text } = await callerOf(url)('GET', '/metrics');
  const found = new Map<string, number>();
  for (const [, status = '', n] of text.matchAll(/^durabase_http_requests_total\{.*status="(\d+)"\} (\d+)$/gm))
    found.set(status, (found.get(status) ?? 0) + Number(n));
  return found;
}

function sayFigures(done: readonly Done[], seed: number, say: (line: string) => void): void {
  for (const name of NAMES)
    for (const phase of PHASES) {
      const runs = done.filter((run) => run.name === name && run.phase === phase);
      if (runs.length > 0) say(lineOf(runs, `${name} ${phase} in all`));
    }
  say(lineOf(done, `seed ${seed}, in all`));
}

function lineOf(runs: readonly Done[], what: string): string {
  const statuses = [...new Set(runs.flatMap((run) => [...run.statuses.keys()]))].sort();
  const counts = statuses.map((status) => [status, sum(runs, (run) => run.statuses.get(status) ?? 0)] as const).filter(([, n]) => n > 0);
  const found = runs.filter(({ finding }) => finding !== undefined).length;
  const figures = `${sum(runs, ({ cases }) => cases)} cases in ${Math.round(sum(runs, ({ seconds }) => seconds))} s`;
  return `${what}: ${figures} (${counts.map((pair) => pair.join(': ')).join(', ')})${found === 0 ? '' : `, findings in ${found}`}`;
}

const sum = (runs: readonly Done[], of: (run: Done) => number): number => runs.reduce((all, run) => all + of(run), 0);

/** A session that outlives its access tokens. It signs in once only: fuzzing `auth/login` uses up the tries of this address. */
class Session {
  readonly #url: string;
  #refreshToken: string;

  private constructor(url: string, refreshToken: string) {
    this.#url = url;
    this.#refreshToken = refreshToken;
  }

  static async begin(url: string, name: Name): Promise<Session> {
    return new Session(url, refreshTokenOf(await callerOf(url)('POST', '/api/helpdesk/auth/login', PASSWORDS[name])));
  }

  /** A new access token. */
  async token(): Promise<string> {
    const renewed = await callerOf(this.#url)('POST', '/api/helpdesk/auth/refresh', { refresh_token: this.#refreshToken });
    this.#refreshToken = refreshTokenOf(renewed);
    return String(renewed.at('data', 'access_token'));
  }
}

function refreshTokenOf(reply: Reply): string {
  demand(reply.status === 200, `Signing in answered ${reply.status}: ${reply.text}`);
  return String(reply.at('data', 'refresh_token'));
}

const limitsOf = ({ phase, tags }: Run, { seed, examples }: FuzzOptions): string[] => [
  ...['--phases', phase, '--seed', String(seed), '--max-examples', String(examples)],
  ...tags.flatMap((tag) => ['--include-tag', tag]),
];

async function argumentsOf(url: string, dir: string, session: Session): Promise<string[]> {
  const token = await session.token();
  const described = await callerOf(url, token)('GET', '/api/helpdesk/_openapi.json');
  demand(described.status === 200, `The description answered ${described.status}: ${described.text}`);
  demandKnownTags(described);
  const file = path.join(dir, 'openapi.json');
  fs.writeFileSync(file, described.text);
  return [
    ...['--config-file', path.join(import.meta.dirname, 'schemathesis.toml'), 'run', file, '--url', url],
    ...['--header', `Authorization: Bearer ${token}`, '--continue-on-failure', '--request-timeout', '20'],
    ...['--suppress-health-check', 'all'],
  ];
}

/** A new tag is put into one of the lists by somebody, not left out by nobody. */
function demandKnownTags(described: Reply): void {
  const tags = described.at('tags') as readonly { readonly name: string }[];
  const unknown = tags.map(({ name }) => name).filter((name) => !FUZZED.includes(name) && !LEFT_OUT.includes(name));
  demand(unknown.length === 0, `Tags of the description that fuzz.ts neither fuzzes nor leaves out: ${unknown.join(', ')}.`);
}

function listOf<T extends string>(text: string | undefined, known: readonly T[]): readonly T[] {
  return text === undefined ? known : known.filter((name) => text.split(',').includes(name));
}

if (process.argv[1] === import.meta.filename) {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ options: { examples: { ...text, default: '20' }, seed: text, accounts: text, phases: text } });
  const seed = Number(values.seed ?? Date.now() % 1_000_000);
  const part = { accounts: listOf(values.accounts, NAMES), phases: listOf(values.phases, PHASES) };
  const { cases, findings } = await proveFuzz({ seed, examples: Number(values.examples), ...part }, (line) => console.log(line));
  demand(findings.length === 0, `seed ${seed} found, in ${cases} cases:\n${findings.join('\n')}`);
  if (values.accounts === undefined && values.phases === undefined) demand(cases >= 5_000, `only ${cases} cases were made`);
  console.log(`proved: ${cases} cases, nothing found`);
}
