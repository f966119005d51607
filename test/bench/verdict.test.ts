import { describe, expect, it } from 'vitest';
import { BASE, type Sample } from '../../bench/harness/table.ts';
import { findings, isMet, ratiosOf, SUBJECT } from '../../bench/harness/verdict.ts';

const sample = (target: string, scenario: Sample['scenario'], ms: number, more: Partial<Sample> = {}): Sample => ({
  target,
  scenario,
  round: 1,
  serverMs: ms / 2,
  postgresMs: ms / 2,
  requests: 1000,
  seconds: 2,
  p50Ms: 1,
  p99Ms: 2,
  badStatus: 0,
  socketErrors: 0,
  memoryMiB: 100,
  ...more,
});

const run = (ratios: Partial<Record<Sample['scenario'], number>>, more: Partial<Sample> = {}): Sample[] =>
  (Object.entries(ratios) as [Sample['scenario'], number][]).flatMap(([scenario, ratio]) => [
    sample(BASE, scenario, 0.2),
    sample(SUBJECT, scenario, 0.2 * ratio, more),
  ]);

const missed = (samples: readonly Sample[]): string[] =>
  findings(samples)
    .filter((finding) => !isMet(finding))
    .map(({ what }) => what);

describe('the verdict of the bench', () => {
  it('holds reads to their mean, lists under a policy and writes each to its own limit', () => {
    expect(missed(run({ A: 1.5, B: 0.9, C: 1, D: 1.1, G: 1.05, E: 1.7, F: 1.75 }))).toEqual([]);
    expect(missed(run({ A: 1.6, B: 1.1, C: 1, D: 1.2, G: 1.2, E: 1.7, F: 1.9 }))).toEqual(['A to D, geometric mean', 'G', 'F']);
  });

  it('looks at the tail of latencies and at memory, and says nothing of what did not run', () => {
    expect(missed(run({ A: 1 }, { p99Ms: 5, memoryMiB: 201 }))).toEqual(['A p99 / p50', 'memory under load, MiB']);
    expect(findings(run({ A: 1, E: 1.5 })).map(({ what }) => what)).toEqual(['E', 'A p99 / p50', 'E p99 / p50', 'memory under load, MiB']);
    expect(Object.keys(ratiosOf(run({ A: 1, E: 1.5 })))).toEqual(['A', 'E']);
  });
});
