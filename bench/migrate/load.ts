/**
 * The clients: operations at arrival times fixed in advance, whatever the answers take. Latency counts from the intended start, so a
 * stall of the server is seen by everybody who would have come meanwhile.
 */
import { rng } from '../lib/data.mjs';
import type { Answer, Client } from './client.ts';
import type { Journal, Outcome } from './journal.ts';
import type { Body, Inventor, Request, Shape, State, Subject } from './subject.ts';

export interface Dialect {
  readonly version: number;
  readonly shape: Shape;
}

export interface Timing {
  /** From the beginning of the load to the intended start. */
  readonly atMs: number;
  readonly tookMs: number;
  readonly isWrite: boolean;
}

export interface LoadOptions {
  readonly client: Client;
  readonly subject: Subject;
  readonly app: string;
  readonly journal: Journal;
  readonly rate: number;
  readonly seed: number;
  readonly hot: number;
  readonly old: Dialect;
  /** What a change makes of it, which may be seen in the tables before it is served. */
  readonly next: Shape;
  /** Requests may fail: something is being killed. Then an answer of 5xx or none is an unknown outcome and no fault. */
  readonly isStormy: boolean;
}

/** The ends of the shares of updates, inserts, increments, deletes; the rest are reads. Some updates are two of both shapes at once. */
const SHARES = { race: 0.03, update: 0.55, insert: 0.75, increment: 0.85, delete: 0.9 } as const;
const MOST_TRIES = 50;

