/** Definitions one by one, for admins. Every write of one is a publish. The schemas are those that documents are read with. */
import type { z } from 'zod';
import {
  calendarSchema,
  documentSchema,
  entitySchema,
  functionSchema,
  permissionSchema,
  relationSchema,
  roleSchema,
  ruleSchema,
  SECTIONS,
  slaSchema,
  segmentOf,
  stateMachineSchema,
  webhookSchema,
  workflowSchema,
  type Section,
} from '../model/document.ts';
import { partialOf, schemaOf } from './from-zod.ts';
import { arrayOf, objectOf, ref, type Json, type JsonObject, type Schema } from './json.ts';
import { CHANGE_ERRORS, inPath, operation, TEXT, TIME, WHOLE, type Told } from './operation.ts';
import { data, withETag, type Paths } from './responses.ts';

export const DEFINITIONS_TAG = '_admin/definitions';

interface Described {
  readonly type: z.ZodType;
  /** In the ids of the operations. */
  readonly one: string;
  /** The component of its schema. */
  readonly component: string;
  readonly example: JsonObject;
  readonly change: JsonObject;
}

const DESCRIBED: Readonly<Record<Section, Described>> = {
  entities: {
    type: entitySchema,
    one: 'entity',
    component: 'EntityDefinition',
    example: { name: 'note', fields: [{ name: 'text', type: 'text', required: true }] },
    change: { label: 'Notes' },
  },
  relations: {
    type: relationSchema,
    one: 'relation',
    component: 'RelationDefinition',
    example: { name: 'author_notes', type: 'one_to_many', source: 'author', target: 'note' },
    change: { on_delete: 'cascade' },
  },
  rules: {
    type: ruleSchema,
    one: 'rule',
    component: 'RuleDefinition',
    example: { entity: 'note', type: 'field', definition: { field: 'text', operator: 'min_length', value: 3 } },
    change: { active: false },
  },
  state_machines: {
    type: stateMachineSchema,
    one: 'state_machine',
    component: 'StateMachineDefinition',
    example: {
      entity: 'note',
      field: 'status',
      definition: { initial: 'draft', transitions: [{ from: 'draft', to: 'published', roles: ['editor'] }] },
    },
    change: { active: false },
  },
  workflows: {
    type: workflowSchema,
    one: 'workflow',
    component: 'WorkflowDefinition',
    example: {
      name: 'publishing',
      trigger: { type: 'record_created', entity: 'note' },
      steps: [{ id: 'review', type: 'approval', assignee: { type: 'role', role: 'editor' } }],
    },
    change: { active: false },
  },
  calendars: {
    type: calendarSchema,
    one: 'calendar',
    component: 'CalendarDefinition',
    example: {
      name: 'office',
      timezone: 'Europe/Berlin',
      week: { mon: ['09:00-12:00', '13:00-17:00'], tue: ['09:00-17:00'] },
      holidays: [{ yearly: '12-25', name: 'Christmas' }],
    },
    change: { timezone: 'Europe/Paris' },
  },
  slas: {
    type: slaSchema,
    one: 'sla',
    component: 'SlaDefinition',
    example: {
      name: 'first_answer',
      entity: 'note',
      start: "record.status = 'published'",
      stop: "record.status = 'draft'",
      target: '8h',
      warn_at: ['50%', '30m'],
    },
    change: { target: '4h' },
  },
  permissions: {
    type: permissionSchema,
    one: 'permission',
    component: 'PermissionDefinition',
    example: { entity: 'note', action: 'read', roles: ['author'], conditions: [{ field: 'author_id', value: '$user.id' }] },
    change: { roles: ['author', 'editor'] },
  },
  webhooks: {
    type: webhookSchema,
    one: 'webhook',
    component: 'WebhookDefinition',
    example: { entity: 'note', hook: 'after_write', url: 'https://example.com/hook' },
    change: { active: false },
  },
  functions: {
    type: functionSchema,
    one: 'function_attachment',
    component: 'FunctionAttachment',
    example: { name: 'tidy text', entity: 'note', on: 'before_create', function: 'normalize_whitespace', field: 'text' },
    change: { active: false },
  },
  roles: {
    type: roleSchema,
    one: 'role',
    component: 'RoleDefinition',
    example: { name: 'editor' },
    change: { description: 'Edits notes' },
  },
};

