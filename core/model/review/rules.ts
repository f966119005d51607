/** Checks of rules and state machines. */
import { nearestNames } from '../../errors.ts';
import type { CompiledExpression } from '../../expression/expression.ts';
import type { RuleDefinition, StateMachineDefinition } from '../document.ts';
import { buildModel } from '../model.ts';
import type { Review } from './review.ts';

const NUMBER_OPERATORS: readonly string[] = ['min_length', 'max_length'];
const LIST_OPERATORS: readonly string[] = ['in', 'not_in'];
const VALUE_OPERATORS: readonly string[] = [
  'min',
  'max',
  'gt',
  'gte',
  'lt',
  'lte',
  'eq',
  'neq',
  'pattern',
  ...NUMBER_OPERATORS,
  ...LIST_OPERATORS,
];

export function reviewRules(review: Review): void {
  review.document.rules.forEach((rule, index) => {
    const path = `rules.${String(index)}`;
    if (!review.requireEntity(`${path}.entity`, rule.entity)) return;
    reviewRule(review, rule, `${path}.definition`);
  });
}

function reviewRule(review: Review, rule: RuleDefinition, path: string): void {
  switch (rule.type) {
    case 'field':
      review.requireField(`${path}.field`, rule.entity, rule.definition.field);
      for (const field of rule.definition.fields ?? []) review.requireField(`${path}.fields`, rule.entity, field);
      reviewPaths(review, review.expression(`${path}.condition`, rule.definition.condition), rule.entity, `${path}.condition`);
      reviewOperator(review, rule.definition.operator, rule.definition.value, path);
      if (rule.definition.operator === 'required_if' && rule.definition.condition === undefined) {
        review.error(
          `${path}.condition`,
          'required',
          `${path}: required_if needs "condition", the expression that makes the field required.`,
        );
      }
      return;
    case 'expression':
      if (rule.definition.field !== undefined) review.requireField(`${path}.field`, rule.entity, rule.definition.field);
      reviewPaths(review, review.expression(`${path}.expression`, rule.definition.expression), rule.entity, `${path}.expression`);
      return;
    case 'computed':
      review.requireField(`${path}.field`, rule.entity, rule.definition.field);
      reviewPaths(review, review.expression(`${path}.expression`, rule.definition.expression), rule.entity, `${path}.expression`);
      return;
  }
}

function reviewOperator(review: Review, operator: string, value: unknown, path: string): void {
  if (operator === 'pattern') {
    review.pattern(`${path}.value`, value);
    return;
  }
  if (VALUE_OPERATORS.includes(operator) && value === undefined)
    review.error(`${path}.value`, 'required', `${path}: the operator ${operator} needs a "value".`);
  else if (NUMBER_OPERATORS.includes(operator) && !(Number.isInteger(Number(value)) && Number(value) >= 0)) {
    review.error(`${path}.value`, 'type', `${path}: the operator ${operator} needs a whole number.`);
  } else if (LIST_OPERATORS.includes(operator) && !Array.isArray(value))
    review.error(`${path}.value`, 'type', `${path}: the operator ${operator} needs a list.`);
}

/** A name the record does not have is null for ever: legal, and nearly always a slip. */
export function reviewPaths(review: Review, expression: CompiledExpression | undefined, entity: string, path: string): void {
  const fields = review.fieldsOf(entity);
  if (expression === undefined || fields === undefined) return;
  for (const [name] of expression.recordPaths) {
    if (name === undefined || fields.has(name) || isRelationName(review, entity, name)) continue;
    review.find({
      id: `unknown-field:${entity}.${name}:${expression.source}`,
      level: 'warning',
      path,
      message: `The expression reads "${name}", which ${entity} does not have.`,
      consequence: 'It is always null there.',
      fix: `Name one of ${nearestNames(name, fields).join(', ')}.`,
    });
  }
}

const isRelationName = (review: Review, entity: string, name: string): boolean =>
  review.document.relations.some(
    (relation) =>
      [relation.source, relation.target].includes(entity) &&
      [relation.name, relation.source_name, relation.target_name, relation.source, relation.target].includes(name),
  ) ||
  review.document.entities.some(
    (each) => each.name === entity && each.fields.some((field) => field.type === 'relation' && field.name === name),
  );

export function reviewMachines(review: Review): void {
  const { state_machines: machines } = review.document;
  const active = machines.flatMap((machine, index) =>
    machine.active ? [{ name: `${machine.entity}.${machine.field}`, path: `state_machines.${String(index)}.field` }] : [],
  );
  review.unique(active, 'the state machine of');
  machines.forEach((machine, index) => {
    const path = `state_machines.${String(index)}`;
    if (!review.requireEntity(`${path}.entity`, machine.entity)) return;
    if (!review.requireField(`${path}.field`, machine.entity, machine.field)) return;
    reviewStates(review, machine, path);
    machine.definition.transitions.forEach((transition, at) => {
      reviewTransition(review, machine, transition, `${path}.definition.transitions.${String(at)}`);
    });
  });
}

function reviewStates(review: Review, machine: StateMachineDefinition, path: string): void {
  const listed = review.entities
    .get(machine.entity)
    ?.fields.find((field) => field.name === machine.field)
    ?.enum?.map(String);
  if (listed === undefined) return;
  const { initial, start = [], transitions } = machine.definition;
  const states = new Set([initial, ...start, ...transitions.flatMap(({ from, to }) => [...(Array.isArray(from) ? from : [from]), to])]);
  for (const state of states) {
    if (listed.includes(state)) continue;
    review.error(
      `${path}.definition`,
      'enum',
      `${path}: the state "${state}" is not among the values of ${machine.entity}.${machine.field} (${listed.join(', ')}).`,
    );
  }
}

function reviewTransition(
  review: Review,
  machine: StateMachineDefinition,
  transition: StateMachineDefinition['definition']['transitions'][number],
  path: string,
): void {
  reviewPaths(review, review.expression(`${path}.guard`, transition.guard), machine.entity, `${path}.guard`);
  for (const role of transition.roles) review.expectRole(`${path}.roles`, role, `A transition of ${machine.entity}.${machine.field}`);
  transition.actions.forEach((action, index) => {
    const at = `${path}.actions.${String(index)}`;
    if (action.type === 'set_field') {
      review.requireField(`${at}.field`, machine.entity, action.field);
      review.expression(`${at}.expression`, action.expression);
    } else if (review.requireEntity(`${at}.entity`, action.entity)) {
      for (const field of Object.keys(action.fields)) review.requireField(`${at}.fields`, action.entity, field);
    }
  });
}

/** `related_load` names relations as the entity calls them. Run when the rest of the document is right. */
export function reviewRelatedLoads(review: Review): void {
  if (!review.document.rules.some((rule) => rule.type !== 'field' && rule.definition.related_load.length > 0)) return;
  const model = buildModel(review.document);
  review.document.rules.forEach((rule, index) => {
    if (rule.type === 'field') return;
    const ends = model.entities.get(rule.entity)?.ends;
    rule.definition.related_load.forEach(({ relation }, at) => {
      if (ends === undefined || ends.has(relation)) return;
      const path = `rules.${String(index)}.definition.related_load.${String(at)}.relation`;
      const near = nearestNames(relation, ends.keys());
      review.error(path, 'unknown_relation', `${path}: ${rule.entity} has no relation "${relation}". Near: ${near.join(', ')}.`, near);
    });
  });
}
