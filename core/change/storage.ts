/**
 * Where a version's values are stored, settled when it is published. What was renamed keeps its table and columns; what was
 * re-typed gets a new column; a name that something dropped still holds is not given out again, except to the same field,
 * which so gets its values back. Nothing physical is ever renamed (ADR 16).
 */
import type { EntityDefinition, FieldDefinition, RelationDefinition, SchemaDocument } from '../model/document.ts';
import { columnType } from '../model/field-types.ts';
import type { Instruction } from '../model/instructions.ts';
import {
  buildModel,
  DELETED_COLUMN,
  fieldName,
  foreignKeyOf,
  joinOf,
  VERSION_COLUMN,
  type AppModel,
  type EntityModel,
  type FieldModel,
} from '../model/model.ts';
import type { Held } from './change.ts';
import { withFormerKeysOf, withKeptReferences } from './key/former.ts';
import { isLinkMove } from './links/move.ts';
import { isSame, pair } from './pair.ts';

export interface StorageFacts {
  /** The number the version will have: part of new columns' names. */
  readonly version: number;
  /** What earlier versions left in the tables. */
  readonly held: readonly Held[];
}

/** `entity.field` of every field whose values are converted: where it changed, it gets a column of its own although the type is the same. */
export const convertedFields = (instructions: readonly Instruction[]): ReadonlySet<string> =>
  new Set(instructions.flatMap((one) => ('convert' in one ? [`${one.convert.entity}.${one.convert.field}`] : [])));

/** Both documents with their stable ids, see `assignIds`. What an author says about storage stays as it is; `diff` refuses it where it lies. */
export function assignStorage(
  next: SchemaDocument,
  current: SchemaDocument,
  facts: StorageFacts,
  converted: ReadonlySet<string> = new Set(),
): SchemaDocument {
  const storage = new Storage(next, current, facts, converted);
  const stored = {
    ...next,
    entities: next.entities.map((entity) => storage.entity(entity)),
    relations: next.relations.map((one) => storage.relation(one)),
  };
  return withKeptReferences(withFormerKeysOf(stored, current, facts.version), current);
}

interface FieldPlace {
  readonly table: string;
  readonly before: EntityModel | undefined;
  /** The same field in the current document. */
  readonly known: FieldModel | undefined;
  readonly isConverted: boolean;
  /** Columns that other fields of the entity have. */
  readonly used: ReadonlySet<string>;
}

class Storage {
  private readonly model: AppModel;
  /** What each of the next document was in the current one. */
  private readonly entities: ReadonlyMap<EntityDefinition, EntityDefinition>;
  private readonly relations: ReadonlyMap<RelationDefinition, RelationDefinition>;

  private readonly next: SchemaDocument;
  private readonly facts: StorageFacts;
  private readonly converted: ReadonlySet<string>;

  constructor(next: SchemaDocument, current: SchemaDocument, facts: StorageFacts, converted: ReadonlySet<string>) {
    this.next = next;
    this.facts = facts;
    this.converted = converted;
    this.model = buildModel(current);
    this.entities = new Map(pair(current.entities, next.entities, (entity) => entity.name).kept.map(([old, now]) => [now, old]));
    this.relations = new Map(pair(current.relations, next.relations, (relation) => relation.name).kept.map(([old, now]) => [now, old]));
  }

  entity(entity: EntityDefinition): EntityDefinition {
    const before = this.before(entity);
    const table = entity.table ?? this.tableOf(entity, before);
    const used = new Set(entity.fields.flatMap((field) => field.column ?? []));
    const kept = new Map(pair(before?.definition.fields ?? [], entity.fields, (field) => field.name).kept.map(([old, now]) => [now, old]));
    const fields = entity.fields.map((field) => {
      const was = kept.get(field);
      const known = was === undefined ? undefined : before?.fields.get(fieldName(was));
      const isConverted = this.converted.has(`${entity.name}.${field.name}`) && known !== undefined && isChanged(field, known.definition);
      const column = field.column ?? this.columnOf(field, { table, before, known, used, isConverted });
      used.add(column);
      return placed(field, column, fieldName(field));
    });
    return { ...withTable(entity, table), fields };
  }

