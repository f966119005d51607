/** The audit of an app. */
import { arrayOf, objectOf, ref, type Schema } from './json.ts';
import { query } from './list-parameters.ts';
import { CHANGE_ERRORS, FLAG, MAYBE_TEXT, MAYBE_TIME, operation, STORABLE, TEXT, TEXTS, TIME, UUID, WHOLE } from './operation.ts';
import { data, type Paths } from './responses.ts';

export const AUDIT_TAG = '_admin/audit';

const ENTRY: Schema = objectOf(
  {
    number: WHOLE,
    action: TEXT,
    actor: { type: 'object' },
    target: MAYBE_TEXT,
    detail: { type: 'object' },
    at: TIME,
    erased_at: MAYBE_TIME,
    hash: { type: 'string', description: 'Of this entry and of all before it.' },
  },
  ['number', 'action', 'actor', 'target', 'detail', 'at', 'erased_at', 'hash'],
);
const CHANGE: Schema = objectOf(
  {
    id: TEXT,
    entity: TEXT,
    record_id: TEXT,
    version: TEXT,
    action: { type: 'string', enum: ['create', 'update', 'delete', 'restore'] },
    at: TIME,
    actor: { type: 'object' },
    cause: MAYBE_TEXT,
    changes: { type: 'object', description: 'By field, each `{old, new}`.' },
    gone_fields: TEXTS,
  },
  ['id', 'entity', 'record_id', 'version', 'action', 'at', 'actor', 'cause', 'changes'],
);
const BAD: Schema = objectOf(
  { number: TEXT, problem: { type: 'string', enum: ['missing', 'changed', 'erased', 'cut_off'] }, message: TEXT },
  ['number', 'problem', 'message'],
);
const PROOF: Schema = objectOf(
  {
    intact: FLAG,
    entries: WHOLE,
    erased: WHOLE,
    head: { anyOf: [objectOf({ number: TEXT, hash: TEXT }, ['number', 'hash']), { type: 'null' }] },
    first_bad: { anyOf: [BAD, { type: 'null' }] },
  },
  ['intact', 'entries', 'erased', 'head', 'first_bad'],
);

export const auditPaths = (root: string): Paths => ({
  [`${root}/changes`]: {
    get: operation(AUDIT_TAG, 'list_changes', {
      summary: 'List changes of records',
      description: 'Across entities. A page may be short or empty and have a cursor: it looks at a bounded stretch of the log.',
      parameters: [
        query('entity', TEXT),
        query('record', STORABLE),
        query('action', { type: 'string', enum: ['create', 'update', 'delete', 'restore'] }),
        query('actor', STORABLE),
        ...['from', 'to'].map((name) => query(name, { type: 'string', format: 'date-time' })),
        query('limit', { type: 'integer', minimum: 1, maximum: 999_999 }),
        query('cursor', { type: 'string', format: 'cursor' }),
      ],
      told: 'Changes, the newest first.',
      answer: objectOf({ data: arrayOf(CHANGE), page: ref('schemas', 'WalkPage') }, ['data', 'page']),
    }),
  },
  [`${root}/audit`]: {
    get: operation(AUDIT_TAG, 'audit_list', {
      summary: 'List audit entries',
      parameters: [
        ...['action', 'actor', 'target'].map((name) => query(name, { type: 'string', pattern: '^[^\\u0000]*$' })),
        ...['from', 'to'].map((name) => query(name, { type: 'string', format: 'date-time' })),
        query('limit', { type: 'integer', minimum: 1, maximum: 999_999 }),
        query('cursor', { type: 'string', pattern: '^[1-9][0-9]{0,14}$' }),
      ],
      told: 'Entries, the newest first.',
      answer: objectOf({ data: arrayOf(ENTRY), page: ref('schemas', 'WalkPage') }, ['data', 'page']),
    }),
  },
  [`${root}/audit/verify`]: {
    get: operation(AUDIT_TAG, 'audit_verify', {
      summary: 'Prove that no entry was changed, removed or put in',
      told: 'Whether the chain holds, and the first entry where it does not.',
      answer: data(PROOF),
    }),
  },
  [`${root}/audit/erase`]: {
    post: operation(AUDIT_TAG, 'audit_erase', {
      summary: 'Take a person out of the entries',
      description: 'Empties who, whom and the details; the chain still verifies.',
      for: 'session',
      body: objectOf({ user: UUID }, ['user']),
      told: 'How many entries were emptied.',
      answer: data(objectOf({ erased: WHOLE }, ['erased'])),
      errors: CHANGE_ERRORS,
    }),
  },
});
