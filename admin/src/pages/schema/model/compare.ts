/** What a draft is beside the served version, thing by thing: for badges, and for what was removed. */
import {
  entitiesOf,
  relationsOf,
  type DocumentInput,
  type EntityInput,
  type FieldInput,
  type RelationInput,
} from '../../../document/types.ts';

export type Mark = 'new' | 'modified' | 'removed' | undefined;

export interface EntityMarks {
  readonly mark: Mark;
  /** What it is in the served version. */
  readonly served: EntityInput | undefined;
  /** By the field's name of now. */
  readonly fields: ReadonlyMap<string, Mark>;
  readonly removedFields: readonly FieldInput[];
}

export interface Marks {
  readonly entities: ReadonlyMap<string, EntityMarks>;
  readonly removedEntities: readonly EntityInput[];
  readonly relations: ReadonlyMap<string, Mark>;
  readonly removedRelations: readonly RelationInput[];
  /** Everything that differs, other sections included: each counts as one. */
  readonly count: number;
}

interface Named {
  readonly name: string;
  readonly was?: string | undefined;
}

interface Pairing<T> {
  readonly before: ReadonlyMap<T, T | undefined>;
  readonly removed: readonly T[];
}

/** As the registry pairs them: by `was`, else by the name, unless another one says it was that. */
function paired<T extends Named>(served: readonly T[], draft: readonly T[]): Pairing<T> {
  const byName = new Map(served.map((item) => [item.name, item]));
  const renamed = new Set(draft.flatMap(({ was }) => (was !== undefined && byName.has(was) ? [was] : [])));
  const before = new Map(
    draft.map((item) => [
      item,
      (item.was === undefined ? undefined : byName.get(item.was)) ?? (renamed.has(item.name) ? undefined : byName.get(item.name)),
    ]),
  );
  const kept = new Set(before.values());
  return { before, removed: served.filter((item) => !kept.has(item)) };
}

/** JSON with its keys sorted, without what is no content. */
export function contentOf(value: unknown): string {
  return (
    JSON.stringify(value, (key, member: unknown) => {
      if (key === 'id' || key === 'was') return undefined;
      if (typeof member !== 'object' || member === null || Array.isArray(member)) return member;
      return Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)));
    }) ?? ''
  );
}

const isSame = (a: unknown, b: unknown): boolean => a === b || contentOf(a) === contentOf(b);

export function compare(served: DocumentInput, draft: DocumentInput): Marks {
  if (served === draft) return unchanged(draft);
  const entities = paired(entitiesOf(served), entitiesOf(draft));
  const relations = paired(relationsOf(served), relationsOf(draft));
  const marks = new Map(entitiesOf(draft).map((entity) => [entity.name, marksOf(entities.before.get(entity), entity)]));
  const relationMarks = new Map(
    relationsOf(draft).map((relation): [string, Mark] => [relation.name, markOf(relations.before.get(relation), relation)]),
  );
  const count =
    [...marks.values()].filter(({ mark }) => mark !== undefined).length +
    entities.removed.length +
    [...relationMarks.values()].filter((mark) => mark !== undefined).length +
    relations.removed.length +
    changedSections(served, draft);
  return { entities: marks, removedEntities: entities.removed, relations: relationMarks, removedRelations: relations.removed, count };
}

const markOf = (before: unknown, now: unknown): Mark => (before === undefined ? 'new' : isSame(before, now) ? undefined : 'modified');

function marksOf(before: EntityInput | undefined, now: EntityInput): EntityMarks {
  if (before === now) return { mark: undefined, served: before, fields: new Map(), removedFields: [] };
  const { before: fields, removed } = paired(before?.fields ?? [], now.fields);
  return {
    mark: markOf(before, now),
    served: before,
    fields: before === undefined ? new Map() : new Map(now.fields.map((field) => [field.name, markOf(fields.get(field), field)])),
    removedFields: removed,
  };
}

const unchanged = (draft: DocumentInput): Marks => ({
  entities: new Map(
    entitiesOf(draft).map((entity) => [entity.name, { mark: undefined, served: entity, fields: new Map(), removedFields: [] }]),
  ),
  removedEntities: [],
  relations: new Map(),
  removedRelations: [],
  count: 0,
});

/** Items of the other sections that are on one side only, and members that differ. */
function changedSections(served: DocumentInput, draft: DocumentInput): number {
  const keys = new Set([...Object.keys(served), ...Object.keys(draft)] as (keyof DocumentInput)[]);
  return [...keys]
    .filter((key) => !['entities', 'relations', 'migrate', 'version', 'exported_at'].includes(key))
    .map((key) => changesBetween(served[key] ?? [], draft[key] ?? []))
    .reduce((sum, one) => sum + one, 0);
}

/** An item that differs is one change, although it is gone in the one form and there in the other. */
function changesBetween(before: unknown, now: unknown): number {
  if (isSame(before, now)) return 0;
  if (!Array.isArray(before) || !Array.isArray(now)) return 1;
  const [known, said] = [before.map(contentOf), now.map(contentOf)];
  const added = said.filter((item) => !known.includes(item)).length;
  const gone = known.filter((item) => !said.includes(item)).length;
  return Math.max(added, gone, 1);
}
