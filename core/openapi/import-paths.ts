/** Files of records: sending one, and what becomes of it. */
import { ERROR_STATUS } from '../errors.ts';
import { importPayload, IMPORT_MODES, recheckPayload, runImportPayload } from '../payloads/imports.ts';
import { schemaOf } from './from-zod.ts';
import { arrayOf, compact, objectOf, ref, type Json, type JsonObject, type Schema } from './json.ts';
import { query } from './list-parameters.ts';
import { CHANGE_ERRORS, FLAG, inPath, MAYBE_TEXT, MAYBE_TIME, operation, STORABLE, TEXT, TEXTS, TIME, UUID, WHOLE } from './operation.ts';
import { COMMON_ERRORS, data, errorsOf, jsonAnswer, words, type Paths } from './responses.ts';
import type { AppView, EntityView } from './view.ts';

export const IMPORTS_TAG = 'imports';

const STATE: Schema = {
  type: 'string',
  enum: ['checking', 'checked', 'running', 'completed', 'refused', 'cancelled', 'failed', 'undoing', 'undone'],
};
const MAYBE_NUMBER: Schema = { type: ['number', 'null'] };
const CODE: Schema = { type: 'string', enum: Object.keys(ERROR_STATUS) };
const whole = (properties: Readonly<Record<string, Schema>>): Schema => objectOf(properties, Object.keys(properties));

const MAPPING: Schema = { type: 'object', additionalProperties: MAYBE_TEXT, description: 'Column to field; null: to none.' };
const OPTIONS: Schema = objectOf(
  {
    mode: { type: 'string', enum: [...IMPORT_MODES] },
    on: TEXTS,
    on_error: { type: 'string', enum: ['all_or_nothing', 'skip'] },
    events: { type: 'string', enum: ['normal', 'none'] },
    empty: { type: 'string', enum: ['default', 'null'] },
    trim: FLAG,
    decimal: TEXT,
    dates: TEXT,
    time_zone: TEXT,
    run: FLAG,
    delimiter: TEXT,
    encoding: TEXT,
    header: FLAG,
    bom: { ...FLAG, description: 'The file begins with a byte order mark.' },
  },
  ['mode', 'on', 'on_error', 'events', 'empty', 'trim', 'dates', 'time_zone', 'run'],
);

const IMPORT = {
  id: UUID,
  entity: TEXT,
  state: STATE,
  format: { type: 'string', enum: ['csv', 'ndjson'] },
  file_name: MAYBE_TEXT,
  bytes: WHOLE,
  checksum: { ...MAYBE_TEXT, description: 'SHA-256 of the file, in hex.' },
  rows: WHOLE,
  columns: TEXTS,
  samples: { type: 'array', items: { type: 'array' }, description: 'The first rows, long cells cut.' },
  mapping: MAPPING,
  options: OPTIONS,
  progress: whole({
    task: { type: 'string', enum: ['check', 'run', 'undo'] },
    done: WHOLE,
    total: WHOLE,
    rate: { ...MAYBE_NUMBER, description: 'Rows a second.' },
    eta_seconds: MAYBE_NUMBER,
  }),
  counts: {
    ...whole({ created: WHOLE, updated: WHOLE, unchanged: WHOLE, failed: WHOLE }),
    description: 'Rows; after a check those that would be created and updated.',
  },
  undo: whole({
    possible: FLAG,
    until: { ...TIME, description: 'What it needs is kept until then.' },
    removed: WHOLE,
    restored: WHOLE,
    kept: { ...WHOLE, description: 'Records that are not as the import left them.' },
  }),
  resumed: {
    ...arrayOf(whole({ at: TIME, task: TEXT, row: WHOLE })),
    description: 'Where it went on after its worker or a service was away.',
  },
  error: { anyOf: [whole({ code: CODE, message: TEXT }), { type: 'null' }] },
  created_by: whole({ kind: TEXT, id: MAYBE_TEXT }),
  created_at: TIME,
  checked_at: MAYBE_TIME,
  finished_at: MAYBE_TIME,
  workflow_id: { ...TEXT, description: 'In Temporal.' },
  temporal_url: MAYBE_TEXT,
} as const satisfies Record<string, Schema>;

