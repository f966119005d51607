/**
 * The schema document: one format for design, export, import and version control. What parses here is the *normalized*
 * form; `read-document.ts` brings YAML, JSON and familiar foreign spellings into it first. The JSON Schema that editors use
 * is generated from these zod types. A section whose part is not built yet is refused with its path (UNSUPPORTED).
 */
import { z } from 'zod';
import { instructionsSchema } from './instructions.ts';
import { duration, durationText, expression, name, NAME, scalar, stableId } from './parts.ts';
import { processActionSchema, workflowSchema } from './workflow-document.ts';

export { duration, durationText, NAME, workflowSchema };
export type { ForeachStep, ParallelStep, ProcessAction, ProcessStep, WorkflowDefinition } from './workflow-document.ts';

export const FIELD_TYPES = [
  'string',
  'text',
  'int',
  'bigint',
  'float',
  'decimal',
  'boolean',
  'uuid',
  'timestamp',
  'date',
  'time',
  'json',
  'file',
  'email',
  'url',
  'enum',
  'relation',
] as const;

const onDelete = z.enum(['cascade', 'set_null', 'restrict', 'detach']);
const writeMode = z.enum(['diff', 'replace', 'append']);

export const fieldSchema = z.strictObject({
  id: stableId.optional(),
  was: name.optional(),
  name,
  /** Where the values are stored; the name when left out. Set by the engine when a field is renamed or its values are rewritten. */
  column: name.optional(),
  type: z.enum(FIELD_TYPES),
  label: z.string().max(200).optional(),
  required: z.boolean().default(false),
  unique: z.boolean().default(false),
  nullable: z.boolean().optional(),
  default: z.json().optional(),
  enum: z.array(scalar).max(500).optional(),
  precision: z.int().min(0).max(17).optional(),
  min: z.union([z.number(), z.string()]).optional(),
  max: z.union([z.number(), z.string()]).optional(),
  min_length: z.int().min(0).optional(),
  max_length: z.int().min(1).optional(),
  pattern: z.string().max(1000).optional(),
  auto: z.enum(['create', 'update']).optional(),
  computed: expression.optional(),
  description: z.string().max(2000).optional(),
  /** Never leaves in webhooks unless a role may read it; not shown in lists by default. */
  hidden: z.boolean().default(false),
  /** Type `relation` only: the short form of a many-to-one. The column is `<name>_id` unless the name already ends so. */
  target: name.optional(),
  /** Type `relation` only: the field of the target whose value it holds; the target's key when left out. */
  target_field: name.optional(),
  on_delete: onDelete.optional(),
  display_field: name.optional(),
});

export const primaryKeySchema = z.strictObject({
  field: name.optional(),
  fields: z.array(name).min(1).optional(),
  type: z.enum(['uuid', 'int', 'bigint', 'string']).default('uuid'),
  generated: z.boolean().default(true),
  /**
   * Set by the engine when the key becomes another field: the columns of keys before, each with the first version in which it was the
   * key no more, and whether the engine makes its values. Their values never change.
   */
  former: z.array(z.strictObject({ column: name, until: z.int().min(0), generated: z.boolean().default(false) })).optional(),
});

export const entitySchema = z.strictObject({
  id: stableId.optional(),
  was: name.optional(),
  name,
  /** The table's name in the app's schema; the entity's name when left out. */
  table: name.optional(),
  label: z.string().max(200).optional(),
  description: z.string().max(2000).optional(),
  primary_key: primaryKeySchema.optional(),
  soft_delete: z.boolean().default(false),
  /** Who comments on its records: whoever may read them (when left out), whoever may update them, or these roles, who then are the only readers too. */
  comments: z.union([z.enum(['off', 'readers', 'updaters']), z.array(z.string().min(1).max(100)).min(1).max(50)]).optional(),
  slug: z.strictObject({ field: name, source: name.optional(), regenerate_on_update: z.boolean().default(false) }).optional(),
  display_field: name.optional(),
  fields: z.array(fieldSchema).min(1, 'an entity needs at least one field').max(500),
  indexes: z
    .array(
      z.strictObject({
        fields: z.array(name).min(1).max(16),
        unique: z.boolean().default(false),
        /** `fulltext`: the texts that `q` searches; left out, an index for comparing and sorting. */
        type: z.enum(['btree', 'fulltext']).optional(),
        name: name.optional(),
      }),
    )
    .default([]),
  /** Compound uniqueness among live records. */
  unique: z.array(z.array(name).min(1).max(16)).default([]),
});

