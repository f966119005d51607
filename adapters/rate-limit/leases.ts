/**
 * Limits that every request meets. A process takes a fiftieth of a limit at a time from the shared counters and spends it from
 * memory: a request costs a map lookup, and a minute of any traffic fifty round trips. Never more than the limit is let
 * through; a process that is idle may hold back its last fiftieth until the minute ends.
 */
import type { RateLimiter } from './rate-limit.ts';
import type { Rule } from './rule.ts';

export interface Allowance {
  readonly isAllowed: boolean;
  readonly limit: number;
  readonly remaining: number;
  readonly resetMs: number;
}

export interface LeasedLimiter {
  /** Without waiting where the process holds a lease, or knows that there is nothing left. */
  take(rule: Rule, key: string): Allowance | Promise<Allowance>;
}

interface Lease {
  /** Ours to spend. */
  left: number;
  /** Not yet taken by any process, when last asked. */
  shared: number;
  /** The end of the window. */
  until: number;
  asking: Promise<void> | undefined;
}

const SHARES = 50;
const MAX_LEASES = 50_000;

/** `now` is the clock of leases, in milliseconds. */
export function leasedLimiter(limiter: RateLimiter, now: () => number = Date.now): LeasedLimiter {
  const leases = new Map<string, Lease>();

  const leaseOf = (rule: Rule, key: string): Lease => {
    const name = `${rule.name}/${rule.points}/${key}`;
    let lease = leases.get(name);
    if (lease === undefined) {
      if (leases.size >= MAX_LEASES) forgetEnded(leases, now());
      leases.set(name, (lease = { left: 0, shared: rule.points, until: 0, asking: undefined }));
    }
    return lease;
  };
  const spend = (rule: Rule, lease: Lease): Allowance | undefined => {
    const resetMs = lease.until - now();
    if (resetMs <= 0) return undefined;
    if (lease.left > 0) {
      lease.left -= 1;
      return { isAllowed: true, limit: rule.points, remaining: lease.left + lease.shared, resetMs };
    }
    return lease.shared > 0 ? undefined : { isAllowed: false, limit: rule.points, remaining: 0, resetMs };
  };
  const ask = async (rule: Rule, key: string, lease: Lease): Promise<void> => {
    const share = Math.max(1, Math.ceil(rule.points / SHARES));
    const taken = await limiter.take(rule, key, share);
    lease.left = taken.isAllowed ? share : Math.max(0, rule.points - (taken.count - share));
    lease.shared = Math.max(0, rule.points - taken.count);
    lease.until = now() + Math.max(1, taken.resetMs);
  };
  const wait = async (rule: Rule, key: string, lease: Lease): Promise<Allowance> => {
    for (;;) {
      lease.asking ??= ask(rule, key, lease).finally(() => (lease.asking = undefined));
      await lease.asking;
      const allowance = spend(rule, lease);
      if (allowance !== undefined) return allowance;
    }
  };
  return {
    take(rule, key) {
      const lease = leaseOf(rule, key);
      return spend(rule, lease) ?? wait(rule, key, lease);
    },
  };
}

/** Ended windows first; when none has ended, the oldest tenth. */
function forgetEnded(leases: Map<string, Lease>, now: number): void {
  for (const [name, lease] of leases) if (lease.until <= now && lease.asking === undefined) leases.delete(name);
  if (leases.size < MAX_LEASES) return;
  let surplus = MAX_LEASES / 10;
  for (const name of leases.keys()) if (surplus-- > 0) leases.delete(name);
}