export const IMPORT_SCHEMAS: Readonly<Record<string, Schema>> = {
  Import: whole(IMPORT),
  ImportError: whole({
    line: { ...WHOLE, description: 'Of the file.' },
    column: MAYBE_TEXT,
    field: MAYBE_TEXT,
    code: CODE,
    rule: MAYBE_TEXT,
    message: TEXT,
  }),
  ImportKept: whole({ line: WHOLE, record_id: TEXT, action: { type: 'string', enum: ['create', 'update'] }, reason: TEXT }),
};

const isImportable = ({ can }: EntityView): boolean => can.create || can.update;

/** Every option as a parameter; those that are objects, and all in one, as JSON. */
function optionParameters(): JsonObject[] {
  const options = schemaOf(importPayload);
  const single = Object.entries(options['properties'] as Readonly<Record<string, Schema>>).map(([name, schema]) => {
    const { description, ...rest } = schema;
    const told = description as string | undefined;
    return name === 'mapping' ? asJson(name, rest, told) : query(name, name === 'on' ? TEXT : rest, told);
  });
  return [...single, asJson('options', options, 'All of them in one.')];
}

const asJson = (name: string, schema: Schema, description: string | undefined): JsonObject =>
  compact({ name, in: 'query', description, content: { 'application/json': { schema } } });

const FILE: Schema = { type: 'string', format: 'binary' };
const formSchema = (): Schema => ({
  type: 'object',
  properties: { options: { ...TEXT, description: 'JSON, before the file; each option may be a part of its own.' }, file: FILE },
  required: ['file'],
});

/** `POST /:entity/_import`. */
export function importPath(view: EntityView, path: string): Paths {
  if (!isImportable(view)) return {};
  const content: Readonly<Record<string, Json>> = {
    'text/csv': { schema: { type: 'string', description: 'RFC 4180; also with ; or tabs.' } },
    'text/tab-separated-values': { schema: TEXT },
    'application/x-ndjson': { schema: { type: 'string', description: 'One record a line.' } },
    'multipart/form-data': { schema: formSchema() },
  };
  return {
    [`${path}/_import`]: {
      post: {
        tags: [IMPORTS_TAG],
        operationId: `${view.entity.name}_import`,
        summary: `Import ${words(view)} records`,
        description:
          'Stores the file, and looks at every row without writing any; `run` writes them. May be sent with `Content-Encoding: gzip`.',
        parameters: optionParameters(),
        requestBody: { required: true, content },
        responses: {
          '202': jsonAnswer({
            description: 'The import; its check or run begins.',
            schema: data(ref('schemas', 'Import')),
            headers: { Location: { description: 'Where the import is.', schema: TEXT } },
          }),
          ...errorsOf(CHANGE_ERRORS),
        },
      },
    },
  };
}

const LIMIT = query('limit', { type: 'integer', minimum: 1, maximum: 999_999_999 });
const cursor = (pattern: string): JsonObject => ({
  ...query('cursor', { type: 'string', pattern }),
  description: '`page.next_cursor` of the answer before.',
});
const FILE_OF_ROWS = (type: string): JsonObject => ({
  '200': {
    description: 'A file.',
    headers: { 'X-Request-Id': ref('headers', 'RequestId'), 'Content-Disposition': ref('headers', 'FileName') },
    content: { [type]: { schema: { type: 'string', description: 'The bad rows with `_line` and `_reason`.' } } },
  },
  ...errorsOf([...COMMON_ERRORS, 422]),
});
const badRows = (format: 'csv' | 'ndjson', type: string): JsonObject => ({
  tags: [IMPORTS_TAG],
  operationId: `import_errors_${format}`,
  summary: 'The bad rows, to be corrected and imported again',
  description: `Of a file of ${format === 'csv' ? 'CSV' : 'NDJSON'}.`,
  responses: FILE_OF_ROWS(type),
});

