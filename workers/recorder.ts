/**
 * Writes down what attempts came to: what ends while one statement is under way goes into the next, so that many at a time cost
 * one commit, and one by itself waits for nobody.
 */
import type { AppRuntime, Services } from '../operations/context.ts';
import { isFailure, recordAttempts, type MadeAttempt } from '../operations/webhooks/record-attempts.ts';

const MAX_AT_ONCE = 128;

interface Waiting {
  readonly made: MadeAttempt;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class Recorder {
  readonly #services: Services;
  /** Per app; an app with an entry is being written. */
  readonly #waiting = new Map<string, Waiting[]>();
  #size = 0;

  constructor(services: Services) {
    this.#services = services;
  }

  /** Attempts that are not recorded yet. */
  get size(): number {
    return this.#size;
  }

  /** Resolves when it is committed. */
  async record(app: AppRuntime, made: MadeAttempt): Promise<void> {
    this.#size++;
    try {
      await new Promise<void>((resolve, reject) => {
        const waiting = this.#waiting.get(app.id);
        if (waiting !== undefined) return void waiting.push({ made, resolve, reject });
        this.#waiting.set(app.id, [{ made, resolve, reject }]);
        void this.#write(app);
      });
    } finally {
      this.#size--;
    }
  }

  async #write(app: AppRuntime): Promise<void> {
    for (;;) {
      // Answers that came in one turn of the event loop are taken together.
      await new Promise((resolve) => setImmediate(resolve));
      const waiting = this.#waiting.get(app.id) ?? [];
      if (waiting.length === 0) return void this.#waiting.delete(app.id);
      const { taken, left } = takeBatch(waiting);
      this.#waiting.set(app.id, left);
      await this.#writeBatch(app, taken);
    }
  }

  async #writeBatch(app: AppRuntime, batch: readonly Waiting[]): Promise<void> {
    try {
      await recordAttempts(
        this.#services,
        app,
        batch.map(({ made }) => made),
      );
      for (const { resolve } of batch) resolve();
    } catch (error) {
      if (batch.length === 1) return batch[0]?.reject(error);
      // One that cannot be written must not take the others with it.
      for (const one of batch) await this.#writeBatch(app, [one]);
    }
  }
}

/** In order, of each webhook either successes or one failure. */
export function takeBatch<T extends { readonly made: MadeAttempt }>(waiting: readonly T[]): { readonly taken: T[]; readonly left: T[] } {
  const taken: T[] = [];
  const left: T[] = [];
  const seen = new Set<string>();
  const closed = new Set<string>();
  for (const one of waiting) {
    const { webhook } = one.made.delivery;
    const isFailed = isFailure(one.made);
    if (taken.length >= MAX_AT_ONCE || closed.has(webhook) || (isFailed && seen.has(webhook))) {
      closed.add(webhook);
      left.push(one);
      continue;
    }
    seen.add(webhook);
    if (isFailed) closed.add(webhook);
    taken.push(one);
  }
  return { taken, left };
}
