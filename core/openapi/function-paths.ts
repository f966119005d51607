/** The registry of functions, their runs, and trying them, for admins. */
import { FUNCTIONS } from '../functions/registry.ts';
import { functionTrial } from '../payloads/functions.ts';
import { schemaOf } from './from-zod.ts';
import { arrayOf, objectOf, ref, type JsonObject, type Schema } from './json.ts';
import { query } from './list-parameters.ts';
import { CHANGE_ERRORS, inPath, MAYBE_TEXT, MAYBE_TIME, operation, STORABLE, TEXT, TIME, UUID, WHOLE, type Told } from './operation.ts';
import { data, type Paths } from './responses.ts';

export const FUNCTIONS_TAG = '_admin/functions';

const KINDS = ['Validation', 'Authorization', 'BusinessLogic', 'ExternalService'];
const STATUSES = ['pending', 'running', 'succeeded', 'failed'];
const ANYTHING: Schema = {};

const FUNCTION = {
  name: { type: 'string', enum: [...FUNCTIONS.keys()] },
  kind: { type: 'string', enum: ['validator', 'transform', 'hook', 'integration'] },
  summary: TEXT,
  runs: { type: 'string', enum: ['in_the_write', 'after_the_commit'] },
  parameters: { type: 'object', description: 'A JSON Schema of its parameters.' },
  returns: { type: 'string', enum: ['text', 'number', 'boolean', 'date', 'json', 'none'] },
  errors: arrayOf(TEXT),
  examples: arrayOf(objectOf({ params: { type: 'object' }, result: ANYTHING }, ['params', 'result'])),
} as const satisfies Record<string, Schema>;

const RUN = {
  id: UUID,
  attachment: { ...TEXT, description: 'The id of the function attachment.' },
  function: TEXT,
  event_id: { ...MAYBE_TEXT, description: 'The event it follows from; null inside a write.' },
  entity: TEXT,
  record_id: MAYBE_TEXT,
  status: { type: 'string', enum: STATUSES },
  attempt: WHOLE,
  input: { description: 'Its parameters, without secrets and hidden fields, and cut.' },
  output: ANYTHING,
  error: MAYBE_TEXT,
  error_kind: { type: ['string', 'null'], enum: [...KINDS, null] },
  ms: { type: ['integer', 'null'] },
  created_at: TIME,
  finished_at: MAYBE_TIME,
  next_attempt_at: MAYBE_TIME,
} as const satisfies Record<string, Schema>;

const TRIED = objectOf(
  {
    result: ANYTHING,
    error: {
      anyOf: [objectOf({ kind: { type: 'string', enum: KINDS }, message: TEXT }, ['kind', 'message']), { type: 'null' }],
    },
    would_run_with: { description: 'What an integration would be given; null when it ran.' },
    ms: WHOLE,
  },
  ['result', 'error', 'would_run_with', 'ms'],
);
const TEST = objectOf(
  { attachment: TEXT, entity: TEXT, name: TEXT, outcome: { type: 'string', enum: ['passed', 'failed', 'skipped'] }, message: MAYBE_TEXT },
  ['attachment', 'entity', 'name', 'outcome', 'message'],
);

export const FUNCTION_SCHEMAS: Readonly<Record<string, Schema>> = {
  Function: objectOf(FUNCTION, Object.keys(FUNCTION)),
  FunctionRun: objectOf(RUN, Object.keys(RUN)),
};

const told = (verb: string, what: Told): JsonObject => operation(FUNCTIONS_TAG, `admin_${verb}`, what);

export const functionPaths = (root: string): Paths => ({
  [`${root}/functions`]: {
    get: told('read_function_registry', {
      summary: 'The registry of functions',
      description: 'What a document may attach, with parameters and examples.',
      told: 'All of them.',
      answer: data(arrayOf(ref('schemas', 'Function'))),
    }),
  },
  [`${root}/functions/runs`]: {
    get: told('list_function_runs', {
      summary: 'List runs of functions',
      parameters: [
        ...['attachment', 'function', 'entity', 'record_id'].map((name) => query(name, STORABLE)),
        query('status', { type: 'string', enum: STATUSES }),
        query('kind', { type: 'string', enum: KINDS }),
        query('limit', { type: 'integer', minimum: 1, maximum: 999_999_999 }),
        query('cursor', UUID),
      ],
      told: 'The newest first. Runs inside a write are there when they failed, or when the attachment asks for it.',
      answer: objectOf(
        {
          data: arrayOf(ref('schemas', 'FunctionRun')),
          page: objectOf({ limit: WHOLE, next_cursor: MAYBE_TEXT }, ['limit', 'next_cursor']),
        },
        ['data', 'page'],
      ),
    }),
  },
  [`${root}/functions/runs/{id}`]: {
    parameters: [inPath('id', UUID)],
    get: told('get_function_run', { summary: 'One run of a function', told: 'The run.', answer: data(ref('schemas', 'FunctionRun')) }),
  },
  [`${root}/functions/runs/{id}/retry`]: {
    parameters: [inPath('id', UUID)],
    post: told('retry_function_run', {
      summary: 'Run a failed function again',
      description: 'Under the key of the first attempt: what it did already stands once.',
      told: 'It is on its way again.',
      answer: data(ref('schemas', 'FunctionRun')),
      errors: CHANGE_ERRORS,
    }),
  },
  [`${root}/functions/try`]: {
    post: told('try_function', {
      summary: 'Try a function or a script',
      description: 'Nothing is written. An integration is only described, unless `execute` is true.',
      body: schemaOf(functionTrial),
      example: { function: 'slugify', params: { value: 'record.title' }, record: { title: 'Grüße!' } },
      told: 'What it answers, or how it refuses.',
      answer: data(TRIED),
      errors: CHANGE_ERRORS,
    }),
  },
  [`${root}/functions/test`]: {
    post: told('test_functions', {
      summary: 'Run the tests of the attached functions',
      told: 'What became of each.',
      answer: data(objectOf({ passed: { type: 'boolean' }, results: arrayOf(TEST) }, ['passed', 'results'])),
      errors: CHANGE_ERRORS,
    }),
  },
});
