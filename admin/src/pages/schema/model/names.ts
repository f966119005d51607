/** Names in a document: which are free, and every place that says one when it changes. */
import { entitiesOf, relationsOf, type DocumentInput, type EntityInput, type FieldInput } from '../../../document/types.ts';

export const NAME = /^[a-z][a-z0-9_]{0,62}$/;

/** What somebody typed as the name it can only have meant: `Due date` is `due_date`. */
export const asName = (typed: string): string =>
  typed
    .trim()
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^[^a-z]+|_+$/g, '')
    .slice(0, 63);

/** `wanted`, or with a number behind it where that is taken. */
export function freeName(wanted: string, taken: readonly string[]): string {
  if (!taken.includes(wanted)) return wanted;
  let count = 2;
  while (taken.includes(`${wanted}_${count}`)) count += 1;
  return `${wanted}_${count}`;
}

/** The column as rules and filters say it: a relation's field is called by its key. */
export const keyName = ({ name, type }: Pick<FieldInput, 'name' | 'type'>): string =>
  type === 'relation' && !name.endsWith('_id') ? `${name}_id` : name;

type Raw = Readonly<Record<string, unknown>>;
const isRaw = (value: unknown): value is Raw => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Sections whose items belong to an entity. */
const ABOUT_ENTITIES = ['rules', 'state_machines', 'workflows', 'slas', 'permissions', 'webhooks', 'functions', 'ui_configs'] as const;
/** What a person or a record gives as values: no names of the schema in there. */
const VALUES = new Set(['fields', 'context', 'params', 'value', 'body', 'data', 'presets', 'headers', 'tests', 'input']);

/** A copy in which members are what `change` says; the same object where nothing changed. */
function mapped(value: unknown, change: (key: string, member: unknown, owner: Raw) => unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => mapped(item, change));
    return items.some((item, at) => item !== value[at]) ? items : value;
  }
  if (!isRaw(value)) return value;
  let isChanged = false;
  const members = Object.entries(value).map(([key, member]) => {
    const said = change(key, member, value);
    const next = said === member && !VALUES.has(key) ? mapped(member, change) : said;
    if (next !== member) isChanged = true;
    return [key, next] as const;
  });
  return isChanged ? Object.fromEntries(members) : value;
}

function mappedSections(document: DocumentInput, change: (item: unknown) => unknown): DocumentInput {
  const sections = ABOUT_ENTITIES.flatMap((section) => {
    const items = document[section] as readonly unknown[] | undefined;
    if (items === undefined) return [];
    const next = items.map(change);
    return next.some((item, at) => item !== items[at]) ? [[section, next] as const] : [];
  });
  return sections.length === 0 ? document : { ...document, ...Object.fromEntries(sections) };
}

/** Everything that says the entity's name says the new one; the entity itself is the caller's. */
export function withEntityCalled(document: DocumentInput, from: string, to: string): DocumentInput {
  const renamed = mappedSections(document, (item) => mapped(item, (key, member) => (key === 'entity' && member === from ? to : member)));
  const { sample_data: rows } = document;
  return {
    ...renamed,
    entities: entitiesOf(document).map((entity) => {
      const fields = entity.fields.map((field) => (field.target === from ? { ...field, target: to } : field));
      return fields.some((field, at) => field !== entity.fields[at]) ? { ...entity, fields } : entity;
    }),
    ...(document.relations === undefined
      ? {}
      : {
          relations: relationsOf(document).map((relation) =>
            relation.source !== from && relation.target !== from
              ? relation
              : {
                  ...relation,
                  source: relation.source === from ? to : relation.source,
                  target: relation.target === from ? to : relation.target,
                },
          ),
        }),
    ...(rows?.[from] === undefined
      ? {}
      : { sample_data: Object.fromEntries(Object.entries(rows).map(([name, list]) => [name === from ? to : name, list])) }),
  };
}

const EXPRESSIONS = new Set([
  'expression',
  'condition',
  'guard',
  'when',
  'start',
  'pause',
  'resume',
  'stop',
  'reset',
  'computed',
  'target',
]);

/** `record.total` in an expression; inside brackets and behind variables nobody can say whose a name is, so those are left. */
const inExpression = (text: string, from: string, to: string): string =>
  text.replace(new RegExp(`(?<![\\w.$])((?:record|old)\\.)${from}(?![\\w])`, 'g'), `$1${to}`);

/** What an item of a section about the entity says of its fields. */
const saysField = (key: string, member: unknown, from: string, to: string): unknown => {
  if ((key === 'field' || key === 'into' || key === 'scope_field') && member === from) return to;
  if (EXPRESSIONS.has(key) && typeof member === 'string') return inExpression(member, from, to);
  if (key === 'presets' && isRaw(member)) return withKey(member, from, to);
  if (key !== 'fields') return member;
  if (Array.isArray(member)) return renamedIn(member, from, to);
  if (!isRaw(member)) return member;
  // `fields: {read: [...], write: [...]}` of a permission, or the values that an action sets.
  const lists = Object.entries(member).map(([name, list]) => [name, Array.isArray(list) ? renamedIn(list, from, to) : list] as const);
  const isPermission = 'read' in member || 'write' in member;
  return isPermission ? Object.fromEntries(lists) : withKey(member, from, to);
};

