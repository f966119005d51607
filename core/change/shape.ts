/**
 * The physical shape behind a model: tables, columns, uniques, indexes and foreign keys, each under the name it has in
 * Postgres. DDL comes from comparing two shapes, so what a change means for the database is decided in one place.
 */
import { fulltextIndexes } from '../filter/search.ts';
import { columnType, coerceValue } from '../model/field-types.ts';
import { DELETED_COLUMN, foreignKeyOf, VERSION_COLUMN, type AppModel, type EntityModel, type FieldModel } from '../model/model.ts';
import type { RelationDefinition } from '../model/document.ts';
import { derivedName } from './names.ts';

export interface ColumnShape {
  readonly name: string;
  /** From the closed table of field types. */
  readonly type: string;
  readonly isRequired: boolean;
  /** The text of a constant default. */
  readonly default: string | undefined;
  readonly isIdentity: boolean;
}

export interface IndexShape {
  readonly name: string;
  readonly columns: readonly string[];
  readonly isUnique: boolean;
  /** Uniqueness of soft-deleted entities counts live records only. */
  readonly liveOnly: boolean;
  /** Finds words in the texts of its columns instead of comparing their values. */
  readonly isFulltext: boolean;
}

export interface ForeignKeyShape {
  readonly name: string;
  readonly column: string;
  readonly table: string;
  readonly targetTable: string;
  readonly targetColumn: string;
}

export interface TableShape {
  readonly table: string;
  /** The entity, or for a join table the relation: what messages name. */
  readonly owner: string;
  readonly columns: ReadonlyMap<string, ColumnShape>;
  readonly key: readonly string[];
  readonly indexes: ReadonlyMap<string, IndexShape>;
}

export interface Shape {
  readonly tables: ReadonlyMap<string, TableShape>;
  readonly foreignKeys: ReadonlyMap<string, ForeignKeyShape>;
}

export function shapeOf(model: AppModel): Shape {
  const relations = relationsOf(model);
  const tables = new Map<string, TableShape>();
  for (const entity of model.entities.values()) tables.set(entity.table, tableOf(entity, relations));
  for (const relation of relations) {
    const join = joinTable(relation, model);
    if (join !== undefined && !tables.has(join.table)) tables.set(join.table, join);
  }
  const foreignKeys = new Map(relations.flatMap((relation) => foreignKeysOf(relation, model)).map((key) => [key.name, key]));
  return { tables, foreignKeys };
}

/** Every relation once, the short forms of fields included. */
function relationsOf(model: AppModel): RelationDefinition[] {
  return [...new Set([...model.entities.values()].flatMap((entity) => entity.relations.map((end) => end.relation)))];
}

function tableOf(entity: EntityModel, relations: readonly RelationDefinition[]): TableShape {
  const columns = new Map([...entity.fields.values()].map((field) => [field.column, columnOf(field, entity)]));
  columns.set(VERSION_COLUMN, { name: VERSION_COLUMN, type: 'bigint', isRequired: true, default: '1', isIdentity: false });
  if (entity.hasSoftDelete && !columns.has(DELETED_COLUMN)) {
    columns.set(DELETED_COLUMN, { name: DELETED_COLUMN, type: 'timestamptz', isRequired: false, default: undefined, isIdentity: false });
  }
  const key = entity.key.map((field) => field.column);
  return { table: entity.table, owner: entity.name, columns, key, indexes: indexesOf(entity, key, relations) };
}

function columnOf(field: FieldModel, entity: EntityModel): ColumnShape {
  const isIdentity = field.isGenerated && entity.key.length === 1 && (field.type === 'int' || field.type === 'bigint');
  return {
    name: field.column,
    type: columnType(field),
    isRequired: field.required || field.isKey || field.isGenerated,
    default: field.isKey ? undefined : constantDefault(field),
    isIdentity,
  };
}

/** Only constants become column defaults: an older api process inserts without naming a field it does not know. */
function constantDefault(field: FieldModel): string | undefined {
  const wanted = field.definition.default;
  if (wanted === undefined || wanted === null) return undefined;
  const coerced = coerceValue(field, wanted);
  return coerced.ok && coerced.value !== null ? String(coerced.value) : undefined;
}

