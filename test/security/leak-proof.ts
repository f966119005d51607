/**
 * Sends every ask of every clause, as every caller, to two databases that differ in hidden data only, and compares the answers
 * byte by byte: status, headers, body. What must differ between two moments is masked: the date, made ids, sealed cursors.
 */
import type { Caller, Reply } from '../support/api.ts';
import { seeded } from '../support/seeded.ts';
import { combinations, READS, WRITES, type Ask, type Clause } from './leak-clauses.ts';
import { HIDDEN_FROM, HIDDEN_NAMES, leakWorld, type LeakWorld } from './leak-world.ts';

export interface Leak {
  /** `data`: the two databases answer differently; `name`: a hidden name is told; `write`: what the caller may not write has changed. */
  readonly kind: 'data' | 'name' | 'write';
  readonly clause: string;
  readonly caller: string;
  readonly ask: Ask;
  readonly a: string;
  readonly b: string;
}

export interface LeakResult {
  readonly asked: number;
  readonly succeeded: number;
  readonly failed: readonly string[];
  readonly leaks: readonly Leak[];
}

export interface LeakOptions {
  /** 1: every ask; n: every n-th of the reads that are sampled. */
  readonly step: number;
  /** As many requests of several clauses are made of the seed. */
  readonly combined: number;
  readonly seed: number;
}

export async function proveLeaks(urls: readonly [string, string], { step, combined, seed }: LeakOptions): Promise<LeakResult> {
  const [a, b] = [await leakWorld(urls[0], 'a'), await leakWorld(urls[1], 'b')];
  try {
    const proof = new Proof(a, b);
    const reads = [...READS, combinations(seeded(seed), combined)];
    for (const caller of a.callers.keys()) await proof.ask(caller, reads, ASKED_LESS.has(caller) ? step * 5 : step);
    for (const caller of ['reader', 'nobody', 'stranger', 'scribe without memos', 'agent']) await proof.write(caller, WRITES, step);
    return proof.result;
  } finally {
    await Promise.all([a.close(), b.close()]);
  }
}

/** Who is refused everywhere, and who has the rights of another caller. */
const ASKED_LESS: ReadonlySet<string> = new Set(['nobody', 'stranger', 'as agent', 'key of agent', 'tickets only', 'scribe without memos']);

type About = Pick<Leak, 'clause' | 'caller' | 'ask'>;

class Proof {
  readonly #a: LeakWorld;
  readonly #b: LeakWorld;
  readonly #leaks: Leak[] = [];
  readonly #failed: string[] = [];
  #asked = 0;
  #succeeded = 0;

  constructor(a: LeakWorld, b: LeakWorld) {
    this.#a = a;
    this.#b = b;
  }

