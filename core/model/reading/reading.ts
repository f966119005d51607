/**
 * What the readers of the sections share. A reader takes whatever a document says, in any spelling we know, and gives the
 * normalized raw form that the zod types check; what it cannot express it reports here, so that one answer lists every
 * mistake. Vocabulary: a *raw* object is unchecked input; a *path* is dotted, from the top of the document.
 */
import type { ErrorDetail } from '../../errors.ts';
import { AppError } from '../../errors.ts';
import { normalizeExpression } from '../../expression/expression.ts';

export type Raw = Record<string, unknown>;

export class Reading {
  readonly mistakes: ErrorDetail[] = [];
  readonly unsupported: ErrorDetail[] = [];

  /** Reports something the documents describe but this version does not do yet. */
  refuse(path: string, what: string): void {
    this.unsupported.push({ path, rule: 'unsupported', message: `${what} is not supported yet.` });
  }

  /** Reports a mistake the zod types cannot see. */
  reject(path: string, rule: string, message: string): void {
    this.mistakes.push({ path, rule, message });
  }

  /** The stored form of an expression; a text that does not parse is reported and kept. */
  expression(path: string, text: unknown): unknown {
    if (typeof text === 'boolean' || typeof text === 'number') return String(text);
    if (typeof text !== 'string' || text.trim() === '') return text;
    try {
      return normalizeExpression(text);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      this.reject(path, 'expression', error.hint === undefined ? error.message : `${error.message} ${error.hint}`);
      return text;
    }
  }
}

export const isRaw = (value: unknown): value is Raw => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether an option says anything: null, "", [], {} and false are how other systems write "not used". */
export const isUsed = (value: unknown): boolean =>
  value !== null &&
  value !== undefined &&
  value !== '' &&
  value !== false &&
  !(typeof value === 'object' && Object.keys(value).length === 0);

export interface CleanOptions {
  /** Other spellings of a key; a key already present wins. */
  readonly rename?: Readonly<Record<string, string>>;
  /** Keys whose null means null. */
  readonly keepNull?: readonly string[];
  /** Keys without a meaning here, written by exports of other systems. */
  readonly drop?: readonly string[];
}

/** A copy without nulls and empty strings, with known spellings brought to ours. */
export function clean(raw: Raw, { rename = {}, keepNull = [], drop = [] }: CleanOptions = {}): Raw {
  const entries = Object.entries(raw)
    .filter(([key, value]) => !drop.includes(key) && (keepNull.includes(key) || (value !== null && value !== undefined && value !== '')))
    .map(([key, value]): [string, unknown] => {
      const ours = Object.hasOwn(rename, key) ? rename[key] : undefined;
      return [ours !== undefined && !(ours in raw) ? ours : key, value];
    });
  return Object.fromEntries(entries);
}

/** The list behind a value: an array as it is, nothing as an empty one, anything else as its only member. */
export const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : value === null || value === undefined ? [] : [value]);

/** Reads every object of a list; other values stay for the zod types to refuse. */
export function mapRaw(value: unknown, path: string, read: (raw: Raw, path: string) => unknown): unknown {
  if (!Array.isArray(value)) return value;
  return value.map((item: unknown, index) => (isRaw(item) ? read(item, `${path}.${String(index)}`) : item));
}

/** A word in the spelling of our closed lists: `SET NULL`, `setNull` and `set-null` are `set_null`. */
export const snakeCase = (text: string): string =>
  text
    .trim()
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[\s.-]+/g, '_')
    .toLowerCase();

/** Looks a word up among synonyms; other values pass unchanged. */
export function synonym(value: unknown, synonyms: Readonly<Record<string, string>>): unknown {
  if (typeof value !== 'string') return value;
  const word = snakeCase(value);
  return Object.hasOwn(synonyms, word) ? synonyms[word] : word;
}

/** Sets a key only when there is a value, so that the zod default applies otherwise. */
export const withValue = (key: string, value: unknown): Raw => (value === undefined ? {} : { [key]: value });

/** What exports of other systems add to every item. */
export const ITEM_NOISE = ['created_at', 'updated_at', 'created_by', 'updated_by'] as const;
