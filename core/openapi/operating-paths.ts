/** Runs as operators look for them, what is done to many at once, and starts that failed. */
import { operatePayload, retryStartsPayload } from '../payloads/operating.ts';
import { schemaOf } from './from-zod.ts';
import { arrayOf, objectOf, ref, type JsonObject, type Schema } from './json.ts';
import { query } from './list-parameters.ts';
import { CHANGE_ERRORS, inPath, MAYBE_TEXT, MAYBE_TIME, operation, STORABLE, TEXT, TIME, UUID, WHOLE, type Told } from './operation.ts';
import { data, type Paths } from './responses.ts';

export const OPERATING_TAG = '_admin/runs';

const STATUS: Schema = { type: 'string', enum: ['running', 'stuck', 'completed', 'failed', 'cancelled', 'ended_by_restore'] };

const FOUND = {
  id: UUID,
  workflow_id: TEXT,
  workflow_name: TEXT,
  status: STATUS,
  step: { ...MAYBE_TEXT, description: 'Where it is; of a stuck run the step that failed.' },
  entity: MAYBE_TEXT,
  record_id: MAYBE_TEXT,
  error: MAYBE_TEXT,
  schema_version: WHOLE,
  deadline: MAYBE_TIME,
  started_at: TIME,
  updated_at: TIME,
  age_seconds: WHOLE,
  temporal_workflow_id: TEXT,
  temporal_url: MAYBE_TEXT,
} as const satisfies Record<string, Schema>;

const GROUP = {
  workflow: TEXT,
  status: STATUS,
  step: MAYBE_TEXT,
  error: { ...MAYBE_TEXT, description: 'With * for ids.' },
  runs: WHOLE,
  oldest_at: TIME,
} as const satisfies Record<string, Schema>;

const OPERATION = {
  id: { type: ['string', 'null'], format: 'uuid', description: 'Null of a dry run.' },
  action: { type: 'string', enum: ['retry', 'skip', 'cancel'] },
  state: { type: 'string', enum: ['running', 'done', 'dry_run'] },
  total: WHOLE,
  done: WHOLE,
  failed: WHOLE,
} as const satisfies Record<string, Schema>;
const ABOUT = { step: MAYBE_TEXT, strand: MAYBE_TEXT, filter: { type: 'object' }, created_at: TIME } as const satisfies Record<
  string,
  Schema
>;
const ONE_RUN = objectOf({ id: UUID, state: { type: 'string', enum: ['pending', 'done', 'failed'] }, error: MAYBE_TEXT }, [
  'id',
  'state',
  'error',
]);

const START = {
  id: { ...TEXT, description: 'The id of the workflow in Temporal.' },
  kind: { type: 'string', enum: ['process', 'clock', 'delivery', 'recordImport', 'signal'] },
  state: { type: 'string', enum: ['pending', 'failed'] },
  tries: WHOLE,
  error: MAYBE_TEXT,
  workflow: MAYBE_TEXT,
  entity: MAYBE_TEXT,
  record_id: MAYBE_TEXT,
  created_at: TIME,
  next_attempt_at: MAYBE_TIME,
} as const satisfies Record<string, Schema>;

export const OPERATING_SCHEMAS: Readonly<Record<string, Schema>> = {
  FoundRun: objectOf(FOUND, Object.keys(FOUND)),
  RunGroup: objectOf(GROUP, Object.keys(GROUP)),
  RunOperation: objectOf({ ...OPERATION, ...ABOUT, runs: arrayOf(ONE_RUN) }, Object.keys(OPERATION)),
  FailedStart: objectOf(START, Object.keys(START)),
};

const told = (verb: string, what: Told): JsonObject => operation(OPERATING_TAG, `admin_${verb}`, what);
const COUNTED = objectOf({ total: WHOLE }, ['total']);
const FILTERS: readonly JsonObject[] = [
  query('status', STATUS),
  ...['workflow', 'step', 'entity', 'record_id'].map((name) => query(name, STORABLE)),
  { ...query('error', STORABLE), description: 'Text in the error.' },
  query('started_after', { type: 'string', format: 'date-time' }),
  query('started_before', { type: 'string', format: 'date-time' }),
];
const LIMIT = query('limit', { type: 'integer', minimum: 1, maximum: 999_999_999 });

export const operatingPaths = (root: string): Paths => ({
  [`${root}/runs`]: {
    get: told('find_runs', {
      summary: 'Find runs',
      parameters: [
        ...FILTERS,
        {
          ...query('cursor', { type: 'string', pattern: '^([0-9]{1,16}\\.[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})?$' }),
          description: '`page.next_cursor` of the answer before.',
        },
        LIMIT,
      ],
      told: 'The newest first.',
      answer: objectOf({ data: arrayOf(ref('schemas', 'FoundRun')), page: ref('schemas', 'WalkPage') }, ['data', 'page']),
    }),
  },
  [`${root}/runs/counts`]: {
    get: told('count_runs', {
      summary: 'Count runs by workflow, status, step and error',
      parameters: FILTERS,
      told: 'The largest groups, at most 100.',
      answer: objectOf({ data: arrayOf(ref('schemas', 'RunGroup')), meta: COUNTED }, ['data', 'meta']),
    }),
  },
  [`${root}/runs/operate`]: {
    post: told('operate_runs', {
      summary: 'Retry, skip or cancel many runs',
      description:
        'The oldest 1,000 that match; stuck ones unless `status` says otherwise. A worker asks them one by one. With `step` or `strand`, or the step of the filter, only that failed step of each is meant, else all. 200 for a dry run.',
      body: schemaOf(operatePayload),
      example: { action: 'retry', filter: { step: 'send_mail', error_contains: 'timed out' }, dry_run: true },
      status: 202,
      told: 'It has begun.',
      answer: data(ref('schemas', 'RunOperation')),
      errors: CHANGE_ERRORS,
    }),
  },
  [`${root}/runs/operations`]: {
    get: told('list_run_operations', {
      summary: 'What was done to many runs',
      told: 'The newest 50, without their runs.',
      answer: data(arrayOf(ref('schemas', 'RunOperation'))),
    }),
  },
  [`${root}/runs/operations/{id}`]: {
    parameters: [inPath('id', UUID)],
    get: told('get_run_operation', {
      summary: 'What became of each run',
      told: 'Counts and runs.',
      answer: data(ref('schemas', 'RunOperation')),
    }),
  },
  [`${root}/starts`]: {
    get: told('list_starts', {
      summary: 'Workflows that could not be started',
      parameters: [query('state', { type: 'string', enum: ['pending', 'failed'], default: 'failed' }), LIMIT],
      told: 'The newest first.',
      answer: objectOf({ data: arrayOf(ref('schemas', 'FailedStart')), meta: COUNTED }, ['data', 'meta']),
    }),
  },
  [`${root}/starts/retry`]: {
    post: told('retry_starts', {
      summary: 'Start again what could not be started',
      description: 'Those named, else the oldest 1,000.',
      body: schemaOf(retryStartsPayload),
      isBodyOptional: true,
      told: 'How many are tried again, and how many failed ones are left.',
      answer: data(objectOf({ retried: WHOLE, left: WHOLE }, ['retried', 'left'])),
      errors: CHANGE_ERRORS,
    }),
  },
});
