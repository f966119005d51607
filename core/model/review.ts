/**
 * The reviewer: does a document that reads well also fit together? *Errors* stop a publish. *Findings* are what is accepted
 * but cannot work yet, each with an id that stays the same while the cause stays, so that it can be watched and dismissed.
 */
import type { ErrorDetail } from '../errors.ts';
import type { SchemaDocument } from './document.ts';
import { reviewPermissions, reviewWebhooks } from './review/behaviour.ts';
import { reviewEntities } from './review/entities.ts';
import { reviewFunctions } from './review/functions.ts';
import { reviewIncludeNames, reviewRelations } from './review/relations.ts';
import { Review, type Finding } from './review/review.ts';
import { reviewMachines, reviewRelatedLoads, reviewRules } from './review/rules.ts';
import { reviewSampleData } from './review/sample-data.ts';
import { reviewCalendars, reviewSlas } from './review/slas.ts';
import { reviewWorkflows } from './review/workflows.ts';

export type { Finding } from './review/review.ts';

/** Every error and every finding of a document at once. */
export function reviewDocument(document: SchemaDocument): {
  readonly errors: readonly ErrorDetail[];
  readonly findings: readonly Finding[];
} {
  const review = new Review(document);
  reviewEntities(review);
  reviewRelations(review);
  reviewRules(review);
  reviewMachines(review);
  reviewWorkflows(review);
  reviewCalendars(review);
  reviewSlas(review);
  reviewPermissions(review);
  reviewWebhooks(review);
  reviewFunctions(review);
  if (review.errors.length === 0) {
    reviewIncludeNames(review);
    reviewRelatedLoads(review);
    reviewSampleData(review);
  }
  return { errors: review.errors, findings: review.findings };
}

/**
 * A field that becomes part of an entity with records must have a value for them: a required one needs a default. Fields the
 * engine fills are exempt.
 */
export function reviewAdditions(previous: SchemaDocument, next: SchemaDocument): ErrorDetail[] {
  const before = new Map(previous.entities.map((entity) => [entity.id ?? entity.name, entity]));
  return next.entities.flatMap((entity, at) => {
    const old = before.get(entity.id ?? entity.name);
    if (old === undefined) return [];
    const known = new Set(old.fields.flatMap((field) => [field.id ?? field.name, field.name]));
    return entity.fields.flatMap((field, index): ErrorDetail[] => {
      const isNew = !known.has(field.id ?? field.name) && !known.has(field.name);
      const isFilled = field.default !== undefined || field.auto !== undefined || field.computed !== undefined;
      if (!isNew || !field.required || isFilled) return [];
      const path = `entities.${String(at)}.fields.${String(index)}`;
      return [
        {
          path,
          rule: 'default',
          field: field.name,
          message: `${entity.name} may have records already, so its new required field "${field.name}" needs a default.`,
        },
      ];
    });
  });
}
