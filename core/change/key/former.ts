/** What a version's document says of keys that were: set when it is published, as its storage is (ADR 16, ADR 32). */
import type { EntityDefinition, RelationDefinition, SchemaDocument } from '../../model/document.ts';
import { fieldName } from '../../model/model.ts';
import { pair } from '../pair.ts';
import { keyColumnOf, keyOf } from './key-of.ts';

type Former = NonNullable<NonNullable<EntityDefinition['primary_key']>['former']>;

/** What the entity was in the version before, if it was there; `version` is the one that its document becomes. */
export function withFormerKeys(entity: EntityDefinition, before: EntityDefinition | undefined, version: number): EntityDefinition {
  const former = formerOf(entity, before, version);
  if (former.length === 0) return withoutFormer(entity);
  const { fields: names, type, generated } = keyOf(entity);
  const { former: _said, ...key } = entity.primary_key ?? { field: names[0], type, generated };
  return { ...entity, primary_key: { ...key, former } };
}

function formerOf(entity: EntityDefinition, before: EntityDefinition | undefined, version: number): Former {
  // In another app's log nothing is named by what was the key here; what the engine made it goes on making.
  if (before === undefined) return (entity.primary_key?.former ?? []).map((one) => ({ ...one, until: 0 }));
  const known = before.primary_key?.former ?? [];
  const [from, to] = [keyColumnOf(before), keyColumnOf(entity)];
  if (from === undefined || from === to) return known;
  return [...known, { column: from, until: version, generated: keyOf(before).generated }];
}

function withoutFormer(entity: EntityDefinition): EntityDefinition {
  if (entity.primary_key?.former === undefined) return entity;
  const { former: _gone, ...key } = entity.primary_key;
  return { ...entity, primary_key: key };
}

/** The same between two documents. */
export function withFormerKeysOf(next: SchemaDocument, current: SchemaDocument, version: number): SchemaDocument {
  const known = new Map(pair(current.entities, next.entities, ({ name }) => name).kept.map(([old, now]) => [now, old]));
  return { ...next, entities: next.entities.map((entity) => withFormerKeys(entity, known.get(entity), version)) };
}

/** A relation goes on referring to what it referred to: where that is the key no more, its field is named. `next` has its storage. */
export function withKeptReferences(next: SchemaDocument, current: SchemaDocument): SchemaDocument {
  const known = new Map(pair(current.relations, next.relations, ({ name }) => name).kept.map(([old, now]) => [now, old]));
  const entities = new Map(pair(current.entities, next.entities, ({ name }) => name).kept.map(([old, now]) => [now, old]));
  const keptKey = (entity: string, was: string, key: string | undefined): string | undefined =>
    formerName(
      next.entities.find(({ name }) => name === entity),
      current.entities.find(({ name }) => name === was),
      key,
    );
  return {
    ...next,
    entities: next.entities.map((entity) => {
      const fields = new Map(
        pair(entities.get(entity)?.fields ?? [], entity.fields, ({ name }) => name).kept.map(([old, now]) => [now, old]),
      );
      return {
        ...entity,
        fields: entity.fields.map((field) => {
          const was = fields.get(field);
          if (field.target === undefined || field.target_field !== undefined || was?.target === undefined) return field;
          const name = keptKey(field.target, was.target, was.target_field);
          return name === undefined ? field : { ...field, target_field: name };
        }),
      };
    }),
    relations: next.relations.map((relation) => {
      const was = known.get(relation);
      return was === undefined ? relation : withKeys(relation, was, keptKey);
    }),
  };
}

function withKeys(
  relation: RelationDefinition,
  was: RelationDefinition,
  keptKey: (entity: string, was: string, key: string | undefined) => string | undefined,
): RelationDefinition {
  const source = relation.source_key ?? keptKey(relation.source, was.source, was.source_key);
  // Of other relations that is the field that holds the key.
  const isLink = relation.type === 'many_to_many' && was.type === 'many_to_many';
  const target = relation.target_key ?? (isLink ? keptKey(relation.target, was.target, was.target_key) : undefined);
  return {
    ...relation,
    ...(source === undefined ? {} : { source_key: source }),
    ...(target === undefined ? {} : { target_key: target }),
  };
}

/** The name of the former key that was referred to; undefined where it is the key, or was none. One that is gone is for the review to find. */
function formerName(now: EntityDefinition | undefined, before: EntityDefinition | undefined, key: string | undefined): string | undefined {
  if (now === undefined || before === undefined) return undefined;
  const named = before.fields.find((field) => fieldName(field) === key);
  const column = key === undefined ? keyColumnOf(before) : (named?.column ?? key);
  const isFormer = now.primary_key?.former?.some((one) => one.column === column) === true;
  if (!isFormer || column === keyColumnOf(now)) return undefined;
  const field = now.fields.find((one) => (one.column ?? fieldName(one)) === column);
  return field === undefined ? key : fieldName(field);
}
