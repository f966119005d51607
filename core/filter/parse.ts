/** Reads a query string, or the body of `_query`, into a ListQuery. Pure: no name is looked up here. */
import { AppError } from '../errors.ts';
import { isObject } from '../is-object.ts';
import { ConditionReader } from './conditions.ts';
import { IncludeOptions, readIncludeBody } from './parse-include.ts';
import { readPaths, readSort, shorten, unknownParameter } from './parse-lists.ts';
import { invalidValue, type IncludeItem, type ListQuery } from './query.ts';
import { readSearch } from './search.ts';

export const LIST_PARAMETERS = [
  'filter',
  'q',
  'sort',
  'page',
  'per_page',
  'limit',
  'cursor',
  'count',
  'fields',
  'include',
  'with_deleted',
] as const;
export const RECORD_PARAMETERS = ['fields', 'include', 'with_deleted'] as const;

const MAX_PAGE = 1_000_000_000;

/** `page=2&sort=-created_at&filter[status]=open&...` */
export function parseListQuery(query: URLSearchParams): ListQuery {
  const parameters = new Map<string, string>();
  const budget = { nodes: 0 };
  const conditions = new ConditionReader('filter', budget);
  const options = new IncludeOptions(budget);
  for (const [key, text] of query) {
    if (!conditions.take(key, text) && !options.take(key, text)) addParameter(parameters, key, text, LIST_PARAMETERS);
  }
  return { ...readShared(parameters, options.items()), filter: conditions.result() };
}

/** The parameters of a single record: `fields`, `include` and its options, `with_deleted`. */
export function parseRecordQuery(query: URLSearchParams): ListQuery {
  const parameters = new Map<string, string>();
  const options = new IncludeOptions({ nodes: 0 });
  for (const [key, text] of query) {
    if (!options.take(key, text)) addParameter(parameters, key, text, RECORD_PARAMETERS);
  }
  return { ...readShared(parameters, options.items()), filter: undefined };
}

/** The body of `POST /:entity/_query`: the same parameters as JSON, lists allowed where the query string has commas. */
export function parseQueryBody(body: unknown): ListQuery {
  if (!isObject(body)) throw new AppError('INVALID_PAYLOAD', 'The body of a query must be a JSON object.');
  const parameters = new Map<string, string>();
  const budget = { nodes: 0 };
  const conditions = new ConditionReader('filter', budget);
  let include: IncludeItem[] = [];
  for (const [key, given] of Object.entries(body)) {
    if (given === undefined || given === null) continue;
    if (key === 'filter') conditions.takeTree(given);
    else if (key === 'include') include = readIncludeBody(given, budget);
    else addParameter(parameters, key, bodyText(key, given), LIST_PARAMETERS);
  }
  return { ...readShared(parameters, include), filter: conditions.result() };
}

function bodyText(key: string, given: unknown): string {
  if (typeof given === 'string') return given;
  if (typeof given === 'number' || typeof given === 'boolean') return String(given);
  if (isListParameter(key) && Array.isArray(given) && given.every((item) => typeof item === 'string')) return given.join(',');
  throw invalidValue(shorten(key), `"${shorten(key)}" must be text${isListParameter(key) ? ' or a list of texts' : ' or a number'}.`);
}

function addParameter(parameters: Map<string, string>, key: string, text: string, known: readonly string[]): void {
  if (!known.includes(key)) throw unknownParameter(key, known);
  const earlier = parameters.get(key);
  // Repeats of a list parameter add up; of any other the last one counts.
  parameters.set(key, earlier !== undefined && isListParameter(key) ? `${earlier},${text}` : text);
}

const isListParameter = (key: string): boolean => key === 'include' || key === 'fields' || key === 'sort';

function readShared(parameters: ReadonlyMap<string, string>, include: readonly IncludeItem[]): Omit<ListQuery, 'filter'> {
  const fields = parameters.get('fields');
  const walk = readWalk(parameters);
  return {
    search: readSearch(parameters.get('q')),
    sort: readSort(parameters.get('sort')),
    page: readCount(parameters.get('page'), MAX_PAGE) ?? 1,
    perPage: readCount(parameters.get('per_page'), Number.MAX_SAFE_INTEGER),
    walk,
    count: readCountMode(parameters.get('count')) ?? (walk === undefined ? 'exact' : 'none'),
    fields: fields === undefined || fields.trim() === '' ? undefined : readPaths(fields),
    include: [...readPaths(parameters.get('include') ?? '').map((path) => ({ path })), ...include],
    withDeleted: readFlag('with_deleted', parameters.get('with_deleted')),
  };
}

function readWalk(parameters: ReadonlyMap<string, string>): ListQuery['walk'] {
  const limit = parameters.get('limit');
  const cursor = parameters.get('cursor');
  if (limit === undefined && cursor === undefined) return undefined;
  const paged = ['page', 'per_page'].find((name) => parameters.has(name));
  if (paged !== undefined) {
    const asked = limit === undefined ? 'cursor' : 'limit';
    throw invalidValue(
      paged,
      `"${paged}" cannot be combined with "${asked}".`,
      'Use page and per_page for numbered pages, or limit and cursor to walk through a list.',
    );
  }
  const read = readCount(limit, Number.MAX_SAFE_INTEGER);
  if (limit !== undefined && read === undefined) throw invalidValue('limit', 'The parameter "limit" must be a whole number from 1.');
  return { limit: read, cursor: cursor === '' ? undefined : cursor };
}

/** An invalid page number means the default (requirement I-04), so this never refuses. */
function readCount(text: string | undefined, max: number): number | undefined {
  if (text === undefined || !/^\d{1,16}$/.test(text)) return undefined;
  const count = Number(text);
  return count >= 1 && count <= max ? count : undefined;
}

function readCountMode(text: string | undefined): ListQuery['count'] | undefined {
  if (text === undefined || text === 'exact' || text === 'estimated' || text === 'none') return text;
  throw invalidValue('count', 'The parameter "count" must be "exact", "estimated" or "none".');
}

function readFlag(name: string, text: string | undefined): boolean {
  if (text === undefined || text === 'false' || text === '0') return false;
  if (text === 'true' || text === '1' || text === '') return true;
  throw invalidValue(name, `The parameter "${name}" must be true or false.`);
}
