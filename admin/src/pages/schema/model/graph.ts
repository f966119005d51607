/** The document as a graph: an entity is a node, a relation (or a field that refers to another entity) an edge. */
import {
  entitiesOf,
  relationsOf,
  type DocumentInput,
  type EntityInput,
  type FieldInput,
  type RelationInput,
} from '../../../document/types.ts';
import type { Mark, Marks } from './compare.ts';
import { keyName } from './names.ts';

export interface FieldRow {
  readonly name: string;
  readonly type: string;
  readonly isKey: boolean;
  readonly isRequired: boolean;
  readonly isUnique: boolean;
  /** Holds the key of another entity. */
  readonly isReference: boolean;
  readonly mark: Mark;
}

export interface EntityNode {
  readonly name: string;
  readonly label: string | undefined;
  readonly mark: Mark;
  readonly rows: readonly FieldRow[];
}

export interface RelationEdge {
  readonly id: string;
  /** The relation's name, or the field's of a short form. */
  readonly name: string;
  readonly source: string;
  readonly target: string;
  readonly type: RelationInput['type'];
  readonly mark: Mark;
  /** Of a short form: the field that is the relation. */
  readonly field?: string;
}

export interface Graph {
  readonly nodes: readonly EntityNode[];
  readonly edges: readonly RelationEdge[];
}

export function graphOf(document: DocumentInput, marks: Marks): Graph {
  const names = new Set(entitiesOf(document).map(({ name }) => name));
  const references = referencesIn(document);
  const nodes = entitiesOf(document).map((entity) => nodeOf(entity, marks, references));
  const ghosts = marks.removedEntities
    .filter(({ name }) => !names.has(name))
    .map((entity): EntityNode => ({ ...plainNode(entity, new Set()), mark: 'removed' }));
  const all = new Set([...names, ...ghosts.map(({ name }) => name)]);
  const edges = [
    ...relationsOf(document).map((relation): RelationEdge => edgeOf(relation, marks.relations.get(relation.name))),
    ...marks.removedRelations.map((relation): RelationEdge => edgeOf(relation, 'removed')),
    ...entitiesOf(document).flatMap((entity) => shortForms(entity, marks)),
  ];
  return { nodes: [...nodes, ...ghosts], edges: edges.filter(({ source, target }) => all.has(source) && all.has(target)) };
}

const edgeOf = ({ name, source, target, type }: RelationInput, mark: Mark): RelationEdge => ({
  id: `relation:${name}${mark === 'removed' ? ':removed' : ''}`,
  name,
  source,
  target,
  type,
  mark,
});

/** `type: relation`: the target has many of this entity. */
const shortForms = (entity: EntityInput, marks: Marks): RelationEdge[] =>
  entity.fields.flatMap((field): RelationEdge[] =>
    field.type === 'relation' && field.target !== undefined
      ? [
          {
            id: `field:${entity.name}.${field.name}`,
            name: field.name,
            field: field.name,
            source: field.target,
            target: entity.name,
            type: field.unique === true ? 'one_to_one' : 'one_to_many',
            mark: marks.entities.get(entity.name)?.fields.get(field.name),
          },
        ]
      : [],
  );

/** `entity.column` of every declared key of a relation. */
function referencesIn(document: DocumentInput): ReadonlySet<string> {
  return new Set(
    relationsOf(document).flatMap(({ type, source, target, target_key: key }) =>
      type === 'many_to_many' ? [] : [`${target}.${key ?? `${source}_id`}`],
    ),
  );
}

function nodeOf(entity: EntityInput, marks: Marks, references: ReadonlySet<string>): EntityNode {
  const own = marks.entities.get(entity.name);
  const node = plainNode(entity, references);
  return {
    ...node,
    mark: own?.mark,
    rows: [
      ...node.rows.map((row) => ({ ...row, mark: own?.fields.get(row.name) })),
      ...(own?.removedFields ?? []).map((field): FieldRow => ({ ...rowOf(entity, field, references), mark: 'removed' })),
    ],
  };
}

const plainNode = (entity: EntityInput, references: ReadonlySet<string>): EntityNode => ({
  name: entity.name,
  label: entity.label,
  mark: undefined,
  rows: entity.fields.map((field) => rowOf(entity, field, references)),
});

export const keysOf = (entity: EntityInput): readonly string[] => entity.primary_key?.fields ?? [entity.primary_key?.field ?? 'id'];

function rowOf(entity: EntityInput, field: FieldInput, references: ReadonlySet<string>): FieldRow {
  const isKey = keysOf(entity).includes(field.name);
  return {
    name: field.name,
    type: field.type === 'relation' ? `→ ${field.target ?? '?'}` : field.type,
    isKey,
    isRequired: field.required === true,
    isUnique: field.unique === true || isKey,
    isReference: field.type === 'relation' || references.has(`${entity.name}.${keyName(field)}`),
    mark: undefined,
  };
}

/** How many of each end there may be, as the diagram writes it. */
export const CARDINALITY: Readonly<Record<RelationInput['type'], readonly [source: string, target: string]>> = {
  one_to_one: ['1', '1'],
  one_to_many: ['1', 'n'],
  many_to_many: ['n', 'm'],
};
