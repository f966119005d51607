/**
 * The one place where a name of a request becomes a field or a relation. It asks the policy: what the caller may not read
 * does not exist, in filters, sorts, projections and includes alike, and is never among the names an error suggests.
 */
import { AppError, nearestNames } from '../errors.ts';
import type { AppModel, EntityModel, FieldModel, RelationEnd } from '../model/model.ts';
import type { Access, FieldAccess } from '../policy/access.ts';
import { id, sql, type Sql } from '../sql/sql.ts';
import { invalidValue, MAX_DEPTH } from './query.ts';

/** One caller reading one app. */
export interface ReadScope {
  readonly model: AppModel;
  readonly storage: string;
  /** Read access to an entity's records. */
  access(entity: EntityModel): Access;
  readonly withDeleted: boolean;
  /**
   * True inside policies: `(exists (...)) is true` keeps the subquery as a plan of its own, which Postgres hashes when many
   * rows are tested; left bare it becomes a join, which suits the selective filters of requests.
   */
  readonly keepsSubplans: boolean;
}

/** A field and the condition under which the caller sees it. */
export interface Column {
  readonly field: FieldModel;
  readonly access: FieldAccess;
}

/** One step from an entity to a related one. */
export interface Hop {
  readonly entity: EntityModel;
  readonly end: RelationEnd;
  readonly target: EntityModel;
}

export interface QuantifiedHop extends Hop {
  readonly quantifier: 'some' | 'none';
}

export type Reference =
  | { readonly kind: 'column'; readonly hops: readonly QuantifiedHop[]; readonly column: Column }
  /** A path that ends at a relation to many: only its emptiness can be asked. */
  | { readonly kind: 'relation'; readonly hops: readonly QuantifiedHop[]; readonly hop: Hop }
  | { readonly kind: 'unknown'; readonly entity: EntityModel; readonly name: string };

/** The field, unless it is hidden from the caller. */
export function columnOf(scope: ReadScope, entity: EntityModel, name: string): Column | undefined {
  const field = entity.fields.get(name);
  if (field === undefined) return undefined;
  const access = scope.access(entity).field(name);
  return access.mode === 'never' ? undefined : { field, access };
}

/** The related entity behind an include name, unless the entity or a column of the link is hidden from the caller. */
export function hopOf(scope: ReadScope, entity: EntityModel, name: string): Hop | undefined {
  const prefix = `${entity.name}_`;
  const end = entity.ends.get(name) ?? (name.startsWith(prefix) ? entity.ends.get(name.slice(prefix.length)) : undefined);
  const target = end === undefined ? undefined : scope.model.entities.get(end.target);
  if (end === undefined || target === undefined || !scope.access(target).isGranted) return undefined;
  const isOpen = columnOf(scope, entity, end.localField) !== undefined && columnOf(scope, target, end.targetField) !== undefined;
  return isOpen ? { entity, end, target } : undefined;
}

/** Follows a path from an entity: relations, `some` or `none` after a relation to many, and a field at the end. */
export function resolvePath(scope: ReadScope, root: EntityModel, path: readonly string[]): Reference {
  const hops: QuantifiedHop[] = [];
  let entity = root;
  for (let index = 0; ; index++) {
    const name = path[index] ?? '';
    const isLast = index >= path.length - 1;
    const column = isLast ? columnOf(scope, entity, name) : undefined;
    if (column !== undefined) return { kind: 'column', hops, column };
    const hop = hopOf(scope, entity, name);
    if (hop === undefined) return { kind: 'unknown', entity, name };
    if (isLast) return endReference(scope, hops, hop);
    if (hops.length >= MAX_DEPTH) throw invalidValue(path.join('.'), `"${path.join('.')}" goes over more than ${MAX_DEPTH} relations.`);
    const word = path[index + 1];
    const isQuantified = hop.end.cardinality === 'many' && (word === 'some' || word === 'none') && index + 2 < path.length;
    hops.push({ ...hop, quantifier: isQuantified && word === 'none' ? 'none' : 'some' });
    if (isQuantified) index += 1;
    entity = hop.target;
  }
}

/** `filter[customer]=<id>` means the foreign key. */
function endReference(scope: ReadScope, hops: readonly QuantifiedHop[], hop: Hop): Reference {
  const column = hop.end.direction === 'forward' ? columnOf(scope, hop.entity, hop.end.localField) : undefined;
  return column === undefined ? { kind: 'relation', hops, hop } : { kind: 'column', hops, column };
}

/** 400 UNKNOWN_FIELD with the nearest names the caller may read. */
export function unknownField(scope: ReadScope, entity: EntityModel, name: string, path: readonly string[] = [name]): AppError {
  const fields = [...entity.fields.keys()].filter((known) => columnOf(scope, entity, known) !== undefined);
  const relations = entity.relations.flatMap((end) => (hopOf(scope, entity, end.name) === undefined ? [] : [end.name]));
  const near = nearestNames(name.slice(0, 100), new Set([...fields, ...relations]));
  const message = `The entity "${entity.name}" has no field or relation "${name.slice(0, 100)}".`;
  return new AppError('UNKNOWN_FIELD', message, {
    details: [{ field: path.join('.').slice(0, 200), rule: 'unknown', message, allowed: near }],
    ...(near.length === 0 ? {} : { hint: `Near names: ${near.join(', ')}.` }),
  });
}

/** A column as the caller sees it: null in the rows where a field rule hides it. */
export function columnSql(alias: string, column: Column): Sql {
  const stored = id(alias, column.field.column);
  if (column.access.mode === 'always') return stored;
  return sql`(case when ${column.access.when?.(alias) ?? sql`false`} then ${stored} end)`;
}
