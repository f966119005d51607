/** Runs of workflows, and deciding their tasks. */
import { assigneesSchema } from '../model/approval-step.ts';
import { retryPayload, rewindPayload } from '../payloads/operating.ts';
import { schemaOf } from './from-zod.ts';
import { arrayOf, objectOf, ref, type JsonObject, type Schema } from './json.ts';
import { strictPages } from './key-paths.ts';
import { COMMON_ERRORS, data, errorsOf, jsonAnswer, jsonBody, type Paths } from './responses.ts';
import type { AppView } from './view.ts';

const TAG = 'workflows';
const TIME: Schema = { type: 'string', format: 'date-time' };
const MAYBE_TIME: Schema = { type: ['string', 'null'], format: 'date-time' };
const MAYBE_TEXT: Schema = { type: ['string', 'null'] };

const FLAG: Schema = { type: 'boolean' };
const NAME: Schema = { type: 'string' };
const UUID: Schema = { type: 'string', format: 'uuid' };
const COUNT: Schema = { type: 'integer' };

const GROUP: Schema = objectOf(
  {
    name: NAME,
    assignees: arrayOf({ type: 'object' }),
    quorum: { anyOf: [{ type: 'string', enum: ['any', 'all'] }, { type: 'integer' }] },
    required: COUNT,
    approved: COUNT,
    rejected: COUNT,
    is_open: { ...FLAG, description: 'It needs votes and may get them now.' },
  },
  ['assignees', 'quorum', 'required', 'approved', 'rejected', 'is_open'],
);
const VOTE: Schema = objectOf(
  {
    decision: { type: 'string', enum: ['approved', 'rejected', 'sent_back', 'resubmitted'] },
    decided_by: NAME,
    on_behalf_of: { ...NAME, description: 'Whom the vote stands for, when it is not who decided.' },
    as_admin: { ...FLAG, description: 'By an admin, in the place of a member.' },
    comment: NAME,
    at: TIME,
  },
  ['decision', 'decided_by', 'at'],
);
const DELEGATION: Schema = objectOf({ from: NAME, to: UUID, until: MAYBE_TIME, comment: NAME, at: TIME }, ['from', 'to', 'until', 'at']);
const TASK: Schema = objectOf(
  {
    id: UUID,
    step: NAME,
    strand: { ...NAME, description: 'The strand of the run that waits for it.' },
    kind: { type: 'string', enum: ['approval', 'resubmission'] },
    title: NAME,
    assignee: { type: 'object', description: 'The first of those who are asked.' },
    groups: arrayOf(GROUP),
    order: { type: 'string', enum: ['parallel', 'sequence'] },
    votes: arrayOf(VOTE),
    waiting_for: arrayOf(objectOf({ user: NAME, substitutes: arrayOf(NAME) }, ['user', 'substitutes'])),
    admin_places: { ...COUNT, description: 'Approvals that only admins can give.' },
    due_at: MAYBE_TIME,
    created_at: TIME,
    reminders_sent: COUNT,
    last_reminded_at: MAYBE_TIME,
    escalations: COUNT,
    delegations: arrayOf(DELEGATION),
    comment_required: FLAG,
    can_send_back: FLAG,
    can_decide: FLAG,
    reason: { ...NAME, description: 'Why the caller may not decide it.' },
    on_behalf_of: { ...NAME, description: 'For whom the caller would decide, when it is not for themselves.' },
  },
  ['id', 'step', 'kind', 'assignee', 'groups', 'votes', 'waiting_for', 'due_at', 'comment_required', 'can_send_back', 'can_decide'],
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

const pendingRuns = jsonAnswer({
  description: 'A page of runs that wait for a decision.',
  schema: objectOf(
    {
      data: arrayOf(ref('schemas', 'Run')),
      meta: objectOf(
        { page: COUNT, per_page: COUNT, total: COUNT, overdue: COUNT, by_workflow: { type: 'object', additionalProperties: COUNT } },
        ['page', 'per_page', 'total', 'overdue', 'by_workflow'],
      ),
    },
    ['data', 'meta'],
  ),
});

const query = (name: string, schema: Schema): JsonObject => ({ name, in: 'query', schema });
const RUN_ID: JsonObject = { name: 'run', in: 'path', required: true, schema: { type: 'string', format: 'uuid' } };
const TEXT: Schema = { type: 'string', pattern: '^[^\\u0000]*$' };

const WHICH_TASK: Schema = { ...UUID, description: 'Which task, where several are open.' };
const COMMENT: Schema = { ...TEXT, maxLength: 10_000 };
const DECISION: Schema = objectOf({
  comment: COMMENT,
  task: WHICH_TASK,
  on_behalf_of: { ...TEXT, maxLength: 100, description: 'Whom to decide for, of several who are represented.' },
});
const DELEGATE: Schema = objectOf(
  {
    to: { ...TEXT, minLength: 1, maxLength: 320, description: 'The id or email of an active user.' },
    until: { ...TIME, description: 'For good when left out.' },
    comment: COMMENT,
    task: WHICH_TASK,
  },
  ['to'],
);
const REASSIGN: Schema = objectOf({ assignee: schemaOf(assigneesSchema), comment: COMMENT, task: WHICH_TASK }, ['assignee']);
const PENDING_PARAMETERS: readonly JsonObject[] = [
  query('assignee', { type: 'string', enum: ['me'] }),
  query('workflow', TEXT),
  query('entity', TEXT),
  query('overdue', FLAG),
  query('sort', { type: 'string', enum: ['due_at', '-due_at', 'created_at', '-created_at'], default: '-created_at' }),
];

export function workflowPaths(app: AppView, base: string): Paths {
  if (app.model.workflows.length === 0) return {};
  const root = `${base}/_workflows`;
  const verb = (name: string, summary: string, body?: Schema, isRequired = false): Paths => ({
    [`${root}/{run}/${name}`]: {
      parameters: [RUN_ID],
      post: operation(name.replaceAll('-', '_'), summary, {
        ...(body === undefined ? {} : { requestBody: jsonBody(body, isRequired) }),
        responses: { '200': oneRun('The run as it is now.'), ...errorsOf(RUN_ERRORS) },
      }),
    },
  });
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
        parameters: [...PENDING_PARAMETERS, ...strictPages(20)],
        responses: { '200': pendingRuns, ...errorsOf(COMMON_ERRORS) },
      }),
    },
    ...startPath(app, root),
    [`${root}/{run}`]: {
      parameters: [RUN_ID],
      get: operation('get', 'Read one run', { responses: { '200': oneRun('The run.'), ...errorsOf(COMMON_ERRORS) } }),
    },
    ...verb('approve', 'Approve the open task', DECISION),
    ...verb('reject', 'Reject the open task', DECISION),
    ...verb('send-back', 'Send the open task back', DECISION),
    ...verb('resubmit', 'Bring again what was sent back', DECISION),
    ...verb('delegate', 'Give your part in the open task to somebody else', DELEGATE, true),
    ...verb(
      'comment',
      'Say a word in the history',
      objectOf({ comment: { ...TEXT, minLength: 1, maxLength: 10_000 }, task: WHICH_TASK }, ['comment']),
      true,
    ),
    ...verb('cancel', 'End a run', objectOf({ reason: TEXT })),
    ...(app.isAdmin
      ? {
          ...verb('retry', 'Try a failed step again, with edited input if wanted', schemaOf(retryPayload)),
          ...verb('rewind', 'Go back to an earlier step', schemaOf(rewindPayload), true),
          ...verb('skip', 'Go on after a failed step'),
          ...verb('reassign', 'Ask others instead', REASSIGN, true),
        }
      : {}),
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
