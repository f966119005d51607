import type { Logger } from 'pino';

/** A background loop that never dies of an error and stops when asked. */
export interface Loop {
  /** Start the next turn at once instead of at the end of its pause. */
  wake(): void;
  close(): Promise<void>;
}

/** Ends at the time, at a wake-up or when stopping, whichever comes first. */
export function pause(ms: number, signal: AbortSignal, waker?: Waker): Promise<void> {
  if (signal.aborted || waker?.take() === true) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      waker?.forget();
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { once: true });
    waker?.onWake(end);
  });
}

/** Remembers a wake-up that came while nobody was pausing. */
export class Waker {
  #pending = false;
  #end: (() => void) | undefined;

  wake(): void {
    if (this.#end === undefined) this.#pending = true;
    else this.#end();
  }

  take(): boolean {
    const was = this.#pending;
    this.#pending = false;
    return was;
  }

  onWake(end: () => void): void {
    this.#end = end;
  }

  forget(): void {
    this.#end = undefined;
  }
}

/** Runs `turn` again and again; after a failure it waits, 0.2 s doubling to 5 s, and says so once per failure. */
export function loop(name: string, log: Logger, turn: (signal: AbortSignal, waker: Waker) => Promise<void>): Loop {
  const stop = new AbortController();
  const waker = new Waker();
  const running = (async () => {
    let delay = 200;
    while (!stop.signal.aborted) {
      try {
        await turn(stop.signal, waker);
        delay = 200;
      } catch (error) {
        if (stop.signal.aborted) return;
        log.error({ error: error instanceof Error ? error.message : String(error) }, `${name} failed; trying again in ${delay} ms`);
        await pause(delay, stop.signal);
        delay = Math.min(delay * 2, 5_000);
      }
    }
  })();
  return {
    wake: () => waker.wake(),
    async close() {
      stop.abort();
      await running;
    },
  };
}
