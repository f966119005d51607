/** The schema document as a whole, for admins: out and in, its versions, and the migrations between them. */
import { PUBLISHED, publish, PUBLISH_ERRORS, VERSION_HEADERS } from './definition-paths.ts';
import { arrayOf, objectOf, ref, type JsonObject, type Schema } from './json.ts';
import { CHANGE_ERRORS, inPath, MAYBE_TEXT, operation, TEXT, TIME, WHOLE, type Told } from './operation.ts';
import { strictPages } from './key-paths.ts';
import { data, type Paths } from './responses.ts';

export const SCHEMA_TAG = '_admin/schema';
const CLASS: Schema = { type: 'string', enum: ['compatible', 'breaking'] };
const CHANGES = arrayOf(ref('schemas', 'Change'));
const DOCUMENT = ref('schemas', 'SchemaDocument');

const VERSION = {
  version: WHOLE,
  class: TEXT,
  changes: CHANGES,
  hash: TEXT,
  created_by: { description: 'Who published it.' },
  created_at: TIME,
  is_served: { type: 'boolean' },
} as const satisfies Record<string, Schema>;
const STANDING = {
  schema: TEXT,
  is_owner: { type: 'boolean', description: "False for an app that follows another's schema: it takes versions, and publishes none." },
  served_version: WHOLE,
  latest_version: WHOLE,
  pinned_version: { type: ['integer', 'null'] },
} as const satisfies Record<string, Schema>;
const MIGRATION_STEP = {
  key: TEXT,
  phase: TEXT,
  sql: TEXT,
  lock: MAYBE_TEXT,
  state: TEXT,
  finished_at: MAYBE_TEXT,
  rows: { type: 'integer', minimum: 0, description: 'How many it has been through; of steps that go row by row.' },
  rows_total: { type: 'integer', minimum: 0, description: 'About how many there are; of the same.' },
} as const satisfies Record<string, Schema>;
const STEP_ROWS: readonly string[] = ['rows', 'rows_total'] satisfies (keyof typeof MIGRATION_STEP)[];
const SESSION = { pid: { type: 'integer' }, application: TEXT, state: MAYBE_TEXT, since: MAYBE_TEXT } as const satisfies Record<
  string,
  Schema
>;
const WAITS = {
  step: TEXT,
  tries: WHOLE,
  since: TIME,
  sessions: {
    ...arrayOf(objectOf(SESSION, Object.keys(SESSION))),
    description: 'Who uses the table for longer than a moment, the oldest transaction first.',
  },
} as const satisfies Record<string, Schema>;
const OLDER_CLIENT = {
  version: WHOLE,
  kind: { type: 'string', enum: ['user', 'platform', 'api_key', 'system'] },
  id: MAYBE_TEXT,
  name: { type: ['string', 'null'], description: 'The address of an account, the name of a key; null when it is gone.' },
  requests: WHOLE,
  last_used_at: TIME,
} as const satisfies Record<string, Schema>;
const STATUSES = ['planned', 'awaiting_approval', 'running', 'paused', 'ready', 'completed', 'aborted', 'failed'];
const MIGRATION = {
  id: TEXT,
  app: TEXT,
  from_version: WHOLE,
  to_version: WHOLE,
  status: { type: 'string', enum: STATUSES },
  phase: TEXT,
  class: CLASS,
  steps: arrayOf(
    objectOf(
      MIGRATION_STEP,
      Object.keys(MIGRATION_STEP).filter((name) => !STEP_ROWS.includes(name)),
    ),
  ),
  progress: objectOf(
    {
      done: WHOLE,
      total: WHOLE,
      unit: { type: 'string', enum: ['steps', 'rows'] },
      rate: { type: ['number', 'null'] },
      eta_seconds: { type: ['number', 'null'] },
    },
    ['done', 'total', 'unit'],
  ),
  old_traffic: {
    anyOf: [
      objectOf({ version: WHOLE, requests: WHOLE, clients: WHOLE, last_used_at: MAYBE_TEXT }, [
        'version',
        'requests',
        'clients',
        'last_used_at',
      ]),
      { type: 'null' },
    ],
  },
  log: {
    type: 'array',
    items: objectOf({ at: TIME, text: TEXT }, ['at', 'text']),
    description: 'What happened to it, in order. Of one migration only; lists leave it out.',
  },
  changes: { ...CHANGES, description: 'What it changes. Of one migration only.' },
  quarantined: { ...WHOLE, description: 'How many values keep it from going on until they are repaired. Of one migration only.' },
  waits: {
    anyOf: [objectOf(WAITS, Object.keys(WAITS)), { type: 'null' }],
    description: 'The lock that is tried for in vain. Of one migration only.',
  },
  older_clients: {
    ...arrayOf(objectOf(OLDER_CLIENT, Object.keys(OLDER_CLIENT))),
    description: 'Who asked in the older shape, the last first, at most 50. Of one migration only.',
  },
  approval: { type: 'object', properties: { needed: { type: 'boolean' } }, required: ['needed'] },
  grace_until: MAYBE_TEXT,
  retention_until: MAYBE_TEXT,
  waiting_for: MAYBE_TEXT,
  plan_hash: TEXT,
  error: MAYBE_TEXT,
  workflow_id: TEXT,
  temporal_url: MAYBE_TEXT,
  created_by: { description: 'Who published the version, or asked for the move.' },
  created_at: TIME,
  updated_at: TIME,
} as const satisfies Record<string, Schema>;

