/** Finds what belongs together in two lists of definitions: by stable id, else by name. */
export interface Pairs<T> {
  readonly added: readonly T[];
  readonly removed: readonly T[];
  readonly kept: readonly (readonly [T, T])[];
}

export function pair<T extends { readonly id?: string | undefined }>(
  before: readonly T[],
  after: readonly T[],
  nameOf: (item: T) => string,
): Pairs<T> {
  const byId = new Map(before.flatMap((item) => (item.id === undefined ? [] : [[item.id, item] as const])));
  const byName = new Map(before.map((item) => [nameOf(item), item]));
  const used = new Set<T>();
  const kept: (readonly [T, T])[] = [];
  const added: T[] = [];
  for (const item of after) {
    const match = (item.id === undefined ? undefined : byId.get(item.id)) ?? unclaimed(item, byName.get(nameOf(item)));
    if (match === undefined || used.has(match)) {
      added.push(item);
      continue;
    }
    used.add(match);
    kept.push([match, item]);
  }
  return { added, removed: before.filter((item) => !used.has(item)), kept };
}

/** A namesake is the same thing only when one of the two has no id yet: two ids are two things. */
const unclaimed = <T extends { readonly id?: string | undefined }>(item: T, namesake: T | undefined): T | undefined =>
  namesake !== undefined && (item.id === undefined || namesake.id === undefined) ? namesake : undefined;

/** Equality of JSON values that does not see the order of keys, nor ids and `was`, which are no content. */
export const isSame = (a: unknown, b: unknown): boolean => canonical(a) === canonical(b);

export function canonical(input: unknown): string {
  return (
    JSON.stringify(input, (key, member: unknown) => {
      if (key === 'id' || key === 'was') return undefined;
      if (member === null || typeof member !== 'object' || Array.isArray(member)) return member;
      return Object.fromEntries(
        Object.entries(member)
          .filter(([, inner]) => inner !== undefined)
          .sort(([x], [y]) => (x < y ? -1 : 1)),
      );
    }) ?? 'undefined'
  );
}
