/** What two values mean to each other: equality, order, truth. Missing and null are one thing. */
import { AppError } from '../errors.ts';
import { compareNumeric, isNumericText, numberText, toNumeric } from './decimal.ts';
import { countText } from './steps.ts';
import { microsOf } from './time.ts';

/** What a path over a list gives. Where one value is wanted a sequence of one counts as that value, as in JSONata. */
export class Sequence {
  readonly items: unknown[];

  constructor(items: unknown[]) {
    this.items = items;
  }
}

/** The plain value: an empty sequence is null, a sequence of one its item. */
export function single(value: unknown): unknown {
  if (value instanceof Sequence) return value.items.length === 1 ? (value.items[0] ?? null) : value.items.length === 0 ? null : value.items;
  return value ?? null;
}

/** Everything as a list: null is empty, one value a list of one. */
export function listOf(value: unknown): readonly unknown[] {
  if (value instanceof Sequence) return value.items;
  if (Array.isArray(value)) return value as unknown[];
  return value === null || value === undefined ? [] : [value];
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Sequence);

/** What a text must not be to be true: nothing, or a zero, since decimals are shown as texts. Same in SQL. */
export const FALSE_TEXT_PATTERN = '^(-?0([.]0+)?)?$';
const FALSE_TEXT = new RegExp(FALSE_TEXT_PATTERN);

/** JSONata's truth: null, false, 0, '', empty lists and objects are not true; a list is when one of its items is. */
export function isTrue(value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  const pending = [single(value)];
  // No recursion: lists of a body may be nested as deep as its author likes.
  for (let plain = pending.pop(); plain !== undefined; plain = pending.pop()) {
    if (Array.isArray(plain)) for (const item of plain as unknown[]) pending.push(item ?? null);
    else if (
      typeof plain === 'string'
        ? !FALSE_TEXT.test(plain)
        : typeof plain === 'object' && plain !== null
          ? Object.keys(plain).length > 0
          : Boolean(plain)
    )
      return true;
  }
  return false;
}

/** `meansText`: two numeric texts are compared as texts. */
export function isEqual(left: unknown, right: unknown, meansText: boolean): boolean {
  const a = single(left);
  const b = single(right);
  if (a === b) return true;
  if (a === null || b === null) return false;
  if (typeof a === 'string' && typeof b === 'string') return areTextsEqual(a, b, meansText);
  if (typeof a === 'number' || typeof b === 'number') {
    const x = toNumeric(a);
    const y = toNumeric(b);
    return x !== undefined && y !== undefined && compareNumeric(x, y) === 0;
  }
  if (typeof a !== 'object' || typeof b !== 'object') return false;
  return areDeepEqual(a, b, meansText);
}

function areTextsEqual(a: string, b: string, meansText: boolean): boolean {
  if (!meansText && isNumericText(a) && isNumericText(b)) return compareNumeric(a, b) === 0;
  const x = microsOf(a);
  return x !== undefined && x === microsOf(b);
}

function areDeepEqual(a: object, b: object, meansText: boolean): boolean {
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, index) => isEqual(item, b[index], meansText));
  }
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every(
    (key) => Object.hasOwn(b, key) && isEqual((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key], meansText),
  );
}

/** Less than 0, 0 or more; undefined when the two have no order (null, booleans, lists, a number and a word). */
export function compareOrder(left: unknown, right: unknown): number | undefined {
  const a = single(left);
  const b = single(right);
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') return compareTexts(a, b);
  const x = toNumeric(a);
  const y = toNumeric(b);
  return x === undefined || y === undefined ? undefined : compareNumeric(x, y);
}

function compareTexts(a: string, b: string): number | undefined {
  const isNumberA = isNumericText(a);
  if (isNumberA !== isNumericText(b)) return undefined;
  if (isNumberA) return compareNumeric(a, b);
  const x = microsOf(a);
  const y = x === undefined ? undefined : microsOf(b);
  return x !== undefined && y !== undefined ? x - y : compareCodePoints(a, b);
}

/** By code point, which is the order of Postgres under the collation C. */
function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const x = a.charCodeAt(at);
    const y = b.charCodeAt(at);
    if (x === y) continue;
    const isHighX = x >= 0xd800 && x <= 0xdfff;
    return isHighX === (y >= 0xd800 && y <= 0xdfff) ? x - y : isHighX ? 1 : -1;
  }
  return a.length - b.length;
}

const MAX_TEXT = 1_000_000;

/** Refuses a text that has grown out of bounds. */
export function boundedText(text: string): string {
  countText(text);
  if (text.length > MAX_TEXT) throw new AppError('TOO_LARGE', `An expression made a text longer than ${MAX_TEXT} characters.`);
  return text;
}

/** The text of a value, null for null. */
export function toText(value: unknown): string | null {
  const plain = single(value);
  if (plain === null) return null;
  if (typeof plain === 'number') return numberText(plain);
  return typeof plain === 'string' ? plain : typeof plain === 'object' ? JSON.stringify(plain) : String(plain);
}