export const relationSchema = z.strictObject({
  id: stableId.optional(),
  was: name.optional(),
  name,
  type: z.enum(['one_to_one', 'one_to_many', 'many_to_many']),
  /** One side. For one_to_many the parent; rows nested under it are the target's. */
  source: name,
  target: name,
  source_key: name.optional(),
  /** For one_to_one and one_to_many: the foreign key column on the target; created when the target does not declare it. */
  target_key: name.optional(),
  /** Where that foreign key is stored when the target does not declare it; set by the engine like the `column` of a field. */
  column: name.optional(),
  join_table: name.optional(),
  source_join_key: name.optional(),
  target_join_key: name.optional(),
  ownership: z.enum(['source', 'target', 'none']).default('source'),
  on_delete: onDelete.default('restrict'),
  fetch: z.enum(['lazy', 'eager']).default('lazy'),
  write_mode: writeMode.default('diff'),
  /** Include names per side: how the source calls the target's records, and the reverse. */
  source_name: name.optional(),
  target_name: name.optional(),
  required: z.boolean().optional(),
});

const relatedLoad = z.array(z.strictObject({ relation: name, filter: z.record(z.string(), z.json()).default({}) })).default([]);

export const FIELD_RULE_OPERATORS = [
  'required',
  'not_empty',
  'min',
  'max',
  'min_length',
  'max_length',
  'pattern',
  'in',
  'not_in',
  'eq',
  'neq',
  'gt',
  'gte',
  'lt',
  'lte',
  'unique',
  'email',
  'url',
  'required_if',
] as const;

const ruleBase = {
  id: stableId.optional(),
  name: z.string().max(200).optional(),
  entity: name,
  hook: z.enum(['before_write', 'before_delete', 'after_write']).default('before_write'),
  priority: z.int().default(100),
  active: z.boolean().default(true),
};

export const ruleSchema = z.discriminatedUnion('type', [
  z.strictObject({
    ...ruleBase,
    type: z.literal('field'),
    definition: z.strictObject({
      field: name,
      operator: z.enum(FIELD_RULE_OPERATORS),
      value: z.json().optional(),
      /** With `unique`: the other fields of a compound uniqueness. */
      fields: z.array(name).optional(),
      /** The rule holds only while this is true; for `required_if` it is what makes the field required. */
      condition: expression.optional(),
      message: z.string().max(500).optional(),
      stop_on_fail: z.boolean().default(false),
    }),
  }),
  z.strictObject({
    ...ruleBase,
    type: z.literal('expression'),
    definition: z.strictObject({
      /** True means violated. */
      expression,
      message: z.string().max(500).optional(),
      field: name.optional(),
      stop_on_fail: z.boolean().default(false),
      related_load: relatedLoad,
    }),
  }),
  z.strictObject({
    ...ruleBase,
    type: z.literal('computed'),
    definition: z.strictObject({ field: name, expression, related_load: relatedLoad }),
  }),
]);

const transitionAction = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('set_field'), field: name, value: z.json().optional(), expression: expression.optional() }),
  z.strictObject({ type: z.literal('create_record'), entity: name, fields: z.record(z.string(), z.json()) }),
]);

export const stateMachineSchema = z.strictObject({
  id: stableId.optional(),
  name: z.string().max(200).optional(),
  entity: name,
  field: name,
  definition: z.strictObject({
    initial: z.string().min(1),
    /** States a new record may also begin in; only `initial` when left out. */
    start: z.array(z.string().min(1)).optional(),
    transitions: z
      .array(
        z.strictObject({
          name: z.string().max(200).optional(),
          from: z.union([z.string(), z.array(z.string()).min(1)]),
          to: z.string().min(1),
          /** None = any signed-in caller who may update the record. */
          roles: z.array(z.string()).default([]),
          /** True means allowed. */
          guard: expression.nullable().optional(),
          /** What the caller reads when the guard refuses. */
          message: z.string().max(500).optional(),
          actions: z.array(transitionAction).default([]),
        }),
      )
      .min(1, 'a state machine needs at least one transition'),
  }),
  active: z.boolean().default(true),
});

