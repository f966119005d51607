/** The query parameters of reads, and the same as the body of `_query`. */
import { MAX_INCLUDED_ROWS, MAX_INCLUDES } from '../filter/query.ts';
import type { FieldModel } from '../model/model.ts';
import { parameterOperators, schemaName } from './entity-schemas.ts';
import { COMPARED_TEXT, operandSchema } from './field-schema.ts';
import { anyOf, arrayOf, compact, nullable, objectOf, ref, type JsonObject, type Schema } from './json.ts';
import type { AppView, EntityView, RelationView } from './view.ts';

const MAX_LISTED = 300;

const natural = (description: string, rest: JsonObject = {}): Schema => ({
  anyOf: [
    { type: 'integer', minimum: 1, ...rest },
    { type: 'string', description: 'What is no number means the default.' },
  ],
  description,
});

export const SEARCH: Schema = { type: 'string', maxLength: 500, pattern: '^[^\\u0000]*$' };

const LIMIT: Schema = { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER };
const WITH_DELETED: Schema = { anyOf: [{ type: 'boolean' }, { type: 'string', enum: ['only'] }], default: false };
/** In a body. */
export const DELETED_MEMBER: Schema = { anyOf: [{ type: ['boolean', 'null'] }, { type: 'string', enum: ['only'] }] };
/** A format of our own: none but the empty one can be made up, all others are sealed. */
const CURSOR: Schema = { type: 'string', format: 'cursor' };

/** Parameters that are the same for every list. */
export const LIST_PARAMETER_COMPONENTS: Record<string, JsonObject> = {
  Page: query('page', natural('Which page, from 1; a page behind more than 100,000 records is refused.', { default: 1 })),
  PerPage: query('per_page', natural("How many records a page has; more than the app's maximum is cut to it.")),
  Count: query('count', { type: 'string', enum: ['exact', 'estimated', 'none'] }, '`none` leaves out `meta.total` and saves the counting.'),
  Search: query('q', SEARCH, 'Words that the texts must hold; the last one may be a beginning.'),
  Limit: query('limit', LIMIT, 'Starts a walk through the list instead of pages; not beside `page` and `per_page`.'),
  Cursor: query('cursor', CURSOR, '`page.next_cursor` of the answer before; empty is the beginning. Not beside `page` and `per_page`.'),
  WithDeleted: query('with_deleted', WITH_DELETED, 'Softly deleted records too, each with its `deleted_at`; `only` leaves out all others.'),
};

export function query(name: string, schema: Schema, description?: string, rest: JsonObject = {}): JsonObject {
  return compact({ name, in: 'query', description, schema, ...rest });
}

export const list = (name: string, schema: Schema, description: string): JsonObject =>
  query(name, schema, description, { style: 'form', explode: false });

/** Component parameters of one entity: one per field and operator, and its `sort`, `fields` and `include`. */
export function entityParameters(app: AppView, view: EntityView): Record<string, JsonObject> {
  const { name } = view.entity;
  const found: Record<string, JsonObject> = {};
  for (const field of view.fields) {
    for (const operator of parameterOperators(field)) found[filterName(name, field.name, operator)] = filterParameter(field, operator);
  }
  found[`${name}.filter`] = {
    name: 'filter',
    in: 'query',
    description: 'A tree of conditions as JSON. It holds together with the conditions given one by one.',
    content: { 'application/json': { schema: ref('schemas', schemaName(name, 'filter')) } },
  };
  found[`${name}.sort`] = list(
    'sort',
    sortSchema(app, view),
    'Fields to sort by, descending with a `-` before them; `name:desc` means the same.',
  );
  found[`${name}.fields`] = list('fields', fieldsSchema(app, view), 'Only these fields; a dotted name includes its relation.');
  const includes = includeSchema(app, view);
  if (includes !== undefined)
    found[`${name}.include`] = list('include', includes, 'Related records to put in, up to three relations deep.');
  for (const relation of chosenRelations(app, view)) Object.assign(found, optionParameters(app, view, relation));
  return found;
}

/** Relations whose records a read can choose among. */
const chosenRelations = (app: AppView, view: EntityView): RelationView[] =>
  view.relations.filter(({ target }) => app.entities.get(target.name)?.can.read === true).slice(0, MAX_INCLUDES);

/** The options of an include of its own: a relation to one record can be filtered, but neither sorted nor cut. */
const OPTIONS = { one: ['filter', 'fields'], many: ['filter', 'sort', 'limit', 'fields'] } as const;
type Option = (typeof OPTIONS)['many'][number];