// --- schemas -------------------------------------------------------------------------------------------------------

/** Parts of an answer that a request may send back and that are not taken. */
const shownOnly = (schema: Schema): Schema => ({ ...schema, readOnly: true });

function withShown(section: Section): Schema {
  const { type, component } = DESCRIBED[section];
  const extra: Record<string, Schema> = { created_at: shownOnly(TIME), updated_at: shownOnly(TIME) };
  if (section === 'entities') {
    extra['table_name'] = shownOnly(TEXT);
    extra['definition'] = shownOnly(ref('schemas', component));
  }
  if (section === 'webhooks')
    extra['secret'] = shownOnly({ ...TEXT, description: 'What deliveries are signed with; only when it is made.' });
  return eachForm(schemaOf(type), (form) => ({ ...form, properties: { ...(form['properties'] as JsonObject), ...extra } }));
}

const eachForm = (schema: Schema, change: (form: Schema) => Schema): Schema =>
  Array.isArray(schema['anyOf']) ? { anyOf: (schema['anyOf'] as readonly Schema[]).map(change) } : change(schema);

const SECTION_NAMES = Object.fromEntries(SECTIONS.map((section) => [section, true])) as Record<Section, true>;
const ROOF = documentSchema.omit(SECTION_NAMES);

/** The sections of a document are lists of the definitions beside them. */
function documentForm(): Schema {
  const roof = schemaOf(ROOF);
  const sections = SECTIONS.map((section) => [section, arrayOf(ref('schemas', DESCRIBED[section].component))] as const);
  const properties = { ...(roof['properties'] as JsonObject), ...Object.fromEntries(sections) };
  return { ...roof, properties, description: 'A schema document in its normal form.' };
}

const CHANGE: Schema = {
  type: 'object',
  properties: { kind: TEXT, class: { type: 'string', enum: ['compatible', 'breaking'] }, message: TEXT, hint: TEXT },
  required: ['kind', 'class'],
  description: 'One typed edit: beside its kind it names what it is about.',
};
const FINDING: Schema = objectOf(
  { id: TEXT, level: { type: 'string', enum: ['error', 'warning', 'info'] }, path: TEXT, message: TEXT, consequence: TEXT, fix: TEXT },
  ['id', 'level', 'path', 'message', 'consequence', 'fix'],
);

/** What one section's definitions look like, what a change of one names, and what its publish answers. */
function sectionSchemas(section: Section): Record<string, Schema> {
  const { type, component } = DESCRIBED[section];
  return {
    [component]: withShown(section),
    [`${component}.change`]: partialOf(schemaOf(type)),
    [`${component}.written`]: written(ref('schemas', component)),
  };
}

let made: Readonly<Record<string, Schema>> | undefined;

/** The same for every app: made when an admin first asks. */
export const definitionSchemas = (): Readonly<Record<string, Schema>> =>
  (made ??= {
    ...Object.assign({}, ...SECTIONS.map((section) => sectionSchemas(section))),
    SchemaDocument: documentForm(),
    Change: CHANGE,
    Finding: FINDING,
  });

/** What `definitionSchemas` needs, piece by piece, for whoever cannot wait for all of it at once. */
export const definitionSteps: readonly (() => void)[] = [...Object.values(DESCRIBED).map(({ type }) => type), ROOF].map(
  (type) => () => void schemaOf(type),
);

// --- paths ---------------------------------------------------------------------------------------------------------

/** What every publish answers beside its subject. */
export const PUBLISHED: Readonly<Record<string, Schema>> = {
  changes: arrayOf(ref('schemas', 'Change')),
  findings: arrayOf(ref('schemas', 'Finding')),
  schema_version: WHOLE,
};
const written = (subject: Schema): Schema =>
  objectOf({ data: subject, ...PUBLISHED, migration: ref('schemas', 'Migration') }, ['data', ...Object.keys(PUBLISHED)]);
