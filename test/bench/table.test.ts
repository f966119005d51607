import { describe, expect, it } from 'vitest';
import { BASE, geometricMean, isVoid, median, ratio, report, type Sample } from '../../bench/harness/table.ts';

const sample = (target: string, round: number, serverMs: number, postgresMs: number): Sample => ({
  target,
  scenario: 'A',
  round,
  serverMs,
  postgresMs,
  requests: 1000,
  seconds: 2,
  p50Ms: 1,
  p99Ms: 2,
  badStatus: 0,
  socketErrors: 0,
  memoryMiB: 100,
});

describe('the figures of the bench', () => {
  it('takes the middle of odd counts and the mean of the middle two of even ones', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
  });

  it('compares only within a round, so that a busy minute cancels out', () => {
    const samples = [
      sample(BASE, 1, 0.05, 0.05),
      sample('other', 1, 0.1, 0.1),
      sample(BASE, 2, 0.5, 0.5),
      sample('other', 2, 1, 1),
      sample(BASE, 3, 0.05, 0.05),
      sample('other', 3, 0.3, 0.1),
    ];
    expect(ratio(samples, 'other', 'A')).toBeCloseTo(2);
    expect(ratio(samples, 'other', 'B')).toBeUndefined();
    expect(geometricMean([1, 4])).toBeCloseTo(2);
  });

  it('calls a run void in which the bare server is dear', () => {
    expect(isVoid([sample(BASE, 1, 0.1, 0.1)])).toBe(false);
    expect(isVoid([sample(BASE, 1, 0.2, 0.1)])).toBe(true);
  });

  it('says what was not measured and of how many the mean is', () => {
    const text = report([sample(BASE, 1, 0.05, 0.05), { ...sample(BASE, 1, 0.1, 0.1), scenario: 'B' }, sample('other', 1, 0.1, 0.1)]);
    expect(text).toContain('| other | 2.00 | – | 2.00 (of 1) |');
    expect(text).toContain('| other | 500 | – |');
  });
});
