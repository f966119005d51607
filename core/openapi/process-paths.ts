/** Beside the runs: inbound hooks, notifications, and what admins ask of a definition's runs. */
import { arrayOf, objectOf, type JsonObject, type Schema } from './json.ts';
import { strictPages } from './key-paths.ts';
import { query } from './list-parameters.ts';
import { CHANGE_ERRORS, FLAG, inPath, MAYBE_TEXT, MAYBE_TIME, operation, TEXT, TIME, UUID, WHOLE } from './operation.ts';
import { COMMON_ERRORS, data, type Paths } from './responses.ts';
import type { AppView } from './view.ts';

const NOTIFICATION = {
  id: UUID,
  message: TEXT,
  link: MAYBE_TEXT,
  run_id: MAYBE_TEXT,
  created_at: TIME,
  read_at: MAYBE_TIME,
} as const satisfies Record<string, Schema>;
const ONE_NOTIFICATION = objectOf(NOTIFICATION, Object.keys(NOTIFICATION));

const MOVABLE = objectOf(
  {
    id: UUID,
    schema_version: WHOLE,
    current_steps: arrayOf(TEXT),
    is_newest: FLAG,
    can_move: FLAG,
    reason: { type: 'string', description: 'Why it cannot.' },
  },
  ['id', 'schema_version', 'current_steps', 'is_newest', 'can_move'],
);

export const NOTIFICATIONS_TAG: JsonObject = { name: 'notifications', description: 'What the caller was told in the app.' };

export const processPaths = (app: AppView, base: string): Paths => ({
  ...notificationPaths(`${base}/_notifications`),
  ...(app.model.workflows.length === 0 ? {} : hookPath(app, base)),
});

function notificationPaths(root: string): Paths {
  const meta = objectOf({ page: WHOLE, per_page: WHOLE, total: WHOLE, unread: WHOLE }, ['page', 'per_page', 'total', 'unread']);
  const told = (id: string, summary: string, answer: Schema, parameters: readonly JsonObject[] = []): JsonObject =>
    operation('notifications', `notifications_${id}`, {
      summary,
      parameters,
      told: 'What the caller was told by workflows and in comments.',
      answer,
      errors: CHANGE_ERRORS,
    });
  return {
    [root]: {
      get: operation('notifications', 'notifications_list', {
        summary: 'List your notifications',
        parameters: [query('unread', FLAG), ...strictPages(20)],
        told: 'The newest first.',
        answer: objectOf({ data: arrayOf(ONE_NOTIFICATION), meta }, ['data', 'meta']),
        errors: COMMON_ERRORS,
      }),
    },
    [`${root}/read-all`]: { post: told('read_all', 'Mark all your notifications read', data(objectOf({ read: WHOLE }, ['read']))) },
    [`${root}/{notification}/read`]: {
      parameters: [inPath('notification', UUID)],
      post: told('read', 'Mark a notification read', data(ONE_NOTIFICATION)),
    },
  };
}

function hookPath(app: AppView, base: string): Paths {
  const names = app.model.workflows.filter(({ trigger }) => trigger.type === 'webhook').map(({ name }) => name);
  return {
    [`${base}/_hooks/{workflow}`]: {
      parameters: [inPath('workflow', { type: 'string', ...(names.length === 0 ? {} : { enum: names }) })],
      post: operation('workflows', 'hooks_call', {
        summary: 'Start a workflow from outside',
        description: 'With the token of the hook, as a bearer token or in X-Hook-Token. The JSON body is `trigger.body`.',
        parameters: [
          { name: 'X-Hook-Token', in: 'header', required: false, schema: TEXT },
          { name: 'Idempotency-Key', in: 'header', required: false, schema: { type: 'string', minLength: 1, maxLength: 255 } },
        ],
        body: {},
        isBodyOptional: true,
        status: 202,
        told: 'Taken: the run begins in a moment.',
        answer: data(objectOf({ run_id: UUID }, ['run_id'])),
        errors: CHANGE_ERRORS,
        for: 'everybody',
      }),
    },
  };
}

const WORKFLOW = inPath('workflow', { type: 'string', minLength: 1 }, 'The name or id of a workflow.');

/** Of `_admin`. */
export const workflowAdminPaths = (root: string): Paths => ({
  [`${root}/workflows/{workflow}/runs`]: {
    parameters: [WORKFLOW],
    get: operation('_admin/definitions', 'admin_workflow_runs', {
      summary: 'List the running instances of a workflow, and whether each can move to the newest version',
      told: 'The oldest first.',
      answer: data(arrayOf(MOVABLE)),
    }),
  },
  [`${root}/workflows/{workflow}/move`]: {
    parameters: [WORKFLOW],
    post: operation('_admin/definitions', 'admin_workflow_move', {
      summary: 'Move running instances to the newest version',
      body: objectOf({ runs: arrayOf(TEXT) }, []),
      isBodyOptional: true,
      told: 'Which were moved, and why others were not.',
      answer: data(
        objectOf({ moved: arrayOf(UUID), refused: arrayOf(objectOf({ id: TEXT, reason: TEXT }, ['id', 'reason'])) }, ['moved', 'refused']),
      ),
      errors: CHANGE_ERRORS,
    }),
  },
  [`${root}/workflows/{workflow}/token`]: {
    parameters: [WORKFLOW],
    post: operation('_admin/definitions', 'admin_workflow_token', {
      summary: 'Make the token of an inbound hook',
      description: 'It is shown this once. The token before it is worth nothing any more.',
      status: 201,
      told: 'Where to call, and with what.',
      answer: data(objectOf({ url: TEXT, token: TEXT }, ['url', 'token'])),
      errors: CHANGE_ERRORS,
    }),
  },
});
