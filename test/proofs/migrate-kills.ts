/**
 * Migrations under load while worker, api, Temporal server and Postgres of a supervised stack are killed with -9 at random instants,
 * from a printed seed. Each migration ends by itself, fully done or fully back; every acknowledged write is there, and nothing is left
 * over: no trigger, function, column, invalid index, waiting session or stuck workflow.
 *
 *   npm run prove -- migrate-kills [--kills 30] [--rows 20000] [--rate 100] [--seed 7]
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Client as TemporalClient, Connection } from '@temporalio/client';
import { databaseFor, passwordOf } from '../../infra/local/database.ts';
import { RunFile } from '../../infra/local/run-file.ts';
import {
  ask,
  contract,
  earlyVersion,
  ENDED,
  makeApp,
  newestMigration,
  publish,
  servedVersion,
  until,
  type App,
  type Migration,
} from '../../bench/migrate/app.ts';
import { checkAgreement, checkAnswers, checkStored, type Finding } from '../../bench/migrate/check.ts';
import { clientOf } from '../../bench/migrate/client.ts';
import { Journal } from '../../bench/migrate/journal.ts';
import { Load, type Dialect } from '../../bench/migrate/load.ts';
import { CHANGES, type ChangeName } from '../../bench/migrate/subject.ts';
import { subjectOf } from '../../bench/migrate/subjects.ts';
import { HOT } from '../../bench/migrate/run.ts';
import { tokenOf } from '../support/api.ts';
import { demand } from '../support/demand.ts';
import { Stack, type ServiceName } from '../support/process.ts';
import { seeded, type Seeded } from '../support/seeded.ts';

export interface MigrateKillsOptions {
  readonly kills: number;
  readonly rows: number;
  readonly rate: number;
  readonly seed: number;
  readonly kinds: readonly ChangeName[];
}

export interface MigrateKillsResult {
  readonly migrations: number;
  readonly kills: number;
  readonly completed: number;
  readonly back: number;
  readonly requests: number;
  /** Of them in the new shape before its switch. */
  readonly early: number;
  readonly unanswered: number;
  readonly findings: readonly string[];
  /** From the last kill of a migration to its end. */
  readonly recoveryMs: readonly number[];
}

const VICTIMS: readonly ServiceName[] = ['worker', 'api', 'temporal', 'postgres'];
const KILLS_PER_MIGRATION = 3;
/** The supervisor gives up on a child that dies five times in a minute, and rightly so; some die because another does. */
const MOST_PER_MINUTE = 2;
/** About as long as a migration of some ten thousand rows takes. */
const WITHIN_MS = 1_500;
const END_MS = 120_000;

export async function proveMigrateKills(options: MigrateKillsOptions, say: (line: string) => void): Promise<MigrateKillsResult> {
  const chance = seeded(options.seed);
  const stack = await (await Stack.spawn()).ready();
  const nemesis = new Nemesis(stack, chance, say);
  const result = {
    migrations: 0,
    completed: 0,
    back: 0,
    requests: 0,
    early: 0,
    unanswered: 0,
    findings: [] as string[],
    recoveryMs: [] as number[],
  };
  try {
    const databaseUrl = await databaseFor(new RunFile(stack.dataDir).port('postgres') ?? 0, passwordOf(stack.dataDir));
    while (nemesis.kills < options.kills) {
      const kind = options.kinds[result.migrations % options.kinds.length] ?? 'add';
      result.migrations += 1;
      const round = new Round(stack, nemesis, databaseUrl, options, result.migrations, kind);
      const ended = await round.run(Math.min(KILLS_PER_MIGRATION, options.kills - nemesis.kills));
      result[ended.isBack ? 'back' : 'completed'] += 1;
      result.requests += ended.requests;
      result.early += ended.early;
      result.unanswered += ended.unanswered;
      result.recoveryMs.push(ended.recoveryMs);
      result.findings.push(...ended.findings);
      say(`migration ${result.migrations}, ${kind}: ${ended.isBack ? 'back' : 'completed'} ${ended.recoveryMs} ms after its last kill`);
      for (const finding of ended.findings.slice(0, 5)) say(finding.slice(0, 800));
    }
    return { ...result, kills: nemesis.kills };
  } catch (error) {
    say(stack.process.output().slice(-3_000));
    throw error;
  } finally {
    await stack.stop();
  }
}

