import { describe, expect, it } from 'vitest';
import { throttleMs } from '../../../core/webhook/circuit.ts';

describe('an answer pauses the whole endpoint', () => {
  it.each([
    [429, null, 5_000],
    [502, null, 5_000],
    [504, null, 5_000],
    [429, 60_000, 60_000],
    [503, 60_000, 60_000],
    [429, 86_400_000, 3_600_000],
    [500, null, null],
    [404, null, null],
    [200, 60_000, null],
  ])('%i with Retry-After %s: %s ms', (status, retryAfter, expected) => {
    expect(throttleMs(status, retryAfter)).toBe(expected);
  });
});
