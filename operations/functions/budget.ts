/** What one run may use up. Each limit refuses before the effect that would pass it. */
import { FunctionError } from '../../core/functions/function.ts';

export const RUN_LIMITS = { ms: 30_000, calls: 10, mails: 5, records: 50, rows: 1_000 } as const;

const WORDS = {
  calls: 'calls of other servers',
  mails: 'mails',
  records: 'record operations',
  rows: 'rows',
} as const;

export class Budget {
  readonly #end: number;
  readonly #used = { calls: 0, mails: 0, records: 0, rows: 0 };

  constructor(now: number = performance.now()) {
    this.#end = now + RUN_LIMITS.ms;
  }

  calls = (count: number): void => this.#use('calls', count);
  mails = (count: number): void => this.#use('mails', count);
  records = (count: number): void => this.#use('records', count);
  rows = (count: number): void => this.#use('rows', count);
  rowsLeft = (): number => RUN_LIMITS.rows - this.#used.rows;

  /** Milliseconds; throws when none are left. */
  timeLeft(): number {
    const left = Math.floor(this.#end - performance.now());
    if (left <= 0) throw overtime();
    return Math.min(left, 15_000);
  }

  #use(what: keyof typeof WORDS, count: number): void {
    this.timeLeft();
    this.#used[what] += count;
    if (this.#used[what] > RUN_LIMITS[what])
      throw new FunctionError(
        'BusinessLogic',
        `A run may use at most ${String(RUN_LIMITS[what])} ${WORDS[what]}; this one asks for ${String(this.#used[what])}.`,
      );
  }
}

export const overtime = (): FunctionError =>
  new FunctionError('ExternalService', `The run did not end within ${String(RUN_LIMITS.ms / 1_000)} seconds.`);
