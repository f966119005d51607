/**
 * What was asked of each record and what was answered, in order. A record is written by one operation at a time, so what it must be
 * afterwards is known; after an operation without an answer it may be either, and nobody touches it again.
 */
import type { State, Subject } from './subject.ts';

export type Outcome = 'acknowledged' | 'refused' | 'unknown';

export interface Entry {
  readonly ref: number;
  readonly kind: 'insert' | 'update' | 'race' | 'delete' | 'increment';
  /** The version of the schema the client spoke. */
  readonly version: number;
  readonly outcome: Outcome;
  /** What the record is when it was done; null when it is gone. */
  readonly after: State | null;
}

export interface Track {
  readonly ref: number;
  /** Unknown for a record whose creation had no answer. */
  id: string | undefined;
  /** All it may be now. */
  allowed: readonly (State | null)[];
  /** Everything it ever was. */
  readonly past: (State | null)[];
}

export class Journal {
  readonly entries: Entry[] = [];
  readonly tracks = new Map<number, Track>();
  /** By hot row: increments that were acknowledged, and those that may have happened. */
  readonly hits = new Map<number, { acknowledged: number; unknown: number }>();
  readonly #subject: Subject;
  readonly #rows: number;
  readonly #hot: number;
  readonly #held = new Set<number>();
  readonly #touched: number[] = [];
  #nextRef: number;

  constructor(subject: Subject, rows: number, hot: number) {
    this.#subject = subject;
    this.#rows = rows;
    this.#hot = hot;
    this.#nextRef = rows + 1;
    for (let ref = 1; ref <= hot; ref++) this.hits.set(ref, { acknowledged: 0, unknown: 0 });
  }

  get rows(): number {
    return this.#rows;
  }

  /** A record that is there for certain and that nobody works on, held until `release`; every second one was touched before. */
  hold(chance: () => number): Track & { readonly id: string } {
    for (;;) {
      const isAgain = this.#touched.length > 50 && chance() < 0.5;
      const ref = isAgain
        ? this.#touched[Math.floor(chance() * this.#touched.length)]!
        : this.#hot + 1 + Math.floor(chance() * (this.#rows - this.#hot));
      const track = this.#trackOf(ref);
      if (this.#held.has(ref) || !isCertain(track)) continue;
      this.#held.add(ref);
      return track;
    }
  }

  /** Holds exactly this record, if it is certain and free. */
  holdThis(track: Track): boolean {
    if (this.#held.has(track.ref) || !isCertain(track)) return false;
    this.#held.add(track.ref);
    return true;
  }

  /** A record that is about to be created. */
  holdNew(): Track {
    const track: Track = { ref: this.#nextRef++, id: undefined, allowed: [null], past: [] };
    this.#held.add(track.ref);
    return track;
  }

  release(track: Track): void {
    this.#held.delete(track.ref);
  }

  written(track: Track, entry: Omit<Entry, 'ref'>): void {
    this.entries.push({ ...entry, ref: track.ref });
    if (!this.tracks.has(track.ref)) this.#touched.push(track.ref);
    this.tracks.set(track.ref, track);
    if (entry.outcome === 'refused') return;
    track.past.push(...track.allowed);
    track.allowed = entry.outcome === 'acknowledged' ? [entry.after] : [...track.allowed, entry.after];
  }

  /** Two clients at once: it is now what one order of their writes makes of it, and nobody can say which. */
  raced(track: Track, version: number, outcome: Outcome, after: readonly State[]): void {
    this.entries.push(...after.map((state) => ({ ref: track.ref, kind: 'race' as const, version, outcome, after: state })));
    if (!this.tracks.has(track.ref)) this.#touched.push(track.ref);
    this.tracks.set(track.ref, track);
    track.past.push(...track.allowed);
    track.allowed = after;
  }

  incremented(ref: number, version: number, outcome: Outcome): void {
    this.entries.push({ ref, kind: 'increment', version, outcome, after: null });
    const count = this.hits.get(ref)!;
    if (outcome === 'acknowledged') count.acknowledged += 1;
    if (outcome === 'unknown') count.unknown += 1;
  }

  history(ref: number): string {
    return this.entries
      .filter((entry) => entry.ref === ref)
      .map((entry) => `${entry.kind} at version ${entry.version} ${entry.outcome}: ${JSON.stringify(entry.after)}`)
      .join('; ');
  }

  #trackOf(ref: number): Track {
    return this.tracks.get(ref) ?? { ref, id: this.#subject.seededId(ref), allowed: [this.#subject.seeded(ref)], past: [] };
  }
}

const isCertain = (track: Track): track is Track & { readonly id: string } =>
  track.id !== undefined && track.allowed.length === 1 && track.allowed[0] !== null;