/** Kills what it likes when it likes, but nobody so often that the supervisor gives up. */
class Nemesis {
  kills = 0;
  lastAt = 0;
  readonly #stack: Stack;
  readonly #chance: Seeded;
  readonly #say: (line: string) => void;
  readonly #deaths: { readonly victim: ServiceName; readonly at: number }[] = [];

  constructor(stack: Stack, chance: Seeded, say: (line: string) => void) {
    this.#stack = stack;
    this.#chance = chance;
    this.#say = say;
  }

  /** After a random while of at most so long. */
  async strike(withinMs: number, when: string): Promise<void> {
    const [afterMs, victim] = [this.#chance.between(0, withinMs), await this.#victim()];
    await sleep(afterMs);
    await this.#stack.kill(victim).catch(() => undefined);
    this.lastAt = Date.now();
    this.kills += 1;
    this.#deaths.push({ victim, at: this.lastAt });
    this.#say(`kill ${this.kills}: ${victim}, ${afterMs} ms after ${when}`);
  }

  async #victim(): Promise<ServiceName> {
    for (;;) {
      const recent = this.#deaths.filter(({ at }) => Date.now() - at < 60_000);
      const spared = VICTIMS.filter((name) => recent.filter(({ victim }) => victim === name).length >= MOST_PER_MINUTE);
      const left = VICTIMS.filter((name) => !spared.includes(name));
      const victim = left[this.#chance.between(0, Math.max(0, left.length - 1))];
      if (victim !== undefined) return victim;
      await sleep(500);
    }
  }
}

interface Ended {
  readonly isBack: boolean;
  readonly requests: number;
  readonly early: number;
  readonly unanswered: number;
  readonly recoveryMs: number;
  readonly findings: readonly string[];
}

/** One app, one migration, some kills. */
class Round {
  readonly #stack: Stack;
  readonly #nemesis: Nemesis;
  readonly #databaseUrl: string;
  readonly #options: MigrateKillsOptions;
  readonly #number: number;
  readonly #kind: ChangeName;

  constructor(stack: Stack, nemesis: Nemesis, databaseUrl: string, options: MigrateKillsOptions, number: number, kind: ChangeName) {
    this.#stack = stack;
    this.#nemesis = nemesis;
    this.#databaseUrl = databaseUrl;
    this.#options = options;
    this.#number = number;
    this.#kind = kind;
  }