// --- calendars, SLAs -----------------------------------------------------------------------------------------------

const identifier = z.string().regex(/^[a-zA-Z][a-zA-Z0-9_-]{0,99}$/, 'must begin with a letter and have letters, digits, _ and - only');

/** Hours of a day on the clocks of the zone; those that end no later than they begin run over midnight. */
const openHours = z
  .array(z.string().regex(/^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$/, 'must be like 09:00-17:30 or 22:00-06:00'))
  .max(24);
const dayOfYear = z.string().regex(/^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/, 'must be a month and a day like 12-25');

export const calendarSchema = z.strictObject({
  id: stableId.optional(),
  name: identifier,
  description: z.string().max(2000).optional(),
  /** IANA: `Europe/Berlin`. */
  timezone: z.string().min(1).max(100),
  /** A day that is left out is closed; without `week` every hour of every day is open. */
  week: z
    .strictObject({
      mon: openHours.optional(),
      tue: openHours.optional(),
      wed: openHours.optional(),
      thu: openHours.optional(),
      fri: openHours.optional(),
      sat: openHours.optional(),
      sun: openHours.optional(),
    })
    .optional(),
  /** Days with hours of their own, closed when they have none: one `date`, `from` one `to` another, or `yearly`. */
  holidays: z
    .array(
      z.strictObject({
        name: z.string().max(200).optional(),
        date: z.iso.date().optional(),
        from: z.iso.date().optional(),
        to: z.iso.date().optional(),
        yearly: dayOfYear.optional(),
        hours: openHours.default([]),
      }),
    )
    .max(2000)
    .default([]),
});

/** A duration, or an expression over the record that gives one as text. */
const slaTarget = z.string().min(1).max(10_000);

export const slaSchema = z.strictObject({
  id: stableId.optional(),
  name: identifier,
  description: z.string().max(2000).optional(),
  entity: name,
  /** A clock starts with the change after which this holds, and did not before. */
  start: expression,
  /** No time counts while this holds; with `resume`, until that holds. */
  pause: expression.optional(),
  resume: expression.optional(),
  stop: expression,
  /** Counts anew from the change after which this holds, and did not before. */
  reset: expression.optional(),
  target: slaTarget.optional(),
  /** Targets by what the record is; the first that fits counts, `target` when none does. */
  targets: z
    .array(z.strictObject({ when: expression, target: slaTarget }))
    .max(50)
    .default([]),
  /** The name of a calendar; every moment counts without one. */
  calendar: identifier.optional(),
  /** Shares of the target (`50%`), or durations before it is up (`30m`). */
  warn_at: z
    .array(z.union([z.string().regex(/^\d{1,2}(\.\d+)?%$/, 'must be a share below 100% or a duration'), duration]))
    .max(20)
    .default([]),
  on_warn: z.array(processActionSchema).max(20).default([]),
  on_breach: z.array(processActionSchema).max(20).default([]),
  /** What happens this long after the breach, in counted time. */
  escalate: z
    .array(z.strictObject({ after: duration, actions: z.array(processActionSchema).min(1).max(20) }))
    .max(20)
    .default([]),
  /** Whether another form of this definition, or of its calendar, also counts for clocks that run already. */
  retroactive: z.boolean().default(false),
  active: z.boolean().default(true),
});

// --- permissions, webhooks, roles ----------------------------------------------------------------------------------

export const CONDITION_OPERATORS = [
  'eq',
  'neq',
  'gt',
  'gte',
  'lt',
  'lte',
  'in',
  'not_in',
  'like',
  'ilike',
  'contains',
  'icontains',
  'starts_with',
  'ends_with',
  'between',
  'is_null',
  'not_null',
  'is_empty',
] as const;

