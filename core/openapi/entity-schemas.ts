/** The schemas of one entity: what reads answer, what writes take, and the conditions its lists understand. */
import type { EntityModel, FieldModel } from '../model/model.ts';
import { COMPARED_TEXT, isNeeded, operandList, operandSchema, readSchema, writeSchema } from './field-schema.ts';
import { arrayOf, compact, nullable, objectOf, ref, type JsonObject, type Schema } from './json.ts';
import type { AppView, EntityView, RelationView } from './view.ts';

/** Names of components; an entity's name is lower case, so that they never meet our own (`Error`, `Run`). */
export const schemaName = (entity: string, part?: 'selection' | 'create' | 'update' | 'nested' | 'filter' | 'query' | 'include'): string =>
  part === undefined ? entity : `${entity}.${part}`;

export function entitySchemas(app: AppView, view: EntityView): Record<string, Schema> {
  const { entity, can } = view;
  const { name } = entity;
  const canWrite = can.create || can.update;
  return {
    ...(can.read || canWrite ? { [schemaName(name)]: recordSchema(app, view) } : {}),
    ...(can.read
      ? { [schemaName(name, 'selection')]: selectionSchema(app, view), [schemaName(name, 'filter')]: filterSchema(app, view) }
      : {}),
    ...(can.create ? { [schemaName(name, 'create')]: createSchema(view) } : {}),
    ...(can.update ? { [schemaName(name, 'update')]: updateSchema(view) } : {}),
    ...(canWrite || can.delete ? { [schemaName(name, 'nested')]: nestedSchema(view) } : {}),
  };
}

/** A whole record, as creates and updates answer it. */
function recordSchema(app: AppView, view: EntityView): Schema {
  const { entity } = view;
  const fields = view.fields.length > 0 ? view.fields : entity.key;
  const always = fields.filter((field) => !view.conditional.has(field.name)).map((field) => field.name);
  return compact({
    ...objectOf(Object.fromEntries(fields.map((field) => [field.name, readSchema(field, app.model.settings)])), always),
    description: entity.definition.description,
  });
}

/** A record as lists and single reads answer it: `fields` leaves parts out, `include` puts related records in. */
function selectionSchema(app: AppView, view: EntityView): Schema {
  const { entity, fields, relations } = view;
  const properties: Record<string, Schema> = Object.fromEntries(fields.map((field) => [field.name, readSchema(field, app.model.settings)]));
  for (const relation of relations) {
    for (const name of relation.end.names) properties[name] = relatedSchema(relation, entity.fields.get(name), properties[name]);
  }
  if (app.isAdmin && entity.hasSoftDelete) properties['deleted_at'] ??= { type: ['string', 'null'], format: 'date-time' };
  return objectOf(properties);
}

function relatedSchema({ end, target }: RelationView, field: FieldModel | undefined, own: Schema | undefined): Schema {
  const one = ref('schemas', schemaName(target.name, 'selection'));
  const related: Schema = end.cardinality === 'many' ? arrayOf(one) : { anyOf: [one, { type: 'null' }] };
  return field === undefined || own === undefined ? related : { anyOf: [own, related] };
}

function createSchema(view: EntityView): Schema {
  const { entity, creatable, presets } = view;
  return objectOf(
    { ...written(entity, creatable), ...nestedParts(view) },
    creatable.filter((field) => isNeeded(entity, field, presets)).map((field) => field.name),
  );
}

const updateSchema = (view: EntityView): Schema => ({
  ...objectOf({ ...written(view.entity, view.updatable), ...nestedParts(view) }),
  description: 'Only what is given is changed.',
});

/** A row nested under its parent: with its key an update, without one a create, with `_delete` a delete. */
function nestedSchema(view: EntityView): Schema {
  const { entity } = view;
  const fields = new Map([...view.creatable, ...view.updatable, ...entity.key].map((field) => [field.name, field]));
  return objectOf({ ...written(entity, [...fields.values()]), ...nestedParts(view), _delete: { type: 'boolean' } });
}

const written = (entity: EntityModel, fields: readonly FieldModel[]): Record<string, Schema> =>
  Object.fromEntries(fields.map((field) => [field.name, writeSchema(entity, field)]));

const MAX_NESTED_ROWS = 1000;

function nestedParts(view: EntityView): Record<string, Schema> {
  const parts: Record<string, Schema> = {};
  for (const { end, target } of view.nestable) {
    if (view.entity.fields.has(end.name)) continue;
    const row = end.direction === 'link' ? linkSchema(target) : ref('schemas', schemaName(target.name, 'nested'));
    const rows = arrayOf(row, { maxItems: MAX_NESTED_ROWS });
    const wrapped = objectOf({ _write_mode: { type: 'string', enum: ['diff', 'replace', 'append'], default: end.writeMode }, data: rows }, [
      'data',
    ]);
    parts[end.name] =
      end.cardinality === 'many'
        ? { anyOf: [rows, wrapped] }
        : {
            anyOf: [
              row,
              { ...rows, maxItems: 1 },
              objectOf({ ...(wrapped['properties'] as JsonObject as Record<string, Schema>), data: { ...rows, maxItems: 1 } }, ['data']),
              { type: 'null' },
            ],
          };
  }
  return parts;
}

