/** Aggregates and exports of an entity. */
import { DATE_PARTS, datePartsOf } from '../filter/date-parts.ts';
import { DEFAULT_GROUPS, MAX_GROUP_KEYS, MAX_GROUPS, MAX_MEASURES, MEASURE_NAMES, type MeasureName } from '../filter/aggregate-query.ts';
import type { FieldModel, StoredType } from '../model/model.ts';
import { schemaName } from './entity-schemas.ts';
import { arrayOf, compact, objectOf, ref, type JsonObject, type Schema } from './json.ts';
import { DELETED_MEMBER, fieldsSchema, filterParameters, includeOptions, list, named, query, SEARCH, shared } from './list-parameters.ts';
import { COMMON_ERRORS, errorsOf, jsonAnswer, jsonBody, tagged, words, type Paths } from './responses.ts';
import type { AppView, EntityView } from './view.ts';

export function readingPaths(app: AppView, view: EntityView, path: string): Paths {
  return {
    [`${path}/_aggregate`]: { get: aggregateOperation(app, view), post: aggregateByBody(app, view) },
    [`${path}/_export.csv`]: { get: exportOperation(app, view, 'csv') },
    [`${path}/_export.ndjson`]: { get: exportOperation(app, view, 'ndjson') },
  };
}

// --- aggregates ----------------------------------------------------------------------------------------------------

const aggregateOperation = (app: AppView, view: EntityView): JsonObject =>
  tagged(view, 'aggregate', `Count and sum ${words(view)} records`, {
    parameters: [
      ...filterParameters(view),
      ...Object.entries(keyLists(app, view)).map(([name, schema]) => list(name, schema, KEY_TEXT[name] ?? '')),
      list('sort', RESULT_KEYS, 'Keys of the answer, descending with a `-` before them.'),
      {
        name: 'having',
        in: 'query',
        description: 'Which groups: conditions over keys of the answer, as JSON; `having[count.gt]=3` is the short form.',
        content: { 'application/json': { schema: ref('schemas', 'Having') } },
      },
      ...pageParameters(),
      query('time_zone', zone(view), 'Where timestamps are looked at for their parts.'),
      ...shared(app, view, ['Search']),
    ],
    responses: { '200': groups, ...errorsOf(COMMON_ERRORS) },
  });

const aggregateByBody = (app: AppView, view: EntityView): JsonObject =>
  tagged(view, 'aggregate_by_body', `Count and sum ${words(view)} records by a body`, {
    requestBody: jsonBody(
      objectOf({
        filter: orNull(ref('schemas', schemaName(view.entity.name, 'filter'))),
        ...Object.fromEntries(Object.entries(keyLists(app, view)).map(([name, schema]) => [name, orNull(schema)])),
        sort: orNull(RESULT_KEYS),
        having: orNull(ref('schemas', 'Having')),
        page: { type: ['number', 'string', 'null'], default: 1 },
        per_page: { type: ['number', 'string', 'null'], default: DEFAULT_GROUPS, description: `At most ${String(MAX_GROUPS)}.` },
        time_zone: orNull(zone(view)),
        q: orNull(SEARCH),
        ...(app.isAdmin && view.entity.hasSoftDelete ? { with_deleted: DELETED_MEMBER } : {}),
      }),
    ),
    responses: { '200': groups, ...errorsOf([...COMMON_ERRORS, 415]) },
  });

/** A member that is null is one that is left out. */
const orNull = (schema: Schema): Schema => ({ anyOf: [schema, { type: 'null' }] });

const pageParameters = (): JsonObject[] => [ref('parameters', 'Page'), ref('parameters', 'PerPage')];

/** Its example stands beside one of `group_by` that it means something for. */
const zone = (view: EntityView): Schema =>
  compact({ type: 'string', examples: monthOf(view) === undefined ? undefined : ['Europe/Paris'] });

function monthOf(view: EntityView): string | undefined {
  const moment = view.fields.find(({ type }) => type === 'timestamp');
  return moment === undefined ? undefined : `${moment.name}.month`;
}
const RESULT_KEYS: Schema = arrayOf({ type: 'string', pattern: '^-?[a-z][a-z0-9_]*(\\.[a-z][a-z0-9_]*)*$' }, { maxItems: 20 });

const KEY_TEXT: Readonly<Record<string, string>> = {
  group_by: 'Fields, fields behind relations to one, and parts of dates.',
  count: '`*` counts records, a field those in which it is not null.',
  count_distinct: 'How many different values.',
  sum: 'Sums of numbers.',
  avg: 'Averages of numbers.',
  min: 'The smallest value.',
  max: 'The largest value.',
};