export const permissionSchema = z.strictObject({
  id: stableId.optional(),
  name: z.string().max(200).optional(),
  entity: z.union([name, z.literal('*')]),
  action: z.enum(['read', 'create', 'update', 'delete', '*']),
  roles: z.array(z.string().min(1)).min(1),
  /** All must hold. `field` may be a relation path; `value` may be `$user.id`, `$user.email`, `$user.roles`, `$now`, `$now-7d`, `self`. */
  conditions: z
    .array(z.strictObject({ field: z.string().min(1), operator: z.enum(CONDITION_OPERATORS).default('eq'), value: z.json().optional() }))
    .default([]),
  /** JSONata over `record` and `user`; must compile to SQL. Holds together with `conditions`. */
  expression: expression.optional(),
  /** Left out = every field. */
  fields: z.strictObject({ read: z.array(name).optional(), write: z.array(name).optional() }).optional(),
  /** Values put into every created record. */
  presets: z.record(z.string(), z.json()).optional(),
  deny: z.boolean().default(false),
});

export const WEBHOOK_EVENTS = ['record.created', 'record.updated', 'record.deleted', 'record.restored'] as const;

export const webhookSchema = z.strictObject({
  id: stableId.optional(),
  name: z.string().max(200).optional(),
  entity: z.union([name, z.literal('*')]),
  hook: z.enum(['after_write', 'before_write', 'after_delete', 'before_delete']).default('after_write'),
  url: z
    .string()
    .regex(/^https?:\/\/\S+$/i, 'must be an http or https address')
    .max(2000),
  method: z.enum(['POST', 'PUT', 'PATCH', 'GET', 'DELETE']).default('POST'),
  /** Values may hold `{{secret.NAME}}`. */
  headers: z.record(z.string(), z.string()).default({}),
  condition: expression.optional(),
  /** Only these. Of an asynchronous webhook they say all there is to say about when, whatever `hook` says. */
  events: z.array(z.enum(WEBHOOK_EVENTS)).min(1).max(WEBHOOK_EVENTS.length).optional(),
  fields: z.array(name).optional(),
  as_role: z.string().optional(),
  /** `thin`: only which record changed and how; the receiver reads it. Longer payloads than 20 kB become thin by themselves. */
  payload: z.enum(['full', 'thin']).optional(),
  /** The shape of the payload; the newest when left out. */
  payload_version: z.literal(1).optional(),
  /** `false`: called before the transaction opens; it may refuse the write. */
  async: z.boolean().default(true),
  retry: z
    .strictObject({
      max_attempts: z.int().min(1).max(50).default(8),
      backoff: z.enum(['exponential', 'linear', 'fixed', 'custom']).default('exponential'),
      initial: duration.default('5s'),
      schedule: z.array(duration).min(1).max(50).optional(),
    })
    .prefault({}),
  /** Deliver the changes of one record strictly in their order. */
  ordered: z.boolean().default(false),
  /** Attempts that one worker makes at the same time; 8 when left out. */
  concurrency: z.int().min(1).max(64).optional(),
  /** Failed attempts in a row after which the endpoint is paused; 10 when left out. */
  break_after: z.int().min(2).max(1000).optional(),
  active: z.boolean().default(true),
});

export const FUNCTION_EVENTS = [
  'before_create',
  'after_create',
  'before_update',
  'after_update',
  'before_delete',
  'after_delete',
  'field_change',
] as const;
const functionEvent = z.enum(FUNCTION_EVENTS);