  private before(entity: EntityDefinition | undefined): EntityModel | undefined {
    const definition = entity === undefined ? undefined : this.entities.get(entity);
    return definition === undefined ? undefined : this.model.entities.get(definition.name);
  }

  private tableOf(entity: EntityDefinition, before: EntityModel | undefined): string {
    if (before !== undefined) return before.table;
    const mine = this.facts.held.find((held) => held.id === entity.id && held.column === undefined);
    return mine?.table ?? this.free(entity.name, (name) => this.isTable(name));
  }

  private isTable(name: string): boolean {
    return (
      [...this.model.entities.values()].some(
        (entity) => entity.table === name || entity.relations.some((end) => end.join?.table === name),
      ) || this.facts.held.some((held) => held.column === undefined && held.table === name)
    );
  }

  private columnOf(field: FieldDefinition, { table, before, known, used, isConverted }: FieldPlace): string {
    const name = fieldName(field);
    const type = columnTypeOf(field, this.next);
    const isTaken = (column: string): boolean => used.has(column) || this.isColumn(table, column, before);
    if (known !== undefined) return known.isKey || (columnType(known) === type && !isConverted) ? known.column : this.fresh(name, isTaken);
    // A foreign key or generated key that was there without being declared.
    const implied = before?.fields.get(name);
    if (implied !== undefined && implied.definition.id === undefined) return implied.column;
    const mine = this.facts.held.find(
      (held) => held.id === field.id && held.table === table && held.column !== undefined && held.type === type,
    );
    return mine?.column ?? this.free(name, isTaken);
  }

  private isColumn(table: string, name: string, before: EntityModel | undefined): boolean {
    if (name === VERSION_COLUMN || name === DELETED_COLUMN) return false;
    return (
      [...(before?.fields.values() ?? [])].some((field) => field.column === name) ||
      this.facts.held.some((held) => held.table === table && held.column === name)
    );
  }

  private free(name: string, isTaken: (name: string) => boolean): string {
    return isTaken(name) ? this.fresh(name, isTaken) : name;
  }

  /** Of one version, so that no two of them give the same name; counted up should an author have taken it. */
  private fresh(name: string, isTaken: (name: string) => boolean): string {
    for (let count = 1; ; count++) {
      const suffix = `__${String(this.facts.version)}${count === 1 ? '' : `_${String(count)}`}`;
      const candidate = name.slice(0, 63 - suffix.length) + suffix;
      if (!isTaken(candidate)) return candidate;
    }
  }

  relation(wanted: RelationDefinition): RelationDefinition {
    const before = this.relations.get(wanted);
    const relation = before !== undefined && isLinkMove(before.type, wanted.type) ? withoutPlace(wanted, before) : wanted;
    if (relation.type === 'many_to_many') {
      if (before === undefined) return this.newLinks(relation);
      return before.type === 'many_to_many' ? keptLinks(relation, before) : this.freshLinks(relation);
    }
    const target = this.next.entities.find((entity) => entity.name === relation.target);
    const targetBefore = this.before(target);
    const keyed = before === undefined || before.type === 'many_to_many' ? relation : keptKey(relation, before, target, targetBefore);
    const name = foreignKeyOf(keyed);
    if (target === undefined || keyed.column !== undefined || target.fields.some((field) => fieldName(field) === name)) return keyed;
    const known = before === undefined ? undefined : targetBefore?.fields.get(foreignKeyOf(before));
    const table = target.table ?? this.tableOf(target, targetBefore);
    const mine = this.facts.held.find((held) => held.id === relation.id && held.table === table && held.column !== undefined);
    const column = known?.column ?? mine?.column ?? this.free(name, (other) => this.isColumn(table, other, targetBefore));
    return placed(keyed, column, name);
  }

  /** Links that were left for a key tell nothing of what the key was since: such a table is not used again. */
  private freshLinks(relation: RelationDefinition): RelationDefinition {
    const isLeft = this.facts.held.some((held) => held.column === undefined && held.table === relation.join_table);
    if (relation.join_table !== undefined && !isLeft) return relation;
    const { join_table: _left, ...rest } = relation;
    const table = this.free(relation.name, (name) => this.isTable(name));
    return table === relation.name ? rest : { ...rest, join_table: table };
  }

