/** Reads the parameters of an aggregate, or its body, into an AggregateQuery. Pure: no name is looked up here. */
import { AppError } from '../errors.ts';
import { isObject } from '../is-object.ts';
import { ConditionReader } from './conditions.ts';
import { parseListQuery, parseQueryBody } from './parse.ts';
import { checkKnown, isNames, readPaths, shorten } from './parse-lists.ts';
import { invalidValue, type Filter, type ListQuery } from './query.ts';

export const MEASURE_NAMES = ['count', 'count_distinct', 'sum', 'avg', 'min', 'max'] as const;
export type MeasureName = (typeof MEASURE_NAMES)[number];

/** What an aggregate has in common with a list, read as a list reads it. */
const SHARED = ['filter', 'q', 'sort', 'page', 'per_page', 'with_deleted'] as const;
export const AGGREGATE_PARAMETERS = ['group_by', ...MEASURE_NAMES, ...SHARED, 'having', 'limit', 'time_zone'] as const;

export const MAX_GROUP_KEYS = 10;
export const MAX_MEASURES = 30;
export const MAX_GROUPS = 10_000;
export const DEFAULT_GROUPS = 100;

export interface Measure {
  readonly name: MeasureName;
  /** Undefined for `count=*`. */
  readonly path: readonly string[] | undefined;
}

export interface AggregateQuery extends Pick<ListQuery, 'filter' | 'search' | 'sort' | 'page' | 'withDeleted' | 'onlyDeleted'> {
  readonly groupBy: readonly (readonly string[])[];
  readonly measures: readonly Measure[];
  /** Over result keys; their dots cut like those of paths. */
  readonly having: Filter | undefined;
  readonly perPage: number;
  readonly timeZone: string | undefined;
}

/** `group_by=status&count=*&sum=amount&having[count.gt]=3&...` */
export function parseAggregateQuery(query: URLSearchParams): AggregateQuery {
  const own = new Map<string, string>();
  const shared = new URLSearchParams();
  const having = new ConditionReader('having');
  for (const [key, text] of query) {
    if (having.take(key, text)) continue;
    if (isShared(key) || key.startsWith('filter[')) shared.append(key, text);
    else addOwn(own, key, text);
  }
  return assemble(own, (perPage) => parseListQuery(withPerPage(shared, perPage)), having.result());
}

/** The body of `POST /:entity/_aggregate`: the same parameters as JSON, `filter` and `having` as trees. */
export function parseAggregateBody(body: unknown): AggregateQuery {
  if (!isObject(body)) throw new AppError('INVALID_PAYLOAD', 'The body of an aggregate must be a JSON object.');
  const own = new Map<string, string>();
  const shared: Record<string, unknown> = {};
  const having = new ConditionReader('having');
  for (const [key, given] of Object.entries(body)) {
    checkKnown(key, AGGREGATE_PARAMETERS);
    if (given === undefined || given === null) continue;
    if (key === 'having') having.takeTree(given);
    else if (isShared(key)) shared[key] = given;
    else addOwn(own, key, bodyText(key, given));
  }
  return assemble(own, (perPage) => parseQueryBody(perPage === undefined ? shared : { ...shared, per_page: perPage }), having.result());
}

const isShared = (key: string): boolean => (SHARED as readonly string[]).includes(key);

function addOwn(own: Map<string, string>, key: string, text: string): void {
  checkKnown(key, AGGREGATE_PARAMETERS);
  const earlier = own.get(key);
  own.set(key, earlier === undefined || key === 'limit' || key === 'time_zone' ? text : `${earlier},${text}`);
}

function bodyText(key: string, given: unknown): string {
  if (typeof given === 'string' || typeof given === 'number') return String(given);
  if (isNames(given)) return given.join(',');
  throw invalidValue(shorten(key), `"${shorten(key)}" must be text or a list of names.`);
}

function withPerPage(query: URLSearchParams, perPage: string | undefined): URLSearchParams {
  if (perPage !== undefined) query.append('per_page', perPage);
  return query;
}

/** `limit` is another word for `per_page`. */
function assemble(
  own: ReadonlyMap<string, string>,
  readList: (perPage: string | undefined) => ListQuery,
  having: Filter | undefined,
): AggregateQuery {
  const { filter, search, sort, page, perPage = DEFAULT_GROUPS, withDeleted, onlyDeleted } = readList(own.get('limit'));
  const groupBy = readPaths(own.get('group_by') ?? '');
  if (groupBy.length > MAX_GROUP_KEYS) throw invalidValue('group_by', `Records can be grouped by at most ${MAX_GROUP_KEYS} keys.`);
  const asked = MEASURE_NAMES.flatMap((name) => readMeasures(name, own.get(name)));
  if (asked.length > MAX_MEASURES) throw invalidValue('count', `An aggregate can have at most ${MAX_MEASURES} values.`);
  const measures: Measure[] = asked.length === 0 ? [{ name: 'count', path: undefined }] : asked;
  const timeZone = own.get('time_zone');
  return {
    filter,
    search,
    sort,
    page,
    withDeleted,
    onlyDeleted,
    groupBy,
    measures,
    having,
    perPage: Math.min(perPage, MAX_GROUPS),
    timeZone,
  };
}

function readMeasures(name: MeasureName, text: string | undefined): Measure[] {
  if (text === undefined) return [];
  const paths = readPaths(text);
  if (paths.length === 0) throw invalidValue(name, `"${name}" names no field.`, `Write ${name}=${name === 'count' ? '*' : 'field'}.`);
  return paths.map((path) => {
    const isAll = path.length === 1 && path[0] === '*';
    if (isAll && name !== 'count') throw invalidValue(name, `"${name}" needs a field; only "count" takes *.`);
    return { name, path: isAll ? undefined : path };
  });
}

/** The key of a measure's value in the answer. */
export const measureKey = ({ name, path }: Measure): string => (path === undefined ? name : `${name}_${path.join('.')}`);
