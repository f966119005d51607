/** What the functions mean. All are pure: no clock, no randomness; `now` comes in as a variable. */
import { RE2JS } from 're2js';
import { AppError } from '../errors.ts';
import { calculate, compareNumeric, floorNumeric, negate, roundNumeric, toNumeric, type Numeric } from './decimal.ts';
import type { FunctionName } from './function-names.ts';
import { countSteps } from './steps.ts';
import { microsOf, microsOfMillis, writeMicros } from './time.ts';
import { boundedText, compareOrder, isEqual, isObject, isTrue, listOf, Sequence, single, toText } from './values.ts';

type Implementation = (args: readonly unknown[]) => unknown;

const numberOf = (value: unknown): Numeric | undefined => toNumeric(single(value));
const textOf = (value: unknown): string | undefined => {
  const plain = single(value);
  return typeof plain === 'string' ? plain : undefined;
};
/** Texts accept numbers and booleans as they are written; lists and objects are no texts. */
const wordsOf = (value: unknown): string | undefined => {
  const plain = single(value);
  return plain === null || typeof plain === 'object' ? undefined : (toText(plain) ?? undefined);
};

const onText =
  (apply: (text: string) => unknown): Implementation =>
  ([value]) => {
    const text = wordsOf(value);
    return text === undefined ? null : apply(text);
  };
const onTexts =
  (apply: (text: string, other: string) => unknown, otherwise: unknown = null): Implementation =>
  ([value, other]) => {
    const text = wordsOf(value);
    const second = wordsOf(other);
    return text === undefined || second === undefined ? otherwise : apply(text, second);
  };
const onNumber =
  (apply: (number: Numeric) => unknown): Implementation =>
  ([value]) => {
    const number = numberOf(value);
    return number === undefined ? null : apply(number);
  };
const onTime =
  (apply: (micros: number) => unknown): Implementation =>
  ([value]) => {
    const micros = timeOf(value);
    return micros === undefined ? null : apply(micros);
  };

/** Numbers are milliseconds since 1970, as in JavaScript. */
function timeOf(value: unknown): number | undefined {
  const plain = single(value);
  return typeof plain === 'number' ? microsOfMillis(plain) : microsOf(plain);
}

/** One list, or several values: `$max([a, b])` and `$max(a, b)`. Nulls are left out. */
const itemsOf = (args: readonly unknown[]): unknown[] => {
  const items = args.length === 1 ? listOf(args[0]) : args.map(single);
  return items.filter((item) => item !== null && item !== undefined);
};
const numbersOf = (args: readonly unknown[]): Numeric[] => itemsOf(args).flatMap((item) => toNumeric(item) ?? []);

function sum(numbers: readonly Numeric[]): Numeric | null {
  let total: Numeric | null = 0;
  for (const number of numbers) {
    if (total === null) return null;
    total = calculate('+', total, number);
  }
  return total;
}

function extreme(args: readonly unknown[], sign: 1 | -1): unknown {
  let best: unknown = null;
  for (const item of itemsOf(args)) {
    if (typeof item !== 'number' && typeof item !== 'string') continue;
    if (best === null || (compareOrder(item, best) ?? 0) * sign > 0) best = item;
  }
  return best;
}

function lengthOf(value: unknown): number | null {
  if (value instanceof Sequence) return value.items.length;
  if (value === null || value === undefined) return 0;
  if (typeof value === 'string') return codePoints(value);
  if (Array.isArray(value)) return value.length;
  return isObject(value) ? Object.keys(value).length : null;
}

function codePoints(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at++) {
    if ((text.charCodeAt(at) & 0xfc00) !== 0xdc00) count += 1;
  }
  return count;
}

function substring([value, from, length]: readonly unknown[]): string | null {
  const text = wordsOf(value);
  const start = numberOf(from);
  if (text === undefined || start === undefined) return null;
  const points = [...text];
  const first = Math.trunc(Number(start));
  const begin = first < 0 ? Math.max(points.length + first, 0) : first;
  const count = numberOf(length);
  return points.slice(begin, count === undefined ? undefined : begin + Math.max(Math.trunc(Number(count)), 0)).join('');
}

const between =
  (unit: number): Implementation =>
  ([from, to]) => {
    const start = timeOf(from);
    const end = timeOf(to);
    return start === undefined || end === undefined ? null : Math.trunc((end - start) / unit) + 0;
  };
const shifted =
  (unit: number): Implementation =>
  ([value, amount]) => {
    const micros = timeOf(value);
    const count = numberOf(amount);
    if (micros === undefined || count === undefined) return null;
    return writeMicros(micros + Math.round(Number(count) * unit));
  };

const MINUTE = 60_000_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const patterns = new Map<string, RE2JS>();

/** Users' patterns run in linear time; a wrong one is the author's mistake, told as such. */
export function compilePattern(pattern: string): RE2JS {
  const known = patterns.get(pattern);
  if (known !== undefined) return known;
  if (pattern.length > 1_000) throw new AppError('VALIDATION_FAILED', 'A pattern may have at most 1000 characters.');
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(pattern);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'it cannot be read';
    throw new AppError('VALIDATION_FAILED', `The pattern ${JSON.stringify(pattern)} is not valid: ${reason}.`, {
      hint: 'Patterns are RE2: no look-around and no back references.',
      cause,
    });
  }
  if (patterns.size >= 500) patterns.clear();
  patterns.set(pattern, compiled);
  return compiled;
}