/** One use of a function of the registry, or of a script, by an entity. */
export const functionSchema = z.strictObject({
  id: stableId.optional(),
  name: z.string().min(1).max(200),
  entity: name,
  on: z.union([functionEvent, z.array(functionEvent).min(1).max(FUNCTION_EVENTS.length)]),
  /** Either a function by its name, or a script. */
  function: z.string().min(1).max(100).optional(),
  /** JavaScript, the body of a function of `{record, old, user, now}`: returns the changed record or throws to refuse. */
  script: z.string().min(1).max(20_000).optional(),
  /** What it is about: where its value comes from, and on an update it runs when this changed. */
  field: name.optional(),
  /** Literals, paths (`record.total`), `{expression: …}`, and texts with `{{record.name}}` in them. */
  params: z.record(z.string().max(100), z.json()).default({}),
  /** Where the result goes. */
  into: name.optional(),
  when: expression.optional(),
  /** What the caller reads instead of the function's own words. */
  message: z.string().max(500).optional(),
  /** `field_change` only: after the commit also what could run inside the write. */
  async: z.boolean().optional(),
  /** Of runs after the commit that another server did not let succeed. */
  retry: z
    .strictObject({
      max_attempts: z.int().min(1).max(50).default(5),
      backoff: z.enum(['exponential', 'linear', 'fixed']).default('exponential'),
      initial: duration.default('5s'),
    })
    .prefault({}),
  /** Log runs inside the write that succeed as well. */
  log: z.boolean().default(false),
  priority: z.int().default(100),
  tests: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(200),
        /** `record`, and `old`, `user` and `now` where they matter. */
        input: z.strictObject({
          record: z.record(z.string(), z.json()).default({}),
          old: z.record(z.string(), z.json()).nullish(),
          user: z.record(z.string(), z.json()).optional(),
          now: z.string().optional(),
        }),
        /** The result, the fields that it changes, or words of its refusal. */
        expect: z.strictObject({
          result: z.json().optional(),
          record: z.record(z.string(), z.json()).optional(),
          error: z.string().min(1).optional(),
        }),
      }),
    )
    .max(100)
    .default([]),
  active: z.boolean().default(true),
});

export const roleSchema = z.strictObject({
  id: stableId.optional(),
  name: z.string().min(1).max(100),
  description: z.string().max(2000).optional(),
});

