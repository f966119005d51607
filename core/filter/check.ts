/** Turns what a request asks for into what the app has: every name resolved, every value typed, nothing left to refuse. */
import { AppError, nearestNames } from '../errors.ts';
import { CONDITION_OPERATORS } from '../model/document.ts';
import { fieldKind, type FilterOperator } from '../model/field-types.ts';
import type { EntityModel, FieldModel } from '../model/model.ts';
import {
  dynamicValue,
  isDynamic,
  LIST_OPERATORS,
  rawValues,
  readDynamic,
  readOperand,
  type Bindings,
  type BoundOperand,
} from './operand.ts';
import { invalidValue, type Filter, type Operand, type SortItem } from './query.ts';
import { resolvePath, unknownField, type Column, type Hop, type QuantifiedHop, type ReadScope, type Reference } from './scope.ts';

export type CheckedFilter =
  | { readonly kind: 'and' | 'or'; readonly items: readonly CheckedFilter[] }
  | { readonly kind: 'not'; readonly item: CheckedFilter }
  | { readonly kind: 'compare'; readonly column: Column; readonly operator: FilterOperator; readonly operands: readonly BoundOperand[] }
  | { readonly kind: 'related'; readonly hop: Hop; readonly quantifier: 'some' | 'none'; readonly item: CheckedFilter };

export interface CheckedSort {
  readonly hops: readonly Hop[];
  readonly column: Column;
  readonly descending: boolean;
}

const ANY_ROW: CheckedFilter = { kind: 'and', items: [] };
const NO_VALUE: ReadonlySet<FilterOperator> = new Set(['is_null', 'not_null', 'is_empty']);
const KNOWN: ReadonlySet<string> = new Set(CONDITION_OPERATORS);

/** `bindings` given: dynamic values are typed now. Left out (policies): they stay names and are typed per caller. */
export function checkFilter(scope: ReadScope, entity: EntityModel, filter: Filter, bindings?: Bindings): CheckedFilter {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return { kind: filter.kind, items: filter.items.map((item) => checkFilter(scope, entity, item, bindings)) };
    case 'not':
      return { kind: 'not', item: checkFilter(scope, entity, filter.item, bindings) };
    case 'related':
      return checkRelated(scope, entity, filter, bindings);
    case 'leaf':
      return checkLeaf(scope, entity, filter, bindings);
  }
}

function checkRelated(
  scope: ReadScope,
  entity: EntityModel,
  filter: Extract<Filter, { kind: 'related' }>,
  bindings: Bindings | undefined,
): CheckedFilter {
  const reference = resolvePath(scope, entity, filter.path);
  if (reference.kind !== 'relation') {
    if (reference.kind === 'unknown') throw unknownField(scope, reference.entity, reference.name, filter.path);
    throw invalidValue(filter.path.join('.'), `"${filter.path.join('.')}" is not a relation to many records.`);
  }
  const item = checkFilter(scope, reference.hop.target, filter.item, bindings);
  return throughHops(reference.hops, { kind: 'related', hop: reference.hop, quantifier: filter.quantifier, item });
}

function checkLeaf(
  scope: ReadScope,
  entity: EntityModel,
  leaf: Extract<Filter, { kind: 'leaf' }>,
  bindings: Bindings | undefined,
): CheckedFilter {
  const { reference, operator } = readReference(scope, entity, leaf);
  const label = leaf.path.join('.');
  if (reference.kind === 'unknown') throw unknownField(scope, reference.entity, reference.name, leaf.path);
  if (reference.kind === 'relation') return throughHops(reference.hops, emptiness(reference.hop, operator, leaf.operand, label));
  return throughHops(reference.hops, checkComparison(reference.column, operator, leaf.operand, label, bindings));
}

/** The last segment is an operator only when the whole path names nothing: a field may be called "like". */
function readReference(
  scope: ReadScope,
  entity: EntityModel,
  leaf: Extract<Filter, { kind: 'leaf' }>,
): { reference: Reference; operator: string } {
  const whole = resolvePath(scope, entity, leaf.path);
  if (leaf.operator !== undefined) return { reference: whole, operator: leaf.operator };
  if (whole.kind !== 'unknown' || leaf.path.length === 1) return { reference: whole, operator: 'eq' };
  const shorter = resolvePath(scope, entity, leaf.path.slice(0, -1));
  const last = leaf.path.at(-1) ?? '';
  // After a relation an unknown word is more likely a mistyped field than a mistyped operator.
  const isAfterField = shorter.kind === 'column' && shorter.column.field.name === leaf.path.at(-2);
  if (isAfterField || (shorter.kind !== 'unknown' && isOperator(last))) return { reference: shorter, operator: last };
  return { reference: whole, operator: 'eq' };
}

/** Whether a word can stand where an operator may. */
export const isOperator = (name: string): boolean => name === 'ne' || KNOWN.has(name);