const optionName = (view: EntityView, { end }: RelationView, option: Option): string => `${view.entity.name}.include.${end.name}.${option}`;

function optionParameters(app: AppView, view: EntityView, relation: RelationView): Record<string, JsonObject> {
  const { end, target } = relation;
  const fields = app.entities.get(target.name)?.fields.map((field) => field.name) ?? [];
  const named = (option: Option): string => `include[${end.name}][${option}]`;
  const options: Readonly<Record<Option, JsonObject>> = {
    filter: {
      name: named('filter'),
      in: 'query',
      description: 'Only related records for which this holds.',
      content: { 'application/json': { schema: ref('schemas', schemaName(target.name, 'filter')) } },
    },
    sort: list(named('sort'), sortedBy(fields), 'How the related records are sorted.'),
    limit: query(named('limit'), { type: 'integer', minimum: 1, maximum: MAX_INCLUDED_ROWS }, 'Only the first of them.'),
    fields: list(named('fields'), arrayOf({ type: 'string', enum: fields }), 'Only these fields of them.'),
  };
  return Object.fromEntries(OPTIONS[end.cardinality].map((option) => [optionName(view, relation, option), options[option]]));
}

const sortedBy = (paths: readonly string[]): Schema =>
  arrayOf({ type: 'string', enum: paths.flatMap((path) => [path, `-${path}`]) }, { maxItems: 20 });

const filterName = (entity: string, field: string, operator: string): string => `${entity}.filter.${field}.${operator}`;

function filterParameter(field: FieldModel, operator: string): JsonObject {
  const name = operator === 'eq' ? `filter[${field.name}]` : `filter[${field.name}.${operator}]`;
  const value = operandSchema(field);
  if (operator === 'is_null') return query(name, TRUTH, 'Nothing at all is true.');
  if (operator === 'in') return list(name, arrayOf(withoutCommas(value)), 'One of these values.');
  return query(name, value);
}

/** As a query string says true and false. */
const TRUTH: Schema = { type: ['boolean', 'string'], pattern: '^\\s*([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee]|[01])?\\s*$' };

/** A comma separates the values of a list; inside of one it is written `\,`. */
const withoutCommas = (value: Schema): Schema => (value === COMPARED_TEXT ? { ...value, pattern: '^([^\\u0000,]|\\\\,)*$' } : value);

/** References to the parameters of a list, in the order people look for them. */
export function listParameters(app: AppView, view: EntityView): JsonObject[] {
  return [
    ...filterParameters(view),
    ...named(app, view, ['sort', 'fields', 'include']),
    ...includeOptions(app, view),
    ...shared(app, view, ['Search', 'Page', 'PerPage', 'Limit', 'Cursor', 'Count']),
  ];
}

/** The parameters of a single record. */
export const recordParameters = (app: AppView, view: EntityView): JsonObject[] => [
  ...named(app, view, ['fields', 'include']),
  ...includeOptions(app, view),
  ...shared(app, view, []),
];

/** Options of includes, wherever `include` is taken. */
export const includeOptions = (app: AppView, view: EntityView): JsonObject[] =>
  chosenRelations(app, view).flatMap((relation) =>
    OPTIONS[relation.end.cardinality].map((option) => ref('parameters', optionName(view, relation, option))),
  );

/** Conditions alone, for what filters without listing. */
export const filterParameters = (view: EntityView): JsonObject[] => [
  ref('parameters', `${view.entity.name}.filter`),
  ...view.fields.flatMap((field) =>
    parameterOperators(field).map((operator) => ref('parameters', filterName(view.entity.name, field.name, operator))),
  ),
];

export const named = (app: AppView, view: EntityView, parts: readonly string[]): JsonObject[] =>
  parts
    .filter((part) => part !== 'include' || includeSchema(app, view) !== undefined)
    .map((part) => ref('parameters', `${view.entity.name}.${part}`));

export const shared = (app: AppView, view: EntityView, parts: readonly string[]): JsonObject[] =>
  [...parts, ...(app.isAdmin && view.entity.hasSoftDelete ? ['WithDeleted'] : [])].map((part) => ref('parameters', part));

function sortSchema(app: AppView, view: EntityView): Schema {
  const own = view.fields.map((field) => field.name);
  const near = view.relations
    .filter(({ end }) => end.cardinality === 'one')
    .flatMap(({ end, target }) => (app.entities.get(target.name)?.fields ?? []).map((field) => `${end.name}.${field.name}`));
  return sortedBy([...own, ...near].slice(0, MAX_LISTED));
}

