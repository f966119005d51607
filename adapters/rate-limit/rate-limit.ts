/**
 * Counting against limits. Counters are shared by every process: in Redis where there is one, else in Postgres. A Redis that is
 * away costs nothing but its speed: the same limiter goes on counting in Postgres.
 */
import type pg from 'pg';
import { RateLimiterRes, type RateLimiterAbstract } from 'rate-limiter-flexible';
import { inPostgres } from './postgres.ts';
import type { CounterFactory, Rule } from './rule.ts';

export interface Taken {
  readonly isAllowed: boolean;
  /** How many were asked for in this window, this one included. */
  readonly count: number;
  readonly resetMs: number;
}

export interface RateLimiter {
  /** Counts `amount` more and says whether that was within the rule. */
  take(rule: Rule, key: string, amount?: number): Promise<Taken>;
  /** How it stands, without counting. */
  look(rule: Rule, key: string): Promise<Taken>;
  /** Refuses the key for so long, whatever it counted. */
  block(rule: Rule, key: string, seconds: number): Promise<void>;
  /** Starts the key's window anew. */
  forget(rule: Rule, key: string): Promise<void>;
  close(): void;
}

const MAX_COUNTERS = 1_000;

/** The limiter of this process: over Redis with Postgres behind it, or over Postgres. */
export async function createRateLimiter(
  pool: pg.Pool,
  redisUrl: string | undefined,
  onTrouble: (message: string) => void,
): Promise<RateLimiter> {
  const postgres = inPostgres(pool);
  if (redisUrl === undefined) return limiterOver(postgres);
  const { inRedis } = await import('./redis.ts');
  const redis = inRedis(redisUrl, postgres, onTrouble);
  return limiterOver(redis.counterOf, redis.close);
}

/** A limiter over one kind of counter. */
export function limiterOver(counterOf: CounterFactory, close: () => void = () => undefined): RateLimiter {
  const counters = new Map<string, RateLimiterAbstract>();
  const counter = (rule: Rule): RateLimiterAbstract => {
    const key = `${rule.name}/${rule.points}/${rule.seconds}`;
    let known = counters.get(key);
    if (known === undefined) {
      if (counters.size >= MAX_COUNTERS) counters.clear();
      counters.set(key, (known = counterOf(rule)));
    }
    return known;
  };
  return {
    async take(rule, key, amount = 1) {
      try {
        return takenOf(true, await counter(rule).consume(key, amount));
      } catch (refusal) {
        if (refusal instanceof RateLimiterRes) return takenOf(false, refusal);
        throw refusal;
      }
    },
    async look(rule, key) {
      const state = await counter(rule).get(key);
      if (state === null) return { isAllowed: true, count: 0, resetMs: 0 };
      return takenOf(state.consumedPoints < rule.points, state);
    },
    async block(rule, key, seconds) {
      await counter(rule).block(key, seconds);
    },
    async forget(rule, key) {
      await counter(rule).delete(key);
    },
    close,
  };
}

const takenOf = (isAllowed: boolean, state: RateLimiterRes): Taken => ({
  isAllowed,
  count: state.consumedPoints,
  resetMs: Math.max(0, state.msBeforeNext),
});
