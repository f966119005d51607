/** The changes of relations. Names, loading and behaviour on delete are free; where links are stored is not. */
import type { RelationDefinition, SchemaDocument } from '../model/document.ts';
import { fieldName, foreignKeyOf, joinOf } from '../model/model.ts';
import type { Change, Held } from './change.ts';
import { keyColumnOf } from './key/key-of.ts';
import { isLinkMove } from './links/move.ts';
import { pair } from './pair.ts';

/** What of a relation may change without touching a table: names, behaviour on delete, loading and nesting. */
const FREE_PROPERTIES = ['ownership', 'on_delete', 'fetch', 'write_mode', 'source_name', 'target_name'] as const;

export function diffRelations(previous: SchemaDocument, next: SchemaDocument): Change[] {
  const { added, removed, kept } = pair(previous.relations, next.relations, (relation) => relation.name);
  const entities = pair(previous.entities, next.entities, (entity) => entity.name).kept;
  const names = new Map(entities.map(([before, after]) => [before.name, after.name]));
  return [
    ...removed.map((relation): Change => dropped(relation, previous, next)),
    ...added.map((relation): Change => ({
      kind: 'add_relation',
      class: 'compatible',
      relation: relation.name,
      entity: relation.source,
      to: relation.target,
    })),
    ...kept.flatMap(([before, after]) => diffRelation(before, after, { previous, next, names })),
  ];
}

function dropped(relation: RelationDefinition, previous: SchemaDocument, next: SchemaDocument): Change {
  const held = heldLinks(relation, previous, next);
  return {
    kind: 'drop_relation',
    class: 'breaking',
    relation: relation.name,
    entity: relation.source,
    message: `Relation "${relation.name}" is dropped: clients of the older version keep it for the grace period${held.length === 0 ? '' : ', its links stay until the retention ends'}.`,
    ...(held.length === 0 ? {} : { held }),
    touches: relation.id === undefined ? [] : [relation.id],
  };
}

/** Where the links of a relation are, unless a field or an entity of the next version goes on to hold them. */
function heldLinks(relation: RelationDefinition, previous: SchemaDocument, next: SchemaDocument): Held[] {
  const id = relation.id ?? relation.name;
  if (relation.type === 'many_to_many') {
    const { table } = joinOf(relation, relation.source, relation.target);
    const isEntity = [...previous.entities, ...next.entities].some((entity) => (entity.table ?? entity.name) === table);
    return isEntity ? [] : [{ id, table }];
  }
  const { table, column, isDeclared } = keyPlace(relation, previous);
  const entity = next.entities.find((one) => (one.table ?? one.name) === table);
  const isAdopted = entity?.fields.some((field) => (field.column ?? fieldName(field)) === column) === true;
  return isDeclared || isAdopted ? [] : [{ id, table, column }];
}

/** The column that holds a relation's key, and whether a field is declared for it. */
function keyPlace(relation: RelationDefinition, document: SchemaDocument): { table: string; column: string; isDeclared: boolean } {
  const target = document.entities.find((entity) => entity.name === relation.target);
  const name = foreignKeyOf(relation);
  const field = target?.fields.find((one) => fieldName(one) === name);
  return {
    table: target?.table ?? relation.target,
    column: field === undefined ? (relation.column ?? name) : (field.column ?? name),
    isDeclared: field !== undefined,
  };
}

interface Documents {
  readonly previous: SchemaDocument;
  readonly next: SchemaDocument;
  /** What entities of the older document are called in the newer one. */
  readonly names: ReadonlyMap<string, string>;
}

