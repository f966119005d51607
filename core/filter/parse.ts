/** Reads a query string, or the body of `_query`, into a ListQuery. Pure: no name is looked up here. */
import { AppError } from '../errors.ts';
import { isObject } from '../is-object.ts';
import { ConditionReader } from './conditions.ts';
import { IncludeOptions, readIncludeBody, tooManyIncludes } from './parse-include.ts';
import { checkKnown, isNames, readPaths, readSort } from './parse-lists.ts';
import { invalidValue, MAX_INCLUDES, type IncludeItem, type ListQuery } from './query.ts';
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
    checkKnown(key, LIST_PARAMETERS);
    if (given === undefined || given === null) continue;
    if (key === 'filter') conditions.takeTree(given);
    else if (key === 'include') include = readIncludeBody(given, budget);
    else addParameter(parameters, key, bodyText(key, given), LIST_PARAMETERS);
  }
  return { ...readShared(parameters, include), filter: conditions.result() };
}

const NUMBERS: readonly string[] = ['page', 'per_page', 'limit'];

/** A member of a body as a query string would spell it. JSON has types, so a flag is no word and a search is no number. */
function bodyText(key: string, given: unknown): string {
  if (key === 'with_deleted') {
    if (typeof given === 'boolean' || given === 'only') return String(given);
    throw invalidValue(key, `"${key}" must be true, false or "only".`);
  }
  if (typeof given === 'string' || (typeof given === 'number' && NUMBERS.includes(key))) return String(given);
  if (isListParameter(key) && isNames(given)) return given.join(',');
  const further = isListParameter(key) ? ' or a list of names' : NUMBERS.includes(key) ? ' or a number' : '';
  throw invalidValue(key, `"${key}" must be text${further}.`);
}

function addParameter(parameters: Map<string, string>, key: string, text: string, known: readonly string[]): void {
  checkKnown(key, known);
  const earlier = parameters.get(key);
  // Repeats of a list parameter add up; of any other the last one counts.
  parameters.set(key, earlier !== undefined && isListParameter(key) ? `${earlier},${text}` : text);
}

const isListParameter = (key: string): boolean => key === 'include' || key === 'fields' || key === 'sort';

function readShared(parameters: ReadonlyMap<string, string>, include: readonly IncludeItem[]): Omit<ListQuery, 'filter'> {
  const fields = parameters.get('fields');
  const walk = readWalk(parameters);
  const names = readPaths(parameters.get('include') ?? '');
  // Names given twice are one relation, yet a list of any length is none of ours.
  if (names.length > MAX_INCLUDES || include.length > MAX_INCLUDES) throw tooManyIncludes();
  return {
    search: readSearch(parameters.get('q')),
    sort: readSort(parameters.get('sort')),
    page: readCount(parameters.get('page'), MAX_PAGE) ?? 1,
    perPage: readCount(parameters.get('per_page'), Number.MAX_SAFE_INTEGER),
    walk,
    count: readCountMode(parameters.get('count')) ?? (walk === undefined ? 'exact' : 'none'),
    fields: fields === undefined || fields.trim() === '' ? undefined : readPaths(fields),
    include: [...names.map((path) => ({ path })), ...include],
    ...readDeleted(parameters.get('with_deleted')),
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

function readDeleted(text: string | undefined): Pick<ListQuery, 'withDeleted' | 'onlyDeleted'> {
  if (text === undefined || text === 'false' || text === '0') return { withDeleted: false, onlyDeleted: false };
  if (text === 'true' || text === '1' || text === '') return { withDeleted: true, onlyDeleted: false };
  if (text === 'only') return { withDeleted: true, onlyDeleted: true };
  throw invalidValue('with_deleted', 'The parameter "with_deleted" must be true, false or only.');
}
