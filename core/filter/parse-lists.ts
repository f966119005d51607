/** The comma lists of a query, paths and sorts, and the refusal of parameters that do not exist. */
import { AppError, nearestNames } from '../errors.ts';
import { invalidValue, type SortItem } from './query.ts';

/** 400 for a parameter that a route does not have. */
export function unknownParameter(key: string, known: readonly string[]): AppError {
  return new AppError('UNKNOWN_PARAMETER', `There is no parameter "${shorten(key)}" here.`, {
    details: [
      { field: shorten(key), rule: 'parameter', message: `allowed: ${known.join(', ')}`, allowed: nearestNames(shorten(key), known) },
    ],
    hint: `Known parameters: ${known.join(', ')}.`,
  });
}

export function checkKnown(key: string, known: readonly string[]): void {
  if (!known.includes(key)) throw unknownParameter(key, known);
}

/** A name of a request as an error repeats it. */
export const shorten = (name: string): string => (name.length > 100 ? `${name.slice(0, 100)}…` : name);

const listItems = (text: string): string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');

/** A list as JSON has it. None of its names is empty; between the commas of a query string an empty one is nothing. */
export const isNames = (given: unknown): given is readonly string[] =>
  Array.isArray(given) && given.every((item) => typeof item === 'string' && item.split(',').every((name) => name.trim() !== ''));

/** `id,customer.name` */
export const readPaths = (text: string): string[][] => listItems(text).map((item) => item.split('.'));

/** `name,-created_at` and `name:asc,created_at:desc`, mixed as one likes. */
export function readSort(text: string | undefined, label = 'sort'): SortItem[] {
  if (text === undefined) return [];
  return listItems(text).map((item) => {
    // An unescaped "+" of "+name" arrives as a space and was trimmed away.
    const signed = /^([+-]?)(.+)$/.exec(item);
    const [name = '', direction, ...rest] = (signed?.[2] ?? '').split(':');
    const isKnown = direction === undefined || /^(asc|desc)$/i.test(direction);
    if (name === '' || !isKnown || rest.length > 0) {
      throw invalidValue(
        shorten(label),
        `Cannot sort by "${shorten(item)}".`,
        'Write sort=name,-created_at or sort=name:asc,created_at:desc.',
      );
    }
    return { path: name.split('.'), descending: (signed?.[1] === '-') !== (direction?.toLowerCase() === 'desc') };
  });
}
