/** How long requests took lately: the 95th percentile of what was added since it was last asked. */

/** Fewer say nothing. */
const LEAST = 20;
/** The newest are kept; more of them in one interval say nothing new. */
const MOST = 2_000;

export class RecentLatency {
  #samples: number[] = [];
  #next = 0;

  add(ms: number): void {
    this.#samples[this.#next % MOST] = ms;
    this.#next += 1;
  }

  /** Milliseconds, and begins anew; null after too few requests. */
  take(): number | null {
    const samples = this.#samples.sort((a, b) => a - b);
    this.#samples = [];
    this.#next = 0;
    return samples.length < LEAST ? null : (samples[Math.floor(samples.length * 0.95)] ?? null);
  }
}
