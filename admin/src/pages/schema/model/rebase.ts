/**
 * Carrying a draft over to a version that was published meanwhile: what the draft changed is done to the new version. Where both
 * changed the same thing, the draft's word stands, and the place is told.
 */
import { isSameItem } from '../../../document/same-item.ts';
import type { DocumentInput } from '../../../document/types.ts';
import { contentOf } from './compare.ts';

export interface Rebased {
  readonly document: DocumentInput;
  /** Dotted places, by names where there are some, at which both sides changed the same. */
  readonly conflicts: readonly string[];
}

type Raw = Readonly<Record<string, unknown>>;
const isRaw = (value: unknown): value is Raw => typeof value === 'object' && value !== null && !Array.isArray(value);
const isSame = (a: unknown, b: unknown): boolean => contentOf(a) === contentOf(b);

export function rebase(base: DocumentInput, mine: DocumentInput, theirs: DocumentInput): Rebased {
  const conflicts: string[] = [];
  const document = merged(base, mine, theirs, [], conflicts) as DocumentInput;
  return { document, conflicts };
}

function merged(base: unknown, mine: unknown, theirs: unknown, path: readonly string[], conflicts: string[]): unknown {
  if (isSame(mine, base)) return theirs;
  if (isSame(theirs, base) || isSame(mine, theirs)) return mine;
  if (isRaw(mine) && isRaw(theirs) && (isRaw(base) || base === undefined)) return mergedMembers(base ?? {}, mine, theirs, path, conflicts);
  if (isList(mine) && isList(theirs) && (isList(base) || base === undefined)) return mergedLists(base ?? [], mine, theirs, path, conflicts);
  conflicts.push(path.join('.'));
  return mine;
}

function mergedMembers(base: Raw, mine: Raw, theirs: Raw, path: readonly string[], conflicts: string[]): Raw {
  const keys = [...new Set([...Object.keys(theirs), ...Object.keys(mine)])];
  const members = keys.map((key) => [key, merged(base[key], mine[key], theirs[key], [...path, key], conflicts)] as const);
  return Object.fromEntries(members.filter(([, member]) => member !== undefined));
}

const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);

/** Lists of named things go item by item, in their order plus what is new in mine; other lists as wholes. */
function mergedLists(
  base: readonly unknown[],
  mine: readonly unknown[],
  theirs: readonly unknown[],
  path: readonly string[],
  conflicts: string[],
): unknown {
  const all = [...base, ...mine, ...theirs];
  if (!all.every((item) => isRaw(item) && (item['name'] !== undefined || item['id'] !== undefined))) {
    conflicts.push(path.join('.'));
    return mine;
  }
  const find = (list: readonly unknown[], item: unknown): unknown =>
    list.find((other) => isSameItem(other, item) || isSameItem(item, other));
  const taken = new Set<unknown>();
  const result = theirs.flatMap((their) => {
    const before = find(base, their);
    const my = find(mine, before ?? their);
    if (my !== undefined) taken.add(my);
    const at = [...path, labelOf(their)];
    if (my !== undefined) return [merged(before, my, their, at, conflicts)];
    // Taken away here: it stays away, unless it was changed there meanwhile.
    if (before === undefined) return [their];
    if (isSame(before, their)) return [];
    conflicts.push(at.join('.'));
    return [];
  });
  const rest = mine.filter((item) => {
    if (taken.has(item)) return false;
    const before = find(base, item);
    if (before === undefined) return true;
    // Taken away there: it stays away, unless it was changed here meanwhile.
    if (isSame(before, item)) return false;
    conflicts.push([...path, labelOf(item)].join('.'));
    return true;
  });
  return [...result, ...rest];
}

const labelOf = (item: unknown): string => (isRaw(item) ? String((item['name'] ?? item['id']) as string) : '');
