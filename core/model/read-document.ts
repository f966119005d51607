/**
 * Reads a schema document from JSON or YAML text or an object into its normalized form. Familiar spellings of other systems
 * are brought to ours first (one reader per section in `reading/`), then zod decides. What it answers can be exported and
 * read again without a difference. Whether the parts fit together is the reviewer's question (`review.ts`).
 */
import type { z } from 'zod';
import { AppError, type ErrorDetail } from '../errors.ts';
import {
  calendarSchema,
  documentSchema,
  entitySchema,
  functionSchema,
  permissionSchema,
  relationSchema,
  roleSchema,
  ruleSchema,
  slaSchema,
  stateMachineSchema,
  webhookSchema,
  workflowSchema,
  type SchemaDocument,
  type Section,
} from './document.ts';
import { readEntity } from './reading/entity.ts';
import { readFunction } from './reading/function.ts';
import { detailsOf } from './reading/issues.ts';
import { readPermissions, readRole } from './reading/permission.ts';
import { clean, isRaw, isUsed, listOf, mapRaw, Reading, withValue, type Raw } from './reading/reading.ts';
import { readRelation } from './reading/relation.ts';
import { readRule } from './reading/rule.ts';
import { readCalendar, readSla } from './reading/sla.ts';
import { readStateMachine } from './reading/state-machine.ts';
import { parseText } from './reading/text.ts';
import { readWebhook } from './reading/webhook.ts';
import { readWorkflow } from './reading/workflow.ts';

/** Sections the format has whose part is not built yet. */
const LATER_SECTIONS = ['views'] as const;
const LATER_SETTINGS = ['retention', 'quotas', 'plan'] as const;

const ITEM_SCHEMAS = {
  entities: entitySchema,
  relations: relationSchema,
  rules: ruleSchema,
  state_machines: stateMachineSchema,
  workflows: workflowSchema,
  calendars: calendarSchema,
  slas: slaSchema,
  permissions: permissionSchema,
  webhooks: webhookSchema,
  functions: functionSchema,
  roles: roleSchema,
} as const satisfies Record<Section, z.ZodType>;

/** Reads a whole document; throws VALIDATION_FAILED with every mistake, UNSUPPORTED when it is right but ahead of us. */
export function readDocument(input: unknown): SchemaDocument {
  const raw = unwrap(typeof input === 'string' ? parseText(input) : input);
  const reading = new Reading();
  const normal = readSections(reading, raw);
  const parsed = documentSchema.safeParse(normal);
  const details = parsed.success ? [] : detailsOf(parsed.error.issues, documentSchema, [], normal);
  throwMistakes(reading, details, 'The schema document');
  return parsed.data as SchemaDocument;
}

/** Reads one item of a section as the admin API takes it; `path` stands before the paths of mistakes. */
export function readItem<S extends Section>(section: S, input: unknown, path: string = section): SchemaDocument[S][number] {
  const reading = new Reading();
  const schema: z.ZodType = ITEM_SCHEMAS[section];
  const items = isRaw(input) ? readAs(reading, section, input, path) : [input];
  const [item] = items;
  if (items.length > 1)
    reading.reject(`${path}.action`, 'type', `${path}.action must be one action here; create one permission per action.`);
  const parsed = schema.safeParse(item);
  const details = parsed.success ? [] : detailsOf(parsed.error.issues, schema, [path], item);
  throwMistakes(reading, details, path);
  // The schema of a section parses to that section's type; the table above keeps the two together.
  return parsed.data as SchemaDocument[S][number];
}

function readAs(reading: Reading, section: Section, raw: Raw, path: string): unknown[] {
  switch (section) {
    case 'entities':
      return [readEntity(reading, raw, path)];
    case 'relations':
      return [readRelation(raw)];
    case 'rules':
      return [readRule(reading, raw, path)];
    case 'state_machines': {
      const { machine, webhooks } = readStateMachine(reading, raw, path);
      if (webhooks.length > 0)
        reading.refuse(`${path}.definition.transitions`, 'A webhook inside a transition (create a webhook with a condition instead); it');
      return [machine];
    }
    case 'workflows':
      return [readWorkflow(reading, raw, path)];
    case 'calendars':
      return [readCalendar(raw)];
    case 'slas':
      return [readSla(reading, raw, path)];
    case 'permissions':
      return readPermissions(reading, raw, path);
    case 'webhooks':
      return [readWebhook(reading, raw, path)];
    case 'functions':
      return [readFunction(reading, raw, path)];
    case 'roles':
      return [readRole(raw)];
  }
}

/** An answer of an export carries the document in `data`. */
function unwrap(input: unknown): Raw {
  const inner =
    isRaw(input) && isRaw(input['data']) && input['entities'] === undefined && input['version'] === undefined ? input['data'] : input;
  if (isRaw(inner)) return inner;
  throw new AppError('VALIDATION_FAILED', 'A schema document is an object with "version" and "entities".', {
    details: [{ path: '', rule: 'type', message: 'The schema document must be an object.' }],
  });
}

