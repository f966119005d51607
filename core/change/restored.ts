/**
 * A field that comes back with its values, by a rollback mostly. Where it is required, clients of the version without it leave it out:
 * unlike a new one, of which there may be no records, it has clients to be served beside it.
 */
import type { AppModel } from '../model/model.ts';
import type { Change, Held } from './change.ts';

export function withRestored(changes: readonly Change[], next: AppModel, held: readonly Held[]): Change[] {
  return changes.map((change) => {
    const entity = change.kind === 'add_field' ? next.entities.get(change.entity ?? '') : undefined;
    const field = entity?.fields.get(change.field ?? '') ?? entity?.fields.get(`${change.field ?? ''}_id`);
    if (entity === undefined || field === undefined || !field.required || field.definition.default !== undefined) return change;
    if (!held.some(({ table, column }) => table === entity.table && column === field.column)) return change;
    return {
      ...change,
      class: 'breaking',
      message: `Field "${entity.name}.${field.name}" comes back with its values and is required; clients of the older version may leave it out for the grace period.`,
      touches: field.definition.id === undefined ? [] : [field.definition.id],
    };
  });
}
