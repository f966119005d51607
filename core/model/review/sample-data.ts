/** Checks of sample rows: that they can be written, and that no rule refuses all of them. */
import { nearestNames } from '../../errors.ts';
import { isTrue } from '../../expression/expression.ts';
import { compileExpression } from '../../expression/expression.ts';
import type { RuleDefinition } from '../document.ts';
import { coerceValue } from '../field-types.ts';
import { matchesPattern } from '../fields/pattern.ts';
import { labelOf } from '../identity.ts';
import { buildModel, joinOf, type AppModel, type EntityModel } from '../model.ts';
import type { Review } from './review.ts';

type Row = Readonly<Record<string, unknown>>;

/** Run when the rest of the document is right. */
export function reviewSampleData(review: Review): void {
  const sample = review.document.sample_data;
  if (sample === undefined) return;
  const model = buildModel(review.document);
  const joins = new Map(
    review.document.relations.flatMap((relation) => {
      if (relation.type !== 'many_to_many') return [];
      const { table, sourceColumn, targetColumn } = joinOf(relation, relation.source, relation.target);
      return [[table, [sourceColumn, targetColumn]] as const];
    }),
  );
  for (const [name, rows] of Object.entries(sample)) {
    const entity = model.entities.get(name);
    const columns = joins.get(name);
    if (entity !== undefined) reviewRows(review, entity, rows);
    else if (columns !== undefined) reviewLinks(review, name, columns, rows);
    else {
      const near = nearestNames(name, [...model.entities.keys(), ...joins.keys()]);
      review.error(
        `sample_data.${name}`,
        'unknown_entity',
        `sample_data.${name} is neither an entity nor a join table. Near: ${near.join(', ')}.`,
        near,
      );
    }
  }
  reviewRulesOn(review, model, sample);
}

function reviewRows(review: Review, entity: EntityModel, rows: readonly Row[]): void {
  rows.forEach((row, index) => {
    for (const [name, value] of Object.entries(row)) {
      const path = `sample_data.${entity.name}.${String(index)}.${name}`;
      const field = entity.fields.get(name);
      if (field === undefined) review.requireField(path, entity.name, name);
      else {
        const coerced = coerceValue(field, value);
        if (!coerced.ok) review.error(path, coerced.rule, `${path}: ${coerced.message}.`);
      }
    }
  });
}

function reviewLinks(review: Review, name: string, columns: readonly string[], rows: readonly Row[]): void {
  rows.forEach((row, index) => {
    const wrong = [
      ...Object.keys(row).filter((key) => !columns.includes(key)),
      ...columns.filter((column) => row[column] === undefined || row[column] === null),
    ];
    if (wrong.length > 0) {
      review.error(
        `sample_data.${name}.${String(index)}`,
        'unknown_field',
        `sample_data.${name}.${String(index)}: a row of this join table has ${columns.join(' and ')}, nothing else.`,
      );
    }
  });
}

/** A rule that no sample row survives is usually written the wrong way round: true means violated. */
function reviewRulesOn(review: Review, model: AppModel, sample: Readonly<Record<string, readonly Row[]>>): void {
  review.document.rules.forEach((rule, index) => {
    const rows = sample[rule.entity] ?? [];
    const entity = model.entities.get(rule.entity);
    if (!rule.active || rule.hook !== 'before_write' || rows.length === 0 || entity === undefined) return;
    if (!rows.every((row) => isViolated(rule, withDefaults(entity, row)))) return;
    review.find({
      id: `rule-refuses-all:${labelOf('rules', rule)}:${rule.type === 'expression' ? rule.definition.expression : ''}`,
      level: 'warning',
      path: `rules.${String(index)}`,
      message: `Every sample row of ${rule.entity} violates this rule.`,
      consequence: `Writes like the sample rows are refused${rule.type === 'expression' ? '; an expression rule that is true is violated' : ''}.`,
      fix:
        rule.type === 'expression'
          ? `Turn the expression round: not(${rule.definition.expression}).`
          : 'Correct the rule or the sample rows.',
    });
  });
}

const withDefaults = (entity: EntityModel, row: Row): Row => ({
  ...Object.fromEntries([...entity.fields.values()].map((field) => [field.name, field.definition.default ?? null])),
  ...row,
});

function isViolated(rule: RuleDefinition, record: Row): boolean {
  switch (rule.type) {
    case 'computed':
      return false;
    case 'expression': {
      const expression = compileExpression(rule.definition.expression);
      if (!expression.isCommon || rule.definition.related_load.length > 0) return false;
      return isTrue(
        expression.evaluate({ record, old: null, action: 'create', user: { id: null, roles: ['admin'] }, now: '2026-01-01T00:00:00Z' }),
      );
    }
    case 'field':
      return (
        rule.definition.condition === undefined &&
        breaksOperator(rule.definition.operator, rule.definition.value, record[rule.definition.field])
      );
  }
}

function breaksOperator(operator: string, limit: unknown, value: unknown): boolean {
  if (value === null || value === undefined) return operator === 'required' || operator === 'not_empty';
  const text = String(value);
  switch (operator) {
    case 'min':
    case 'gte':
      return Number(value) < Number(limit);
    case 'max':
    case 'lte':
      return Number(value) > Number(limit);
    case 'min_length':
      return [...text].length < Number(limit);
    case 'max_length':
      return [...text].length > Number(limit);
    case 'pattern':
      return !matchesPattern(String(limit), text);
    case 'in':
      return Array.isArray(limit) && !limit.map(String).includes(text);
    default:
      return false;
  }
}
