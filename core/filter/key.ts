/** Addressing one record: by its key, or by its slug where the entity has one. */
import { coerceOperand, valueFromText } from '../model/field-types.ts';
import { isUuid } from '../model/fields/uuid.ts';
import type { EntityModel } from '../model/model.ts';
import { COLUMN_TYPES } from '../sql/columns.ts';
import { and, id, or, sql, value, type Sql } from '../sql/sql.ts';

/**
 * The condition that finds the record a path names; undefined when no record can have that name. A compound key is its
 * parts joined by commas. A text that looks like a UUID is an id, never a slug, where keys are UUIDs.
 * `mayUseSlug` is false for callers who may not read the slug.
 */
export function keyCondition(entity: EntityModel, alias: string, idOrSlug: string, mayUseSlug = true): Sql | undefined {
  if (idOrSlug === '' || /[\0\p{Surrogate}]/u.test(idOrSlug)) return undefined;
  const byKey = keyEquals(entity, alias, idOrSlug);
  const slug = mayUseSlug ? entity.slugField : undefined;
  const isCertainlyKey = byKey !== undefined && (entity.keyType !== 'string' || isUuid(idOrSlug));
  if (slug === undefined || isCertainlyKey) return byKey;
  const bySlug = sql`${id(alias, slug.column)} = ${value(idOrSlug, 'text')}`;
  return byKey === undefined ? bySlug : or([byKey, bySlug]);
}

function keyEquals(entity: EntityModel, alias: string, text: string): Sql | undefined {
  const parts = entity.key.length === 1 ? [text] : text.split(',');
  if (parts.length !== entity.key.length) return undefined;
  const conditions: Sql[] = [];
  for (const [index, field] of entity.key.entries()) {
    const read = coerceOperand(field, valueFromText(field, parts[index] ?? ''));
    if (!read.ok || read.value === null) return undefined;
    conditions.push(sql`${id(alias, field.column)} = ${value(read.value, COLUMN_TYPES[field.type])}`);
  }
  return and(conditions);
}