const before = (text: string, mark: string): string => (text.includes(mark) ? text.slice(0, text.indexOf(mark)) : text);
const after = (text: string, mark: string): string => (text.includes(mark) ? text.slice(text.indexOf(mark) + mark.length) : text);
const timePart = (read: (date: Date) => number): Implementation => onTime((micros) => read(new Date(Math.floor(micros / 1000))));

function distinct(items: readonly unknown[]): unknown[] {
  const kept: unknown[] = [];
  const simple = new Set<unknown>();
  for (const item of items) {
    if (typeof item === 'object') countSteps(kept.length);
    if (typeof item === 'object' && item !== null ? kept.some((other) => isEqual(other, item, true)) : simple.has(item)) continue;
    simple.add(item);
    kept.push(item);
  }
  return kept;
}

function toNumber(value: unknown): Numeric | null {
  const plain = single(value);
  if (typeof plain === 'boolean') return plain ? 1 : 0;
  const numeric = toNumeric(plain);
  return numeric === undefined ? null : roundNumeric(numeric, 1_000);
}

function replaceText([value, wanted, replacement]: readonly unknown[]): string | null {
  const text = wordsOf(value);
  const [from, to] = [wordsOf(wanted), wordsOf(replacement)];
  if (text === undefined || from === undefined || from === '') return text ?? null;
  return boundedText(text.split(from).join(to ?? ''));
}

export const FUNCTIONS: Readonly<Record<FunctionName, Implementation>> = {
  sum: (args) => sum(numbersOf(args)),
  count: ([value]) => listOf(value).length,
  min: (args) => extreme(args, -1),
  max: (args) => extreme(args, 1),
  average: (args) => {
    const numbers = numbersOf(args);
    const total = sum(numbers);
    return numbers.length === 0 || total === null ? null : calculate('/', total, numbers.length);
  },
  len: ([value]) => lengthOf(value),
  length: onText(codePoints),
  lowercase: onText((text) => text.toLowerCase()),
  uppercase: onText((text) => text.toUpperCase()),
  trim: onText((text) => text.replace(/[ \t\n\r]+/g, ' ').replace(/^ | $/g, '')),
  contains: ([value, wanted]) => {
    if (Array.isArray(value) || value instanceof Sequence) return listOf(value).some((item) => isEqual(item, wanted, false));
    return onTexts((text, other) => text.includes(other), false)([value, wanted]);
  },
  startsWith: onTexts((text, other) => text.startsWith(other), false),
  endsWith: onTexts((text, other) => text.endsWith(other), false),
  substring,
  substringBefore: onTexts(before),
  substringAfter: onTexts(after),
  replace: replaceText,
  split: onTexts((text, mark) => text.split(mark).slice(0, 10_000)),
  join: ([value, mark]) =>
    boundedText(
      listOf(value)
        .map((item) => toText(item) ?? '')
        .join(textOf(mark) ?? ''),
    ),
  match: onTexts((text, pattern) => compilePattern(pattern).matcher(text).find(), false),
  test: onTexts((text, pattern) => compilePattern(pattern).matcher(text).find(), false),
  exists: ([value]) => single(value) !== null,
  not: ([value]) => !isTrue(value),
  boolean: ([value]) => isTrue(value),
  number: ([value]) => toNumber(value),
  string: ([value]) => toText(value),
  round: ([value, places]) => {
    const number = numberOf(value);
    const digits = Number(numberOf(places) ?? 0);
    return number === undefined ? null : roundNumeric(number, Math.max(-100, Math.min(100, Math.trunc(digits))));
  },
  abs: onNumber((number) => (compareNumeric(number, 0) < 0 ? negate(number) : calculate('+', number, 0))),
  floor: onNumber(floorNumeric),
  ceil: onNumber((number) => {
    const lower = negate(number);
    const floor = lower === null ? null : floorNumeric(lower);
    return floor === null ? null : negate(floor);
  }),
  sqrt: onNumber((number) => (Number(number) < 0 ? null : Math.sqrt(Number(number)))),
  power: ([value, exponent]) => {
    const result = Math.pow(Number(numberOf(value) ?? NaN), Number(numberOf(exponent) ?? NaN));
    return Number.isFinite(result) ? result : null;
  },
  date: onTime(writeMicros),
  now: () => null,
  toMillis: onTime((micros) => Math.floor(micros / 1000)),
  fromMillis: onTime(writeMicros),
  days: between(DAY),
  hours: between(HOUR),
  minutes: between(MINUTE),
  addDays: shifted(DAY),
  addHours: shifted(HOUR),
  addMinutes: shifted(MINUTE),
  year: timePart((date) => date.getUTCFullYear()),
  month: timePart((date) => date.getUTCMonth() + 1),
  day: timePart((date) => date.getUTCDate()),
  distinct: ([value]) => distinct(listOf(value)),
  append: ([value, other]) => [...listOf(value), ...listOf(other)],
  reverse: ([value]) => listOf(value).toReversed(),
  keys: ([value]) => {
    const plain = single(value);
    return isObject(plain) ? Object.keys(plain) : [];
  },
  lookup: ([value, key]) => {
    const plain = single(value);
    const name = textOf(key);
    return isObject(plain) && name !== undefined && Object.hasOwn(plain, name) ? plain[name] : null;
  },
};