  private newLinks(relation: RelationDefinition): RelationDefinition {
    if (relation.join_table !== undefined || this.next.entities.some((entity) => (entity.table ?? entity.name) === relation.name))
      return relation;
    const mine = this.facts.held.find((held) => held.id === relation.id && held.column === undefined);
    const table = mine?.table ?? this.free(relation.name, (name) => this.isTable(name));
    return table === relation.name ? relation : { ...relation, join_table: table };
  }
}

/** A relation of the other type has its links elsewhere; what said where they are would mean something else, or nothing. */
function withoutPlace(relation: RelationDefinition, before: RelationDefinition): RelationDefinition {
  const { target_key: key, column: _column, join_table: table, source_join_key: source, target_join_key: target, ...rest } = relation;
  const { required: _required, ...optional } = rest;
  const keyed = key === undefined || key === before.target_key ? {} : { target_key: key };
  if (relation.type !== 'many_to_many') return { ...rest, ...keyed };
  return {
    ...optional,
    ...keyed,
    ...(table === undefined ? {} : { join_table: table }),
    ...(source === undefined ? {} : { source_join_key: source }),
    ...(target === undefined ? {} : { target_join_key: target }),
  };
}

/** The link table and its columns keep the names that they got from the relation and its entities, whatever those are called now. */
function keptLinks(relation: RelationDefinition, before: RelationDefinition): RelationDefinition {
  const was = joinOf(before, before.source, before.target);
  const is = joinOf(relation, relation.source, relation.target);
  return {
    ...relation,
    ...(relation.join_table === undefined && is.table !== was.table ? { join_table: was.table } : {}),
    ...(relation.source_join_key === undefined && is.sourceColumn !== was.sourceColumn ? { source_join_key: was.sourceColumn } : {}),
    ...(relation.target_join_key === undefined && is.targetColumn !== was.targetColumn ? { target_join_key: was.targetColumn } : {}),
  };
}

/** Renaming an entity renames none of the keys that point to it; a declared key is called what its field is called now. */
function keptKey(
  relation: RelationDefinition,
  before: RelationDefinition,
  target: EntityDefinition | undefined,
  targetBefore: EntityModel | undefined,
): RelationDefinition {
  if (relation.target_key !== undefined && relation.target_key !== before.target_key) return relation;
  const was = foreignKeyOf(before);
  const declared = targetBefore?.fields.get(was)?.definition.id;
  const field = declared === undefined ? undefined : target?.fields.find((other) => other.id === declared);
  const name = field === undefined ? was : fieldName(field);
  return foreignKeyOf(relation) === name ? relation : { ...relation, target_key: name };
}

/** A request that is sent again, because its answer was lost, converts nothing. */
function isChanged(field: FieldDefinition, known: FieldDefinition): boolean {
  const said = ({ column: _column, ...rest }: FieldDefinition): unknown => rest;
  return !isSame(said(field), said(known));
}

/** The type of a declared field's column; that of a relation is the type of the key it holds. */
export function columnTypeOf(field: FieldDefinition, document: SchemaDocument): string {
  const target = field.type === 'relation' ? document.entities.find((entity) => entity.name === field.target) : undefined;
  const held = target?.fields.find((one) => one.name === field.target_field);
  if (held !== undefined && target !== undefined && held.type !== 'relation') return columnTypeOf(held, document);
  const type = field.type === 'relation' ? (target?.primary_key?.type ?? 'uuid') : field.type;
  return columnType({
    name: field.name,
    column: field.name,
    type,
    definition: field,
    required: false,
    unique: false,
    isKey: false,
    isFixed: false,
    isGenerated: false,
    isAuto: false,
    references: undefined,
  });
}

/** An item with its column, left out where the name says it already. */
function placed<T extends { readonly column?: string | undefined }>(item: T, column: string, name: string): T {
  const { column: _column, ...rest } = item;
  return (column === name ? rest : { ...rest, column }) as T;
}

function withTable(entity: EntityDefinition, table: string): EntityDefinition {
  const { table: _table, ...rest } = entity;
  return table === entity.name && entity.table === undefined ? rest : { ...rest, table };
}
