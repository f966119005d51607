/** Writing many records in one request, and taking a deletion back. */
import { schemaName } from './entity-schemas.ts';
import { writeSchema } from './field-schema.ts';
import { anyOf, arrayOf, compact, objectOf, ref, type JsonObject, type Schema } from './json.ts';
import { data, errorsOf, jsonAnswer, jsonBody, tagged, words, WRITE_ERRORS, writeHeaders, type Paths } from './responses.ts';
import type { AppView, EntityView } from './view.ts';

export const RESULTS_META: Schema = objectOf(
  Object.fromEntries(['created', 'updated', 'deleted', 'restored', 'failed', 'skipped'].map((name) => [name, { type: 'integer' }])),
  ['created', 'updated', 'deleted', 'restored', 'failed', 'skipped'],
);

const ATOMIC: JsonObject = {
  name: 'atomic',
  in: 'query',
  description: 'All or nothing; with `false` each row is a write of its own, with its own result.',
  schema: { type: 'boolean', default: true },
};

/** What became of one row: a record, an error, or a reason why it was not tried. */
const resultOf = (record: Schema): Schema =>
  objectOf(
    {
      op: { type: 'string', enum: ['create', 'update', 'upsert', 'delete', 'restore'] },
      index: { type: 'integer' },
      path: { type: 'string', description: 'The way to the row in the body.' },
      status: { type: 'integer', description: 'What the row alone would have been answered; 424 when it was not tried.' },
      version: { type: 'string' },
      data: record,
      error: {
        type: 'object',
        properties: {
          code: { type: 'string' },
          message: { type: 'string' },
          details: arrayOf(ref('schemas', 'ErrorDetail')),
          hint: { type: 'string' },
        },
        required: ['code', 'message', 'details'],
      },
      skipped: { type: 'string' },
    },
    ['op', 'index', 'path', 'status'],
  );

const results = (record: Schema): JsonObject =>
  jsonAnswer({
    description: 'A result per row.',
    schema: objectOf({ data: arrayOf(resultOf(record)), meta: ref('schemas', 'ResultsMeta') }, ['data', 'meta']),
  });

const DELETED = objectOf({ id: { type: 'string' } }, ['id']);
const version: Schema = { type: ['integer', 'string'], description: 'The version or ETag the record must have.' };
const preconditions = { _version: version, if_match: version };

/** `_bulk` of one entity, with the parts the caller may do. */
export function bulkPath(view: EntityView, path: string): Paths {
  const { can, entity } = view;
  if (!can.create && !can.update && !can.delete) return {};
  const record = can.read ? ref('schemas', schemaName(entity.name)) : { type: 'object' };
  const parts = compact({
    create: can.create ? arrayOf(ref('schemas', schemaName(entity.name, 'create'))) : undefined,
    update: can.update ? arrayOf(updateRow(view)) : undefined,
    upsert: can.create && can.update ? upsertPart(view) : undefined,
    delete: can.delete ? arrayOf(deleteRow(view)) : undefined,
  });
  return {
    [`${path}/_bulk`]: {
      post: tagged(view, 'bulk', `Write many ${words(view)} records`, {
        parameters: [ATOMIC, ...writeHeaders()],
        requestBody: jsonBody(objectOf(parts as Record<string, Schema>)),
        responses: { '200': results({ anyOf: [record, DELETED] }), ...errorsOf([...WRITE_ERRORS, 412]) },
      }),
    },
  };
}

const keySchemas = ({ entity }: EntityView): Record<string, Schema> =>
  Object.fromEntries(entity.key.map((field) => [field.name, writeSchema(entity, { ...field, required: true })]));

function updateRow(view: EntityView): Schema {
  const { entity, updatable } = view;
  const fields = updatable.map((field) => [field.name, writeSchema(entity, field)] as const);
  return objectOf({ ...Object.fromEntries(fields), ...keySchemas(view), ...preconditions }, Object.keys(keySchemas(view)));
}

function deleteRow(view: EntityView): Schema {
  const keys = keySchemas(view);
  const [only] = Object.values(keys);
  const named = objectOf({ ...keys, ...preconditions }, Object.keys(keys));
  return view.entity.key.length === 1 && only !== undefined ? { anyOf: [only, named] } : named;
}

