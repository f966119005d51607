/** Checks of entities, fields and their keys. */
import type { EntityDefinition, FieldDefinition } from '../document.ts';
import { fieldKind } from '../field-types.ts';
import { DELETED_COLUMN, fieldName, joinOf, VERSION_COLUMN, type StoredType } from '../model.ts';
import { reviewReferenced } from './relations.ts';
import type { Review } from './review.ts';

/** First path segments of the API: an entity of a default app stands at the same place. */
export const RESERVED_ENTITIES = ['auth', 'projects', 'v1', 'platform', 'health', 'metrics', 'admin', 'temporal'];
/** Columns Postgres or the engine keeps on every table. */
const RESERVED_FIELDS = [VERSION_COLUMN, DELETED_COLUMN, 'ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid'];
const TEXT_TYPES: readonly string[] = ['string', 'text'];
const SEARCHABLE_TYPES: readonly string[] = ['string', 'text', 'email', 'url', 'enum'];
const AUTO_TYPES: readonly string[] = ['timestamp', 'date', 'time'];

export function reviewEntities(review: Review): void {
  const { entities } = review.document;
  review.unique(
    entities.map(({ name }, index) => ({ name, path: `entities.${String(index)}.name` })),
    'the entity name',
  );
  review.unique(tablesOf(review), 'the table name');
  entities.forEach((entity, index) => {
    const path = `entities.${String(index)}`;
    if (RESERVED_ENTITIES.includes(entity.name)) {
      review.error(
        `${path}.name`,
        'reserved',
        `"${entity.name}" is a reserved word and cannot be the name of an entity; "${entity.name}_item" could.`,
      );
    }
    reviewFields(review, entity, path);
    reviewKey(review, entity, path);
    reviewSlug(review, entity, path);
    reviewNamedFields(review, entity, path);
    const { comments } = entity;
    if (Array.isArray(comments)) for (const role of comments) review.expectRole(`${path}.comments`, role, `Comments of "${entity.name}"`);
  });
}

function tablesOf(review: Review): { name: string; path: string }[] {
  const { entities, relations } = review.document;
  return [
    ...entities.map((entity, index) => ({ name: entity.table ?? entity.name, path: `entities.${String(index)}.table` })),
    ...relations.flatMap((relation, index) =>
      relation.type === 'many_to_many'
        ? [{ name: joinOf(relation, relation.source, relation.target).table, path: `relations.${String(index)}.join_table` }]
        : [],
    ),
  ];
}

function reviewFields(review: Review, entity: EntityDefinition, path: string): void {
  const columns = entity.fields.map((field, index) => ({
    name: fieldName(field),
    path: `${path}.fields.${String(index)}.name`,
  }));
  review.unique(columns, `the field name of ${entity.name}`);
  const stored = entity.fields.map((field, index) => ({
    name: field.column ?? fieldName(field),
    path: `${path}.fields.${String(index)}.column`,
  }));
  review.unique(stored, `the column of ${entity.name}`);
  entity.fields.forEach((field, index) => {
    const at = `${path}.fields.${String(index)}`;
    if (RESERVED_FIELDS.includes(field.name)) {
      review.error(`${at}.name`, 'reserved', `"${field.name}" is a system column and cannot be a field of ${entity.name}.`);
    }
    if (field.type === 'relation') reviewRelationField(review, field, at);
    else reviewField(review, field, at, field.type);
  });
}

function reviewRelationField(review: Review, field: FieldDefinition, path: string): void {
  if (field.target === undefined) {
    review.error(`${path}.target`, 'required', `${path}: a field of type relation needs "target", the entity it points at.`);
  } else if (review.requireEntity(`${path}.target`, field.target) && field.target_field !== undefined) {
    reviewReferenced(review, field.target, field.target_field, `${path}.target_field`);
  }
  if (field.on_delete === 'set_null' && field.required) {
    review.error(
      `${path}.on_delete`,
      'conflict',
      `${path}: set_null cannot empty a required field; use restrict or cascade, or make it optional.`,
    );
  }
}

