/**
 * The rules of one entity, sorted by when they run and compiled once per schema version. Order of a write: functions, field rules,
 * expression rules, computed fields, state machines; each by ascending priority.
 */
import { compileExpression, type CompiledExpression } from '../expression/expression.ts';
import type { RuleDefinition, StateMachineDefinition } from '../model/document.ts';
import { compileFunctions, type CompiledAttachment } from '../functions/attachment.ts';
import type { EntityModel, FieldModel } from '../model/model.ts';
import type { FieldRule } from './field-rule.ts';

export type ExpressionRule = Extract<RuleDefinition, { type: 'expression' }>;
type ComputedRule = Extract<RuleDefinition, { type: 'computed' }>;
export type RelatedLoads = ExpressionRule['definition']['related_load'];

export interface CompiledFieldRule {
  readonly kind: 'field';
  readonly rule: FieldRule;
  readonly field: FieldModel;
  readonly condition: CompiledExpression | undefined;
  readonly stopOnFail: boolean;
}

export interface CompiledExpressionRule {
  readonly kind: 'expression';
  readonly rule: ExpressionRule;
  readonly expression: CompiledExpression;
  readonly stopOnFail: boolean;
  readonly loads: RelatedLoads;
}

export type Check = CompiledFieldRule | CompiledExpressionRule;

export interface ComputedField {
  readonly field: FieldModel;
  readonly expression: CompiledExpression;
  readonly loads: RelatedLoads;
}

export interface CompiledMachine {
  readonly definition: StateMachineDefinition;
  readonly field: FieldModel;
  /** Guards by their text. */
  readonly guards: ReadonlyMap<string, CompiledExpression>;
}

export interface RulePlan {
  readonly beforeWrite: readonly Check[];
  readonly beforeDelete: readonly Check[];
  readonly afterWrite: readonly Check[];
  readonly computed: readonly ComputedField[];
  readonly machines: readonly CompiledMachine[];
  /** Functions and scripts that run inside the write, before the checks. */
  readonly functions: Readonly<Record<'create' | 'update' | 'delete', readonly CompiledAttachment[]>>;
  /** Something before the write asks the database: related records, or uniqueness. */
  readonly needsDatabase: boolean;
  /** Something before the write looks at related records, so it waits for rows nested in the same write. */
  readonly needsRelated: boolean;
  /** Something looks at the whole record, so an update has to read it first. */
  readonly needsRecord: boolean;
}

/** Compiles the rules of an entity. The reviewer has refused invalid expressions before a document is published. */
export function compileRules(entity: EntityModel): RulePlan {
  const beforeWrite = checksOf(entity, 'before_write');
  const computed = computedOf(entity);
  const machines = entity.machines.flatMap((machine) => compileMachine(machine, entity));
  const functions = compileFunctions(entity);
  const loads = [...beforeWrite, ...computed].flatMap((part) => ('loads' in part ? part.loads : []));
  return {
    beforeWrite,
    beforeDelete: checksOf(entity, 'before_delete'),
    afterWrite: checksOf(entity, 'after_write'),
    computed,
    machines,
    functions,
    needsRelated: loads.length > 0,
    needsDatabase:
      loads.length > 0 ||
      functions.create.some((one) => one.isUnique) ||
      beforeWrite.some((check) => check.kind === 'field' && check.rule.definition.operator === 'unique'),
    needsRecord: beforeWrite.length > 0 || computed.length > 0 || functions.update.length > 0,
  };
}

/** Field rules first, then expressions; the entity's rules are sorted by priority already. */
function checksOf(entity: EntityModel, hook: RuleDefinition['hook']): readonly Check[] {
  const rules = entity.rules.filter((rule) => rule.hook === hook);
  return [
    ...rules.flatMap((rule) => (rule.type === 'field' ? compileFieldRule(rule, entity) : [])),
    ...rules.flatMap((rule) => (rule.type === 'expression' ? [compileExpressionRule(rule)] : [])),
  ];
}

function compileFieldRule(rule: FieldRule, entity: EntityModel): CompiledFieldRule[] {
  const field = entity.fields.get(rule.definition.field);
  if (field === undefined) return [];
  const { condition, stop_on_fail: stopOnFail } = rule.definition;
  return [{ kind: 'field', rule, field, stopOnFail, condition: condition === undefined ? undefined : compileExpression(condition) }];
}

const compileExpressionRule = (rule: ExpressionRule): CompiledExpressionRule => ({
  kind: 'expression',
  rule,
  expression: compileExpression(rule.definition.expression),
  stopOnFail: rule.definition.stop_on_fail,
  loads: rule.definition.related_load,
});

function computedOf(entity: EntityModel): ComputedField[] {
  const ofFields = [...entity.fields.values()].flatMap((field): ComputedField[] =>
    field.definition.computed === undefined ? [] : [{ field, expression: compileExpression(field.definition.computed), loads: [] }],
  );
  const ofRules = entity.rules
    .filter((rule): rule is ComputedRule => rule.type === 'computed')
    .flatMap((rule): ComputedField[] => {
      const field = entity.fields.get(rule.definition.field);
      if (field === undefined) return [];
      return [{ field, expression: compileExpression(rule.definition.expression), loads: rule.definition.related_load }];
    });
  return [...ofFields, ...ofRules];
}

function compileMachine(definition: StateMachineDefinition, entity: EntityModel): CompiledMachine[] {
  const field = entity.fields.get(definition.field);
  if (field === undefined) return [];
  const guards = definition.definition.transitions.flatMap(({ guard }) =>
    guard === undefined || guard === null ? [] : [[guard, compileExpression(guard)] as const],
  );
  return [{ definition, field, guards: new Map(guards) }];
}
