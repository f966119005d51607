import type { RateLimiterAbstract } from 'rate-limiter-flexible';

/** At most `points` within `seconds`, counted from the first one. */
export interface Rule {
  readonly name: string;
  readonly points: number;
  readonly seconds: number;
}

/** Makes the counter of one rule. */
export type CounterFactory = (rule: Rule) => RateLimiterAbstract;