/** What lists leave out. */
const OF_ONE: readonly string[] = ['log', 'changes', 'quarantined', 'waits', 'older_clients'] satisfies (keyof typeof MIGRATION)[];

const QUARANTINED = {
  entity: TEXT,
  record_id: TEXT,
  field: { type: 'string', description: 'What lacks a value.' },
  direction: { type: 'string', enum: ['up', 'down', 'conflict'] },
  value: { type: ['string', 'null'], description: 'What it was to be made of.' },
  error: TEXT,
  created_at: TIME,
} as const satisfies Record<string, Schema>;

const ESTIMATE = {
  rows: { type: ['integer', 'null'] },
  rows_exact: { type: 'boolean' },
  bytes: { type: ['integer', 'null'] },
  ms: { type: ['number', 'null'] },
} as const satisfies Record<string, Schema>;
const STEP = {
  key: TEXT,
  phase: TEXT,
  mode: { type: 'string', enum: ['brief', 'long', 'batch'] },
  table: TEXT,
  sql: TEXT,
  lock: TEXT,
  lock_timeout_ms: { type: ['integer', 'null'] },
  rewrite: { type: 'boolean' },
  concurrent: { type: 'boolean' },
  estimate: objectOf(ESTIMATE, Object.keys(ESTIMATE)),
} as const satisfies Record<string, Schema>;
const REVIEW = { rule: TEXT, severity: { type: 'string', enum: ['error', 'warning'] }, step: TEXT, message: TEXT, hint: TEXT } as const;
const QUESTION: Schema = {
  type: 'object',
  properties: { kind: TEXT, rule: { type: 'string', enum: ['confirm_drop', 'rename_or_drop'] }, message: TEXT, hint: TEXT },
  required: ['kind', 'rule', 'message', 'hint'],
};
const HELD: Schema = objectOf({ id: TEXT, table: TEXT, column: TEXT, type: TEXT, values: WHOLE }, ['id', 'table', 'values']);
const FAILING = { record_id: TEXT, field: TEXT, value: MAYBE_TEXT, error: TEXT } as const satisfies Record<string, Schema>;
const TRIED = {
  entity: TEXT,
  fields: arrayOf(TEXT),
  kind: { type: 'string', enum: ['convert', 'transform', 'fill'] },
  checked: { ...WHOLE, description: 'How many records were tried.' },
  failing: { ...WHOLE, description: 'How many of them have a value that would be quarantined.' },
  is_whole: { type: 'boolean', description: 'Whether all records were tried.' },
  sample: { ...arrayOf(objectOf(FAILING, Object.keys(FAILING))), description: 'Ten of the values at most.' },
} as const satisfies Record<string, Schema>;
const PLAN_PARTS = {
  from_version: WHOLE,
  class: CLASS,
  changes: CHANGES,
  steps: arrayOf(objectOf(STEP, Object.keys(STEP))),
  findings: { ...arrayOf(ref('schemas', 'Finding')), description: 'Of the document.' },
  review: { ...arrayOf(objectOf(REVIEW, Object.keys(REVIEW))), description: 'Of the plan.' },
  estimate: objectOf({ ms: { type: ['number', 'null'] }, basis: TEXT }, ['ms', 'basis']),
  plan_hash: TEXT,
  questions: { ...arrayOf(QUESTION), description: 'What publishing wants to be told first: drops that nobody confirmed.' },
  held: { ...arrayOf(HELD), description: 'What stays in the tables until the retention ends.' },
  conversions: { ...arrayOf(objectOf(TRIED, Object.keys(TRIED))), description: 'Each conversion, tried on the stored records.' },
  approval: objectOf({ needed: { type: 'boolean' }, four_eyes: { type: 'boolean' } }, ['needed', 'four_eyes']),
  grace_ms: {
    type: ['integer', 'null'],
    description: 'How long older clients are served after the switch; null where nothing breaks them.',
  },
  retention_ms: { type: ['integer', 'null'], description: 'How long after that what was dropped stays in the tables.' },
} as const satisfies Record<string, Schema>;
const PLAN: Schema = objectOf(PLAN_PARTS, Object.keys(PLAN_PARTS));

