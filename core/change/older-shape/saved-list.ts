/** A saved list under the names of another version: what it names is found by stable ids, and what is gone there is told. */
import { isObject } from '../../is-object.ts';
import type { OlderNames } from './names.ts';

export interface ListContent {
  /** A tree of conditions. */
  readonly filter: Readonly<Record<string, unknown>> | null;
  readonly q: string | null;
  /** `-created_at` is descending. */
  readonly sort: readonly string[];
  /** Null: every field. */
  readonly columns: readonly string[] | null;
  readonly per_page: number | null;
}

export type ListPart = 'filter' | 'q' | 'sort' | 'columns';

/** A name of a part, as it was saved, that the other version has no more. */
export interface GoneName {
  readonly part: ListPart;
  readonly path: string;
}

export interface ListElsewhere {
  readonly content: ListContent;
  /** What is gone keeps its name in `content`. */
  readonly gone: readonly GoneName[];
}

/** `entity` is its name in the version the list was saved under. */
export function listElsewhere(names: OlderNames, entity: string, list: ListContent): ListElsewhere {
  const gone: GoneName[] = [];
  const paths = (part: ListPart): Translate => {
    return (at, path) => {
      const found = pathElsewhere(names, at, path);
      if (found.path === undefined) gone.push({ part, path });
      return { path: found.path ?? path, target: found.target };
    };
  };
  const [inFilter, inSort, inColumns] = [paths('filter'), paths('sort'), paths('columns')];
  const content = {
    ...list,
    filter: list.filter === null ? null : treeElsewhere(inFilter, entity, list.filter),
    sort: list.sort.map((item) => {
      const [, sign = '', path = '', direction = ''] = /^([+-]?)([^:]*)(.*)$/.exec(item) ?? [];
      return `${sign}${inSort(entity, path).path}${direction}`;
    }),
    columns: list.columns?.map((path) => inColumns(entity, path).path) ?? null,
  };
  return { content, gone };
}

/** A path of an entity, and the entity that it leads to, if it ends at one. Both under the names of then and there. */
type Translate = (entity: string, path: string) => { readonly path: string; readonly target: string };

type Tree = Readonly<Record<string, unknown>>;

function treeElsewhere(translate: Translate, entity: string, tree: Tree): Tree {
  const inner = (given: unknown, at: string): unknown => (isObject(given) ? treeElsewhere(translate, at, given) : given);
  if (typeof tree['field'] === 'string') {
    const { path, target } = translate(entity, tree['field']);
    const operator = tree['op'] ?? tree['operator'];
    const isRelated = operator === 'some' || operator === 'none';
    return { ...tree, field: path, ...(isRelated ? { value: inner(tree['value'], target) } : {}) };
  }
  return Object.fromEntries(
    Object.entries(tree).map(([key, part]): [string, unknown] => {
      if ((key === 'and' || key === 'or') && Array.isArray(part)) return [key, part.map((item) => inner(item, entity))];
      if (key === 'not') return [key, inner(part, entity)];
      return [translate(entity, key).path, part];
    }),
  );
}

/** `path` undefined: something that it names is gone. Words that name nothing, like operators, stay. */
function pathElsewhere(names: OlderNames, entity: string, path: string): { readonly path: string | undefined; readonly target: string } {
  const told: string[] = [];
  const words = path.split('.');
  let at = entity;
  for (const [index, word] of words.entries()) {
    const model = names.served.entities.get(at);
    const name = nameOf(model?.ends, at, word);
    const end = name === undefined ? undefined : model?.ends.get(name);
    // A field at the end of a path goes before a relation of its name, as in a request.
    const isField = model?.fields.has(word) === true && (end === undefined || index === words.length - 1);
    const elsewhere = isField ? names.field(at, word)?.name : name === undefined ? word : names.end(at, name)?.name;
    if (elsewhere === undefined) return { path: undefined, target: end?.target ?? '' };
    told.push(elsewhere);
    // What follows a field is an operator.
    if (isField) at = '';
    else if (end !== undefined) at = end.target;
  }
  return { path: told.join('.'), target: at };
}

/** A relation's end by one of its names; `ticket_responses` is `responses` of a ticket. */
function nameOf(ends: ReadonlyMap<string, unknown> | undefined, entity: string, word: string): string | undefined {
  if (ends?.has(word) === true) return word;
  const short = word.startsWith(`${entity}_`) ? word.slice(entity.length + 1) : '';
  return ends?.has(short) === true ? short : undefined;
}