export const VERSION_HEADERS: JsonObject = { ETag: ref('headers', 'ETag') };
export const PUBLISH_ERRORS = [...CHANGE_ERRORS, 412];

/** A publish that has to wait for its migration answers the same with 202. */
export function publish(tag: string, id: string, told: Told): JsonObject {
  const plain = operation(tag, id, {
    ...told,
    parameters: [...(told.parameters ?? []), ref('parameters', 'ConfirmDrop'), ref('parameters', 'IfMatchVersion')],
    headers: VERSION_HEADERS,
    errors: PUBLISH_ERRORS,
  });
  const responses = plain['responses'] as Readonly<Record<string, JsonObject>>;
  const done = responses[String(told.status ?? 200)] ?? {};
  return { ...plain, responses: { ...responses, '202': { ...done, description: 'The same; its migration still runs.' } } };
}

export const definitionPaths = (root: string): Paths =>
  Object.assign({}, ...SECTIONS.map((section) => sectionPaths(`${root}/${segmentOf(section)}`, section))) as Paths;

const PAGES: readonly JsonObject[] = ['page', 'per_page'].map((name) => ({
  name,
  in: 'query',
  schema: { type: 'integer', minimum: 1, maximum: 999_999_999 },
}));

const spoken = (name: string): string => name.replaceAll('_', ' ');

function sectionPaths(path: string, section: Section): Paths {
  const { one, component, example, change } = DESCRIBED[section];
  const definition = ref('schemas', component);
  const id = (verb: string, of = one): string => `admin_${verb}_${of}`;
  const update = (verb: string): JsonObject =>
    publish(DEFINITIONS_TAG, id(verb), {
      summary: `Change a ${spoken(one)}`,
      description: 'Only what is given is changed; a list, when given, is the whole list.',
      body: ref('schemas', `${component}.change`),
      example: change as Json,
      told: 'As it is now, and what its publish changed.',
      answer: ref('schemas', `${component}.written`),
    });
  return {
    [path]: {
      get: operation(DEFINITIONS_TAG, id('list', section), {
        summary: `List ${spoken(section)}`,
        parameters: PAGES,
        told: 'All of them unless a page is asked for, with the times of their first and last change.',
        answer: objectOf(
          {
            data: arrayOf(definition),
            meta: objectOf({ page: WHOLE, per_page: WHOLE, total: WHOLE, schema_version: WHOLE }, [
              'page',
              'per_page',
              'total',
              'schema_version',
            ]),
          },
          ['data', 'meta'],
        ),
      }),
      post: publish(DEFINITIONS_TAG, id('create'), {
        summary: `Add a ${spoken(one)}`,
        description: 'Familiar spellings of other systems are taken too.',
        body: definition,
        example,
        status: 201,
        told: 'As it was understood, and what its publish changed.',
        answer: ref('schemas', `${component}.written`),
      }),
    },
    [`${path}/{key}`]: {
      parameters: [inPath('key', { type: 'string', minLength: 1 }, 'The id, or the name where it has one.')],
      get: withETag(
        operation(DEFINITIONS_TAG, id('get'), {
          summary: `One ${spoken(one)}`,
          told: 'As it is served.',
          answer: data(definition),
          headers: VERSION_HEADERS,
        }),
      ),
      put: update('put'),
      patch: update('update'),
      delete: publish(DEFINITIONS_TAG, id('delete'), {
        summary: `Remove a ${spoken(one)}`,
        told: 'It is gone.',
        answer: written(objectOf({ id: TEXT, name: TEXT, deleted: { type: 'boolean', const: true } }, ['deleted'])),
      }),
    },
  };
}

export const CONFIRM_DROP: JsonObject = {
  name: 'confirm',
  in: 'query',
  description: 'Says that what is missing from the new definitions is meant to go.',
  schema: { type: 'string', enum: ['drop'] },
};

export const IF_MATCH_VERSION: JsonObject = {
  name: 'If-Match',
  in: 'header',
  description: 'The schema version that was edited; when another is served by now, the answer is 412.',
  schema: { type: 'string', pattern: '^(\\*|"?[0-9]{1,9}"?)$' },
};
