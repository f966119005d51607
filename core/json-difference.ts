/** Where two JSON values differ, at their leaves. */
export interface JsonDifference {
  /** Dotted, like `document.entities.0.name`. */
  readonly path: string;
  /** Undefined where it is not there at all. */
  readonly expected: unknown;
  readonly actual: unknown;
}

/** As many as a person reads. */
const MOST = 20;

export function differences(expected: unknown, actual: unknown): JsonDifference[] {
  const found: JsonDifference[] = [];
  walk('', expected, actual, found);
  return found;
}

function walk(path: string, expected: unknown, actual: unknown, found: JsonDifference[]): void {
  if (found.length >= MOST) return;
  if (!isBranch(expected) || !isBranch(actual) || Array.isArray(expected) !== Array.isArray(actual)) {
    if (expected !== actual) found.push({ path, expected, actual });
    return;
  }
  for (const key of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
    walk(path === '' ? key : `${path}.${key}`, expected[key], actual[key], found);
  }
}

const isBranch = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null;
