/** Runs of workflows, and deciding their tasks. */
import { arrayOf, objectOf, ref, type JsonObject, type Schema } from './json.ts';
import { strictPages } from './key-paths.ts';
import { COMMON_ERRORS, data, errorsOf, jsonAnswer, jsonBody, type Paths } from './responses.ts';
import type { AppView } from './view.ts';

const TAG = 'workflows';
const TIME: Schema = { type: 'string', format: 'date-time' };
const MAYBE_TIME: Schema = { type: ['string', 'null'], format: 'date-time' };
const MAYBE_TEXT: Schema = { type: ['string', 'null'] };

const TASK: Schema = objectOf(
  {
    id: { type: 'string', format: 'uuid' },
    step: { type: 'string' },
    strand: { type: 'string', description: 'The strand of the run that waits for it.' },
    assignee: { type: 'object' },
    due_at: MAYBE_TIME,
    comment_required: { type: 'boolean' },
    can_decide: { type: 'boolean' },
    reason: { type: 'string', description: 'Why the caller may not decide it.' },
  },
  ['id', 'step', 'assignee', 'due_at', 'comment_required', 'can_decide'],
);

const CURRENT_STEP: Schema = objectOf({ step: { type: 'string' }, strand: { type: 'string' }, deadline: MAYBE_TIME, error: MAYBE_TEXT }, [
  'step',
  'strand',
  'deadline',
  'error',
]);

const RUN: Schema = objectOf(
  {
    id: { type: 'string', format: 'uuid' },
    workflow_id: { type: 'string' },
    workflow_name: { type: 'string' },
    status: { type: 'string', enum: ['running', 'completed', 'failed', 'cancelled', 'ended_by_restore'] },
    current_step: MAYBE_TEXT,
    current_step_deadline: MAYBE_TIME,
    current_steps: arrayOf(CURRENT_STEP),
    context: { type: 'object' },
    history: arrayOf({ type: 'object' }),
    entity: MAYBE_TEXT,
    record_id: MAYBE_TEXT,
    schema_version: { type: 'integer' },
    error: MAYBE_TEXT,
    is_stuck: { type: 'boolean' },
    task: { anyOf: [ref('schemas', 'Task'), { type: 'null' }] },
    tasks: arrayOf(ref('schemas', 'Task')),
    temporal_workflow_id: { type: 'string' },
    temporal_url: MAYBE_TEXT,
    created_at: TIME,
    updated_at: TIME,
  },
  [
    'id',
    'workflow_id',
    'workflow_name',
    'status',
    'context',
    'history',
    'is_stuck',
    'task',
    'tasks',
    'current_steps',
    'created_at',
    'updated_at',
  ],
);

export const WORKFLOW_SCHEMAS: Record<string, Schema> = { Run: RUN, Task: TASK };

const operation = (verb: string, summary: string, rest: JsonObject): JsonObject => ({
  tags: [TAG],
  operationId: `workflows_${verb}`,
  summary,
  ...rest,
});

const RUN_ERRORS = [...COMMON_ERRORS, 409, 415, 422];
const oneRun = (description: string): JsonObject => jsonAnswer({ description, schema: data(ref('schemas', 'Run')) });
const runs = jsonAnswer({
  description: 'A page of runs, newest first.',
  schema: objectOf({ data: arrayOf(ref('schemas', 'Run')), meta: ref('schemas', 'PageMeta') }, ['data', 'meta']),
});

const query = (name: string, schema: Schema): JsonObject => ({ name, in: 'query', schema });
const RUN_ID: JsonObject = { name: 'run', in: 'path', required: true, schema: { type: 'string', format: 'uuid' } };
const TEXT: Schema = { type: 'string', pattern: '^[^\\u0000]*$' };

export function workflowPaths(app: AppView, base: string): Paths {
  if (app.model.workflows.length === 0) return {};
  const root = `${base}/_workflows`;
  const verb = (name: string, summary: string, body?: Schema): Paths => ({
    [`${root}/{run}/${name}`]: {
      parameters: [RUN_ID],
      post: operation(name, summary, {
        ...(body === undefined ? {} : { requestBody: jsonBody(body, false) }),
        responses: { '200': oneRun('The run as it is now.'), ...errorsOf(RUN_ERRORS) },
      }),
    },
  });
  const comment = objectOf({ comment: TEXT, task: { ...TEXT, description: 'Which task, where several are open.' } });
  return {
    [root]: {
      get: operation('list', 'List runs', {
        parameters: [
          query('status', { type: 'string', enum: ['running', 'completed', 'failed', 'cancelled', 'ended_by_restore', 'stuck'] }),
          ...['workflow', 'entity', 'record_id'].map((name) => query(name, TEXT)),
          ...strictPages(20),
        ],
        responses: { '200': runs, ...errorsOf(COMMON_ERRORS) },
      }),
    },
    [`${root}/pending`]: {
      get: operation('pending', 'List runs with a task to decide', {
        parameters: [query('assignee', { type: 'string', enum: ['me'] }), ...strictPages(20)],
        responses: { '200': runs, ...errorsOf(COMMON_ERRORS) },
      }),
    },
    ...startPath(app, root),
    [`${root}/{run}`]: {
      parameters: [RUN_ID],
      get: operation('get', 'Read one run', { responses: { '200': oneRun('The run.'), ...errorsOf(COMMON_ERRORS) } }),
    },
    ...verb('approve', 'Approve the open task', comment),
    ...verb('reject', 'Reject the open task', comment),
    ...verb('cancel', 'End a run', objectOf({ reason: TEXT })),
    ...(app.isAdmin ? { ...verb('retry', 'Try a failed step again'), ...verb('skip', 'Go on after a failed step') } : {}),
  };
}

/** Names of the workflows that are started by hand; none, no path. */
function startPath(app: AppView, root: string): Paths {
  const names = app.model.workflows.filter(({ active, trigger }) => active && trigger.type === 'manual').map(({ name }) => name);
  if (names.length === 0) return {};
  return {
    [`${root}/start/{workflow}`]: {
      parameters: [{ name: 'workflow', in: 'path', required: true, schema: { type: 'string', enum: names } }],
      post: operation('start', 'Start a workflow', {
        requestBody: jsonBody(objectOf({ context: ref('schemas', 'JsonObject'), record_id: { type: ['string', 'integer'] } }), false),
        responses: { '201': oneRun('The run that was started.'), ...errorsOf(RUN_ERRORS) },
      }),
    },
  };
}
