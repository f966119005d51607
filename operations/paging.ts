/** The query string of the lists that are no records: what they take, and which page is asked for. */
import { unknownParameter } from '../core/filter/parse-lists.ts';
import { AppError } from '../core/errors.ts';

/** UNKNOWN_PARAMETER for what a route does not take. */
export function checkParameters(query: URLSearchParams, known: readonly string[]): void {
  for (const name of query.keys()) if (!known.includes(name)) throw unknownParameter(name, known);
}

export interface Page {
  readonly page: number;
  readonly perPage: number;
  /** The entries before the page. */
  readonly offset: number;
}

/** `page` and `per_page`: whole numbers from 1. A size above the most is the most. */
export function readPage(query: URLSearchParams, most: number, usual = 25): Page {
  const page = readNatural(query, 'page') ?? 1;
  const perPage = Math.min(readNatural(query, 'per_page') ?? usual, most);
  return { page, perPage, offset: (page - 1) * perPage };
}

/** A text that something stored may have; undefined when it is not given. */
export function readText(query: URLSearchParams, name: string): string | undefined {
  const given = query.get(name);
  if (given?.includes('\0') === true) throw new AppError('INVALID_VALUE', `${name} has the character NUL, which nothing stored has.`);
  return given ?? undefined;
}

/** A whole number from 1; undefined when it is not given. */
export function readNatural(query: URLSearchParams, name: string): number | undefined {
  const given = query.get(name);
  if (given === null) return undefined;
  if (/^[1-9]\d{0,8}$/.test(given)) return Number(given);
  const message = `"${name}" must be a whole number from 1.`;
  throw new AppError('INVALID_VALUE', message, { details: [{ field: name, rule: 'type', message }] });
}