function operatorOf(name: string, allowed: readonly FilterOperator[], label: string): FilterOperator {
  const operator = (name === 'ne' ? 'neq' : name) as FilterOperator;
  if (allowed.includes(operator)) return operator;
  const near = nearestNames(name.slice(0, 50), allowed);
  const message = KNOWN.has(operator) ? `The operator "${name}" does not fit "${label}".` : `There is no operator "${name.slice(0, 50)}".`;
  throw new AppError('UNKNOWN_OPERATOR', message, {
    details: [{ field: label, rule: 'operator', message, allowed: near }],
    hint: `Allowed here: ${allowed.join(', ')}.`,
  });
}

/** Every type can be asked whether it is empty; without texts or lists that is the same as null. */
const operatorsOf = (field: FieldModel): readonly FilterOperator[] => [...fieldKind(field.type).operators, 'is_empty'];

/** One condition on one column, operator and value as they arrived. */
export function checkComparison(
  column: Column,
  name: string,
  operand: Operand,
  label: string,
  bindings: Bindings | undefined,
): CheckedFilter {
  const { field } = column;
  const operator = operatorOf(name, operatorsOf(field), label);
  if (NO_VALUE.has(operator)) {
    const plain: CheckedFilter = { kind: 'compare', column, operator, operands: [] };
    return readTruth(operand, label) ? plain : { kind: 'not', item: plain };
  }
  const raw = rawValues(field, operator, operand, label);
  const isRepeat = operand.kind === 'text' && raw.length > 1;
  const widened = isRepeat && operator === 'eq' ? 'in' : isRepeat && operator === 'neq' ? 'not_in' : operator;
  if (operator === 'between' && raw.length !== 2)
    throw invalidValue(label, `"${label}" with "between" needs exactly two values.`, 'Write filter[price.between]=10,20.');
  if (raw.length > 1 && !LIST_OPERATORS.has(widened)) throw invalidValue(label, `"${label}" is given more than once.`);
  if (raw[0] === null && (operator === 'eq' || operator === 'neq')) {
    return { kind: 'compare', column, operator: operator === 'eq' ? 'is_null' : 'not_null', operands: [] };
  }
  return { kind: 'compare', column, operator: widened, operands: raw.flatMap((given) => bind(field, widened, given, label, bindings)) };
}

function bind(field: FieldModel, operator: FilterOperator, given: unknown, label: string, bindings: Bindings | undefined): BoundOperand[] {
  if (isDynamic(given)) {
    const token = readDynamic(given, label);
    if (bindings === undefined) return [{ kind: 'dynamic', token }];
    const found = dynamicValue(token, bindings);
    if (Array.isArray(found)) return found.flatMap((item: unknown) => bindPlain(field, operator, item, label));
    return bindPlain(field, operator, found, label);
  }
  // Inside policies `self` is the caller's id.
  if (bindings === undefined && given === 'self') return [{ kind: 'dynamic', token: 'self' }];
  return bindPlain(field, operator, given, label);
}

function bindPlain(field: FieldModel, operator: FilterOperator, given: unknown, label: string): BoundOperand[] {
  if (given === null || given === undefined)
    throw invalidValue(label, `"${label}" cannot be compared with null by "${operator}".`, 'Use is_null.');
  const read = readOperand(field, operator, given);
  if (!read.ok) throw invalidValue(label, `"${label}" is compared with a value it cannot have: ${read.message}.`);
  return [{ kind: 'bound', value: read.value }];
}

function readTruth(operand: Operand, label: string): boolean {
  const given = operand.kind === 'text' ? operand.texts.at(-1) : operand.value;
  switch (typeof given === 'string' ? given.trim().toLowerCase() : given) {
    case '':
    case 'true':
    case '1':
    case 1:
    case true:
    case null:
    case undefined:
      return true;
    case 'false':
    case '0':
    case 0:
    case false:
      return false;
    default:
      throw invalidValue(label, `"${label}" must be true or false.`);
  }
}

/** `comments.is_empty`: no related record that the caller may see. */
function emptiness(hop: Hop, name: string, operand: Operand, label: string): CheckedFilter {
  const operator = operatorOf(name, ['is_null', 'not_null', 'is_empty'], label);
  const asksForNone = (operator !== 'not_null') === readTruth(operand, label);
  return { kind: 'related', hop, quantifier: asksForNone ? 'none' : 'some', item: ANY_ROW };
}

const throughHops = (hops: readonly QuantifiedHop[], inner: CheckedFilter): CheckedFilter =>
  hops.reduceRight<CheckedFilter>((item, { quantifier, ...hop }) => ({ kind: 'related', hop, quantifier, item }), inner);

/** Sorting follows relations to one record only. */
export function checkSort(scope: ReadScope, entity: EntityModel, items: readonly SortItem[]): CheckedSort[] {
  if (items.length > 20) throw invalidValue('sort', 'A list can be sorted by at most 20 fields.');
  return items.map(({ path, descending }) => {
    const reference = resolvePath(scope, entity, path);
    if (reference.kind === 'unknown') throw unknownField(scope, reference.entity, reference.name, path);
    if (reference.kind === 'relation' || reference.hops.some((hop) => hop.end.cardinality === 'many')) {
      throw invalidValue('sort', `Cannot sort by "${path.join('.')}": it leads to many records.`);
    }
    return { hops: reference.hops, column: reference.column, descending };
  });
}
