/** Reads what to include: `include=a,b.c`, `include[a][limit]=5`, and the JSON form of `_query`. */
import { AppError, nearestNames } from '../errors.ts';
import { isObject } from '../is-object.ts';
import { ConditionReader, type ConditionBudget } from './conditions.ts';
import { isNames, readPaths, readSort, shorten } from './parse-lists.ts';
import { invalidValue, MAX_DEPTH, MAX_INCLUDED_ROWS, MAX_INCLUDES, type Filter, type IncludeItem, type SortItem } from './query.ts';

const OPTIONS = ['filter', 'sort', 'limit', 'fields'] as const;
const KEYS = ['relation', ...OPTIONS, 'include'] as const;

interface Draft {
  readonly path: readonly string[];
  readonly conditions: ConditionReader;
  sort?: readonly SortItem[];
  limit?: number;
  fields?: readonly (readonly string[])[];
}

/** `include[comments][filter][is_internal]=false`: options of the query string, gathered per relation. */
export class IncludeOptions {
  readonly #drafts = new Map<string, Draft>();
  readonly #budget: ConditionBudget;

  constructor(budget: ConditionBudget) {
    this.#budget = budget;
  }

  /** Takes one pair of a query string; false when it is no option. */
  take(key: string, text: string): boolean {
    if (!key.startsWith('include[')) return false;
    const [name = '', ...parts] = /^include(\[[^[\]]*\])+$/.test(key) ? key.slice('include['.length, -1).split('][') : [];
    const [option, ...inner] = parts.flatMap((part) => part.split('.'));
    if (name === '' || option === undefined) throw badOption(key, option);
    const draft = this.#draftOf(name);
    if (option === 'filter') draft.conditions.take(`filter${inner.map((part) => `[${part}]`).join('')}`, text);
    else if (inner.length > 0) throw badOption(key, option);
    else if (option === 'sort') draft.sort = readSort(text, key);
    else if (option === 'limit') draft.limit = readLimit(text, key);
    else if (option === 'fields') draft.fields = readPaths(text);
    else throw badOption(key, option);
    return true;
  }

  items(): IncludeItem[] {
    return [...this.#drafts.values()].map(({ conditions, ...draft }) => {
      const filter = conditions.result();
      return filter === undefined ? draft : { ...draft, filter };
    });
  }

  #draftOf(name: string): Draft {
    let draft = this.#drafts.get(name);
    if (draft === undefined) {
      if (this.#drafts.size >= MAX_INCLUDES) throw tooManyIncludes();
      this.#drafts.set(name, (draft = { path: name.split('.'), conditions: new ConditionReader('filter', this.#budget) }));
    }
    return draft;
  }
}

/** `"a,b"`, or a list of names and of `{relation, filter, sort, limit, fields, include}`. */
export function readIncludeBody(given: unknown, budget: ConditionBudget): IncludeItem[] {
  if (typeof given === 'string') return readPaths(given).map((path) => ({ path }));
  const items: IncludeItem[] = [];
  readItems(given, [], items, budget, 1);
  return items;
}

function readItems(given: unknown, prefix: readonly string[], items: IncludeItem[], budget: ConditionBudget, depth: number): void {
  for (const item of Array.isArray(given) ? (given as unknown[]) : [given]) {
    // Here, not before: an empty list at the lowest place includes nothing.
    if (depth > MAX_DEPTH) throw invalidValue('include', `Relations can be included at most ${MAX_DEPTH} deep.`);
    if (items.length > MAX_INCLUDES) throw tooManyIncludes();
    if (typeof item === 'string') for (const path of readPaths(item)) items.push({ path: [...prefix, ...path] });
    else if (isObject(item)) readItem(item, prefix, items, budget, depth);
    else throw badItem();
  }
}

function readItem(
  item: Record<string, unknown>,
  prefix: readonly string[],
  items: IncludeItem[],
  budget: ConditionBudget,
  depth: number,
): void {
  const { relation } = item;
  const unknown = Object.keys(item).find((key) => !(KEYS as readonly string[]).includes(key));
  if (unknown !== undefined) throw badOption(unknown, unknown, KEYS);
  if (typeof relation !== 'string' || relation === '') throw badItem();
  const path = [...prefix, ...relation.split('.')];
  const label = `include.${shorten(relation)}`;
  const given = (name: (typeof KEYS)[number]): boolean => item[name] !== undefined && item[name] !== null;
  items.push({
    path,
    ...(given('filter') ? { filter: readTree(item['filter'], budget) } : {}),
    ...(given('sort') ? { sort: readSort(textOf(item['sort'], `${label}.sort`), `${label}.sort`) } : {}),
    ...(given('limit') ? { limit: readLimit(String(item['limit']), `${label}.limit`) } : {}),
    ...(given('fields') ? { fields: readPaths(textOf(item['fields'], `${label}.fields`)) } : {}),
  });
  if (given('include')) readItems(item['include'], path, items, budget, depth + 1);
}

function readTree(tree: unknown, budget: ConditionBudget): Filter {
  const conditions = new ConditionReader('filter', budget);
  conditions.takeTree(tree);
  return conditions.result() ?? { kind: 'and', items: [] };
}

function textOf(given: unknown, label: string): string {
  if (typeof given === 'string') return given;
  if (isNames(given)) return given.join(',');
  throw invalidValue(label, `"${label}" must be text or a list of names.`);
}

function readLimit(text: string, label: string): number {
  const limit = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= MAX_INCLUDED_ROWS) return limit;
  throw invalidValue(shorten(label), `"${shorten(label)}" must be a whole number from 1 to ${MAX_INCLUDED_ROWS}.`);
}

/** 400: more relations than one request may include. */
export const tooManyIncludes = (): AppError => invalidValue('include', `At most ${MAX_INCLUDES} relations can be included at once.`);

const badItem = (): AppError =>
  invalidValue(
    'include',
    'Each item of "include" must be the name of a relation or an object with it.',
    'Write {"relation": "comments", "filter": {…}, "sort": "-created_at", "limit": 5, "fields": ["id"], "include": ["author"]}.',
  );

function badOption(key: string, option: string | undefined, known: readonly string[] = OPTIONS): AppError {
  const message = `"${shorten(key)}" is no option of an include.`;
  return new AppError('UNKNOWN_PARAMETER', message, {
    details: [{ field: shorten(key), rule: 'parameter', message, allowed: nearestNames(shorten(option ?? ''), known) }],
    hint: `Write include[relation][option]=value; options are ${OPTIONS.join(', ')}.`,
  });
}
