/** The proofs of webhooks, small, in one installation: the same code as `npm run prove -- webhooks-...`. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Rig } from '../support/rig.ts';
import { proveDead } from './webhooks-dead.ts';
import { proveImport } from './webhooks-import.ts';
import { proveLatency } from './webhooks-latency.ts';
import { proveOnce } from './webhooks-once.ts';

const say = (line: string): void => console.log(line);
let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start();
}, 120_000);
afterAll(() => rig.stop());

it('each committed change arrives under one id, none that was rolled back, and only lost answers are repeated', async () => {
  const result = await proveOnce({ changes: 400, seed: 7 }, say, rig);
  expect(result).toMatchObject({ committed: 401, rolledBack: 400, delivered: 401 });
  expect(result.lostAnswers).toBeGreaterThan(0);
  expect(result.duplicates).toBe(result.lostAnswers);
}, 120_000);

it('a change is attempted soon after it is committed', async () => {
  const { changes, p99, startsPerSecond } = await proveLatency({ seconds: 3, rate: 30, starts: 60 }, say, rig);
  expect(changes).toBe(90);
  expect(startsPerSecond).toBeGreaterThan(0);
  // Far above what is measured on an idle machine, and far below waiting for a turn.
  expect(p99).toBeLessThan(3_000);
}, 120_000);

it('no start of an import is lost, and writes beside it are answered', async () => {
  const result = await proveImport({ rows: 200, drain: true }, say, rig);
  expect(result).toMatchObject({ rows: 200, started: 200, pending: 0 });
}, 120_000);

it('dead endpoints do not hold up a healthy one', async () => {
  const { alone, beside, untried } = await proveDead({ rounds: 1, alone: 2, beside: 4, rate: 10, dead: 15 }, say, rig);
  expect([alone.changes, beside.changes]).toEqual([40, 40]);
  expect(untried).toBe(0);
  expect(beside.p50).toBeLessThan(alone.p50 + 1_000);
}, 120_000);