/** A link of a many-to-many: the key of an existing record. */
function linkSchema(target: EntityModel): Schema {
  const [key] = target.key;
  const keySchema: Schema = key === undefined ? { type: 'string' } : writeSchema(target, { ...key, required: true });
  return { anyOf: [keySchema, objectOf({ [key?.name ?? 'id']: keySchema, _delete: { type: 'boolean' } }, [key?.name ?? 'id'])] };
}

// --- conditions ----------------------------------------------------------------------------------------------------

interface Comparable {
  readonly path: string;
  readonly field: FieldModel;
}

/** A tree of conditions: leaves by the type of their field, so that a value that cannot be compared is seen before it is sent. */
function filterSchema(app: AppView, view: EntityView): Schema {
  const self = ref('schemas', schemaName(view.entity.name, 'filter'));
  const branch = (name: 'and' | 'or'): Schema => objectOf({ [name]: arrayOf(self) }, [name]);
  const none = { ...objectOf({}), description: 'No condition.' };
  return { anyOf: [...leaves(comparables(app, view)), branch('and'), branch('or'), objectOf({ not: self }, ['not']), none] };
}

/** Own fields, and fields of the records one hop away. */
function comparables(app: AppView, view: EntityView): Comparable[] {
  const own = view.fields.map((field): Comparable => ({ path: field.name, field }));
  const near = view.relations.flatMap(({ end, target }) =>
    view.entity.fields.has(end.name)
      ? []
      : (app.entities.get(target.name)?.fields ?? []).map((field): Comparable => ({ path: `${end.name}.${field.name}`, field })),
  );
  return [...own, ...near];
}

function leaves(all: readonly Comparable[]): Schema[] {
  const groups = new Map<string, Comparable[]>();
  for (const comparable of all) {
    // Fields that compare with the same values share their leaves.
    const key = JSON.stringify([comparable.field.type, operandSchema(comparable.field)]);
    groups.set(key, [...(groups.get(key) ?? []), comparable]);
  }
  return [...groups.values()].flatMap((group) => leavesOf(group)).concat(emptyLeaf(all));
}

const ORDERED = ['gt', 'gte', 'lt', 'lte'] as const;
const IN_TEXT = ['contains', 'icontains', 'starts_with', 'ends_with'] as const;
const PATTERNS = ['like', 'ilike'] as const;

function leavesOf(group: readonly Comparable[]): Schema[] {
  const first = group[0];
  if (first === undefined) return [];
  const { field } = first;
  const paths = group.map(({ path }) => path);
  const leaf = (operators: readonly string[], value: Schema): Schema => {
    const hasDefault = operators[0] === 'eq';
    const named: Schema = { type: 'string', enum: operators };
    const op: Schema = hasDefault ? { ...nullable(named), default: 'eq' } : named;
    // Equal to nothing at all is null.
    const required = hasDefault ? ['field'] : ['field', 'op', 'value'];
    return objectOf({ field: { type: 'string', enum: paths }, op, value }, required);
  };
  const value = operandSchema(field);
  if (field.type === 'json') return [leaf(['eq', 'neq'], nullable(jsonOperand)), leaf(['contains'], jsonOperand)];
  const isText = TEXTS.has(field.type);
  const isOrdered = isText || !UNORDERED.has(field.type);
  const text = COMPARED_TEXT;
  return [
    leaf(['eq', 'neq'], nullable(value)),
    ...(isOrdered ? [leaf(ORDERED, value)] : []),
    // A single value, and the comma list of a query string, are taken too.
    leaf(['in', 'not_in'], { anyOf: [operandList(field), value, { type: 'string', const: '' }] }),
    ...(isOrdered ? [leaf(['between'], { ...arrayOf(value), minItems: 2, maxItems: 2 })] : []),
    ...(isText ? [leaf(IN_TEXT, text), leaf(PATTERNS, { ...text, pattern: '^([^\\\\\\u0000]|\\\\[^\\u0000])*$' })] : []),
  ];
}

const jsonOperand: Schema = { type: ['string', 'number', 'boolean', 'object', 'array'], pattern: '^[^\\u0000]*$' };

const TEXTS: ReadonlySet<string> = new Set(['string', 'text', 'email', 'url', 'enum']);
const UNORDERED: ReadonlySet<string> = new Set(['boolean', 'uuid', 'file', 'json']);

const emptyLeaf = (all: readonly Comparable[]): Schema[] =>
  all.length === 0
    ? []
    : [
        objectOf(
          {
            field: { type: 'string', enum: all.map(({ path }) => path) },
            op: { type: 'string', enum: ['is_null', 'not_null', 'is_empty'] },
            value: { type: ['boolean', 'null'], default: true },
          },
          ['field', 'op'],
        ),
      ];

/** The operators that have a query parameter of their own; all others go through the tree. */
export function parameterOperators(field: FieldModel): readonly string[] {
  if (field.type === 'json') return ['is_null'];
  if (TEXTS.has(field.type)) return ['eq', 'neq', 'in', 'contains', 'icontains', 'starts_with', 'is_null'];
  if (UNORDERED.has(field.type)) return ['eq', 'neq', 'in', 'is_null'];
  return ['eq', 'neq', 'gt', 'gte', 'lt', 'lte', 'in', 'is_null'];
}
