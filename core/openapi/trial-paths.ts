/** What admins ask of rules and permissions before they publish anything. */
import { permissionImpact, permissionMatrix, ruleTrial, simulation } from '../payloads/trials.ts';
import { RECORD_ACTIONS } from '../policy/access.ts';
import { schemaOf } from './from-zod.ts';
import { arrayOf, objectOf, type Schema } from './json.ts';
import { FLAG, MAYBE_TEXT, operation, TEXT, TEXTS, WHOLE } from './operation.ts';
import { COMMON_ERRORS, data, type Paths } from './responses.ts';

export const TRIALS_TAG = '_admin/trials';
const ERRORS = [...COMMON_ERRORS, 415, 422];

const OUTCOME = objectOf(
  {
    rule: TEXT,
    outcome: { type: 'string', enum: ['passed', 'violated', 'skipped', 'error'] },
    message: { ...MAYBE_TEXT, description: 'What is wrong, why it was skipped, or what stopped the evaluation.' },
    field: TEXT,
    id: TEXT,
    name: TEXT,
    is_draft: FLAG,
  },
  ['rule', 'outcome', 'message'],
);
const CONSIDERED = {
  id: MAYBE_TEXT,
  effect: { type: 'string', enum: ['grant', 'deny'] },
  entity: TEXT,
  action: TEXT,
  roles: TEXTS,
  matched_roles: TEXTS,
  condition: TEXT,
  fields: { anyOf: [TEXTS, { type: 'null' }] },
  is_draft: FLAG,
  holds: { type: ['boolean', 'null'], description: 'For the record in question; null without one.' },
  why: TEXT,
} as const satisfies Record<string, Schema>;
const DECISION = {
  decision: { type: 'string', enum: ['allowed', 'denied', 'filtered'] },
  reason: TEXT,
  predicate: TEXT,
  considered: arrayOf(objectOf(CONSIDERED, Object.keys(CONSIDERED))),
  fields: arrayOf(
    objectOf(
      { name: TEXT, access: { type: 'string', enum: ['always', 'never', 'conditional'] }, in_record: { type: ['boolean', 'null'] } },
      ['name', 'access', 'in_record'],
    ),
  ),
  presets: { type: 'object' },
} as const satisfies Record<string, Schema>;
const ACTION: Schema = { type: 'string', enum: [...RECORD_ACTIONS] };
const CELL = {
  role: TEXT,
  entity: TEXT,
  action: ACTION,
  decision: DECISION.decision,
  by: { ...TEXTS, description: 'Ids of the permissions that bear on it.' },
  fields: {
    ...objectOf({ always: WHOLE, conditional: WHOLE, never: WHOLE }, ['always', 'conditional', 'never']),
    description: 'How many fields are open: always, in some records, never.',
  },
} as const satisfies Record<string, Schema>;
const ACCESS_CHANGE = {
  role: { ...MAYBE_TEXT, description: '`*` is everybody who is signed in; null when a user is meant.' },
  user: { anyOf: [objectOf({ id: TEXT, email: TEXT }, ['id', 'email']), { type: 'null' }] },
  entity: TEXT,
  action: ACTION,
  before: DECISION.decision,
  after: DECISION.decision,
  effect: {
    type: 'string',
    enum: ['gains', 'loses', 'both', 'unclear'],
    description: '`unclear`: of a role, where it depends on who has it; of fields that are open by another condition.',
  },
  rows: {
    anyOf: [objectOf({ gained: WHOLE, lost: WHOLE }, ['gained', 'lost']), { type: 'null' }],
    description: 'Records that come and go for a user; null for a role, a create, and what was too much to count.',
  },
  fields: objectOf({ gained: TEXTS, lost: TEXTS, changed: TEXTS }, ['gained', 'lost', 'changed']),
} as const satisfies Record<string, Schema>;
const ROWS = objectOf({ before: WHOLE, after: WHOLE, gained: TEXTS, lost: TEXTS }, ['before', 'after', 'gained', 'lost']);

const matrixPaths = (root: string): Paths => ({
  [`${root}/permissions/matrix`]: {
    post: operation(TRIALS_TAG, 'admin_permission_matrix', {
      summary: 'What each role may do with each entity',
      description: 'As it is served, or with `draft`. The role `*` is everybody who is signed in. Admins are not asked, and not listed.',
      body: schemaOf(permissionMatrix),
      example: {},
      told: 'A decision for every role, entity and action.',
      answer: data(objectOf({ roles: TEXTS, cells: arrayOf(objectOf(CELL, Object.keys(CELL))) }, ['roles', 'cells'])),
      errors: ERRORS,
    }),
  },
  [`${root}/permissions/impact`]: {
    post: operation(TRIALS_TAG, 'admin_permission_impact', {
      summary: 'Who gains and who loses access by a draft',
      description: 'Role by role, and user by user with the records that come and go, for the first 500 active users. Nothing is written.',
      body: schemaOf(permissionImpact),
      example: { draft: [{ entity: 'ticket', action: 'read', roles: ['agent'] }] },
      told: 'Only what changes.',
      answer: data(
        objectOf(
          {
            changes: arrayOf(objectOf(ACCESS_CHANGE, Object.keys(ACCESS_CHANGE))),
            users: objectOf({ considered: WHOLE, total: WHOLE }, ['considered', 'total']),
          },
          ['changes', 'users'],
        ),
      ),
      errors: ERRORS,
    }),
  },
});

export const trialPaths = (root: string): Paths => ({
  ...matrixPaths(root),
  [`${root}/rules/try`]: {
    post: operation(TRIALS_TAG, 'admin_try_rules', {
      summary: 'Try a payload on the rules, with drafts among them',
      description: 'Nothing is written.',
      body: schemaOf(ruleTrial),
      example: { entity: 'ticket', record: { title: 'It is broken' }, as: { roles: ['agent'] } },
      told: 'How each rule went.',
      answer: data(objectOf({ valid: FLAG, computed: { type: 'object' }, results: arrayOf(OUTCOME) }, ['valid', 'computed', 'results'])),
      errors: ERRORS,
    }),
  },
  [`${root}/permissions/simulate`]: {
    post: operation(TRIALS_TAG, 'admin_simulate', {
      summary: 'What somebody may do, and why',
      description: '`draft` holds permissions as they would be; `{"id", "deleted": true}` takes one away. Nothing is written.',
      body: schemaOf(simulation),
      example: { as: { roles: ['agent'] }, entity: 'ticket', action: 'read' },
      told: 'The decision, now and with the draft.',
      answer: data(
        objectOf(
          {
            ...DECISION,
            rows: { anyOf: [ROWS, { type: 'null' }], description: 'Null for a create, which meets no rows.' },
            draft: { anyOf: [objectOf(DECISION, Object.keys(DECISION)), { type: 'null' }] },
          },
          [...Object.keys(DECISION), 'rows', 'draft'],
        ),
      ),
      errors: ERRORS,
    }),
  },
});