export function fieldsSchema(app: AppView, view: EntityView, of: 'all' | 'one' = 'all'): Schema {
  const own = view.fields.map((field) => field.name);
  const near = view.relations
    .filter(({ end }) => of === 'all' || end.cardinality === 'one')
    .slice(0, MAX_INCLUDES)
    .flatMap(({ end, target }) => (app.entities.get(target.name)?.fields ?? []).map((field) => `${end.name}.${field.name}`));
  return arrayOf({ type: 'string', enum: [...own, ...near].slice(0, MAX_LISTED) });
}

/** Relations by every name they have, and what hangs on those by its first name. */
function includeSchema(app: AppView, view: EntityView): Schema | undefined {
  const names = view.relations.flatMap(({ end }) => end.names);
  const deeper = view.relations.flatMap(({ end, target }) =>
    (app.entities.get(target.name)?.relations ?? []).map((next) => `${end.name}.${next.end.name}`),
  );
  const paths = [...new Set([...names, ...deeper])].slice(0, MAX_LISTED);
  return paths.length === 0 ? undefined : arrayOf({ type: 'string', enum: paths }, { maxItems: MAX_INCLUDES });
}

/** The body of `POST /:entity/_query`: the same parameters, lists as lists; numbered pages, or a walk. */
export function queryBody(app: AppView, view: EntityView): Schema {
  const shared = sharedMembers(app, view);
  const number: Schema = { type: ['number', 'string', 'null'] };
  return {
    anyOf: [
      { ...objectOf({ ...shared, page: number, per_page: number }), title: 'By pages' },
      {
        ...objectOf({ ...shared, limit: nullable(LIMIT), cursor: nullable(CURSOR) }),
        title: 'From cursor to cursor',
      },
    ],
  };
}

function sharedMembers(app: AppView, view: EntityView): Record<string, Schema> {
  const include = includeSchema(app, view);
  return {
    filter: orNull(ref('schemas', schemaName(view.entity.name, 'filter'))),
    sort: listOrNone(sortSchema(app, view)),
    fields: listOrNone(fieldsSchema(app, view)),
    ...(include === undefined ? {} : { include: listOrNone(withItems(app, view, include)) }),
    q: nullable(SEARCH),
    count: { type: ['string', 'null'], enum: ['exact', 'estimated', 'none', null] },
    ...(app.isAdmin && view.entity.hasSoftDelete ? { with_deleted: DELETED_MEMBER } : {}),
  };
}

const orNull = (schema: Schema): Schema => ({ anyOf: [schema, { type: 'null' }] });
/** Null and the empty text of a query string list nothing. */
const listOrNone = (schema: Schema): Schema => ({ anyOf: [schema, { type: ['string', 'null'], maxLength: 0 }] });

/** In a body a relation is a name, or an object that also chooses among its records. */
function withItems(app: AppView, view: EntityView, names: Schema): Schema {
  const items = includeItems(app, view);
  return items.length === 0
    ? names
    : { ...names, items: { anyOf: [names['items'] as Schema, ref('schemas', schemaName(view.entity.name, 'include'))] } };
}

/** The component of those objects; undefined for an entity without relations. */
export function includeItem(app: AppView, view: EntityView): Schema | undefined {
  const items = includeItems(app, view);
  return items.length === 0 ? undefined : anyOf(items);
}

const includeItems = (app: AppView, view: EntityView): Schema[] =>
  chosenRelations(app, view).map(({ end, target }) => {
    const near = app.entities.get(target.name);
    const fields = near?.fields.map((field) => field.name) ?? [];
    const deeper = near !== undefined && chosenRelations(app, near).length > 0;
    const many = {
      sort: listOrNone(sortedBy(fields)),
      limit: { type: ['integer', 'null'], minimum: 1, maximum: MAX_INCLUDED_ROWS },
    } as const;
    return objectOf(
      {
        relation: { type: 'string', enum: end.names },
        filter: orNull(ref('schemas', schemaName(target.name, 'filter'))),
        fields: listOrNone(arrayOf({ type: 'string', enum: fields })),
        ...(end.cardinality === 'many' ? many : {}),
        ...(deeper ? { include: nullable(arrayOf(ref('schemas', schemaName(target.name, 'include')), { maxItems: MAX_INCLUDES })) } : {}),
      },
      ['relation'],
    );
  });