/** `_imports`, for whoever may import into any entity. */
export function importPaths(app: AppView, base: string): Paths {
  if (![...app.entities.values()].some(isImportable)) return {};
  const root = `${base}/_imports`;
  const one = { parameters: [inPath('id', UUID)] };
  const errors = CHANGE_ERRORS;
  const answer = data(ref('schemas', 'Import'));
  const paged = (name: string): Schema =>
    objectOf({ data: arrayOf(ref('schemas', name)), page: ref('schemas', 'WalkPage') }, ['data', 'page']);
  return {
    [root]: {
      get: operation(IMPORTS_TAG, 'list_imports', {
        summary: 'List imports',
        parameters: [
          query('entity', STORABLE),
          query('state', STATE),
          query('page', { type: 'integer', minimum: 1, maximum: 999_999_999 }),
          query('per_page', { type: 'integer', minimum: 1, maximum: 999_999_999 }),
        ],
        told: 'Own ones, for admins all; the newest first.',
        answer: objectOf(
          { data: arrayOf(ref('schemas', 'Import')), meta: objectOf({ page: WHOLE, per_page: WHOLE, total: WHOLE }, ['page', 'per_page']) },
          ['data', 'meta'],
        ),
      }),
    },
    [`${root}/{id}`]: { ...one, get: operation(IMPORTS_TAG, 'get_import', { summary: 'An import', told: 'How it is now.', answer }) },
    [`${root}/{id}/errors`]: {
      ...one,
      get: operation(IMPORTS_TAG, 'import_errors', {
        summary: 'What is wrong with which row',
        parameters: [cursor('^([0-9]{1,9}\\.[0-9]{1,3})?$'), LIMIT],
        told: 'Of the last check or run, by line.',
        answer: paged('ImportError'),
      }),
    },
    [`${root}/{id}/errors.csv`]: { ...one, get: badRows('csv', 'text/csv') },
    [`${root}/{id}/errors.ndjson`]: { ...one, get: badRows('ndjson', 'application/x-ndjson') },
    [`${root}/{id}/kept`]: {
      ...one,
      get: operation(IMPORTS_TAG, 'import_kept', {
        summary: 'What an undo has left, and why',
        parameters: [cursor('^([0-9]{1,9})?$'), LIMIT],
        told: 'By line.',
        answer: paged('ImportKept'),
      }),
    },
    [`${root}/{id}/check`]: {
      ...one,
      post: operation(IMPORTS_TAG, 'check_import', {
        summary: 'Look at the rows again, in another way',
        body: schemaOf(recheckPayload),
        isBodyOptional: true,
        status: 202,
        told: 'It begins.',
        answer,
        errors,
      }),
    },
    [`${root}/{id}/run`]: {
      ...one,
      post: operation(IMPORTS_TAG, 'run_import', {
        summary: 'Write the rows',
        body: schemaOf(runImportPayload),
        isBodyOptional: true,
        status: 202,
        told: 'It begins.',
        answer,
        errors,
      }),
    },
    [`${root}/{id}/cancel`]: {
      ...one,
      post: operation(IMPORTS_TAG, 'cancel_import', {
        summary: 'Stop an import',
        description: 'Where all or nothing was asked for, what is written is taken back.',
        told: 'As it is then.',
        answer,
        errors,
      }),
    },
    [`${root}/{id}/undo`]: {
      ...one,
      post: operation(IMPORTS_TAG, 'undo_import', {
        summary: 'Take back what an import has written',
        description: 'Records that were changed since, or that others refer to, are kept and listed.',
        status: 202,
        told: 'It begins.',
        answer,
        errors,
      }),
    },
  };
}