export const VERSION_SCHEMAS: Readonly<Record<string, Schema>> = {
  SchemaVersion: objectOf(VERSION, Object.keys(VERSION)),
  Migration: objectOf(
    MIGRATION,
    Object.keys(MIGRATION).filter((name) => !OF_ONE.includes(name)),
  ),
};

const told = (verb: string, what: Told): JsonObject => operation(SCHEMA_TAG, `admin_${verb}`, what);

/** What a whole document is sent as. */
export const documentBody: JsonObject = {
  required: true,
  content: {
    'application/json': {
      schema: DOCUMENT,
      example: { version: 1, entities: [{ name: 'note', fields: [{ name: 'text', type: 'text' }] }] },
    },
    'application/yaml': { schema: { type: 'string', description: 'The same as YAML.' } },
  },
};

/** 200 when nothing changed, 201 for a new version, 202 while its migration runs. */
export function publishVersion(tag: string, id: string, what: Told, isPlanned = false): JsonObject {
  const published = data(
    objectOf({ ...PUBLISHED, migration: { anyOf: [ref('schemas', 'Migration'), { type: 'null' }] } }, [
      ...Object.keys(PUBLISHED),
      'migration',
    ]),
  );
  const plain = publish(tag, id, { ...what, answer: published });
  const responses = plain['responses'] as Readonly<Record<string, JsonObject>>;
  const unchanged = responses['200'] ?? {};
  const planned = isPlanned
    ? withSchema(unchanged, data({ anyOf: [(published['properties'] as JsonObject)['data'] as Schema, PLAN] }))
    : unchanged;
  return { ...plain, responses: { ...responses, '200': planned, '201': { ...unchanged, description: 'A new version is served.' } } };
}

/** A plan has no version, so it has no ETag either. */
function withSchema(response: JsonObject, schema: Schema): JsonObject {
  const { ETag: _, ...headers } = response['headers'] as JsonObject;
  return { ...response, headers, content: { 'application/json': { schema } } };
}

export const DRY_RUN: JsonObject = {
  name: 'dry_run',
  in: 'query',
  description: 'Only the plan, and what it would find; nothing is changed.',
  schema: { type: 'boolean', default: false },
};

