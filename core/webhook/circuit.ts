/** When an endpoint as a whole is left alone: after failures in a row, or because it said so. */
import type { WebhookDefinition } from '../model/document.ts';

/** After this long without one success the endpoint is disabled, and the app's admins are told. */
export const DISABLE_AFTER = '5 days';
/** How long one process may try whether an endpoint is back before another may. */
export const TRIAL_LEASE = '30 seconds';
/** The first pause of an endpoint; the next are twice as long each, up to `LONGEST_PAUSE_MS`. */
export const FIRST_PAUSE_MS = 30_000;
export const LONGEST_PAUSE_MS = 15 * 60_000;
/** The most that a `Retry-After` pauses a whole endpoint; the delivery that got it waits as long as it was told, up to a day. */
export const LONGEST_THROTTLE_MS = 3_600_000;

/** A failure beyond so many in a row is the endpoint's and not the delivery's: the delivery waits in the queue and needs no workflow. */
export const FEW_FAILURES = 1;

const BREAK_AFTER = 10;
const CONCURRENCY = 32;
/** "Too much" from the endpoint, or no endpoint behind its proxy: what holds for one delivery holds for all. */
const THROTTLING = [429, 502, 504];
const SHORT_THROTTLE_MS = 5_000;

/** Failed attempts in a row, of any deliveries, after which the endpoint is paused. */
export const breakAfter = (hook: WebhookDefinition | undefined): number => hook?.break_after ?? BREAK_AFTER;

/** Attempts that one worker makes at the same time. */
export const concurrencyOf = (hook: WebhookDefinition | undefined): number => hook?.concurrency ?? CONCURRENCY;

/** Milliseconds for which an answer pauses the whole endpoint; null when it concerns the delivery alone. */
export function throttleMs(status: number, retryAfterMs: number | null): number | null {
  if (status >= 200 && status < 300) return null;
  if (retryAfterMs !== null) return Math.min(retryAfterMs, LONGEST_THROTTLE_MS);
  return THROTTLING.includes(status) ? SHORT_THROTTLE_MS : null;
}
