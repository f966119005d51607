/** One run: load, in its middle one change with its grace and its contract, and at the end everything compared with the journal. */
import { contract, earlyVersion, must, newestMigration, publish, servedVersion, until, ENDED, type App, type Migration } from './app.ts';
import { checkAgreement, checkAnswers, checkStored, type Finding } from './check.ts';
import { Journal } from './journal.ts';
import { Load, type Dialect, type Timing } from './load.ts';
import type { ChangeName } from './subject.ts';
import { startLongReaders } from './readers.ts';

export interface RunOptions {
  readonly kind: ChangeName | 'none';
  readonly rows: number;
  readonly rate: number;
  /** Before the change, between `ready` and the contract, and after it. */
  readonly seconds: number;
  /** A run without a change: how long the load goes on in place of the migration. */
  readonly insteadMs?: number;
  readonly hasLongReaders: boolean;
  readonly seed: number;
  /** Asked for from the publish to the end of the expansion and backfill. */
  readonly readyTimeoutMs?: number;
  /** Runs before the comparison, when the load has ended: a test plants faults there. */
  readonly meddle?: (app: App, journal: Journal) => Promise<void>;
}

export interface RunResult {
  readonly kind: ChangeName | 'none';
  readonly requests: number;
  readonly failed: readonly string[];
  readonly lost: number;
  readonly wrong: number;
  readonly mismatches: number;
  readonly findings: readonly string[];
  /** The slowest write from the change on, counted from when it was to start. */
  readonly stallMs: number;
  /** The slowest write from the contract's request to its end; 0 without one. */
  readonly contractStallMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** From the publish to `ready`, and the whole migration including grace. */
  readonly readyMs: number;
  readonly migrationMs: number;
}

export const HOT = 5;
const READY_MS = 30 * 60_000;
const CONTRACT_MS = 10 * 60_000;

export async function runUnderLoad(app: App, options: RunOptions): Promise<RunResult> {
  const journal = new Journal(app.subject, options.rows, HOT);
  const version = await servedVersion(app);
  const old: Dialect = { version: version ?? 0, shape: new Set() };
  const { client, name, subject } = app;
  const next = new Set(options.kind === 'none' ? [] : [options.kind]);
  const { rate, seed } = options;
  const load = new Load({ client, subject, app: name, journal, rate, seed, hot: HOT, old, next, isStormy: false });
  const readers = options.hasLongReaders ? startLongReaders(app) : undefined;
  try {
    await pause(options.seconds);
    const changed = await change(app, load, journal, old, options);
    await pause(options.seconds);
    await load.stop();
    await options.meddle?.(app, journal);
    const findings = [
      ...changed.findings,
      ...(await checkStored(app, journal, changed.served)),
      ...(await checkAnswers(app, journal, [changed.served])),
    ];
    return resultOf(options.kind, load, changed, findings);
  } finally {
    await load.stop();
    await readers?.stop();
  }
}

interface Changed {
  readonly served: Dialect;
  readonly findings: readonly Finding[];
  readonly publishedAtMs: number;
  readonly readyMs: number;
  readonly contract: { readonly fromMs: number; readonly toMs: number } | undefined;
  readonly migrationMs: number;
}

async function change(app: App, load: Load, journal: Journal, old: Dialect, options: RunOptions): Promise<Changed> {
  const publishedAtMs = load.nowMs;
  if (options.kind === 'none') {
    await pause((options.insteadMs ?? 0) / 1000);
    return { served: old, findings: [], publishedAtMs, readyMs: 0, contract: undefined, migrationMs: 0 };
  }
  const shape = new Set([...old.shape, options.kind]);
  let isOver = false;
  const early = earlyVersion(app, old.version, () => isOver).then((version) => version !== undefined && load.serve({ version, shape }));
  must(await publish(app, old.shape, options.kind), [201, 202]);
  const ready = await reached(app, ['ready', 'completed'], options.readyTimeoutMs ?? READY_MS);
  isOver = true;
  await early;
  const served: Dialect = { version: ready.to_version, shape };
  load.serve(served);
  const readyMs = load.nowMs - publishedAtMs;
  await pause(options.seconds);
  if (ready.status === 'completed') {
    await load.retireOld();
    return { served, findings: [], publishedAtMs, readyMs, contract: undefined, migrationMs: load.nowMs - publishedAtMs };
  }
  const findings = [...(await checkAgreement(app, old, served)), ...(await checkAnswers(app, journal, [old, served]))];
  await load.retireOld();
  const fromMs = load.nowMs;
  if (!(await contract(app, ready.id))) throw new Error('the contract was refused');
  await reached(app, ['completed'], CONTRACT_MS);
  return { served, findings, publishedAtMs, readyMs, contract: { fromMs, toMs: load.nowMs }, migrationMs: load.nowMs - publishedAtMs };
}

async function reached(app: App, wanted: readonly string[], timeoutMs: number): Promise<Migration> {
  const found = await until(async () => {
    const migration = await newestMigration(app);
    return migration !== undefined && [...wanted, ...ENDED].includes(migration.status) ? migration : undefined;
  }, timeoutMs);
  if (found === undefined) throw new Error(`the migration was not ${wanted.join(' or ')} within ${timeoutMs / 1000} s`);
  if (!wanted.includes(found.status)) throw new Error(`the migration is ${found.status}: ${found.error ?? 'no reason given'}`);
  return found;
}

function resultOf(kind: RunResult['kind'], load: Load, changed: Changed, findings: readonly Finding[]): RunResult {
  const count = (wanted: Finding['kind']): number => findings.filter((finding) => finding.kind === wanted).length;
  const writes = load.timings.filter((timing) => timing.isWrite);
  const { contract, publishedAtMs } = changed;
  return {
    kind,
    requests: load.requests,
    failed: load.failed,
    lost: count('lost'),
    wrong: count('wrong') + load.wrong.length,
    mismatches: count('mismatch'),
    findings: [...findings.map((finding) => `${finding.kind}: ${finding.message}`), ...load.wrong.map((message) => `wrong: ${message}`)],
    stallMs: longest(writes, publishedAtMs, Infinity),
    contractStallMs: contract === undefined ? 0 : longest(writes, contract.fromMs, contract.toMs),
    p50Ms: at(writes, 0.5),
    p99Ms: at(writes, 0.99),
    readyMs: changed.readyMs,
    migrationMs: changed.migrationMs,
  };
}

/** Of the writes that were open at any moment between the two. */
const longest = (writes: readonly Timing[], fromMs: number, toMs: number): number =>
  writes.reduce((most, { atMs, tookMs }) => (atMs + tookMs >= fromMs && atMs <= toMs ? Math.max(most, tookMs) : most), 0);

function at(timings: readonly Timing[], share: number): number {
  const sorted = timings.map((timing) => timing.tookMs).sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

export const pause = (seconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
