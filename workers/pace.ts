/** So many a second in the long run, and no more than that at once. */
export class Pace {
  readonly #perSecond: number;
  #saved: number;
  #at = performance.now();

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#saved = perSecond;
  }

  /** How many of `wanted` may be done now. */
  take(wanted: number): number {
    const now = performance.now();
    this.#saved = Math.min(this.#perSecond, this.#saved + ((now - this.#at) * this.#perSecond) / 1_000);
    this.#at = now;
    const taken = Math.min(wanted, Math.floor(this.#saved));
    this.#saved -= taken;
    return taken;
  }
}
