/** Reads a query string, or the body of `_query`, into a ListQuery. Pure: no name is looked up here. */
import { AppError, nearestNames } from '../errors.ts';
import { ConditionReader, isObject } from './conditions.ts';
import { invalidValue, type ListQuery, type SortItem } from './query.ts';

export const LIST_PARAMETERS = ['filter', 'sort', 'page', 'per_page', 'count', 'fields', 'include', 'with_deleted'] as const;
export const RECORD_PARAMETERS = ['fields', 'include', 'with_deleted'] as const;

const MAX_PAGE = 1_000_000_000;

/** `page=2&sort=-created_at&filter[status]=open&...` */
export function parseListQuery(query: URLSearchParams): ListQuery {
  const parameters = new Map<string, string>();
  const conditions = new ConditionReader('filter');
  for (const [key, text] of query) {
    if (!conditions.take(key, text)) addParameter(parameters, key, text, LIST_PARAMETERS);
  }
  return { ...readShared(parameters), filter: conditions.result() };
}

/** The parameters of a single record: `fields`, `include`, `with_deleted`. */
export function parseRecordQuery(query: URLSearchParams): ListQuery {
  const parameters = new Map<string, string>();
  for (const [key, text] of query) addParameter(parameters, key, text, RECORD_PARAMETERS);
  return { ...readShared(parameters), filter: undefined };
}

/** The body of `POST /:entity/_query`: the same parameters as JSON, lists allowed where the query string has commas. */
export function parseQueryBody(body: unknown): ListQuery {
  if (!isObject(body)) throw new AppError('INVALID_PAYLOAD', 'The body of a query must be a JSON object.');
  const parameters = new Map<string, string>();
  const conditions = new ConditionReader('filter');
  for (const [key, given] of Object.entries(body)) {
    if (given === undefined || given === null) continue;
    if (key === 'filter') conditions.takeTree(given);
    else addParameter(parameters, key, bodyText(key, given), LIST_PARAMETERS);
  }
  return { ...readShared(parameters), filter: conditions.result() };
}

function bodyText(key: string, given: unknown): string {
  if (typeof given === 'string') return given;
  if (typeof given === 'number' || typeof given === 'boolean') return String(given);
  if (isListParameter(key) && Array.isArray(given) && given.every((item) => typeof item === 'string')) return given.join(',');
  throw invalidValue(shorten(key), `"${shorten(key)}" must be text${isListParameter(key) ? ' or a list of texts' : ' or a number'}.`);
}

/** 400 for a parameter that a route does not have. */
export function unknownParameter(key: string, known: readonly string[]): AppError {
  return new AppError('UNKNOWN_PARAMETER', `There is no parameter "${shorten(key)}" here.`, {
    details: [
      { field: shorten(key), rule: 'parameter', message: `allowed: ${known.join(', ')}`, allowed: nearestNames(shorten(key), known) },
    ],
    hint: `Known parameters: ${known.join(', ')}.`,
  });
}

function addParameter(parameters: Map<string, string>, key: string, text: string, known: readonly string[]): void {
  if (!known.includes(key)) throw unknownParameter(key, known);
  const earlier = parameters.get(key);
  // Repeats of a list parameter add up; of any other the last one counts.
  parameters.set(key, earlier !== undefined && isListParameter(key) ? `${earlier},${text}` : text);
}

const isListParameter = (key: string): boolean => key === 'include' || key === 'fields' || key === 'sort';
/** A name of a request as an error repeats it. */
export const shorten = (name: string): string => (name.length > 100 ? `${name.slice(0, 100)}…` : name);

function readShared(parameters: ReadonlyMap<string, string>): Omit<ListQuery, 'filter'> {
  const fields = parameters.get('fields');
  return {
    sort: readSort(parameters.get('sort')),
    page: readCount(parameters.get('page'), MAX_PAGE) ?? 1,
    perPage: readCount(parameters.get('per_page'), Number.MAX_SAFE_INTEGER),
    count: readCountMode(parameters.get('count')),
    fields: fields === undefined || fields.trim() === '' ? undefined : readPaths(fields),
    include: readPaths(parameters.get('include') ?? ''),
    withDeleted: readFlag('with_deleted', parameters.get('with_deleted')),
  };
}

/** An invalid number means the default (requirement I-04), so this never refuses. */
function readCount(text: string | undefined, max: number): number | undefined {
  if (text === undefined || !/^\d{1,16}$/.test(text)) return undefined;
  const count = Number(text);
  return count >= 1 && count <= max ? count : undefined;
}

function readCountMode(text: string | undefined): 'exact' | 'none' {
  if (text === undefined || text === 'exact') return 'exact';
  if (text === 'none') return 'none';
  throw invalidValue('count', 'The parameter "count" must be "exact" or "none".');
}

function readFlag(name: string, text: string | undefined): boolean {
  if (text === undefined || text === 'false' || text === '0') return false;
  if (text === 'true' || text === '1' || text === '') return true;
  throw invalidValue(name, `The parameter "${name}" must be true or false.`);
}

/** `a,customer.name` as paths. */
export const readPaths = (text: string): string[][] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
    .map((item) => item.split('.'));

/** `name,-created_at` and `name:asc,created_at:desc`, mixed as one likes. */
function readSort(text: string | undefined): SortItem[] {
  if (text === undefined) return [];
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
    .map((item) => {
      // An unescaped "+" of "+name" arrives as a space and was trimmed away.
      const signed = /^([+-]?)(.+)$/.exec(item);
      const [name = '', direction, ...rest] = (signed?.[2] ?? '').split(':');
      const isKnown = direction === undefined || /^(asc|desc)$/i.test(direction);
      if (name === '' || !isKnown || rest.length > 0) {
        throw invalidValue('sort', `Cannot sort by "${shorten(item)}".`, 'Write sort=name,-created_at or sort=name:asc,created_at:desc.');
      }
      return { path: name.split('.'), descending: (signed?.[1] === '-') !== (direction?.toLowerCase() === 'desc') };
    });
}
