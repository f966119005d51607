/** The routes of one entity's records, as far as the caller may use them. */
import type { EntityModel } from '../model/model.ts';
import { schemaName } from './entity-schemas.ts';
import { arrayOf, compact, objectOf, ref, type Json, type JsonObject, type Schema } from './json.ts';
import { listParameters, queryBody, recordParameters } from './list-parameters.ts';
import { commentPaths } from './comment-paths.ts';
import { historyPaths } from './history-paths.ts';
import { importPath } from './import-paths.ts';
import { timelinePaths } from './timeline-paths.ts';
import { bulkPath, restorePath } from './many-paths.ts';
import { EXPORT_CONTENT, readingPaths } from './reading-paths.ts';
import {
  COMMON_ERRORS,
  data,
  errorsOf,
  jsonAnswer,
  jsonBody,
  NOT_MODIFIED,
  tagged,
  UNLESS_KNOWN,
  words,
  WRITE_ERRORS,
  writeHeaders,
  type Paths,
} from './responses.ts';
import { recordClocks } from './sla-paths.ts';
import type { AppView, EntityView } from './view.ts';

export function recordPaths(app: AppView, view: EntityView, base: string): Paths {
  const { entity, can } = view;
  const collection = compact({
    get: can.read ? listOperation(app, view) : undefined,
    post: can.create ? createOperation(view) : undefined,
  });
  const single = compact({
    get: can.read ? getOperation(app, view) : undefined,
    put: can.update ? updateOperation(view, 'put') : undefined,
    patch: can.update ? updateOperation(view, 'update') : undefined,
    delete: can.delete ? deleteOperation(view) : undefined,
  });
  const path = `${base}/${entity.name}`;
  return {
    ...(Object.keys(collection).length === 0 ? {} : { [path]: collection }),
    ...(can.read ? { [`${path}/_query`]: { post: queryOperation(app, view) }, ...readingPaths(app, view, path) } : {}),
    ...bulkPath(view, path),
    ...importPath(view, path),
    ...(Object.keys(single).length === 0 ? {} : { [`${path}/{id}`]: { parameters: [idParameter(entity)], ...single } }),
    ...restorePath(view, path, idParameter(entity)),
    ...(can.read && stateFields(view).length > 0
      ? { [`${path}/{id}/_transitions`]: { parameters: [idParameter(entity)], get: transitionsOperation(view) } }
      : {}),
    ...historyPaths(view, path, idParameter(entity)),
    ...timelinePaths(view, path, idParameter(entity)),
    ...commentPaths(view, path, idParameter(entity)),
    ...(can.read && app.model.document.slas.some((sla) => sla.entity === entity.name)
      ? { [`${path}/{id}/_slas`]: { parameters: [idParameter(entity)], get: recordClocks(entity.name) } }
      : {}),
  };
}

function pageSchema(view: EntityView): Schema {
  return objectOf(
    {
      data: arrayOf(ref('schemas', schemaName(view.entity.name, 'selection'))),
      meta: { anyOf: [ref('schemas', 'PageMeta'), ref('schemas', 'WalkMeta')] },
      page: ref('schemas', 'WalkPage'),
    },
    ['data'],
  );
}

/** With `limit` or `cursor` in the place of pages. */
export const WALK_PAGE: Schema = objectOf(
  { limit: { type: 'integer' }, next_cursor: { type: ['string', 'null'], description: 'Null at the end.' } },
  ['limit', 'next_cursor'],
);
export const WALK_META: Schema = objectOf({ total: { type: 'integer' }, estimated: { type: 'boolean' } });

export const PAGE_META: Schema = objectOf(
  {
    page: { type: 'integer' },
    per_page: { type: 'integer' },
    total: { type: 'integer', description: 'Left out with `count=none`.' },
    estimated: { type: 'boolean', description: 'True when the total is an estimate.' },
  },
  ['page', 'per_page'],
);

const listOperation = (app: AppView, view: EntityView): JsonObject =>
  tagged(view, 'list', `List ${words(view)} records`, {
    parameters: listParameters(app, view),
    responses: { '200': listAnswer(view), ...errorsOf(COMMON_ERRORS) },
  });

/** A list is a page of JSON, or by `Accept` the whole of it as a file. */
function listAnswer(view: EntityView): JsonObject {
  const answer = jsonAnswer({ description: 'A page of records.', schema: pageSchema(view) });
  return { ...answer, content: { ...(answer['content'] as JsonObject), ...EXPORT_CONTENT.csv, ...EXPORT_CONTENT.ndjson } };
}

