/** What the pages of an entity show of it, and in which order. */
import type { DiscoveredEntity, DiscoveredField, DiscoveredRelation, Discovery } from '../discovery.ts';
import { spaced } from '../ui/spaced.ts';

/** What every page of one entity is made from. */
export interface EntityProps {
  readonly discovery: Discovery;
  readonly entity: DiscoveredEntity;
}

const stateFields = (entity: DiscoveredEntity): ReadonlySet<string> => new Set(entity.state_machines.map((machine) => machine.field));

/** The fields to be read, without the key. */
export function visibleFields(entity: DiscoveredEntity): readonly DiscoveredField[] {
  return entity.fields.filter((field) => field.readable && field.name !== entity.primary_key.field);
}

/** Those of a record page: states stand in the bar above it. */
export function recordFields(entity: DiscoveredEntity): readonly DiscoveredField[] {
  const states = stateFields(entity);
  return visibleFields(entity).filter((field) => !states.has(field.name));
}

/** Those of a form. A state moves by its machine's buttons: typing one would be refused in most cases. */
export function editableFields(entity: DiscoveredEntity): readonly DiscoveredField[] {
  const key = entity.primary_key;
  const states = stateFields(entity);
  return entity.fields.filter(
    (field) => field.writable && !field.auto && !states.has(field.name) && (field.name !== key.field || !key.generated),
  );
}

export const relatedLists = (entity: DiscoveredEntity): readonly DiscoveredRelation[] =>
  entity.relations.filter((relation) => relation.direction === 'reverse' && relation.cardinality === 'many');

/** What a new one begins with. */
export const defaultsOf = (fields: readonly DiscoveredField[]): Record<string, unknown> =>
  Object.fromEntries(fields.flatMap((field) => (field.default === null ? [] : [[field.name, field.default]])));

/** The other side of a relation as a heading: `order_lines` reads "Order lines". */
export function partLabel({ name }: DiscoveredRelation): string {
  const words = spaced(name);
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The title first, then states and short values, long texts last. */
export function ordered(entity: DiscoveredEntity, fields: readonly DiscoveredField[]): readonly DiscoveredField[] {
  const states = stateFields(entity);
  const rank = (field: DiscoveredField): number => {
    if (field.name === entity.display_field) return 0;
    if (states.has(field.name)) return 1;
    if (field.enum !== null) return 2;
    if (field.hidden) return 6;
    return field.type === 'text' || field.type === 'json' || field.type === 'file' ? 5 : 3;
  };
  return [...fields].sort((a, b) => rank(a) - rank(b));
}

export function defaultSort(entity: DiscoveredEntity): { field: string; order: 'ASC' | 'DESC' } {
  const newest = entity.fields.find((field) => field.readable && field.name === 'created_at');
  return newest === undefined ? { field: entity.display_field, order: 'ASC' } : { field: newest.name, order: 'DESC' };
}