export class Load {
  readonly timings: Timing[] = [];
  readonly failed: string[] = [];
  /** Answers that said something else than what was written. */
  readonly wrong: string[] = [];
  /** Requests without an acknowledgement while something was being killed. */
  unanswered = 0;
  /** Requests in the new shape that were answered before it was the served one. */
  early = 0;
  readonly #options: LoadOptions;
  readonly #chance: () => number;
  readonly #open = new Set<Promise<void>>();
  readonly #began = performance.now();
  readonly #invent: Inventor = {
    chance: () => this.#chance(),
    text: (letter) => `${letter}${this.#options.seed}x${++this.#count}`,
    number: () => ++this.#count,
  };
  #count = 0;
  #isStopped = false;
  /** Served beside the old dialect, once it is. */
  #next: Dialect | undefined;
  #isEarly = false;
  #hasOld = true;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#chance = rng(options.seed);
    void this.#arrivals();
  }

  get nowMs(): number {
    return performance.now() - this.#began;
  }

  get requests(): number {
    return this.timings.length;
  }

  /** From now on every second client speaks the new shape. Before its switch it may be taken back: then it is refused with 409. */
  serve(next: Dialect, isEarly = false): void {
    this.#next = next;
    this.#isEarly = isEarly;
  }

  /** What clients spoke early was taken back. */
  unserve(): void {
    this.#next = undefined;
  }

  /** The last old client is upgraded; resolves when none of their requests is open. */
  async retireOld(): Promise<void> {
    this.#hasOld = false;
    await Promise.all(this.#open);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#open);
  }

  async #arrivals(): Promise<void> {
    for (let at = 0; !this.#isStopped; at += 1000 / this.#options.rate) {
      const wait = at - this.nowMs;
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      if (this.#isStopped) return;
      const operation = this.#one(at).finally(() => this.#open.delete(operation));
      this.#open.add(operation);
    }
  }

  async #one(atMs: number): Promise<void> {
    const chance = this.#chance();
    const dialect = this.#dialect();
    if (chance < SHARES.race && this.#next !== undefined && this.#hasOld) await this.#race(this.#next);
    else if (chance < SHARES.update) await this.#update(dialect);
    else if (chance < SHARES.insert) await this.#insert(dialect);
    else if (chance < SHARES.increment) await this.#increment(dialect);
    else if (chance < SHARES.delete) await this.#delete(dialect);
    else await this.#read(dialect);
    this.timings.push({ atMs, tookMs: this.nowMs - atMs, isWrite: chance < SHARES.delete });
  }

  #dialect(): Dialect {
    if (this.#next === undefined) return this.#options.old;
    return this.#hasOld && this.#chance() < 0.5 ? this.#options.old : this.#next;
  }

  /** The newest shape that anybody speaks. */
  get #tried(): Shape {
    return (this.#next ?? this.#options.old).shape;
  }

  async #ask(dialect: Dialect, { method, path, body }: Request, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const isEarly = this.#isEarly && dialect === this.#next;
    const answer = await this.#options.client.send(method, `/api/${this.#options.app}/${path}`, {
      ...(body === undefined ? {} : { body }),
      headers: { 'schema-version': String(dialect.version), ...headers },
    });
    if (isEarly && answer.status < 300 && answer.status !== 0) this.early += 1;
    return answer;
  }

  async #update(dialect: Dialect): Promise<void> {
    const { journal, subject } = this.#options;
    const track = journal.hold(this.#chance);
    const state = track.allowed[0]!;
    const { shape, version } = dialect;
    const write = subject.update({ shape, tried: this.#tried, id: track.id, state, invent: this.#invent });
    const after = write.apply(state);
    const answer = await this.#ask(dialect, write);
    const outcome = this.#outcome(answer, 200, dialect, `update of ${track.ref}`);
    journal.written(track, { kind: 'update', version, outcome, after });
    if (outcome === 'acknowledged' && write.tells) this.#compare(dialect, answer.data, after, `the answer to the update of ${track.ref}`);
    journal.release(track);
  }

  /** Two clients, one of each shape, change a record at the same time: neither fails, and it is what one order of the two makes of it. */
  async #race(next: Dialect): Promise<void> {
    const { journal, subject, old } = this.#options;
    const track = journal.hold(this.#chance);
    const state = track.allowed[0]!;
    const writes = [old, next].map(({ shape }) => subject.update({ shape, tried: this.#tried, id: track.id, state, invent: this.#invent }));
    const [one, other] = [writes[0]!, writes[1]!];
    const answers = await Promise.all([this.#ask(old, one), this.#ask(next, other)]);
    const outcomes = [old, next].map((dialect, at) => this.#outcome(answers[at]!, 200, dialect, `race for ${track.ref}`));
    const orders = [other.apply(one.apply(state)), one.apply(other.apply(state))];
    const hasFailed = outcomes.some((outcome) => outcome !== 'acknowledged');
    const possible = hasFailed ? [state, one.apply(state), other.apply(state), ...orders] : orders;
    journal.raced(track, next.version, hasFailed ? 'unknown' : 'acknowledged', distinct(possible));
    journal.release(track);
  }

  async #insert(dialect: Dialect): Promise<void> {
    const { journal, subject } = this.#options;
    const track = journal.holdNew();
    const { write, after } = subject.insert(dialect.shape, track.ref, this.#invent);
    const answer = await this.#ask(dialect, write);
    const outcome = this.#outcome(answer, write.status ?? 200, dialect, `insert of ${track.ref}`);
    if (outcome === 'acknowledged') track.id = subject.born(answer.data);
    journal.written(track, { kind: 'insert', version: dialect.version, outcome, after });
    if (outcome === 'acknowledged' && write.tells) this.#compare(dialect, answer.data, after, `the answer to the insert of ${track.ref}`);
    journal.release(track);
  }

  async #delete(dialect: Dialect): Promise<void> {
    const { journal, subject } = this.#options;
    const track = journal.hold(this.#chance);
    const answer = await this.#ask(dialect, { method: 'DELETE', path: subject.path(dialect.shape, track.id) });
    const outcome = this.#outcome(answer, 200, dialect, `delete of ${track.ref}`);
    journal.written(track, { kind: 'delete', version: dialect.version, outcome, after: null });
    journal.release(track);
  }

  /** Reads and writes under If-Match, as a client without anything better does. Whoever loses the race reads again. */
  async #increment(dialect: Dialect): Promise<void> {
    const { journal, hot, subject } = this.#options;
    const ref = 1 + Math.floor(this.#chance() * hot);
    const path = subject.path(dialect.shape, subject.seededId(ref));
    const what = `increment of ${ref}`;
    for (let tries = 1; tries <= MOST_TRIES; tries++) {
      const read = await this.#ask(dialect, { method: 'GET', path });
      if (this.#outcome(read, 200, dialect, what) !== 'acknowledged') return;
      const hits = Number((read.data as Body)['hits']);
      const headers = { 'if-match': (read.etag ?? '').replace(/^W\//, '').replace(/-[^"]*"$/, '"') };
      const answer = await this.#ask(dialect, { method: 'PATCH', path, body: { hits: hits + 1 } }, headers);
      if (answer.status === 412) continue;
      return journal.incremented(ref, dialect.version, this.#outcome(answer, 200, dialect, what));
    }
    this.failed.push(`${what} in version ${dialect.version} lost the race ${MOST_TRIES} times`);
  }

  /** Nobody writes to the record meanwhile: what is read is what was written last. */
  async #read(dialect: Dialect): Promise<void> {
    const { journal, subject } = this.#options;
    const track = journal.hold(this.#chance);
    const answer = await this.#ask(dialect, { method: 'GET', path: subject.readPath(dialect.shape, track.id) });
    if (this.#outcome(answer, 200, dialect, `read of ${track.ref}`) === 'acknowledged')
      this.#compare(dialect, answer.data, track.allowed[0]!, `record ${track.ref} as read`);
    journal.release(track);
  }

  #outcome(answer: Answer, wanted: number, { version }: Dialect, what: string): Outcome {
    if (answer.status === wanted) return 'acknowledged';
    const isUnknown = answer.status === 0 || answer.status >= 500;
    const isTakenBack = answer.status === 409 && version !== this.#options.old.version && (this.#isEarly || this.#next === undefined);
    if ((isUnknown || isTakenBack) && this.#options.isStormy) this.unanswered += 1;
    else this.failed.push(`${what} in version ${version}: ${answer.status} ${answer.text.slice(0, 300)}`);
    return isUnknown ? 'unknown' : 'refused';
  }

  #compare(dialect: Dialect, data: unknown, expected: State, what: string): void {
    const { subject } = this.#options;
    const found = subject.said(dialect.shape, (data ?? {}) as Body);
    const wrong = subject.differences(expected, found, dialect.shape, this.#options.next);
    if (wrong.length === 0) return;
    this.wrong.push(`${what} in version ${dialect.version} is ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`);
  }
}

const distinct = (states: readonly State[]): State[] => [...new Map(states.map((state) => [JSON.stringify(state), state])).values()];
