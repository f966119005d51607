import { durationMs } from '../duration.ts';
import type { WebhookDefinition } from '../model/document.ts';

/** The exponential default after the first attempt, as the large senders do it: 5 s, 5 m, 30 m, 2 h, 5 h, 10 h, 10 h. */
const DEFAULT_SCHEDULE = ['5s', '5m', '30m', '2h', '5h', '10h', '10h'];
const LONGEST_MS = 24 * 3_600_000;

/** Milliseconds to wait after attempt number `attempt` (1 = the first) failed; null when it was the last one. */
export function delayAfter(retry: WebhookDefinition['retry'], attempt: number, retryAfterMs: number | null = null): number | null {
  if (attempt >= retry.max_attempts) return null;
  const planned = plannedDelay(retry, attempt);
  // A receiver may ask for more patience, up to a day; never for less than its own schedule.
  return Math.min(Math.max(planned, retryAfterMs ?? 0), LONGEST_MS);
}

function plannedDelay(retry: WebhookDefinition['retry'], attempt: number): number {
  const initial = durationMs(retry.initial);
  switch (retry.backoff) {
    case 'fixed':
      return initial;
    case 'linear':
      return initial * attempt;
    case 'custom':
      return scheduled(retry.schedule ?? [retry.initial], attempt);
    case 'exponential':
      return retry.initial === '5s' ? scheduled(DEFAULT_SCHEDULE, attempt) : initial * 2 ** (attempt - 1);
  }
}

const scheduled = (schedule: readonly string[], attempt: number): number =>
  durationMs(schedule[Math.min(attempt, schedule.length) - 1] ?? '5s');

/** Milliseconds of a Retry-After header: seconds or an HTTP date. */
export function retryAfterMs(header: string | undefined, now: Date): number | null {
  if (header === undefined) return null;
  if (/^\d+$/.test(header.trim())) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Math.max(0, at - now.getTime());
}

export type AttemptOutcome = 'delivered' | 'retry' | 'gone';

/** 2xx is delivered, 410 says never again, everything else (redirects too: they are not followed) is tried again. */
export function judgeStatus(status: number): AttemptOutcome {
  if (status >= 200 && status < 300) return 'delivered';
  return status === 410 ? 'gone' : 'retry';
}