  get result(): LeakResult {
    return { asked: this.#asked, succeeded: this.#succeeded, failed: this.#failed, leaks: this.#leaks };
  }

  async ask(caller: string, clauses: readonly Clause[], step: number): Promise<void> {
    const [a, b] = [this.#a.callers.get(caller), this.#b.callers.get(caller)];
    if (a === undefined || b === undefined) throw new Error(`There is no caller "${caller}".`);
    for (const [clause, asks, sampling] of clauses) {
      const each = sampling !== 'whole' ? step : ASKED_LESS.has(caller) ? Math.min(step, 3) : 1;
      for (const [index, ask] of asks.entries()) if (index % each === 0) await this.#compare({ clause, caller, ask }, a, b);
    }
  }

  /** Clause by clause, so that a change of what nobody but admins may write is laid at the door of one. */
  async write(caller: string, clauses: readonly Clause[], step: number): Promise<void> {
    for (const clause of clauses) {
      const before = await Promise.all([this.#a.sealed(), this.#b.sealed()]);
      await this.ask(caller, [[clause[0], clause[1], 'whole']], step);
      const after = await Promise.all([this.#a.sealed(), this.#b.sealed()]);
      const ask: Ask = { method: 'any of', path: `the clause "${clause[0]}"` };
      for (const [index, stored] of after.entries())
        if (stored !== before[index])
          this.#leaks.push({ kind: 'write', clause: clause[0], caller, ask, a: before[index] ?? '', b: stored });
    }
  }

  async #compare(about: About, a: Caller, b: Caller): Promise<void> {
    const headers = { 'X-Request-Id': `leak-${String(this.#asked)}` };
    const [left, right] = await Promise.all([send(a, about.ask, headers), send(b, about.ask, headers)]);
    this.#asked += 1;
    if (left.status < 300) this.#succeeded += 1;
    if (left.status >= 500) this.#failed.push(`${about.ask.method} ${about.ask.path}: ${left.text}`);
    const [shownA, shownB] = [shown(left), shown(right)];
    if (shownA !== shownB) this.#leaks.push({ ...about, kind: 'data', a: shownA, b: shownB });
    await this.#compareNames(about, a, left, headers);
    await this.#follow(about, a, b, left, right);
  }

  /** A hidden name is told where it was not asked for, or where it is treated otherwise than a name that nothing has. */
  async #compareNames(about: About, caller: Caller, reply: Reply, headers: Record<string, string>): Promise<void> {
    const { ask } = about;
    const name = namesFor(about.caller);
    const asked = namesIn(`${ask.path} ${JSON.stringify(ask.body ?? '')}`, name);
    const told = [...namesIn(suggested(reply), name)].filter((one) => reply.status >= 400 || !asked.has(one));
    if (told.length > 0) this.#leaks.push({ ...about, kind: 'name', a: told.join(', '), b: reply.text.slice(0, 500) });
    const changed = renamed(ask, reply);
    if (changed === undefined) return;
    const other = await send(caller, changed, headers);
    const [own, made] = [unsuggested(reply), unsuggested(other)];
    if (own !== made) this.#leaks.push({ ...about, kind: 'name', a: own, b: made });
  }

  /** The next page of a cursor is asked for as well: what it continues from must not depend on what is hidden. */
  async #follow(about: About, a: Caller, b: Caller, left: Reply, right: Reply): Promise<void> {
    const [cursorA, cursorB] = [left.at('page', 'next_cursor'), right.at('page', 'next_cursor')];
    if (typeof cursorA !== 'string' || typeof cursorB !== 'string') return;
    const path = about.ask.path.replace(/&cursor=[^&]*/, '');
    const headers = { 'X-Request-Id': 'leak-next' };
    const [nextA, nextB] = await Promise.all([
      a('GET', `${path}&cursor=${cursorA}`, undefined, headers),
      b('GET', `${path}&cursor=${cursorB}`, undefined, headers),
    ]);
    if (shown(nextA) !== shown(nextB))
      this.#leaks.push({ ...about, kind: 'data', ask: { ...about.ask, path: `${path}&cursor=...` }, a: shown(nextA), b: shown(nextB) });
  }
}

const send = (caller: Caller, { method, path, body, headers }: Ask, common: Record<string, string>): Promise<Reply> =>
  caller(method, path, body, { ...headers, ...common });

const FIXED_ID = '00000000-0000-7000-8000-';
const UNEQUAL_HEADERS = new Set(['date', 'keep-alive', 'ratelimit-reset', 'ratelimit-remaining', 'retry-after']);

function shown({ status, headers, text }: Reply): string {
  const kept = [...headers].filter(([name]) => !UNEQUAL_HEADERS.has(name)).map(([name, value]) => `${name}: ${value}`);
  return `${String(status)}\n${kept.sort().join('\n')}\n${masked(text)}`;
}

/** Ids made by the database's clock, and the sealed text of a cursor, whose length stays. */
const masked = (text: string): string =>
  text
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, (id) => (id.startsWith(FIXED_ID) ? id : '<id>'))
    .replace(/"next_cursor":"([^"]*)"/g, (_all, cursor: string) => `"next_cursor":"<${String(cursor.length)}>"`);

const NAME = new RegExp(`\\b(${HIDDEN_NAMES.join('|')})\\b`, 'g');
const MADE_UP = 'nothing';

const patterns = new Map(
  Object.entries(HIDDEN_FROM).map(([caller, names]) => [caller, new RegExp(`\\b(${[...HIDDEN_NAMES, ...names].join('|')})\\b`, 'g')]),
);
const namesFor = (caller: string): RegExp => patterns.get(caller) ?? NAME;
const namesIn = (text: string, name = NAME): Set<string> => new Set(text.match(name) ?? []);

/** The same with a name that nothing has; undefined when it mentions no hidden name, or has written. */
function renamed(ask: Ask, reply: Reply): Ask | undefined {
  const isRead = ask.method === 'GET' || /_query|rules\/try|permissions\/simulate/.test(ask.path) || reply.status >= 400;
  const [path = '', query] = ask.path.split('?');
  // An entity that one may not touch is 403 and not unknown.
  if (!isRead || JSON.stringify(ask.body ?? '').includes('"entity":"vault"')) return undefined;
  const body = ask.body === undefined ? undefined : JSON.stringify(ask.body);
  if (namesIn(`${query ?? ''} ${body ?? ''}`).size === 0) return undefined;
  return {
    ...ask,
    path: query === undefined ? path : `${path}?${query.replace(NAME, MADE_UP)}`,
    ...(body === undefined ? {} : { body: JSON.parse(body.replace(NAME, MADE_UP)) as unknown }),
  };
}

const SUGGESTIONS = /"hint":"[^"]*",?|"allowed":\[[^\]]*\],?|did you mean [^?]*\?/g;

/** What an answer says of itself: all of it when it is data, its suggestions when it refuses. */
const suggested = ({ status, text }: Reply): string => (status < 300 ? text : (text.match(SUGGESTIONS) ?? []).join(' '));

const unsuggested = ({ status, text }: Reply): string =>
  `${String(status)} ${masked(text).replace(SUGGESTIONS, '').replace(NAME, MADE_UP)}`;

export const described = ({ kind, clause, caller, ask, a, b }: Leak): string =>
  `${kind} by ${clause}, as ${caller}: ${ask.method} ${ask.path} ${ask.body === undefined ? '' : JSON.stringify(ask.body)}\n  A ${a.replaceAll('\n', ' | ')}\n  B ${b.replaceAll('\n', ' | ')}`;