function renamedIn(list: readonly unknown[], from: string, to: string): readonly unknown[] {
  return list.includes(from) ? list.map((name) => (name === from ? to : name)) : list;
}

function withKey(values: Raw, from: string, to: string): Raw {
  return from in values ? Object.fromEntries(Object.entries(values).map(([key, value]) => [key === from ? to : key, value])) : values;
}

/** Everything that says the field's name says the new one, its own entity's options included; the field itself is the caller's. */
export function withFieldCalled(document: DocumentInput, entity: string, from: string, to: string): DocumentInput {
  const renamed = mappedSections(document, (item) => {
    if (!isRaw(item) || entityOf(item) !== entity) return item;
    return mapped(item, (key, member, owner) =>
      typeof owner['entity'] === 'string' && owner !== item && owner['entity'] !== entity ? member : saysField(key, member, from, to),
    );
  });
  return {
    ...renamed,
    entities: entitiesOf(document).map((one) =>
      one.name === entity ? entityWithFieldCalled(one, from, to) : referring(one, entity, from, to),
    ),
    ...(document.relations === undefined
      ? {}
      : {
          relations: relationsOf(document).map((relation) => {
            const next = {
              ...relation,
              ...(relation.target === entity && relation.target_key === from ? { target_key: to } : {}),
              ...(relation.source === entity && relation.source_key === from ? { source_key: to } : {}),
            };
            return next.target_key === relation.target_key && next.source_key === relation.source_key ? relation : next;
          }),
        }),
  };
}

/** A workflow is about the entity of its trigger. */
function entityOf(item: Raw): unknown {
  const trigger = item['trigger'];
  return item['entity'] ?? (isRaw(trigger) ? trigger['entity'] : undefined);
}

function entityWithFieldCalled(entity: EntityInput, from: string, to: string): EntityInput {
  const list = (names: string[]): string[] => names.map((name) => (name === from ? to : name));
  const { primary_key: key, slug, indexes, unique } = entity;
  return {
    ...entity,
    ...(entity.display_field === from ? { display_field: to } : {}),
    ...(slug === undefined
      ? {}
      : { slug: { ...slug, ...(slug.field === from ? { field: to } : {}), ...(slug.source === from ? { source: to } : {}) } }),
    ...(key === undefined
      ? {}
      : {
          primary_key: {
            ...key,
            ...(key.field === from ? { field: to } : {}),
            ...(key.fields?.includes(from) === true ? { fields: list(key.fields) } : {}),
          },
        }),
    ...(indexes === undefined ? {} : { indexes: indexes.map((index) => ({ ...index, fields: list(index.fields) })) }),
    ...(unique === undefined ? {} : { unique: unique.map(list) }),
    fields: entity.fields.map((field) =>
      field.computed === undefined ? field : { ...field, computed: inExpression(field.computed, from, to) },
    ),
  };
}

/** A field of another entity that holds the value of this one. */
const referring = (other: EntityInput, entity: string, from: string, to: string): EntityInput => {
  const fields = other.fields.map((field) =>
    field.target === entity && field.target_field === from ? { ...field, target_field: to } : field,
  );
  return fields.some((field, at) => field !== other.fields[at]) ? { ...other, fields } : other;
};

/** What goes with an entity: it could not stand without it. */
export interface Dependents {
  readonly relations: readonly string[];
  readonly fields: readonly string[];
  /** By section: how many. */
  readonly items: Readonly<Partial<Record<(typeof ABOUT_ENTITIES)[number], number>>>;
}

const isAbout = (item: unknown, entity: string): boolean => isRaw(item) && entityOf(item) === entity;

export function dependentsOf(document: DocumentInput, entity: string): Dependents {
  return {
    relations: relationsOf(document)
      .filter(({ source, target }) => source === entity || target === entity)
      .map(({ name }) => name),
    fields: entitiesOf(document)
      .filter(({ name }) => name !== entity)
      .flatMap((other) => other.fields.filter(({ target }) => target === entity).map((field) => `${other.name}.${field.name}`)),
    items: Object.fromEntries(
      ABOUT_ENTITIES.flatMap((section) => {
        const count = ((document[section] ?? []) as readonly unknown[]).filter((item) => isAbout(item, entity)).length;
        return count === 0 ? [] : [[section, count]];
      }),
    ),
  };
}

/** Without the entity and all that depends on it. */
export function withoutEntity(document: DocumentInput, entity: string): DocumentInput {
  const sections = ABOUT_ENTITIES.flatMap((section) => {
    const items = document[section] as readonly unknown[] | undefined;
    return items === undefined ? [] : [[section, items.filter((item) => !isAbout(item, entity))] as const];
  });
  return {
    ...document,
    ...Object.fromEntries(sections),
    entities: entitiesOf(document)
      .filter(({ name }) => name !== entity)
      .map((other) => ({ ...other, fields: other.fields.filter(({ target }) => target !== entity) })),
    ...(document.relations === undefined
      ? {}
      : { relations: relationsOf(document).filter(({ source, target }) => source !== entity && target !== entity) }),
  };
}
