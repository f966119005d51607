/** What changed between two values: words of a text, places of a JSON. Pure. */

export interface Piece {
  readonly kind: 'same' | 'gone' | 'new';
  readonly text: string;
}

/** Longer texts are told as a whole: comparing takes words times words. */
const MOST_WORDS = 400;

/** The words that stayed, went and came, in reading order. */
export function diffWords(before: string, after: string): readonly Piece[] {
  const [old, now] = [wordsOf(before), wordsOf(after)];
  if (old.length > MOST_WORDS || now.length > MOST_WORDS)
    return joined([
      { kind: 'gone', text: before },
      { kind: 'new', text: after },
    ]);
  const common = commonTable(old, now);
  const pieces: Piece[] = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < now.length) {
    const [left, right] = [old[i], now[j]];
    if (left !== undefined && left === right) {
      pieces.push({ kind: 'same', text: left });
      i++;
      j++;
    } else if (right === undefined || (left !== undefined && at(common, i + 1, j) >= at(common, i, j + 1))) {
      pieces.push({ kind: 'gone', text: left ?? '' });
      i++;
    } else {
      pieces.push({ kind: 'new', text: right });
      j++;
    }
  }
  return joined(pieces);
}

/** Words with what follows them, so that joining gives the text again. */
const wordsOf = (text: string): readonly string[] => text.match(/\S+\s*|\s+/g) ?? [];

const at = (table: readonly Uint16Array[], i: number, j: number): number => table[i]?.[j] ?? 0;

/** How many words the rests from i and j have in common. */
function commonTable(old: readonly string[], now: readonly string[]): readonly Uint16Array[] {
  const table = Array.from({ length: old.length + 1 }, () => new Uint16Array(now.length + 1));
  for (let i = old.length - 1; i >= 0; i--) {
    const row = table[i];
    if (row === undefined) continue;
    for (let j = now.length - 1; j >= 0; j--)
      row[j] = old[i] === now[j] ? at(table, i + 1, j + 1) + 1 : Math.max(at(table, i + 1, j), at(table, i, j + 1));
  }
  return table;
}

function joined(pieces: readonly Piece[]): readonly Piece[] {
  const result: Piece[] = [];
  for (const piece of pieces) {
    const last = result.at(-1);
    if (piece.text === '') continue;
    if (last?.kind === piece.kind) result[result.length - 1] = { kind: piece.kind, text: last.text + piece.text };
    else result.push(piece);
  }
  return result;
}

export interface JsonChange {
  /** `address.lines[0]`; the empty text is the value itself. */
  readonly path: string;
  /** Undefined: was not there. */
  readonly from: unknown;
  /** Undefined: is not there any more. */
  readonly to: unknown;
}

/** The innermost places that differ, at most `most` of them. */
export function diffJson(from: unknown, to: unknown, most = 50, path = ''): readonly JsonChange[] {
  if (JSON.stringify(from) === JSON.stringify(to)) return [];
  if (!isContainer(from) || !isContainer(to) || Array.isArray(from) !== Array.isArray(to)) return [{ path, from, to }];
  const keys = [...new Set([...Object.keys(from), ...Object.keys(to)])];
  const changes: JsonChange[] = [];
  for (const key of keys) {
    if (changes.length >= most) break;
    const below = Array.isArray(from) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`;
    changes.push(...diffJson(from[key], to[key], most - changes.length, below));
  }
  return changes;
}

const isContainer = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null;