function indexesOf(entity: EntityModel, key: readonly string[], relations: readonly RelationDefinition[]): Map<string, IndexShape> {
  const indexes = new Map<string, IndexShape>();
  const add = (columns: readonly string[], isUnique: boolean, liveOnly: boolean): void => {
    const name = derivedName(entity.table, columns, isUnique ? (liveOnly ? 'livekey' : 'key') : 'idx');
    indexes.set(name, { name, columns, isUnique, liveOnly, isFulltext: false });
  };
  const columnsOf = (names: readonly string[]): string[] => names.map((name) => fieldColumn(entity, name));
  const isKey = (columns: readonly string[]): boolean => columns.length === key.length && columns.every((column, i) => column === key[i]);
  const uniques = [
    ...[...entity.fields.values()].filter((field) => field.unique).map((field) => [field.column]),
    ...entity.definition.unique.map(columnsOf),
    ...entity.definition.indexes.filter((index) => index.unique).map((index) => columnsOf(index.fields)),
  ].filter((columns) => !isKey(columns));
  for (const columns of uniques) add(columns, true, entity.hasSoftDelete);
  // A foreign key may only point at a full unique.
  for (const relation of relations) {
    const keys = [
      ...(relation.source === entity.name ? [relation.source_key] : []),
      ...(relation.target === entity.name && relation.type === 'many_to_many' ? [relation.target_key] : []),
    ];
    for (const key of keys) {
      const column = key === undefined ? undefined : fieldColumn(entity, key);
      if (column !== undefined && !isKey([column])) add([column], true, false);
    }
  }
  for (const index of entity.definition.indexes) {
    if (!index.unique && index.type !== 'fulltext') add(columnsOf(index.fields), false, false);
  }
  for (const field of entity.fields.values()) {
    const isCovered =
      field.column === key[0] || [...indexes.values()].some((index) => index.columns[0] === field.column && !index.liveOnly);
    if (field.references !== undefined && !isCovered) add([field.column], false, false);
  }
  for (const columns of fulltextIndexes(entity).map(columnsOf)) {
    const name = derivedName(entity.table, columns, 'fts');
    indexes.set(name, { name, columns, isUnique: false, liveOnly: false, isFulltext: true });
  }
  return indexes;
}

const fieldColumn = (entity: EntityModel, name: string): string =>
  entity.fields.get(name)?.column ?? entity.fields.get(`${name}_id`)?.column ?? name;

/** The link table of a many_to_many, unless the document declares an entity for it. */
function joinTable(relation: RelationDefinition, model: AppModel): TableShape | undefined {
  if (relation.type !== 'many_to_many') return undefined;
  const end = linkEnd(relation, model);
  const source = model.entities.get(relation.source)?.fields.get(end?.localField ?? '');
  const target = model.entities.get(relation.target)?.fields.get(end?.targetField ?? '');
  if (end?.join === undefined || source === undefined || target === undefined) return undefined;
  const column = (name: string, field: FieldModel): ColumnShape => ({
    name,
    type: columnType(field),
    isRequired: true,
    default: undefined,
    isIdentity: false,
  });
  const { table, localColumn, targetColumn } = end.join;
  const name = derivedName(table, [targetColumn], 'idx');
  return {
    table,
    owner: relation.name,
    columns: new Map([
      [localColumn, column(localColumn, source)],
      [targetColumn, column(targetColumn, target)],
    ]),
    key: [localColumn, targetColumn],
    indexes: new Map([[name, { name, columns: [targetColumn], isUnique: false, liveOnly: false, isFulltext: false }]]),
  };
}

const linkEnd = (relation: RelationDefinition, model: AppModel) =>
  model.entities.get(relation.source)?.relations.find((end) => end.relation === relation && end.direction === 'link');

function foreignKeysOf(relation: RelationDefinition, model: AppModel): ForeignKeyShape[] {
  const source = model.entities.get(relation.source);
  const target = model.entities.get(relation.target);
  if (source === undefined || target === undefined) return [];
  const key = (table: string, column: string, to: EntityModel, targetColumn: string): ForeignKeyShape => ({
    name: derivedName(table, [column, to.table, targetColumn], 'fkey'),
    table,
    column,
    targetTable: to.table,
    targetColumn,
  });
  if (relation.type === 'many_to_many') {
    const end = linkEnd(relation, model);
    if (end?.join === undefined) return [];
    return [
      key(end.join.table, end.join.localColumn, source, end.localColumn),
      key(end.join.table, end.join.targetColumn, target, end.targetColumn),
    ];
  }
  const sourceColumn = relation.source_key === undefined ? (source.key[0]?.column ?? 'id') : fieldColumn(source, relation.source_key);
  return [key(target.table, fieldColumn(target, foreignKeyOf(relation)), source, sourceColumn)];
}
