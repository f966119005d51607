/**
 * The clients: operations at arrival times fixed in advance, whatever the answers take. Latency counts from the intended start, so a
 * stall of the server is seen by everybody who would have come meanwhile.
 */
import { rng } from '../lib/data.mjs';
import type { Answer, Client } from './client.ts';
import type { Journal, Outcome } from './journal.ts';
import { differences, ENTITY, FILLED, fromBody, seededId, toBody, type Body, type Person, type Shape } from './person.ts';

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
  readonly app: string;
  readonly journal: Journal;
  readonly rate: number;
  readonly seed: number;
  readonly hot: number;
  readonly old: Dialect;
  /** Requests may fail: something is being killed. Then an answer of 5xx or none is an unknown outcome and no fault. */
  readonly isStormy: boolean;
}

/** The ends of the shares of updates, inserts, increments, deletes; the rest are reads. */
const SHARES = { update: 0.55, insert: 0.75, increment: 0.85, delete: 0.9 } as const;
const MOST_TRIES = 50;

export class Load {
  readonly timings: Timing[] = [];
  readonly failed: string[] = [];
  /** Answers that said something else than what was written. */
  readonly wrong: string[] = [];
  /** Requests without an acknowledgement while something was being killed. */
  unanswered = 0;
  readonly #options: LoadOptions;
  readonly #chance: () => number;
  readonly #open = new Set<Promise<void>>();
  readonly #began = performance.now();
  #count = 0;
  #isStopped = false;
  /** Served beside the old dialect, once it is. */
  #next: Dialect | undefined;
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

  /** From now on every second client speaks the new shape. */
  serve(next: Dialect): void {
    this.#next = next;
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
    if (chance < SHARES.update) await this.#update(dialect);
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

  #ask(dialect: Dialect, method: string, id?: string, body?: Body, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const path = `/api/${this.#options.app}/${ENTITY}${id === undefined ? '' : `/${id}`}`;
    return this.#options.client.send(method, path, {
      ...(body === undefined ? {} : { body }),
      headers: { 'schema-version': String(dialect.version), ...headers },
    });
  }

  async #update(dialect: Dialect): Promise<void> {
    const { journal } = this.#options;
    const track = journal.hold(this.#chance);
    const patch = this.#patch(dialect.shape);
    const after = { ...track.allowed[0]!, ...patch };
    const answer = await this.#ask(dialect, 'PATCH', track.id, toBody(dialect.shape, patch));
    const outcome = this.#outcome(answer, 200, `update of ${track.ref} in version ${dialect.version}`);
    journal.written(track, { kind: 'update', version: dialect.version, outcome, after });
    if (outcome === 'acknowledged') this.#compare(dialect, answer.data, after, `the answer to the update of ${track.ref}`);
    journal.release(track);
  }

  async #insert(dialect: Dialect): Promise<void> {
    const { journal } = this.#options;
    const track = journal.holdNew();
    const after: Person = { ...this.#values(), note: this.#chance() < 0.3 && !dialect.shape.has('fill') ? null : this.#text('N') };
    const body = { ref: track.ref, ...toBody(dialect.shape, after) };
    const answer = await this.#ask(dialect, 'POST', undefined, body);
    const outcome = this.#outcome(answer, 201, `insert of ${track.ref} in version ${dialect.version}`);
    if (outcome === 'acknowledged') track.id = String((answer.data as Body | undefined)?.['id']);
    journal.written(track, { kind: 'insert', version: dialect.version, outcome, after });
    if (outcome === 'acknowledged') this.#compare(dialect, answer.data, after, `the answer to the insert of ${track.ref}`);
    journal.release(track);
  }

  async #delete(dialect: Dialect): Promise<void> {
    const { journal } = this.#options;
    const track = journal.hold(this.#chance);
    const answer = await this.#ask(dialect, 'DELETE', track.id);
    const outcome = this.#outcome(answer, 200, `delete of ${track.ref} in version ${dialect.version}`);
    journal.written(track, { kind: 'delete', version: dialect.version, outcome, after: null });
    journal.release(track);
  }

  /** Reads and writes under If-Match, as a client without anything better does. Whoever loses the race reads again. */
  async #increment(dialect: Dialect): Promise<void> {
    const { journal, hot } = this.#options;
    const ref = 1 + Math.floor(this.#chance() * hot);
    const id = seededId(ref);
    const what = `increment of ${ref} in version ${dialect.version}`;
    for (let tries = 1; tries <= MOST_TRIES; tries++) {
      const read = await this.#ask(dialect, 'GET', id);
      if (this.#outcome(read, 200, what) !== 'acknowledged') return;
      const hits = Number((read.data as Body)['hits']);
      const headers = { 'if-match': (read.etag ?? '').replace(/^W\//, '').replace(/-[^"]*"$/, '"') };
      const answer = await this.#ask(dialect, 'PATCH', id, { hits: hits + 1 }, headers);
      if (answer.status === 412) continue;
      return journal.incremented(ref, dialect.version, this.#outcome(answer, 200, what));
    }
    this.failed.push(`${what} lost the race ${MOST_TRIES} times`);
  }

  /** Nobody writes to the record meanwhile: what is read is what was written last. */
  async #read(dialect: Dialect): Promise<void> {
    const { journal } = this.#options;
    const track = journal.hold(this.#chance);
    const answer = await this.#ask(dialect, 'GET', track.id);
    if (this.#outcome(answer, 200, `read of ${track.ref} in version ${dialect.version}`) === 'acknowledged')
      this.#compare(dialect, answer.data, track.allowed[0]!, `record ${track.ref} as read`);
    journal.release(track);
  }

  #outcome(answer: Answer, wanted: number, what: string): Outcome {
    if (answer.status === wanted) return 'acknowledged';
    const isUnknown = answer.status === 0 || answer.status >= 500;
    if (isUnknown && this.#options.isStormy) this.unanswered += 1;
    else this.failed.push(`${what}: ${answer.status} ${answer.text.slice(0, 300)}`);
    return isUnknown ? 'unknown' : 'refused';
  }

  #compare(dialect: Dialect, data: unknown, expected: Person, what: string): void {
    const found = fromBody(dialect.shape, (data ?? {}) as Body);
    const wrong = differences(expected, found, dialect.shape, this.#next?.shape ?? dialect.shape);
    // A fill goes through the rows before its version is served.
    const isFilledAlready = this.#next === undefined && expected.note === null && found.note === FILLED;
    if (wrong.length === 0 || (isFilledAlready && wrong.length === 1 && wrong[0] === 'note')) return;
    this.wrong.push(`${what} in version ${dialect.version} is ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`);
  }

  #text(letter: string): string {
    return `${letter}${this.#options.seed}x${++this.#count}`;
  }

  #values(): Omit<Person, 'note'> {
    const size = this.#chance() < 0.1 ? null : ++this.#count;
    return { first: this.#text('F'), last: this.#text('L'), size, city: this.#text('C') };
  }

  /** Some of the fields. A shape in which the name is one field writes it whole. */
  #patch(shape: Shape): Partial<Person> {
    const all = this.#values();
    const picks: Partial<Person>[] = [
      { first: all.first, last: all.last },
      shape.has('split') ? { last: all.last } : { city: all.city },
      { size: all.size },
      { note: this.#chance() < 0.2 && !shape.has('fill') ? null : this.#text('N') },
      { size: all.size, city: all.city },
    ];
    return picks[Math.floor(this.#chance() * picks.length)]!;
  }
}