const pageUrl = z
  .string()
  .max(2000)
  .regex(/^https?:\/\/[^\s<>"]+$/, 'must be an http or https address');

const perMinute = z.int().min(1).max(10_000_000).optional();

/** Accounts of the app: who may sign up, and the pages that links in mails open. */
export const authSettingsSchema = z.strictObject({
  /** Whether anybody may make an account with POST auth/register. */
  public_signup: z.boolean().default(false),
  /** Roles of accounts made by signing up. */
  default_roles: z.array(z.string().min(1).max(100)).max(20).default([]),
  /** Accounts made by signing up sign in only after a mail was answered. */
  verify_email: z.boolean().default(false),
  password_min_length: z.int().min(1).max(128).default(8),
  /** How access tokens are signed: with a key pair whose public half is in the JWKS, or with a secret of the app. */
  algorithm: z.enum(['ES256', 'HS256']).default('ES256'),
  /** Who has one of these roles signs in with a second factor only. */
  require_totp_for: z.array(z.string().min(1).max(100)).max(100).default([]),
  /** Own pages for links in mails; `#token=...` is added. Their origins must be among `settings.origins`. */
  invite_url: pageUrl.optional(),
  reset_url: pageUrl.optional(),
  verify_url: pageUrl.optional(),
});

/** How the app takes over versions; those of the served version count. */
export const migrationSettingsSchema = z.strictObject({
  /** Which plans wait for somebody's word before they run. */
  approval: z.enum(['never', 'breaking', 'always']).default('never'),
  /** Who publishes a version does not approve its plan. */
  four_eyes: z.boolean().default(false),
  /** How long clients of the older version are served in its shape. */
  grace: duration.default('7d'),
  /** How long after that what was dropped stays in the tables. */
  retention: duration.default('30d'),
});

export const settingsSchema = z
  .strictObject({
    /** Origins that may call this app from a browser; never `*` with credentials. */
    origins: z.array(z.string()).optional(),
    /** How bigint and decimal appear in JSON: `string` keeps every digit. */
    exact_numbers: z.enum(['string', 'number']).default('string'),
    max_per_page: z.int().min(1).max(10_000).default(100),
    /** Starts of processes and clocks per second. */
    starts_per_second: z.int().min(1).max(1000).default(50),
    /** Whether script hooks run; the server must allow them too (SCRIPTS_ENABLED). */
    scripts: z.boolean().default(false),
    /** Hosts that functions may call, with those below them; every public one when left out. */
    allowed_domains: z
      .array(z.string().regex(/^[a-z0-9*.:-]+$/i, 'must be a host like example.com'))
      .max(500)
      .optional(),
    auth: authSettingsSchema.optional(),
    /** Saved lists: the roles that make and change those of others, beside admins. */
    lists: z.strictObject({ shared_by: z.array(z.string().min(1).max(100)).max(50) }).optional(),
    migrations: migrationSettingsSchema.optional(),
    /** Requests per minute of the whole app, of one user, of one API key; no limit where none is set. */
    limits: z
      .strictObject({ requests_per_minute: z.strictObject({ app: perMinute, user: perMinute, key: perMinute }).optional() })
      .optional(),
  })
  .superRefine(({ auth, origins = [] }, context) => {
    for (const key of ['invite_url', 'reset_url', 'verify_url'] as const) {
      const url = auth?.[key];
      if (url === undefined || (URL.canParse(url) && origins.includes(new URL(url).origin))) continue;
      context.addIssue({ code: 'custom', path: ['auth', key], message: 'must be an address at one of settings.origins' });
    }
    if (auth?.default_roles.some((role) => role.trim().toLowerCase() === 'admin') === true)
      context.addIssue({ code: 'custom', path: ['auth', 'default_roles'], message: 'whoever signs up cannot become an admin' });
  });

export const documentSchema = z.strictObject({
  version: z.literal(1, { error: 'version must be 1 (the number of the document format)' }),
  name: z.string().max(63).optional(),
  exported_at: z.string().optional(),
  entities: z.array(entitySchema).max(1000).default([]),
  relations: z.array(relationSchema).max(5000).default([]),
  rules: z.array(ruleSchema).max(10_000).default([]),
  state_machines: z.array(stateMachineSchema).max(2000).default([]),
  workflows: z.array(workflowSchema).max(1000).default([]),
  calendars: z.array(calendarSchema).max(200).default([]),
  slas: z.array(slaSchema).max(500).default([]),
  permissions: z.array(permissionSchema).max(10_000).default([]),
  webhooks: z.array(webhookSchema).max(1000).default([]),
  functions: z.array(functionSchema).max(5000).default([]),
  roles: z.array(roleSchema).max(1000).default([]),
  settings: settingsSchema.prefault({}),
  /** List and form defaults of a foreign document; kept and handed to the admin as they are. */
  ui_configs: z.array(z.json()).default([]),
  /** Rows per entity or join table, written once at import, as the system: any state is a legal start. */
  sample_data: z.record(name, z.array(z.record(z.string(), z.json()))).optional(),
  /** How this document follows from the one before it; for the step that publishes it only. */
  migrate: instructionsSchema.optional(),
});

export type SchemaDocument = z.infer<typeof documentSchema>;
export type EntityDefinition = z.infer<typeof entitySchema>;
export type FieldDefinition = z.infer<typeof fieldSchema>;
export type FieldType = (typeof FIELD_TYPES)[number];
export type RelationDefinition = z.infer<typeof relationSchema>;
export type RuleDefinition = z.infer<typeof ruleSchema>;
export type StateMachineDefinition = z.infer<typeof stateMachineSchema>;
export type CalendarDefinition = z.infer<typeof calendarSchema>;
export type SlaDefinition = z.infer<typeof slaSchema>;
export type PermissionDefinition = z.infer<typeof permissionSchema>;
export type WebhookDefinition = z.infer<typeof webhookSchema>;
export type FunctionAttachment = z.infer<typeof functionSchema>;
export type FunctionEvent = (typeof FUNCTION_EVENTS)[number];
export type AuthSettings = z.infer<typeof authSettingsSchema>;
export type MigrationSettings = z.infer<typeof migrationSettingsSchema>;
export type AppSettings = z.infer<typeof settingsSchema>;
export type OnDelete = z.infer<typeof onDelete>;
export type WriteMode = z.infer<typeof writeMode>;

/** The sections whose items the admin API lists, creates, updates and deletes one by one. */
export const SECTIONS = [
  'entities',
  'relations',
  'rules',
  'state_machines',
  'workflows',
  'calendars',
  'slas',
  'permissions',
  'webhooks',
  'functions',
  'roles',
] as const;
export type Section = (typeof SECTIONS)[number];

/** A section in a path of the API; `_admin/functions` is the registry, what a document attaches is beside it. */
export const segmentOf = (section: Section): string => (section === 'functions' ? 'function-attachments' : section.replaceAll('_', '-'));