function diffRelation(before: RelationDefinition, after: RelationDefinition, documents: Documents): Change[] {
  const relation = after.name;
  const changes: Change[] = [];
  if (before.name !== after.name) {
    changes.push({
      kind: 'rename_relation',
      class: 'breaking',
      relation: before.name,
      from: before.name,
      to: after.name,
      touches: after.id === undefined ? [] : [after.id],
      message: `Relation "${before.name}" is called "${after.name}"; clients of the older version include it by its name for the grace period.`,
    });
  }
  if (isLinkMove(before.type, after.type)) changes.push(moved(before, after, documents));
  for (const [property, from, to] of fixedProperties(before, after, documents)) {
    if (from === to) continue;
    changes.push({
      kind: 'set_relation',
      class: 'breaking',
      refused: true,
      relation,
      property,
      from: from ?? null,
      to: to ?? null,
      message: `The ${property} of relation "${relation}" cannot be changed: its links would be left behind.`,
      hint: 'Add another relation with a new name.',
    });
  }
  changes.push(...renamedKey(before, after, documents));
  for (const property of FREE_PROPERTIES) {
    if (before[property] === after[property]) continue;
    changes.push({
      kind: 'set_relation',
      // Clients include by these two.
      class: property === 'source_name' || property === 'target_name' ? 'breaking' : 'compatible',
      relation,
      property,
      from: before[property] ?? null,
      to: after[property] ?? null,
    });
  }
  if ((before.required ?? false) !== (after.required ?? false)) {
    changes.push({
      kind: 'set_required',
      class: 'compatible',
      relation,
      entity: after.target,
      from: before.required ?? false,
      to: after.required ?? false,
    });
  }
  return changes;
}

/** Its links are stored in another way: both ways are served for the grace period, and kept in step. */
function moved(before: RelationDefinition, after: RelationDefinition, { previous, next }: Documents): Change {
  const held = heldLinks(before, previous, next);
  const reading = after.type === 'many_to_many' ? 'go on with one of the links as the key' : 'go on with the key as a link';
  return {
    kind: 'set_relation',
    class: 'breaking',
    relation: after.name,
    entity: after.target,
    property: 'type',
    from: before.type,
    to: after.type,
    message: `Relation "${after.name}" becomes ${after.type}: clients of the older version ${reading} for the grace period.`,
    ...(held.length === 0 ? {} : { held }),
    touches: after.id === undefined ? [] : [after.id],
  };
}

type Fixed = readonly [property: string, from: string | undefined, to: string | undefined];

/** What decides where links are stored, in the names of the newer document where only those changed. */
function fixedProperties(before: RelationDefinition, after: RelationDefinition, { previous, next, names }: Documents): Fixed[] {
  const called = (entity: string): string => names.get(entity) ?? entity;
  const ends: Fixed[] = [
    ...(isLinkMove(before.type, after.type) ? [] : [['type', before.type, after.type] as const]),
    ['source', called(before.source), after.source],
    ['target', called(before.target), after.target],
    ['source_key', columnOfKey(before.source, before.source_key, previous), columnOfKey(after.source, after.source_key, next)],
  ];
  if (before.type !== after.type) return ends;
  if (before.type !== 'many_to_many') {
    return [...ends, ['target_key', keyPlace(before, previous).column, keyPlace(after, next).column]];
  }
  const was = joinOf(before, before.source, before.target);
  const is = joinOf(after, after.source, after.target);
  return [
    ...ends,
    ['target_key', columnOfKey(before.target, before.target_key, previous), columnOfKey(after.target, after.target_key, next)],
    ['join_table', was.table, is.table],
    ['source_join_key', was.sourceColumn, is.sourceColumn],
    ['target_join_key', was.targetColumn, is.targetColumn],
  ];
}

/** Where the field is stored that links refer to: the key, unless another one is named. */
function columnOfKey(name: string, key: string | undefined, document: SchemaDocument): string | undefined {
  const entity = document.entities.find((one) => one.name === name);
  if (key === undefined) return entity === undefined ? undefined : keyColumnOf(entity);
  return entity?.fields.find((one) => fieldName(one) === key)?.column ?? key;
}

/** The key that no field declares is a field of records all the same: called otherwise, it is renamed. */
function renamedKey(before: RelationDefinition, after: RelationDefinition, { previous, next }: Documents): Change[] {
  if (before.type === 'many_to_many' || after.type === 'many_to_many') return [];
  const from = foreignKeyOf(before);
  const to = foreignKeyOf(after);
  if (from === to || keyPlace(before, previous).isDeclared || keyPlace(after, next).isDeclared) return [];
  return [
    {
      kind: 'rename_field',
      class: 'breaking',
      entity: after.target,
      field: from,
      relation: after.name,
      from,
      to,
      touches: after.id === undefined ? [] : [after.id],
      message: `Field "${after.target}.${from}" is called "${to}"; clients of the older version keep its name for the grace period.`,
    },
  ];
}