/** Rows are found by the key, a unique field, or the fields of a compound uniqueness. */
function upsertPart(view: EntityView): Schema {
  const { entity, creatable, fields } = view;
  const readable = new Set(fields.map((field) => field.name));
  const singles = fields.filter((field) => field.unique).map((field) => field.name);
  const compound = entity.definition.unique.filter((names) => names.every((name) => readable.has(name)));
  const written = creatable.map((field) => [field.name, writeSchema(entity, field)] as const);
  const row = objectOf({ ...Object.fromEntries(written), ...keySchemas(view), ...preconditions });
  const lists: Schema[] = compound.map((names) => ({ type: 'array', items: { type: 'string', enum: names }, minItems: names.length }));
  const single: Schema = { type: 'string', enum: singles };
  return objectOf({ on: lists.length === 0 ? single : { anyOf: [single, ...lists] }, rows: arrayOf(row) }, ['rows']);
}

/** `_batch` over all entities the caller may write. */
export function batchPath(app: AppView, base: string): Paths {
  const writable = [...app.entities.values()].filter(({ can }) => can.create || can.update || can.delete);
  if (writable.length === 0) return {};
  const named = (holds: (view: EntityView) => boolean): Schema => ({
    type: 'string',
    enum: writable.filter(holds).map(({ entity }) => entity.name),
  });
  const has = (holds: (view: EntityView) => boolean): boolean => writable.some(holds);
  const shape = (op: string, entity: Schema, rest: Readonly<Record<string, Schema>>, required: readonly string[]): Schema =>
    objectOf({ op: { type: 'string', const: op }, entity, ref: REF, ...rest }, ['op', 'entity', ...required]);
  const body: Schema = {
    ...ref('schemas', 'JsonObject'),
    description: 'As in a single write. `{"$ref": "name.field"}` is a value of an earlier result.',
  };
  const id: Schema = {
    anyOf: [{ type: ['string', 'integer'] }, objectOf({ $ref: { type: 'string' } }, ['$ref'])],
    description: 'The key of the record, or `{"$ref": "name.id"}`.',
  };
  const canDelete = (view: EntityView): boolean => view.can.delete;
  const canRestore = (view: EntityView): boolean => view.can.delete && view.can.read && view.entity.hasSoftDelete;
  const canUpsert = (view: EntityView): boolean => view.can.create && view.can.update;
  const operations = [
    ...(has(({ can }) => can.create)
      ? [
          shape(
            'create',
            named(({ can }) => can.create),
            { body },
            ['body'],
          ),
        ]
      : []),
    ...(has(({ can }) => can.update)
      ? [
          shape(
            'update',
            named(({ can }) => can.update),
            { id, body, if_match: version },
            ['id', 'body'],
          ),
        ]
      : []),
    ...(has(canUpsert) ? [shape('upsert', named(canUpsert), { on: ON, body, if_match: version }, ['body'])] : []),
    ...(has(canDelete) ? [shape('delete', named(canDelete), { id, if_match: version }, ['id'])] : []),
    ...(has(canRestore) ? [shape('restore', named(canRestore), { id, if_match: version }, ['id'])] : []),
  ];
  return {
    [`${base}/_batch`]: {
      post: {
        tags: ['batch'],
        operationId: 'batch',
        summary: 'Write records of several entities',
        parameters: [ATOMIC, ...writeHeaders()],
        requestBody: jsonBody(objectOf({ operations: arrayOf(anyOf(operations)) }, ['operations'])),
        responses: { '200': results({ type: 'object' }), ...errorsOf([...WRITE_ERRORS, 412]) },
      },
    },
  };
}

const REF: Schema = {
  type: 'string',
  pattern: '^[A-Za-z][A-Za-z0-9_]{0,62}$',
  description: 'A name for the result, for later operations.',
};
const ON: Schema = { anyOf: [{ type: 'string' }, arrayOf({ type: 'string' })] };

/** `_restore` of an entity that deletes softly. */
export function restorePath(view: EntityView, path: string, id: JsonObject): Paths {
  const { can, entity } = view;
  if (!entity.hasSoftDelete || !can.read || !can.delete) return {};
  return {
    [`${path}/{id}/_restore`]: {
      parameters: [id],
      post: tagged(view, 'restore', `Take the deletion of a ${words(view)} back`, {
        parameters: writeHeaders('If-Match'),
        responses: {
          '200': jsonAnswer({
            description: 'The record, which is there again.',
            schema: data(ref('schemas', schemaName(entity.name))),
            headers: { ETag: ref('headers', 'ETag') },
          }),
          ...errorsOf([...WRITE_ERRORS, 412]),
        },
      }),
    },
  };
}