const NUMBERS: readonly StoredType[] = ['int', 'bigint', 'float', 'decimal'];
const UNORDERED: readonly StoredType[] = ['boolean', 'uuid', 'file', 'json'];
const FITS: Readonly<Record<MeasureName, (type: StoredType) => boolean>> = {
  count: () => true,
  count_distinct: () => true,
  sum: (type) => NUMBERS.includes(type),
  avg: (type) => NUMBERS.includes(type),
  min: (type) => !UNORDERED.includes(type),
  max: (type) => !UNORDERED.includes(type),
};

/** `group_by` and the measures that any reachable field fits. */
function keyLists(app: AppView, view: EntityView): Record<string, Schema> {
  const reachable = reachableFields(app, view);
  const groupKeys = reachable.flatMap(({ path, field }) => [path, ...datePartsOf(field.type).map((part) => `${path}.${part}`)]);
  const measures = MEASURE_NAMES.flatMap((name) => {
    const paths = reachable.filter(({ field }) => FITS[name](field.type)).map(({ path }) => path);
    const all = name === 'count' ? ['*', ...paths] : paths;
    return all.length === 0 ? [] : [[name, arrayOf({ type: 'string', enum: all }, { minItems: 1, maxItems: MAX_MEASURES })] as const];
  });
  const month = monthOf(view);
  const limits = compact({ maxItems: MAX_GROUP_KEYS, examples: month === undefined ? undefined : [[month]] });
  return { group_by: arrayOf({ type: 'string', enum: groupKeys }, limits), ...Object.fromEntries(measures) };
}

interface Reachable {
  readonly path: string;
  readonly field: FieldModel;
}

/** Own fields, and those of the records that relations to one lead to. */
function reachableFields(app: AppView, view: EntityView): Reachable[] {
  const near = view.relations
    .filter(({ end }) => end.cardinality === 'one' && !DATE_PARTS.has(end.name))
    .flatMap(({ end, target }) =>
      (app.entities.get(target.name)?.fields ?? []).map((field) => ({ path: `${end.name}.${field.name}`, field })),
    );
  return [...view.fields.map((field) => ({ path: field.name, field })), ...near];
}

const groups = jsonAnswer({
  description: 'A row per group: the group keys by name, and values like `count`, `sum_amount`, `count_distinct_agent_id`.',
  schema: objectOf(
    {
      data: arrayOf({ type: 'object' }),
      meta: objectOf(
        { page: { type: 'integer' }, per_page: { type: 'integer' }, total: { type: 'integer' }, has_more: { type: 'boolean' } },
        ['page', 'per_page', 'has_more'],
      ),
    },
    ['data', 'meta'],
  ),
});

/** Conditions over keys that the request itself makes, so that their names and types are not known here. */
export const HAVING: Schema = {
  ...ref('schemas', 'JsonObject'),
  description: 'A leaf is `{field, op, value}` over a key of the answer; branches are `{and: [...]}`, `{or: [...]}` and `{not: {...}}`.',
};

// --- exports -------------------------------------------------------------------------------------------------------

export const EXPORT_CONTENT: Readonly<Record<'csv' | 'ndjson', JsonObject>> = {
  csv: { 'text/csv': { schema: { type: 'string', description: 'RFC 4180 in UTF-8 with a header.' } } },
  ndjson: { 'application/x-ndjson': { schema: { type: 'string', description: 'One record a line.' } } },
};

function exportOperation(app: AppView, view: EntityView, format: 'csv' | 'ndjson'): JsonObject {
  const projection =
    format === 'csv'
      ? [list('fields', fieldsSchema(app, view, 'one'), 'Only these fields; a dotted name includes its relation.')]
      : [...named(app, view, ['fields', 'include']), ...includeOptions(app, view)];
  return tagged(view, `export_${format}`, `All ${words(view)} records as ${format.toUpperCase()}`, {
    parameters: [
      ...filterParameters(view),
      ...named(app, view, ['sort']),
      ...projection,
      query('limit', { type: 'integer', minimum: 1, maximum: 999_999_999_999_999 }, 'Only the first records.'),
      ...(format === 'csv'
        ? [
            query(
              'formulas',
              { type: 'string', enum: ['escape', 'keep'], default: 'escape' },
              'Whether texts a spreadsheet would run are escaped.',
            ),
          ]
        : []),
      ...shared(app, view, ['Search']),
    ],
    responses: {
      '200': {
        description: 'A file.',
        headers: { 'X-Request-Id': ref('headers', 'RequestId'), 'Content-Disposition': ref('headers', 'FileName') },
        content: EXPORT_CONTENT[format],
      },
      ...errorsOf(COMMON_ERRORS),
    },
  });
}
