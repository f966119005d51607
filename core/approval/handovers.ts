/** Who may act for whom: a task given on, and standing absences. Pure, so that chains and cycles are settled in one place. */

/** From a person to who acts for them now; null when that account is gone or switched off. */
export type Handovers = ReadonlyMap<string, string | null>;

export interface Holders {
  /** The person, and everybody along the chain up to its end. */
  readonly people: readonly string[];
  /** True when the chain leads nowhere: back to somebody on it, to who caused the run, or to an account that is gone. */
  readonly endsAtAdmins: boolean;
}

/** Longer chains are mistakes; they end at admins. */
const MAX_CHAIN = 10;

/**
 * Follows the chain from a person. `barred` is who caused the run: a chain through them would let them choose who approves
 * what they asked for, so it ends there.
 */
export function holdersOf(person: string, handovers: Handovers, barred: string | null): Holders {
  const people = [person];
  let current = person;
  while (handovers.has(current)) {
    const next = handovers.get(current) ?? null;
    if (next === null || next === barred || people.includes(next) || people.length >= MAX_CHAIN) return { people, endsAtAdmins: true };
    people.push(next);
    current = next;
  }
  return { people, endsAtAdmins: false };
}

/** Everybody whose chain leads to `holder`, nearest first. */
export function representedBy(holder: string, handovers: Handovers): string[] {
  const found: string[] = [];
  for (let from: readonly string[] = [holder]; from.length > 0 && found.length < 1_000;) {
    from = [...handovers].filter(([absent, to]) => to !== null && from.includes(to) && absent !== holder && !found.includes(absent)).map(([absent]) => absent); // prettier-ignore
    found.push(...from);
  }
  return found;
}
