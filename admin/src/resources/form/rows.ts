/**
 * Rows that belong to a record (they are deleted with it) are edited in its form and saved with it, in one write. Only what changed is
 * sent, and each row at its place, so that a mistake the API finds in row 2 stands at row 2. Pure.
 */
import type { DiscoveredEntity, DiscoveredField, DiscoveredRelation, Discovery } from '../../discovery.ts';
import { editableFields } from '../shape.ts';

export interface NestedRelation {
  readonly relation: DiscoveredRelation;
  readonly target: DiscoveredEntity;
  /** What is typed in a row: not the key that leads to the record. */
  readonly fields: readonly DiscoveredField[];
}

export type Row = Readonly<Record<string, unknown>>;

/** Set in the form at a stored row that goes with the next save. */
export const REMOVED = '_delete';

export function nestedRelations(discovery: Discovery, entity: DiscoveredEntity): readonly NestedRelation[] {
  return entity.relations.flatMap((relation) => {
    const target = discovery.entities.find((candidate) => candidate.name === relation.target);
    if (target === undefined || target.name === entity.name || !isPart(entity, relation)) return [];
    const { create, update, delete: remove } = target.permissions;
    if (!target.permissions.read || !(create || update || remove)) return [];
    const fields = editableFields(target).filter((field) => field.name !== relation.target_field && field.type !== 'file');
    return [{ relation, target, fields }];
  });
}

/** A field of the same name would be meant instead. */
const isPart = (entity: DiscoveredEntity, { name, direction, cardinality, on_delete: onDelete }: DiscoveredRelation): boolean =>
  direction === 'reverse' && cardinality === 'many' && onDelete === 'cascade' && !entity.fields.some((field) => field.name === name);

/** What the API is sent for the rows of one relation; undefined when nothing changed. Stored rows stand first and in their order. */
export function writtenRows(of: NestedRelation, rows: readonly Row[], stored: readonly Row[]): object | undefined {
  const data = rows.map((row, index) => {
    const before = stored[index];
    return before === undefined ? newRow(of, row) : changedRow(of, row, before);
  });
  const isChanged = rows.length > stored.length || data.some((row) => Object.keys(row).length > of.target.primary_key.fields.length);
  return isChanged ? { _write_mode: 'diff', data } : undefined;
}

function newRow({ fields }: NestedRelation, row: Row): Row {
  return Object.fromEntries(fields.map(({ name }) => [name, row[name]]).filter(([, value]) => !isNothing(value)));
}

function changedRow({ target, fields }: NestedRelation, row: Row, before: Row): Row {
  const key = Object.fromEntries(target.primary_key.fields.map((name) => [name, before[name]]));
  if (row[REMOVED] === true) return { ...key, [REMOVED]: true };
  if (!target.permissions.update) return key;
  const changed = fields.flatMap(({ name }) => (isSame(row[name], before[name]) ? [] : [[name, isNothing(row[name]) ? null : row[name]]]));
  return { ...key, ...(Object.fromEntries(changed) as Row) };
}

const isNothing = (value: unknown): boolean => value === undefined || value === null || value === '';

/** Inputs say nothing in three ways, and times as objects. */
export const isSame = (one: unknown, other: unknown): boolean =>
  isNothing(one) ? isNothing(other) : JSON.stringify(one) === JSON.stringify(other);