export const versionPaths = (root: string): Paths => ({
  ...documentPaths(root),
  [`${root}/versions`]: {
    get: told('list_versions', {
      summary: 'Versions of the schema',
      told: 'The newest first, at most 500.',
      answer: objectOf({ data: arrayOf(ref('schemas', 'SchemaVersion')), meta: objectOf(STANDING, Object.keys(STANDING)) }, [
        'data',
        'meta',
      ]),
    }),
    post: {
      ...publishVersion(
        SCHEMA_TAG,
        'admin_publish_version',
        { summary: 'Publish a whole document', parameters: [DRY_RUN], told: 'Nothing changed, or the plan of a dry run.', answer: {} },
        true,
      ),
      requestBody: documentBody,
    },
  },
  [`${root}/versions/{version}`]: {
    parameters: [
      inPath('version', { type: 'string', pattern: '^[0-9]{1,9}(\\.\\.\\.[0-9]{1,9})?$' }, 'A number, or two of them as `1...3`.'),
    ],
    get: told('get_version', {
      summary: 'One version with its document, or what differs between two',
      told: 'The version, or the difference.',
      answer: data({
        anyOf: [
          objectOf({ ...VERSION, document: DOCUMENT }, [...Object.keys(VERSION), 'document']),
          objectOf({ from: WHOLE, to: WHOLE, class: CLASS, changes: CHANGES }, ['from', 'to', 'class', 'changes']),
        ],
      }),
    }),
  },
  [`${root}/versions/{version}/rollback`]: {
    parameters: [inPath('version', { type: 'string', pattern: '^[0-9]{1,9}$' })],
    post: publishVersion(
      SCHEMA_TAG,
      'admin_rollback_version',
      { summary: 'Publish an older version again', parameters: [DRY_RUN], told: 'Nothing changed, or the plan of a dry run.', answer: {} },
      true,
    ),
  },
  ...migrationPaths(root),
});

const migrationPaths = (root: string): Paths => ({
  [`${root}/migrations`]: {
    get: told('list_migrations', {
      summary: 'Migrations of the app',
      parameters: [{ name: 'status', in: 'query', schema: { type: 'string', enum: STATUSES } }, ...strictPages()],
      told: 'The newest first, at most 200 a page.',
      answer: objectOf({ data: arrayOf(ref('schemas', 'Migration')), meta: ref('schemas', 'PageMeta') }, ['data', 'meta']),
    }),
    post: withoutIfMatch(
      publishVersion(
        SCHEMA_TAG,
        'admin_move_version',
        {
          summary: 'Serve another version of a shared schema',
          body: objectOf({ to_version: { type: 'integer', minimum: 1, maximum: 2_147_483_647 } }, ['to_version']),
          example: { to_version: 2 },
          told: 'It is served already, or the plan of a dry run.',
          answer: {},
        },
        true,
      ),
    ),
  },
  [`${root}/migrations/{id}`]: {
    parameters: [inPath('id', { type: 'string', minLength: 1 }, 'Its id, or the version it leads to.')],
    get: told('get_migration', { summary: 'One migration', told: 'How far it is.', answer: data(ref('schemas', 'Migration')) }),
  },
  [`${root}/migrations/{id}/plan`]: {
    parameters: [inPath('id', { type: 'string', minLength: 1 }, 'Its id, or the version it leads to.')],
    get: told('get_migration_plan', {
      summary: 'The plan of a migration',
      told: 'As a dry run shows it, with the costs of now. Conversions are tried only until the migration begins.',
      answer: data(PLAN),
    }),
  },
  [`${root}/migrations/{id}/quarantine`]: {
    parameters: [inPath('id', { type: 'string', minLength: 1 }, 'Its id, or the version it leads to.')],
    get: told('list_quarantine', {
      summary: 'Values that could not be carried over',
      parameters: strictPages(),
      told: 'By entity and record. A write of the field takes a value out; while any is left that is no conflict, the migration waits.',
      answer: objectOf({ data: arrayOf(objectOf(QUARANTINED, Object.keys(QUARANTINED))), meta: ref('schemas', 'PageMeta') }, [
        'data',
        'meta',
      ]),
    }),
  },
  ...Object.assign({}, ...MIGRATION_WORDS.map((word) => wordPath(root, word))),
});