function reviewField(review: Review, field: FieldDefinition, path: string, type: StoredType): void {
  const { min, max, min_length: minLength, max_length: maxLength } = field;
  if (type === 'enum' && field.enum === undefined)
    review.error(`${path}.enum`, 'required', `${path}: a field of type enum needs "enum", the list of its values.`);
  if (field.target !== undefined || field.target_field !== undefined || field.on_delete !== undefined) {
    review.error(
      `${path}.target`,
      'conflict',
      `${path}: "target", "target_field" and "on_delete" belong to a field of type relation; this one is ${type}.`,
    );
  }
  if (min !== undefined && max !== undefined && Number(min) > Number(max))
    review.error(`${path}.min`, 'conflict', `${path}: min is above max, so no value fits.`);
  if (minLength !== undefined && maxLength !== undefined && minLength > maxLength) {
    review.error(`${path}.min_length`, 'conflict', `${path}: min_length is above max_length, so no text fits.`);
  }
  if (field.pattern !== undefined) review.pattern(`${path}.pattern`, field.pattern);
  if (field.auto !== undefined && !AUTO_TYPES.includes(type)) {
    review.error(`${path}.auto`, 'conflict', `${path}: "auto" stamps a timestamp, date or time; this field is ${type}.`);
  }
  if (field.computed !== undefined) review.expression(`${path}.computed`, field.computed);
  reviewDefault(review, field, path, type);
}

function reviewDefault(review: Review, field: FieldDefinition, path: string, type: StoredType): void {
  if (field.default === undefined || field.default === null) return;
  // A pattern that does not compile is reported by itself.
  const { pattern: _pattern, ...definition } = field;
  const coerced = fieldKind(type).coerce({ name: field.name, definition }, field.default);
  if (!coerced.ok) review.error(`${path}.default`, coerced.rule, `${path}.default does not fit its own field: ${coerced.message}.`);
}

function reviewKey(review: Review, entity: EntityDefinition, path: string): void {
  const key = entity.primary_key;
  if (key === undefined) return;
  const names = key.fields ?? [key.field ?? 'id'];
  const isAlone = names.length === 1;
  for (const name of names) {
    const field = entity.fields.find((candidate) => candidate.name === name);
    if (field === undefined && !(isAlone && name === 'id')) {
      review.error(
        `${path}.primary_key`,
        'unknown_field',
        `${path}.primary_key names "${name}", which is not among the fields of ${entity.name}.`,
      );
    }
    const isText = field !== undefined && key.type === 'string' && ['string', 'text', 'email', 'url', 'enum'].includes(field.type);
    if (field !== undefined && isAlone && field.type !== key.type && !isText) {
      review.error(
        `${path}.primary_key.type`,
        'type',
        `${path}: the key "${name}" is declared ${key.type} but its field is ${field.type}.`,
      );
    }
  }
  if (key.generated && (key.type === 'string' || !isAlone)) {
    review.error(
      `${path}.primary_key.generated`,
      'conflict',
      `${path}: only a single key of type uuid, int or bigint can be generated; say "generated": false.`,
    );
  }
}

function reviewSlug(review: Review, entity: EntityDefinition, path: string): void {
  if (entity.slug === undefined) return;
  const field = entity.fields.find((candidate) => candidate.name === entity.slug?.field);
  if (field === undefined) {
    review.requireField(`${path}.slug.field`, entity.name, entity.slug.field);
  } else {
    if (!TEXT_TYPES.includes(field.type))
      review.error(`${path}.slug.field`, 'type', `${path}: the slug field "${field.name}" must be of type string.`);
    if (!field.unique)
      review.error(
        `${path}.slug.field`,
        'unique',
        `${path}: the slug field "${field.name}" must be unique, since it stands in place of the id.`,
      );
  }
  if (entity.slug.source !== undefined) review.requireField(`${path}.slug.source`, entity.name, entity.slug.source);
}

function reviewNamedFields(review: Review, entity: EntityDefinition, path: string): void {
  if (entity.display_field !== undefined) review.requireField(`${path}.display_field`, entity.name, entity.display_field);
  entity.indexes.forEach((index, at) => {
    const place = `${path}.indexes.${String(at)}`;
    for (const field of index.fields) review.requireField(`${place}.fields`, entity.name, field);
    if (index.type === 'fulltext') reviewFulltext(review, entity, index, place);
  });
  entity.unique.forEach((group, at) => {
    for (const field of group) review.requireField(`${path}.unique.${String(at)}`, entity.name, field);
  });
}

/** A foreign key, or a key the entity does not declare as a field, is no text either. */
function reviewFulltext(review: Review, entity: EntityDefinition, index: EntityDefinition['indexes'][number], place: string): void {
  if (index.unique) review.error(`${place}.unique`, 'unique', `${place}: a full-text index cannot be unique.`);
  for (const name of index.fields) {
    const type = entity.fields.find((field) => field.name === name)?.type;
    if (type !== undefined && SEARCHABLE_TYPES.includes(type)) continue;
    if (type === undefined && review.fieldsOf(entity.name)?.has(name) !== true) continue;
    review.error(`${place}.fields`, 'type', `${place}: "${name}" is no text; a full-text index takes ${SEARCHABLE_TYPES.join(', ')}.`);
  }
}
