/** Reads a query string, or the body of `_query`, into a ListQuery. Pure: no name is looked up here. */
import { AppError, nearestNames } from '../errors.ts';
import { invalidValue, MAX_FILTER_NODES, tooLarge, type Filter, type ListQuery, type SortItem } from './query.ts';

export const LIST_PARAMETERS = ['filter', 'sort', 'page', 'per_page', 'count', 'fields', 'include', 'with_deleted'] as const;
export const RECORD_PARAMETERS = ['fields', 'include', 'with_deleted'] as const;

const MAX_PAGE = 1_000_000_000;
const MAX_TREE_DEPTH = 32;

/** `page=2&sort=-created_at&filter[status]=open&...` */
export function parseListQuery(query: URLSearchParams): ListQuery {
  const parameters = new Map<string, string>();
  const leaves = new Map<string, { path: string[]; texts: string[] }>();
  const trees: Filter[] = [];
  const budget = { nodes: 0 };
  for (const [key, text] of query) {
    if (key === 'filter') trees.push(readTreeText(text, budget));
    else if (key.startsWith('filter[')) addLeaf(leaves, key, text, budget);
    else addParameter(parameters, key, text, LIST_PARAMETERS);
  }
  const items: Filter[] = [...trees];
  for (const { path, texts } of leaves.values()) {
    items.push({ kind: 'leaf', path, operator: undefined, operand: { kind: 'text', texts } });
  }
  return { ...readShared(parameters), filter: items.length > 1 ? { kind: 'and', items } : items[0] };
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
  let filter: Filter | undefined;
  for (const [key, given] of Object.entries(body)) {
    if (given === undefined || given === null) continue;
    if (key === 'filter') filter = readTree(given, { nodes: 0 }, 1);
    else addParameter(parameters, key, bodyText(key, given), LIST_PARAMETERS);
  }
  return { ...readShared(parameters), filter };
}

function bodyText(key: string, given: unknown): string {
  if (typeof given === 'string') return given;
  if (typeof given === 'number' || typeof given === 'boolean') return String(given);
  if (isListParameter(key) && Array.isArray(given) && given.every((item) => typeof item === 'string')) return given.join(',');
  throw invalidValue(shorten(key), `"${shorten(key)}" must be text${isListParameter(key) ? ' or a list of texts' : ' or a number'}.`);
}

function addParameter(parameters: Map<string, string>, key: string, text: string, known: readonly string[]): void {
  if (!known.includes(key)) {
    throw new AppError('UNKNOWN_PARAMETER', `There is no parameter "${shorten(key)}" here.`, {
      details: [
        { field: shorten(key), rule: 'parameter', message: `allowed: ${known.join(', ')}`, allowed: nearestNames(shorten(key), known) },
      ],
      hint: `Known parameters: ${known.join(', ')}.`,
    });
  }
  const earlier = parameters.get(key);
  // Repeats of a list parameter add up; of any other the last one counts.
  parameters.set(key, earlier !== undefined && isListParameter(key) ? `${earlier},${text}` : text);
}

const isListParameter = (key: string): boolean => key === 'include' || key === 'fields' || key === 'sort';
const shorten = (name: string): string => (name.length > 100 ? `${name.slice(0, 100)}…` : name);

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

const readPaths = (text: string): string[][] =>
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

function addLeaf(leaves: Map<string, { path: string[]; texts: string[] }>, key: string, text: string, budget: { nodes: number }): void {
  const path = readBrackets(key);
  // `filter[status][]=a` and `filter[status][0]=a` are lists.
  while (path.length > 1 && /^\d*$/.test(path.at(-1) ?? '')) path.pop();
  const name = path.join('.');
  const leaf = leaves.get(name);
  if (leaf !== undefined) {
    leaf.texts.push(text);
    return;
  }
  spend(budget);
  leaves.set(name, { path, texts: [text] });
}

function readBrackets(key: string): string[] {
  if (!/^filter(\[[^[\]]*\])+$/.test(key)) {
    throw new AppError('UNKNOWN_PARAMETER', `"${shorten(key)}" is no filter.`, {
      hint: 'Write filter[field]=value or filter[field][operator]=value.',
    });
  }
  return key
    .slice('filter['.length, -1)
    .split('][')
    .flatMap((part) => part.split('.'));
}

function readTreeText(text: string, budget: { nodes: number }): Filter {
  let tree: unknown;
  try {
    tree = JSON.parse(text);
  } catch {
    throw invalidValue(
      'filter',
      'The parameter "filter" is not valid JSON.',
      'Write filter[field]=value, or filter={"field":"…","op":"eq","value":"…"}.',
    );
  }
  return readTree(tree, budget, 1);
}

/** `{field, op, value}`, `{and: [...]}`, `{or: [...]}`, `{not: {...}}`, or `{field: value, ...}` for plain equality. */
function readTree(tree: unknown, budget: { nodes: number }, depth: number): Filter {
  if (!isObject(tree)) throw badTree();
  if (depth > MAX_TREE_DEPTH) throw invalidValue('filter', `A filter may be nested at most ${MAX_TREE_DEPTH} levels deep.`);
  spend(budget);
  if (typeof tree['field'] === 'string') return readLeaf(tree, tree['field'], budget, depth);
  const items = Object.entries(tree).map(([key, part]): Filter => {
    if (key === 'and' || key === 'or') {
      if (!Array.isArray(part)) throw badTree();
      return { kind: key, items: part.map((item) => readTree(item, budget, depth + 1)) };
    }
    if (key === 'not') return { kind: 'not', item: readTree(part, budget, depth + 1) };
    spend(budget);
    return { kind: 'leaf', path: key.split('.'), operator: undefined, operand: { kind: 'json', value: part } };
  });
  return items.length === 1 && items[0] !== undefined ? items[0] : { kind: 'and', items };
}

function readLeaf(tree: Record<string, unknown>, field: string, budget: { nodes: number }, depth: number): Filter {
  const extra = Object.keys(tree).find((key) => !['field', 'op', 'operator', 'value'].includes(key));
  const operator = tree['op'] ?? tree['operator'] ?? 'eq';
  if (extra !== undefined || typeof operator !== 'string') throw badTree();
  const path = field.split('.');
  if ((operator === 'some' || operator === 'none') && isObject(tree['value'])) {
    return { kind: 'related', path, quantifier: operator, item: readTree(tree['value'], budget, depth + 1) };
  }
  return { kind: 'leaf', path, operator, operand: { kind: 'json', value: tree['value'] ?? null } };
}

function spend(budget: { nodes: number }): void {
  budget.nodes += 1;
  if (budget.nodes > MAX_FILTER_NODES) throw tooLarge('filter', `A filter may have at most ${MAX_FILTER_NODES} conditions.`);
}

const badTree = (): AppError =>
  invalidValue(
    'filter',
    'The filter is not a tree of conditions.',
    'A leaf is {"field", "op", "value"}; branches are {"and": [...]}, {"or": [...]} and {"not": {...}}.',
  );

const isObject = (given: unknown): given is Record<string, unknown> => typeof given === 'object' && given !== null && !Array.isArray(given);
