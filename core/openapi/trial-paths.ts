/** What admins ask of rules and permissions before they publish anything. */
import { ruleTrial, simulation } from '../payloads/trials.ts';
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
const ROWS = objectOf({ before: WHOLE, after: WHOLE, gained: TEXTS, lost: TEXTS }, ['before', 'after', 'gained', 'lost']);

export const trialPaths = (root: string): Paths => ({
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