function readSections(reading: Reading, raw: Raw): Raw {
  // When it was exported says something about a file, nothing about the app: two exports of one version are the same document.
  const top = clean(raw, { drop: ['exported_at', ...LATER_SECTIONS, 'isolation'], rename: { schema_name: 'name' } });
  for (const section of LATER_SECTIONS) if (isUsed(raw[section])) reading.refuse(section, `The section "${section}"`);
  if (isUsed(raw['isolation']) && raw['isolation'] !== 'schema') reading.refuse('isolation', 'An isolation other than "schema"');
  const transitionWebhooks: Raw[] = [];
  const machines = mapRaw(top['state_machines'], 'state_machines', (item, path) => {
    const { machine, webhooks } = readStateMachine(reading, item, path);
    transitionWebhooks.push(...webhooks.map((hook) => readWebhook(reading, hook, path)));
    return machine;
  });
  const webhooks = mapRaw(top['webhooks'], 'webhooks', (item, path) => readWebhook(reading, item, path));
  return {
    ...top,
    ...withValue('version', top['version'] === '1' ? 1 : top['version']),
    ...withValue(
      'entities',
      mapRaw(top['entities'], 'entities', (item, path) => readEntity(reading, item, path)),
    ),
    ...withValue('relations', mapRaw(top['relations'], 'relations', readRelation)),
    ...withValue(
      'rules',
      mapRaw(top['rules'], 'rules', (item, path) => readRule(reading, item, path)),
    ),
    ...withValue('state_machines', machines),
    ...withValue(
      'workflows',
      mapRaw(top['workflows'], 'workflows', (item, path) => readWorkflow(reading, item, path)),
    ),
    ...withValue('calendars', mapRaw(top['calendars'], 'calendars', readCalendar)),
    ...withValue(
      'slas',
      mapRaw(top['slas'], 'slas', (item, path) => readSla(reading, item, path)),
    ),
    ...withValue('permissions', readPermissionSection(reading, top['permissions'])),
    ...withValue('webhooks', transitionWebhooks.length === 0 ? webhooks : [...listOf(webhooks), ...transitionWebhooks]),
    ...withValue(
      'functions',
      mapRaw(top['functions'], 'functions', (item, path) => readFunction(reading, item, path)),
    ),
    ...withValue('roles', Array.isArray(top['roles']) ? top['roles'].map(readRole) : top['roles']),
    ...withValue('settings', readSettings(reading, top['settings'])),
    ...withValue('ui_configs', readUiConfigs(top['ui_configs'])),
    ...withValue('sample_data', readSampleData(top['sample_data'], top['entities'], top['relations'])),
  };
}

function readPermissionSection(reading: Reading, permissions: unknown): unknown {
  const read = mapRaw(permissions, 'permissions', (item, path) => readPermissions(reading, item, path));
  return Array.isArray(read) ? read.flat() : read;
}

function readSettings(reading: Reading, settings: unknown): unknown {
  if (!isRaw(settings)) return settings;
  for (const key of LATER_SETTINGS) if (isUsed(settings[key])) reading.refuse(`settings.${key}`, `The setting "${key}"`);
  return clean(settings, { drop: LATER_SETTINGS });
}

/** A list stays as it is; a map of entities becomes a list that names them. */
const readUiConfigs = (configs: unknown): unknown =>
  isRaw(configs) ? Object.entries(configs).map(([entity, config]) => ({ entity, config })) : configs;

/** Keys may be the entity, its table, a join table or the relation behind it: stored by entity or join table. */
function readSampleData(sample: unknown, entities: unknown, relations: unknown): unknown {
  if (!isRaw(sample)) return sample;
  const names = new Map<string, string>();
  for (const relation of listOf(relations)) {
    if (!isRaw(relation) || typeof relation['name'] !== 'string') continue;
    if (typeof relation['join_table'] === 'string') names.set(relation['name'], relation['join_table']);
  }
  for (const entity of listOf(entities)) {
    if (!isRaw(entity) || typeof entity['name'] !== 'string') continue;
    const table = entity['table'] ?? entity['table_name'];
    if (typeof table === 'string') names.set(table, entity['name']);
  }
  for (const entity of listOf(entities)) if (isRaw(entity) && typeof entity['name'] === 'string') names.delete(entity['name']);
  const read: Record<string, unknown> = {};
  for (const [key, rows] of Object.entries(sample)) {
    const name = names.get(key) ?? key;
    if (rows !== null)
      Object.defineProperty(read, name, { value: [...listOf(read[name]), ...listOf(rows)], enumerable: true, configurable: true });
  }
  return read;
}

function throwMistakes(reading: Reading, found: readonly ErrorDetail[], what: string): void {
  const blocked = reading.unsupported.map((detail) => itemOf(detail.path ?? ''));
  const own = found.filter((detail) => reading.unsupported.length === 0 || !blocked.some((item) => isWithin(detail.path ?? '', item)));
  const mistakes = [...own, ...reading.mistakes];
  if (mistakes.length > 0) {
    const details = [...mistakes, ...reading.unsupported];
    throw new AppError(
      'VALIDATION_FAILED',
      `${what} has ${String(details.length)} mistake${details.length === 1 ? '' : 's'}: ${details[0]?.message ?? ''}`,
      { details },
    );
  }
  if (reading.unsupported.length > 0) {
    throw new AppError('UNSUPPORTED', reading.unsupported.map((detail) => `${detail.path ?? ''}: ${detail.message}`).join(' '), {
      details: reading.unsupported,
      hint: 'Remove these parts from the document; everything else can be imported.',
    });
  }
}

/** What is unsupported makes its whole item unreadable: further complaints about that item would mislead. */
const itemOf = (path: string): string => path.split('.').slice(0, 2).join('.');
const isWithin = (path: string, item: string): boolean => path === item || path.startsWith(`${item}.`);
