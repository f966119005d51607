/** Runs of workflows, and deciding their tasks. */
import { assigneesSchema } from '../model/approval-step.ts';
import { retryPayload, rewindPayload, skipPayload } from '../payloads/operating.ts';
import { schemaOf } from './from-zod.ts';
import { arrayOf, objectOf, ref, type JsonObject, type Schema } from './json.ts';
import { query } from './list-parameters.ts';
import { strictPages } from './key-paths.ts';
import { FLAG, MAYBE_TEXT, MAYBE_TIME, STORABLE, TEXT, TIME, UUID, WHOLE } from './operation.ts';
import { COMMON_ERRORS, data, errorsOf, jsonAnswer, jsonBody, type Paths } from './responses.ts';
import type { AppView } from './view.ts';

const TAG = 'workflows';

const GROUP: Schema = objectOf(
  {
    name: TEXT,
    assignees: arrayOf({ type: 'object' }),
    quorum: { anyOf: [{ type: 'string', enum: ['any', 'all'] }, { type: 'integer' }] },
    required: WHOLE,
    approved: WHOLE,
    rejected: WHOLE,
    is_open: { ...FLAG, description: 'It needs votes and may get them now.' },
  },
  ['assignees', 'quorum', 'required', 'approved', 'rejected', 'is_open'],
);
const VOTE: Schema = objectOf(
  {
    decision: { type: 'string', enum: ['approved', 'rejected', 'sent_back', 'resubmitted'] },
    decided_by: TEXT,
    on_behalf_of: { ...TEXT, description: 'Whom the vote stands for, when it is not who decided.' },
    as_admin: { ...FLAG, description: 'By an admin, in the place of a member.' },
    comment: TEXT,
    at: TIME,
  },
  ['decision', 'decided_by', 'at'],
);
const DELEGATION: Schema = objectOf({ from: TEXT, to: UUID, until: MAYBE_TIME, comment: TEXT, at: TIME }, ['from', 'to', 'until', 'at']);
const TASK: Schema = objectOf(
  {
    id: UUID,
    step: TEXT,
    strand: { ...TEXT, description: 'The strand of the run that waits for it.' },
    kind: { type: 'string', enum: ['approval', 'resubmission'] },
    title: TEXT,
    assignee: { type: 'object', description: 'The first of those who are asked.' },
    groups: arrayOf(GROUP),
    order: { type: 'string', enum: ['parallel', 'sequence'] },
    votes: arrayOf(VOTE),
    waiting_for: arrayOf(objectOf({ user: TEXT, substitutes: arrayOf(TEXT) }, ['user', 'substitutes'])),
    admin_places: { ...WHOLE, description: 'Approvals that only admins can give.' },
    due_at: MAYBE_TIME,
    created_at: TIME,
    reminders_sent: WHOLE,
    last_reminded_at: MAYBE_TIME,
    escalations: WHOLE,
    delegations: arrayOf(DELEGATION),
    comment_required: FLAG,
    can_send_back: FLAG,
    can_decide: FLAG,
    reason: { ...TEXT, description: 'Why the caller may not decide it.' },
    on_behalf_of: { ...TEXT, description: 'For whom the caller would decide, when it is not for themselves.' },
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
        { page: WHOLE, per_page: WHOLE, total: WHOLE, overdue: WHOLE, by_workflow: { type: 'object', additionalProperties: WHOLE } },
        ['page', 'per_page', 'total', 'overdue', 'by_workflow'],
      ),
    },
    ['data', 'meta'],
  ),
});

const RUN_ID: JsonObject = { name: 'run', in: 'path', required: true, schema: { type: 'string', format: 'uuid' } };

const WHICH_TASK: Schema = { ...UUID, description: 'Which task, where several are open.' };
const COMMENT: Schema = { ...STORABLE, maxLength: 10_000 };
const DECISION: Schema = objectOf({
  comment: COMMENT,
  task: WHICH_TASK,
  on_behalf_of: { ...STORABLE, maxLength: 100, description: 'Whom to decide for, of several who are represented.' },
});
const DELEGATE: Schema = objectOf(
  {
    to: { ...STORABLE, minLength: 1, maxLength: 320, description: 'The id or email of an active user.' },
    until: { ...TIME, description: 'For good when left out.' },
    comment: COMMENT,
    task: WHICH_TASK,
  },
  ['to'],
);
const REASSIGN: Schema = objectOf({ assignee: schemaOf(assigneesSchema), comment: COMMENT, task: WHICH_TASK }, ['assignee']);
const PENDING_PARAMETERS: readonly JsonObject[] = [
  query('assignee', { type: 'string', enum: ['me'] }),
  query('workflow', STORABLE),
  query('entity', STORABLE),
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
          ...['workflow', 'entity', 'record_id'].map((name) => query(name, STORABLE)),
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
      objectOf({ comment: { ...STORABLE, minLength: 1, maxLength: 10_000 }, task: WHICH_TASK }, ['comment']),
      true,
    ),
    ...verb('cancel', 'End a run', objectOf({ reason: STORABLE })),
    ...(app.isAdmin
      ? {
          ...verb('retry', 'Try a failed step again, with edited input if wanted', schemaOf(retryPayload)),
          ...verb('rewind', 'Go back to an earlier step', schemaOf(rewindPayload), true),
          ...verb('skip', 'Go on after a failed step', schemaOf(skipPayload)),
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