const COMMENT = { comment: TEXT };
const MIGRATION_WORDS = [
  {
    verb: 'approve',
    summary: 'Let a plan run',
    members: { plan_hash: { ...TEXT, description: 'Of the plan that was read; another is refused.' }, ...COMMENT },
  },
  { verb: 'reject', summary: 'Turn a plan down', members: COMMENT },
  { verb: 'pause', summary: 'Stop between steps and batches', members: COMMENT },
  { verb: 'resume', summary: 'Go on after a pause', members: COMMENT },
  { verb: 'abort', summary: 'Take a migration back before its switch', members: COMMENT },
  {
    verb: 'contract',
    summary: 'End the grace now',
    members: { drop: { type: 'boolean', default: false, description: 'The retention as well: what was dropped is gone.' } },
  },
] as const;

const wordPath = (root: string, { verb, summary, members }: (typeof MIGRATION_WORDS)[number]): Paths => ({
  [`${root}/migrations/{id}/${verb}`]: {
    parameters: [inPath('id', { type: 'string', minLength: 1 }, 'Its id, or the version it leads to.')],
    post: told(`${verb}_migration`, {
      summary,
      told: 'The migration after it; again changes nothing.',
      body: objectOf(members, []),
      isBodyOptional: true,
      answer: data(ref('schemas', 'Migration')),
      errors: [...CHANGE_ERRORS],
    }),
  },
});

/** A move names its version itself. */
const withoutIfMatch = ({ parameters: _, ...rest }: JsonObject): JsonObject => ({
  ...rest,
  parameters: [DRY_RUN, ref('parameters', 'ConfirmDrop')],
});

const REPORT: Schema = objectOf(
  {
    message: TEXT,
    summary: { type: 'object', additionalProperties: WHOLE, description: 'What is new, per section.' },
    imported: WHOLE,
    errors: arrayOf(objectOf({ path: TEXT, message: TEXT }, ['path', 'message'])),
    items: arrayOf(
      objectOf({ section: TEXT, name: TEXT, outcome: { type: 'string', enum: ['created', 'skipped', 'updated', 'removed'] } }, [
        'section',
        'name',
        'outcome',
      ]),
    ),
    ...PUBLISHED,
  },
  ['message', 'summary', 'imported', 'errors', 'items', ...Object.keys(PUBLISHED)],
);

const choice = (name: string, values: readonly string[], description: string): JsonObject => ({
  name,
  in: 'query',
  description,
  schema: { type: 'string', enum: values, default: values[0] ?? '' },
});

function documentPaths(root: string): Paths {
  const exported = told('export', {
    summary: 'The schema document',
    parameters: [choice('format', ['json', 'yaml'], 'YAML for who accepts it, too.')],
    told: 'A document that can be imported.',
    answer: data(DOCUMENT),
  });
  const answers = exported['responses'] as Readonly<Record<string, JsonObject>>;
  const answer = answers['200'] ?? {};
  const both = { ...(answer['content'] as JsonObject), 'application/yaml': { schema: TEXT } };
  return {
    [`${root}/export`]: { get: { ...exported, responses: { ...answers, '200': { ...answer, content: both } } } },
    [`${root}/import`]: {
      post: {
        ...told('import', {
          summary: 'Import a schema document',
          description: 'All definitions are one version, or none; sample rows follow in one transaction.',
          parameters: [
            choice('mode', ['skip', 'merge', 'replace'], 'What becomes of definitions that are there already.'),
            choice('events', ['all', 'none'], 'Whether sample rows start anything.'),
            ref('parameters', 'ConfirmDrop'),
            ref('parameters', 'IfMatchVersion'),
          ],
          told: 'What was new.',
          answer: objectOf({ message: TEXT, data: REPORT }, ['message', 'data']),
          headers: VERSION_HEADERS,
          errors: PUBLISH_ERRORS,
        }),
        requestBody: documentBody,
      },
    },
    [`${root}/findings`]: {
      get: told('list_findings', {
        summary: 'What the served document accepts and cannot work yet',
        told: 'Each with its place and a way out.',
        answer: data(arrayOf(ref('schemas', 'Finding'))),
      }),
    },
  };
}
