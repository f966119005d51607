/** What a document says of an entity's key. */
import type { EntityDefinition, FieldDefinition } from '../../model/document.ts';
import { fieldName } from '../../model/model.ts';

export const keyOf = (entity: EntityDefinition) => ({
  fields: entity.primary_key?.fields ?? [entity.primary_key?.field ?? 'id'],
  type: entity.primary_key?.type ?? 'uuid',
  generated: entity.primary_key?.generated ?? true,
});

/** Where a single key is stored, whether or not its field is declared. */
export function keyColumnOf(entity: EntityDefinition): string | undefined {
  const [name, more] = keyOf(entity).fields;
  if (name === undefined || more !== undefined) return undefined;
  const field = entity.fields.find((one) => one.name === name);
  return field === undefined ? name : columnOf(field);
}

export const columnOf = (field: FieldDefinition): string => field.column ?? fieldName(field);
