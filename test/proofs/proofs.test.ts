/** Every proof, small: the same code as `npm run prove -- <name>`. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rig } from '../support/rig.ts';
import { proveApprovalCrash } from './approval-crash.ts';
import { proveClocks } from './clocks.ts';
import { proveDecisions } from './decisions.ts';
import { proveExport } from './export.ts';
import { proveFuzz } from './fuzz.ts';
import { proveHostile } from './hostile.ts';
import { proveImportKills } from './import-kills.ts';
import { proveMigrateKills } from './migrate-kills.ts';
import { proveMigrateLoad } from './migrate-load.ts';
import { proveMigrationCrash } from './migration-crash.ts';
import { proveProcessKills } from './process-kills.ts';
import { provePublishLoad } from './publish-load.ts';
import { proveReturns } from './returns.ts';
import { proveRollouts } from './rollouts.ts';
import { proveTemporalAway } from './temporal-away.ts';
import { proveWaiting } from './waiting.ts';

const say = (line: string): void => console.log(line);

it('an approval survives kill -9 of everything, and its effect happens once', async () => {
  const result = await proveApprovalCrash({ rounds: 1, seed: 1 }, say);
  expect(result.recoveryMs).toHaveLength(1);
}, 120_000);

it('processes, decisions, clocks and deliveries end as without crashes, whatever is killed with -9', async () => {
  const result = await proveProcessKills({ kills: 4, seed: 6, orders: 3 }, say);
  expect(result.findings).toEqual([]);
  expect(result.kills).toBe(4);
  // Those under way at once; how many more come to an end is a matter of the machine.
  expect(result.orders).toBeGreaterThanOrEqual(3);
  expect(result.delivered).toBe(result.committed);
}, 300_000);

it('what fell due while parts were away fires within seconds of their return, once', async () => {
  const outages = [['temporal'], ['postgres', 'temporal', 'worker', 'api']] as const;
  const returns = await proveReturns({ timers: 20, outages, awayMs: 6_000, hasStages: false }, say);
  // How soon is for a machine with nothing else to do: see the bounds of the proof.
  expect(returns.map(({ outage, isRelieved }) => [outage, isRelieved])).toEqual([
    ['temporal', true],
    ['all', false],
  ]);
}, 180_000);

it('waiting approvals and clocks cost next to nothing and survive a kill of everything', async () => {
  const { cpu } = await proveWaiting({ approvals: 60, clocks: 60, seconds: 2 }, say);
  // Of one processor, on a machine that is busy with other tests.
  expect(cpu.worker).toBeLessThan(0.5);
}, 180_000);

it('plain data goes on without Temporal, and what it missed starts when it is back', async () => {
  const result = await proveTemporalAway(say);
  expect(result.failedRequests).toBe(0);
}, 120_000);

it('waiting clocks survive a restart of worker and Temporal, and what fell due fires at once', async () => {
  const result = await proveClocks({ clocks: 200, due: 10 }, say);
  // Three seconds of it pass until the server gives up on the worker that is gone.
  expect(result.firedAfterMs).toBeLessThan(30_000);
}, 180_000);

it('a migration cut by kill -9 is finished or never was, and registry and database agree', async () => {
  const result = await proveMigrationCrash({ rounds: 1, seed: 9 }, say);
  expect(result.recoveryMs).toHaveLength(1);
}, 120_000);

it('a migration under load fails no request and loses no write, and the comparison finds planted faults', async () => {
  const options = { kind: 'split', rows: 5_000, rate: 100, seconds: 1, seed: 2, hasLongReaders: false } as const;
  const { run, planted, found } = await proveMigrateLoad(options, say);
  expect([...run.failed, ...run.findings]).toEqual([]);
  expect(run.requests).toBeGreaterThan(150);
  expect(found).toEqual(planted);
  expect(planted).toHaveLength(7);
}, 120_000);

it('migrations under load end by themselves after kill -9 of anything, without a lost write or leftovers', async () => {
  const result = await proveMigrateKills({ kills: 5, rows: 2_000, rate: 50, seed: 52, kinds: ['convert', 'merge-entity'] }, say);
  expect(result.findings).toEqual([]);
  expect([result.kills, result.migrations]).toEqual([5, 2]);
}, 180_000);

it('an imported file is written and taken back row by row, once, whatever is killed with -9', async () => {
  const result = await proveImportKills({ rows: 3_000, kills: 4, seed: 5 }, say);
  expect(result.findings).toEqual([]);
  expect(result.kills).toBeGreaterThan(2);
}, 240_000);

it('a rollout goes on where the worker was killed with -9, and moves each app once', async () => {
  const result = await proveRollouts({ apps: 12, kills: 1, seed: 5 }, say);
  expect(result.apps).toBe(12);
}, 120_000);

it('definitions published under load fail no request and are usable at once', async () => {
  const result = await provePublishLoad({ seconds: 6, rate: 50 }, say);
  expect(result.failed).toEqual([]);
  // Some entity and its field at least; the machine may be slow.
  expect(result.requests).toBeGreaterThan(100);
  expect(result.publishes).toBeGreaterThanOrEqual(2);
}, 120_000);

describe('an installation that nobody breaks', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await Rig.start();
  }, 120_000);
  afterAll(() => rig.stop());

  it('exports many rows whole, or their client sees that they are not', async () => {
    const { csv, ndjson } = await proveExport({ rows: 100_000, waitsForStalled: false }, say, rig);
    expect([csv.rows, ndjson.rows]).toEqual([100_000, 100_000]);
  }, 120_000);

  it('answers a decision without waiting for a timer of Temporal', async () => {
    const { p50 } = await proveDecisions({ approvals: 10 }, rig);
    // A timer takes a second at least; a quarter of that is what it takes on a machine with nothing else to do.
    expect(p50).toBeLessThan(900);
  }, 120_000);

  it('refuses hostile requests quickly, and they leave nothing behind', async () => {
    const { faults } = await proveHostile({ requests: 1_500, seed: 4 }, say, rig);
    expect(faults).toEqual([]);
  }, 120_000);
});

it('requests made out of the description find nothing in the API or in the description', async () => {
  const { cases, findings } = await proveFuzz({ seed: 3, examples: 1, phases: ['fuzzing'], accounts: ['admin'] }, say);
  expect(findings).toEqual([]);
  expect(cases).toBeGreaterThan(60);
}, 240_000);
