import { describe, expect, it } from 'vitest';
import { durationMs } from '../../../core/duration.ts';
import { webhookSchema } from '../../../core/model/document.ts';
import { delayAfter, judgeStatus, retryAfterMs } from '../../../core/webhook/backoff.ts';

const retryOf = (retry: Record<string, unknown>) => webhookSchema.parse({ entity: 'a', url: 'http://a.test/', retry }).retry;
const delays = (retry: Record<string, unknown>): (number | null)[] => {
  const parsed = retryOf(retry);
  return Array.from({ length: parsed.max_attempts }, (_, i) => delayAfter(parsed, i + 1));
};

describe('retry schedules', () => {
  it('follow the large senders by default: 5 s to 10 h, eight attempts in all', () => {
    expect(delays({})).toEqual([5_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 36_000_000, null]);
  });

  it('double, add up, stay or follow a list', () => {
    expect(delays({ max_attempts: 4, initial: '30s' })).toEqual([30_000, 60_000, 120_000, null]);
    expect(delays({ max_attempts: 4, backoff: 'linear', initial: '30s' })).toEqual([30_000, 60_000, 90_000, null]);
    expect(delays({ max_attempts: 3, backoff: 'fixed', initial: '1m' })).toEqual([60_000, 60_000, null]);
    expect(delays({ max_attempts: 4, backoff: 'custom', schedule: ['1s', '2s'] })).toEqual([1_000, 2_000, 2_000, null]);
  });

  it('let a receiver ask for more patience, never for less, and at most for a day', () => {
    const retry = retryOf({ backoff: 'fixed', initial: '1m' });
    expect(delayAfter(retry, 1, 120_000)).toBe(120_000);
    expect(delayAfter(retry, 1, 1_000)).toBe(60_000);
    expect(delayAfter(retry, 1, 10 * 86_400_000)).toBe(86_400_000);
  });

  it('read Retry-After as seconds or a date', () => {
    const now = new Date('2026-01-01T00:00:00Z');
    expect(retryAfterMs('7', now)).toBe(7_000);
    expect(retryAfterMs('Thu, 01 Jan 2026 00:01:00 GMT', now)).toBe(60_000);
    expect(retryAfterMs('soon', now)).toBeNull();
  });

  it('count only 2xx as delivered; a redirect is a failure and 410 the end', () => {
    expect([200, 204, 301, 302, 400, 410, 429, 500].map(judgeStatus)).toEqual([
      'delivered',
      'delivered',
      'retry',
      'retry',
      'retry',
      'gone',
      'retry',
      'retry',
    ]);
  });
});

describe('durations', () => {
  it('are short or ISO 8601', () => {
    expect(['30m', '4h', '2d', '1w', '60s', '1.5h', 'PT30M', 'P2D', 'P1DT12H', 'P1W'].map(durationMs)).toEqual([
      1_800_000, 14_400_000, 172_800_000, 604_800_000, 60_000, 5_400_000, 1_800_000, 172_800_000, 129_600_000, 604_800_000,
    ]);
    for (const bad of ['', '4', 'h', 'P', 'PT', '4 h', '-1h', 'P1H']) expect(() => durationMs(bad)).toThrow(TypeError);
  });
});