const queryOperation = (app: AppView, view: EntityView): JsonObject =>
  tagged(view, 'query', `List ${words(view)} records by a body`, {
    requestBody: jsonBody(queryBody(app, view)),
    responses: {
      '200': jsonAnswer({ description: 'A page of records.', schema: pageSchema(view) }),
      ...errorsOf([...COMMON_ERRORS, 415]),
    },
  });

const getOperation = (app: AppView, view: EntityView): JsonObject =>
  tagged(view, 'get', `Read one ${words(view)}`, {
    parameters: [...recordParameters(app, view), UNLESS_KNOWN],
    responses: {
      '200': jsonAnswer({
        description: 'The record.',
        schema: data(ref('schemas', schemaName(view.entity.name, 'selection'))),
        headers: { ETag: ref('headers', 'ETag') },
      }),
      ...NOT_MODIFIED,
      ...errorsOf(COMMON_ERRORS),
    },
  });

function createOperation(view: EntityView): JsonObject {
  return tagged(view, 'create', `Create a ${words(view)}`, {
    parameters: writeHeaders(),
    requestBody: jsonBody(ref('schemas', schemaName(view.entity.name, 'create'))),
    responses: {
      '201': jsonAnswer({ ...written(view, 'The record as it was stored.'), links: linksOf(view) }),
      ...errorsOf(WRITE_ERRORS),
    },
  });
}

/** PUT and PATCH mean the same: only what is given is changed. */
const updateOperation = (view: EntityView, verb: 'put' | 'update'): JsonObject =>
  tagged(view, verb, `Change a ${words(view)}`, {
    parameters: writeHeaders('If-Match'),
    requestBody: jsonBody(ref('schemas', schemaName(view.entity.name, 'update'))),
    responses: { '200': jsonAnswer(written(view, 'The record as it is now.')), ...errorsOf([...WRITE_ERRORS, 412]) },
  });

const deleteOperation = (view: EntityView): JsonObject =>
  tagged(view, 'delete', `Delete a ${words(view)}`, {
    parameters: writeHeaders('If-Match'),
    responses: {
      '200': jsonAnswer({ description: 'It is gone.', schema: data(objectOf({ id: { type: 'string' } }, ['id'])) }),
      ...errorsOf([...WRITE_ERRORS, 412]),
    },
  });

const written = (view: EntityView, description: string): { description: string; schema: Schema; headers: JsonObject } => ({
  description,
  schema: data(ref('schemas', schemaName(view.entity.name))),
  headers: { ETag: ref('headers', 'ETag') },
});

/** What can be done with a record that was just made. */
function linksOf(view: EntityView): JsonObject {
  const { can, entity } = view;
  const [key] = entity.key;
  if (key === undefined || entity.key.length > 1 || !view.fields.includes(key)) return {};
  const link = (verb: string): Json => ({ operationId: `${verb}_${entity.name}`, parameters: { id: `$response.body#/data/${key.name}` } });
  return compact({
    read: can.read ? link('get') : undefined,
    change: can.update ? link('update') : undefined,
    put: can.update ? link('put') : undefined,
    transitions: can.read && stateFields(view).length > 0 ? link('transitions') : undefined,
    remove: can.delete ? link('delete') : undefined,
  });
}

function idParameter(entity: EntityModel): JsonObject {
  const isUuid = entity.key.length === 1 && entity.keyType === 'uuid' && entity.slugField === undefined;
  return {
    name: 'id',
    in: 'path',
    required: true,
    description: entity.slugField === undefined ? 'The key of the record.' : 'The key of the record, or its slug.',
    schema: isUuid ? { type: 'string', format: 'uuid' } : { type: 'string', minLength: 1 },
  };
}

const stateFields = (view: EntityView): string[] =>
  view.entity.machines.map(({ field }) => field).filter((name) => view.fields.some((field) => field.name === name));

const TRANSITION: Schema = objectOf(
  {
    to: { type: 'string' },
    allowed: { type: 'boolean' },
    rule: { type: 'string', enum: ['permission', 'transition', 'guard'] },
    message: { type: 'string' },
    roles: arrayOf({ type: 'string' }, { description: 'Roles of which one would do.' }),
  },
  ['to', 'allowed'],
);

const transitionsOperation = (view: EntityView): JsonObject =>
  tagged(view, 'transitions', `What the states of a ${words(view)} may become`, {
    responses: {
      '200': jsonAnswer({
        description: 'One entry per state field, with what the caller may do now, and why not the rest.',
        schema: data(
          arrayOf(
            objectOf(
              { field: { type: 'string', enum: stateFields(view) }, state: { type: ['string', 'null'] }, transitions: arrayOf(TRANSITION) },
              ['field', 'state', 'transitions'],
            ),
          ),
        ),
      }),
      ...errorsOf(COMMON_ERRORS),
    },
  });
