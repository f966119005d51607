/** Finding one record by what stands in a path: its key, the parts of a compound key joined by commas, or its slug. */
import { AppError } from '../../core/errors.ts';
import { coerceValue } from '../../core/model/field-types.ts';
import { DELETED_COLUMN, type EntityModel } from '../../core/model/model.ts';
import { COLUMN_TYPES } from '../../core/sql/columns.ts';
import { and, id, sql, value, type Sql } from '../../core/sql/sql.ts';

export const notFound = (entity: EntityModel, recordId: string): AppError =>
  new AppError('NOT_FOUND', `There is no ${entity.name} "${recordId.slice(0, 100)}".`);

/** The condition that names the record, or undefined when the text cannot be a key or slug of this entity. */
export function recordCondition(entity: EntityModel, storage: string, alias: string, recordId: string): Sql | undefined {
  if (recordId.includes('\0')) return undefined;
  const byKey = keyCondition(entity, alias, recordId);
  const { slugField } = entity;
  if (slugField === undefined) return byKey;
  const bySlug = sql`${id(alias, slugField.column)} = ${value(recordId, 'text')}`;
  if (byKey === undefined) return bySlug;
  // A uuid or a number in the place of the id is always the id; only text keys share their form with slugs.
  if (entity.keyType !== 'string') return byKey;
  const other = keyCondition(entity, '_k', recordId) ?? bySlug;
  return sql`(${byKey} or (${bySlug} and not exists (select 1 from ${id(storage, entity.rows)} "_k" where ${other})))`;
}

/** The condition on the key alone. */
export function keyCondition(entity: EntityModel, alias: string, recordId: string): Sql | undefined {
  const parts = entity.key.length === 1 ? [recordId] : recordId.split(',');
  if (parts.length !== entity.key.length) return undefined;
  const conditions: Sql[] = [];
  for (const [index, field] of entity.key.entries()) {
    const text = parts[index] ?? '';
    const coerced = coerceValue(field, field.type === 'int' ? wholeNumber(text) : text);
    if (!coerced.ok || coerced.value === null) return undefined;
    conditions.push(sql`${id(alias, field.column)} = ${value(coerced.value, COLUMN_TYPES[field.type])}`);
  }
  return and(conditions);
}

const wholeNumber = (text: string): unknown => (/^-?\d{1,15}$/.test(text) ? Number(text) : text);

/** True for rows that are not soft-deleted. */
export const isLive = (entity: EntityModel, alias: string): Sql | undefined =>
  entity.hasSoftDelete ? sql`${id(alias, DELETED_COLUMN)} is null` : undefined;

/**
 * The versions an If-Match header accepts; undefined when it takes any. A weak tag counts as its strong one: proxies that
 * compress answers weaken our tags. A record's tag begins with its version, and what follows tells how it looked.
 */
export function versionsOf(ifMatch: string | undefined): readonly string[] | undefined {
  if (ifMatch === undefined) return undefined;
  const tags = ifMatch.split(',').map((tag) => tag.trim());
  if (tags.includes('*')) return undefined;
  // Something else than one of our ETags matches no version at all.
  return tags.flatMap((tag) => /^(?:W\/)?("?)(\d{1,18})(?:-[\w-]{1,22})?\1$/.exec(tag)?.[2] ?? []);
}
