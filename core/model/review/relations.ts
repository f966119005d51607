/** Checks of relations: ends, keys, include names. */
import type { EntityDefinition, RelationDefinition } from '../document.ts';
import { buildModel, foreignKeyOf, joinOf, type RelationEnd } from '../model.ts';
import type { Review } from './review.ts';

export function reviewRelations(review: Review): void {
  const { relations } = review.document;
  review.unique(
    relations.map(({ name }, index) => ({ name, path: `relations.${String(index)}.name` })),
    'the relation name',
  );
  const columns = relations.flatMap((relation, index) =>
    relation.type === 'many_to_many'
      ? []
      : [{ name: `${relation.target}.${foreignKeyOf(relation)}`, path: `relations.${String(index)}.target_key` }],
  );
  review.unique(columns, 'the foreign key');
  relations.forEach((relation, index) => {
    const path = `relations.${String(index)}`;
    const isKnown = [
      review.requireEntity(`${path}.source`, relation.source),
      review.requireEntity(`${path}.target`, relation.target),
    ].every(Boolean);
    if (!isKnown) return;
    if (relation.type === 'many_to_many') reviewLink(review, relation, path);
    else reviewForeignKey(review, relation, path);
  });
}

function reviewLink(review: Review, relation: RelationDefinition, path: string): void {
  const { sourceColumn, targetColumn } = joinOf(relation, relation.source, relation.target);
  if (sourceColumn === targetColumn) {
    review.error(`${path}.target_join_key`, 'duplicate', `${path}: both columns of the join table are called "${sourceColumn}".`);
  }
  if (relation.source_key !== undefined) reviewReferenced(review, relation.source, relation.source_key, `${path}.source_key`);
  if (relation.target_key !== undefined) reviewReferenced(review, relation.target, relation.target_key, `${path}.target_key`);
}

function reviewForeignKey(review: Review, relation: RelationDefinition, path: string): void {
  const source = review.entities.get(relation.source);
  const target = review.entities.get(relation.target);
  if (source === undefined || target === undefined) return;
  const keys = source.primary_key?.fields ?? [];
  if (relation.source_key === undefined && keys.length > 1) {
    review.error(
      `${path}.source_key`,
      'required',
      `${path}: ${source.name} has a key of several fields; say in "source_key" which unique field is pointed at.`,
    );
    return;
  }
  if (relation.source_key !== undefined) reviewReferenced(review, relation.source, relation.source_key, `${path}.source_key`);
  const column = target.fields.find((field) => field.name === foreignKeyOf(relation));
  if (column === undefined) return;
  const wanted = typeOfKey(source, relation.source_key);
  if (column.type !== wanted && !(wanted === 'string' && ['string', 'text', 'email'].includes(column.type))) {
    review.error(
      `${path}.target_key`,
      'type',
      `${path}: the foreign key ${target.name}.${column.name} is ${column.type}, but the key of ${source.name} is ${wanted}.`,
    );
  }
  if (relation.on_delete === 'set_null' && (column.required || column.nullable === false)) {
    review.find({
      id: `set-null-required:${relation.name}`,
      level: 'warning',
      path: `${path}.on_delete`,
      message: `The relation ${relation.name} empties ${target.name}.${column.name} on delete, but that field is required.`,
      consequence: `Deleting a ${source.name} with related records is refused.`,
      fix: 'Use restrict or cascade, or make the field optional.',
    });
  }
}

export function reviewReferenced(review: Review, entity: string, key: string, path: string): void {
  if (!review.requireField(path, entity, key)) return;
  const definition = review.entities.get(entity);
  const isKey = [definition?.primary_key?.field ?? 'id'].includes(key);
  if (!isKey && definition?.fields.find((field) => field.name === key)?.unique !== true) {
    review.error(path, 'unique', `${path}: "${key}" of ${entity} is pointed at, so it must be the key or unique.`);
  }
}

function typeOfKey(entity: EntityDefinition, key: string | undefined): string {
  const name = key ?? entity.primary_key?.field ?? 'id';
  const isPrimary = name === (entity.primary_key?.field ?? 'id');
  if (isPrimary) return entity.primary_key?.type ?? 'uuid';
  return entity.fields.find((field) => field.name === name)?.type ?? 'uuid';
}

/** Every end must be reachable under a name of its own. Run when the rest of the document is right. */
export function reviewIncludeNames(review: Review): void {
  for (const entity of buildModel(review.document).entities.values()) {
    for (const end of entity.relations) {
      const index = review.document.relations.findIndex((relation) => relation.name === end.relation.name);
      const path = index === -1 ? 'entities' : `relations.${String(index)}`;
      const given = givenName(end);
      if (given !== undefined && !end.names.includes(given)) {
        review.error(path, 'duplicate', `${path}: ${entity.name} has two relations called "${given}".`);
      } else if (end.names.length === 0) {
        review.error(
          path,
          'duplicate',
          `${path}: every name ${entity.name} could call the relation "${end.relation.name}" by is taken; give it a source_name or target_name.`,
        );
      } else if (entity.fields.has(end.name)) {
        review.error(
          path,
          'duplicate',
          `${path}: ${entity.name} has a field "${end.name}" already; give the relation another source_name or target_name.`,
        );
      }
    }
  }
}

function givenName(end: RelationEnd): string | undefined {
  const { source, target, source_name: sourceName, target_name: targetName } = end.relation;
  if (end.direction === 'reverse') return sourceName;
  if (end.direction === 'forward') return targetName;
  if (source !== target) return end.entity === source ? sourceName : targetName;
  return end.names.includes(targetName ?? '') ? targetName : sourceName;
}
