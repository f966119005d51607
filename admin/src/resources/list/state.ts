/**
 * What a list shows, as it stands in the address: `?status.in=open,closed&q=printer&sort=-created_at&page=2&list=<id>`. A saved list is
 * opened by its id alone; once something of it is changed, all of it stands in the address (`sort` says that it does). Pure.
 */
import { conditionFromParam, conditionsOf, paramOf, treeOf, type Condition, type Tree } from '../../fields/conditions.ts';
import type { DiscoveredEntity } from '../../discovery.ts';
import { defaultSort, ordered, visibleFields } from '../shape.ts';

export interface Sort {
  readonly field: string;
  readonly order: 'ASC' | 'DESC';
}

export interface ListState {
  readonly conditions: readonly Condition[];
  /** What of a saved list's filter is no condition of one field. */
  readonly further: Tree | undefined;
  readonly q: string;
  readonly sort: Sort;
  /** Undefined: the usual ones. */
  readonly columns: readonly string[] | undefined;
  readonly page: number;
  readonly perPage: number;
  /** The id of a saved list, or `all`: none, though there is one to open with. */
  readonly list: string | undefined;
  readonly isTrash: boolean;
}

/** As the API keeps it (docs/saved-lists.md). */
export interface SavedList {
  readonly id: string;
  readonly name: string;
  readonly filter: Tree | null;
  readonly q: string | null;
  readonly sort: readonly string[];
  readonly columns: readonly string[] | null;
  readonly per_page: number | null;
  readonly shared_with: readonly string[] | null;
  readonly is_default: boolean;
  readonly may_change: boolean;
  readonly stale: readonly { readonly part: string; readonly message: string }[];
  readonly version: number;
}

export const PAGE_SIZES = [10, 25, 50, 100] as const;
const USUAL_SIZE = 25;
/** A list shows at most this many columns at first; the rest can be switched on. */
const FIRST_COLUMNS = 7;

export function usualColumns(entity: DiscoveredEntity): readonly string[] {
  return ordered(entity, visibleFields(entity))
    .filter((field, index) => index < FIRST_COLUMNS && !field.hidden)
    .map(({ name }) => name);
}

export const usualState = (entity: DiscoveredEntity): ListState => ({
  conditions: [],
  further: undefined,
  q: '',
  sort: defaultSort(entity),
  columns: undefined,
  page: 1,
  perPage: USUAL_SIZE,
  list: undefined,
  isTrash: false,
});

/** True when the address names a saved list and nothing of its own. */
export const isSavedOnly = (params: URLSearchParams): boolean =>
  params.has('list') && params.get('list') !== 'all' && !params.has('sort') && params.get('deleted') !== '1';

export function stateOf(entity: DiscoveredEntity, params: URLSearchParams): ListState {
  const usual = usualState(entity);
  const columns = params
    .get('columns')
    ?.split(',')
    .filter((name) => visibleFields(entity).some((field) => field.name === name));
  return {
    conditions: [...params].flatMap(([name, text]) => conditionFromParam(entity, name, text) ?? []),
    further: readTree(params.get('filter')),
    q: params.get('q') ?? '',
    sort: sortOf(entity, params.get('sort')) ?? usual.sort,
    columns: columns === undefined || columns.length === 0 ? undefined : columns,
    page: count(params.get('page')) ?? 1,
    perPage: sizeOf(count(params.get('per_page'))),
    list: params.get('list') ?? undefined,
    isTrash: params.get('deleted') === '1' && entity.soft_delete,
  };
}

export function stateOfSaved(entity: DiscoveredEntity, saved: SavedList, page: number): ListState {
  const usual = usualState(entity);
  const { conditions, further } = conditionsOf(entity, saved.filter);
  const columns = saved.columns?.filter((name) => visibleFields(entity).some((field) => field.name === name));
  return {
    ...usual,
    conditions,
    further,
    q: saved.q ?? '',
    sort: sortOf(entity, saved.sort[0]) ?? usual.sort,
    columns: columns === undefined || columns.length === 0 ? undefined : columns,
    perPage: sizeOf(saved.per_page ?? undefined),
    page,
    list: saved.id,
  };
}

/** What a saved list is made of. */
export const contentOf = (
  entity: DiscoveredEntity,
  state: ListState,
): Pick<SavedList, 'filter' | 'q' | 'sort' | 'columns' | 'per_page'> => ({
  filter: treeOf(entity, state.conditions, state.further) ?? null,
  q: state.q.trim() === '' ? null : state.q,
  sort: [sortText(state.sort)],
  columns: state.columns ?? null,
  per_page: state.perPage === USUAL_SIZE ? null : state.perPage,
});

/** All of it, but for what is as usual. */
export function paramsOf(entity: DiscoveredEntity, state: ListState): URLSearchParams {
  const params = new URLSearchParams();
  const usual = usualState(entity);
  if (state.list !== undefined) params.set('list', state.list);
  for (const condition of state.conditions) params.append(...paramOf(condition));
  if (state.further !== undefined) params.set('filter', JSON.stringify(state.further));
  if (state.q !== '') params.set('q', state.q);
  const isUsual = sortText(state.sort) === sortText(usual.sort);
  if (!isUsual || (state.list !== undefined && state.list !== 'all')) params.set('sort', sortText(state.sort));
  if (state.columns !== undefined) params.set('columns', state.columns.join(','));
  if (state.page > 1) params.set('page', String(state.page));
  if (state.perPage !== USUAL_SIZE) params.set('per_page', String(state.perPage));
  if (state.isTrash) params.set('deleted', '1');
  return params;
}

/** For the data provider. */
export const filterOf = (entity: DiscoveredEntity, { conditions, further, q, isTrash }: ListState): Readonly<Record<string, unknown>> => {
  const $tree = treeOf(entity, conditions, further);
  return { ...($tree === undefined ? {} : { $tree }), ...(q.trim() === '' ? {} : { q }), ...(isTrash ? { $deleted: true } : {}) };
};

export const isFiltered = ({ conditions, further, q }: ListState): boolean =>
  conditions.length > 0 || further !== undefined || q.trim() !== '';

export const sortText = ({ field, order }: Sort): string => `${order === 'DESC' ? '-' : ''}${field}`;

function sortOf(entity: DiscoveredEntity, text: string | null | undefined): Sort | undefined {
  const field = text?.replace(/^[+-]/, '').replace(/:(asc|desc)$/, '');
  if (text === null || text === undefined || !entity.fields.some((one) => one.name === field && one.readable)) return undefined;
  return { field: field ?? '', order: text.startsWith('-') || text.endsWith(':desc') ? 'DESC' : 'ASC' };
}

function readTree(text: string | null): Tree | undefined {
  try {
    const tree: unknown = JSON.parse(text ?? 'null');
    return typeof tree === 'object' && tree !== null && !Array.isArray(tree) ? (tree as Tree) : undefined;
  } catch {
    return undefined;
  }
}

function count(text: string | null): number | undefined {
  return text !== null && /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined;
}

const sizeOf = (asked: number | undefined): number => PAGE_SIZES.find((size) => size === asked) ?? USUAL_SIZE;