  async run(kills: number): Promise<Ended> {
    const { rows, rate, seed } = this.#options;
    const client = clientOf(this.#stack.url, await patiently(() => tokenOf(this.#stack.url, 'platform@localhost', 'changeme')));
    const installation = { url: this.#stack.url, databaseUrl: this.#databaseUrl, client };
    const app = await patiently(() => makeApp(installation, `kills${this.#number}`, rows, subjectOf(this.#kind)));
    const before = await patiently(() => leftovers(app));
    const journal = new Journal(app.subject, rows, HOT);
    const old: Dialect = { version: (await until(() => servedVersion(app), 60_000)) ?? 0, shape: new Set() };
    const common = { client, app: app.name, subject: app.subject, journal, rate, hot: HOT };
    const load = new Load({ ...common, seed: seed + this.#number, old, next: new Set([this.#kind]), isStormy: true });
    try {
      await sleep(500);
      const { migration, findings } = await this.#migrate(app, load, journal, old, kills);
      const recoveryMs = Date.now() - this.#nemesis.lastAt;
      const isBack = migration.status !== 'completed';
      const served = isBack ? old : { version: migration.to_version, shape: new Set([...old.shape, this.#kind]) };
      await load.stop();
      const version = await until(() => servedVersion(app), 60_000);
      demand(version === served.version, `the migration is ${migration.status}, and version ${version} is served`);
      findings.push(...(await patiently(() => checkStored(app, journal, served))));
      findings.push(...(await patiently(() => checkAnswers(app, journal, [served]))));
      return {
        isBack,
        requests: load.requests,
        early: load.early,
        unanswered: load.unanswered,
        recoveryMs,
        // What is left over first: of the others there may be many.
        findings: [
          ...(await patiently(async () => extra(before, await leftovers(app)))),
          ...(await this.#stuck(app)),
          ...load.failed.map((line) => `failed: ${line}`),
          ...load.wrong.map((line) => `wrong: ${line}`),
          ...findings.map((finding) => `${finding.kind}: ${finding.message}`),
        ],
      };
    } finally {
      await load.stop();
      client.close();
    }
  }

  /** Publishes, kills, and sees the migration through as a client does: whoever gets no answer asks again. */
  async #migrate(
    app: App,
    load: Load,
    journal: Journal,
    old: Dialect,
    kills: number,
  ): Promise<{ migration: Migration; findings: Finding[] }> {
    const isBreaking = this.#kind !== 'add';
    const inContract = isBreaking && kills > 1 ? 1 : 0;
    let isOver = false;
    const shape = new Set([...old.shape, this.#kind]);
    const early = earlyVersion(app, old.version, () => isOver).then(
      (version) => version !== undefined && load.serve({ version, shape }, true),
    );
    const publishing = this.#published(app, old);
    for (let kill = 1; kill <= kills - inContract; kill++)
      await this.#nemesis.strike(WITHIN_MS, kill === 1 ? 'the publish' : 'the one before');
    await publishing;
    const migration = await reached(app, [...ENDED, 'ready']);
    isOver = true;
    await early;
    const next: Dialect = { version: migration.to_version, shape };
    if (['completed', 'ready'].includes(migration.status)) load.serve(next);
    else load.unserve();
    if (migration.status !== 'ready') return { migration, findings: [] };
    await sleep(1_000);
    const findings = await patiently(() => checkAgreement(app, old, next));
    findings.push(...(await patiently(() => checkAnswers(app, journal, [old, next]))));
    await load.retireOld();
    const contracting = this.#contracted(app, migration.id);
    if (inContract > 0) await this.#nemesis.strike(WITHIN_MS, 'the contract');
    await contracting;
    return { migration: await reached(app, ENDED), findings };
  }

  /** Until a migration is there. Whoever got no answer looks first whether it is: the change is not there to be asked for again. */
  async #published(app: App, old: Dialect): Promise<void> {
    const isDone = await until(async () => {
      const migration = await newestMigration(app);
      if (migration === undefined) return undefined;
      if (migration.from_version === old.version) return true;
      const answer = await publish(app, old.shape, this.#kind);
      return [200, 201, 202].includes(answer.status) ? true : undefined;
    }, END_MS);
    demand(isDone === true, 'nobody took the publish');
  }

  async #contracted(app: App, id: string): Promise<void> {
    const isDone = await until(async () => ((await contract(app, id)) ? true : undefined), END_MS);
    demand(isDone === true, 'nobody took the contract');
  }

  /** Workflows about the app that still run a minute after their migration has ended. */
  async #stuck(app: App): Promise<string[]> {
    const port = new RunFile(this.#stack.dataDir).port('temporal') ?? 0;
    const running = await until(async () => {
      const found = await patiently(() => runningWorkflows(`127.0.0.1:${port}`, app.storage.replace(/^app_/, '')));
      return found.length === 0 ? found : undefined;
    }, 60_000);
    return running === undefined ? [`left over: a workflow about ${app.name} still runs`] : [];
  }
}

async function runningWorkflows(address: string, app: string): Promise<string[]> {
  const connection = await Connection.connect({ address, connectTimeout: '5s' });
  try {
    const { workflow } = new TemporalClient({ connection });
    const found: string[] = [];
    for await (const { workflowId } of workflow.list({ query: "ExecutionStatus = 'Running'" })) found.push(workflowId);
    return found.filter((id) => /^(migration|contract)\//.test(id) && id.includes(app));
  } finally {
    await connection.close();
  }
}

async function reached(app: App, wanted: readonly string[]): Promise<Migration> {
  const found = await until(async () => {
    const migration = await newestMigration(app);
    return migration !== undefined && wanted.includes(migration.status) ? migration : undefined;
  }, END_MS);
  demand(found !== undefined, `the migration was not ${wanted.join(', ')} within ${END_MS / 1000} s of its last kill`);
  return found;
}

type Leftovers = Readonly<Record<'triggers' | 'functions' | 'scratch' | 'invalid' | 'waiting', readonly string[]>>;

/** What a migration may need while it runs, and nobody afterwards. */
async function leftovers(app: App): Promise<Leftovers> {
  const names = async (text: string): Promise<string[]> =>
    (await ask<{ name: string }>(app.databaseUrl, text, [app.storage])).map(({ name }) => name);
  const of = 'join pg_class t on t.oid = x.tgrelid join pg_namespace n on n.oid = t.relnamespace';
  return {
    triggers: await names(`select x.tgname as name from pg_trigger x ${of} where n.nspname = $1 and not x.tgisinternal`),
    functions: await names('select p.proname as name from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = $1'),
    scratch: await names(String.raw`select t.relname || '.' || a.attname as name from pg_attribute a join pg_class t on t.oid = a.attrelid
      join pg_namespace n on n.oid = t.relnamespace where n.nspname = $1 and a.attnum > 0 and not a.attisdropped and a.attname like '\_m%'`),
    invalid: await names(`select i.relname as name from pg_index x join pg_class i on i.oid = x.indexrelid
      join pg_namespace n on n.oid = i.relnamespace where n.nspname = $1 and not (x.indisvalid and x.indisready)`),
    waiting: await names(`select 'session ' || pid as name from pg_stat_activity
      where $1::text is not null and state like 'idle in transaction%' and state_change < now() - interval '5 seconds'`),
  };
}

const extra = (before: Leftovers, after: Leftovers): string[] =>
  (Object.keys(after) as (keyof Leftovers)[]).flatMap((kind) =>
    after[kind].filter((name) => !before[kind].includes(name)).map((name) => `left over: ${kind}: ${name}`),
  );

/** What is asked during a recovery is asked again; what still fails then is the answer. */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  const found = await until<{ value: T }>(
    () =>
      work().then(
        (value) => ({ value }),
        () => undefined,
      ),
    60_000,
    500,
  );
  return found === undefined ? work() : found.value;
}

function kindOf(text: string): ChangeName {
  const found = CHANGES.find((name) => name === text);
  if (found === undefined) throw new Error(`--kinds are of ${CHANGES.join(', ')}.`);
  return found;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

if (process.argv[1] !== undefined && path.resolve(process.argv[1]) === import.meta.filename) {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string', default: '30' },
      rows: { type: 'string', default: '20000' },
      rate: { type: 'string', default: '100' },
      seed: { type: 'string', default: String(Date.now() % 100_000) },
      kinds: { type: 'string', default: 'convert,split,rename,fill,link,move,key' },
    },
  });
  const say = (line: string): void => console.log(line);
  say(`migrate-kills: ${values.kills} kills, ${values.rows} rows, ${values.rate} operations a second, seed ${values.seed}`);
  const result = await proveMigrateKills(
    {
      kills: Number(values.kills),
      rows: Number(values.rows),
      rate: Number(values.rate),
      seed: Number(values.seed),
      kinds: values.kinds.split(',').map(kindOf),
    },
    say,
  );
  const sorted = [...result.recoveryMs].sort((a, b) => a - b);
  say(
    `${result.findings.length === 0 ? 'proved' : 'not proved'}: ${result.migrations} migrations, ${result.kills} kills, ${result.completed} completed, ${result.back} back; ` +
      `${result.requests} operations, ${result.early} early, ${result.unanswered} without an answer; ${result.findings.length} findings; ` +
      `recovery median ${sorted[Math.floor(sorted.length / 2)]} ms, worst ${sorted.at(-1)} ms`,
  );
  if (result.findings.length > 0) process.exitCode = 1;
}
