/**
 * Field rules: one operator on one field. An empty value passes every operator but those about emptiness, so a rule and
 * `required` stay two things. Values are plain JSON (decimals and bigints as text), as expressions see them.
 */
import type { ErrorDetail } from '../errors.ts';
import type { RuleDefinition } from '../model/document.ts';
import type { FieldModel } from '../model/model.ts';
import { compareDecimals } from '../model/fields/decimal.ts';
import { isEmail } from '../model/fields/email.ts';
import { matchesPattern } from '../model/fields/pattern.ts';

export type FieldRule = Extract<RuleDefinition, { type: 'field' }>;
export type PlainRecord = Readonly<Record<string, unknown>>;

export const isEmpty = (value: unknown): boolean => value === null || value === undefined || value === '';

const NUMERIC: readonly FieldModel['type'][] = ['int', 'bigint', 'float', 'decimal'];
const TEMPORAL: readonly FieldModel['type'][] = ['timestamp', 'date', 'time'];

/**
 * The violation of one rule by one record, or undefined. `unique` is left to who can ask the database; the rule's
 * `condition` has been judged by then (for `required_if` its truth is `isConditionTrue`).
 */
export function checkFieldRule(
  rule: FieldRule,
  field: FieldModel,
  record: PlainRecord,
  now: string,
  isConditionTrue: boolean,
): ErrorDetail | undefined {
  const { operator, message } = rule.definition;
  const actual = record[field.name];
  const must = violationOf(rule, field, actual, now, isConditionTrue);
  return must === undefined ? undefined : { field: field.name, rule: operator, message: message ?? `${field.name} ${must}` };
}

function violationOf(rule: FieldRule, field: FieldModel, actual: unknown, now: string, isConditionTrue: boolean): string | undefined {
  const { operator, value } = rule.definition;
  switch (operator) {
    case 'required':
      return isEmpty(actual) ? 'is required' : undefined;
    case 'required_if':
      return isConditionTrue && isEmpty(actual) ? 'is required' : undefined;
    case 'not_empty':
      return isBlank(actual) ? 'must not be empty' : undefined;
    case 'unique':
      return undefined;
    default:
      return isEmpty(actual) ? undefined : valueViolation(operator, value, field, actual, now);
  }
}

const isBlank = (value: unknown): boolean =>
  isEmpty(value) || (typeof value === 'string' && value.trim() === '') || (Array.isArray(value) && value.length === 0);

type ValueOperator = Exclude<FieldRule['definition']['operator'], 'required' | 'required_if' | 'not_empty' | 'unique'>;

function valueViolation(operator: ValueOperator, wanted: unknown, field: FieldModel, actual: unknown, now: string): string | undefined {
  const shown = String(wanted);
  const order = () => compareValues(actual, momentOf(field, wanted, now), field);
  switch (operator) {
    case 'min':
    case 'gte':
      return order() < 0 ? `must be at least ${shown}` : undefined;
    case 'max':
    case 'lte':
      return order() > 0 ? `must be at most ${shown}` : undefined;
    case 'gt':
      return order() > 0 ? undefined : `must be greater than ${shown}`;
    case 'lt':
      return order() < 0 ? undefined : `must be less than ${shown}`;
    case 'eq':
      return isSame(actual, momentOf(field, wanted, now), field) ? undefined : `must be ${shown}`;
    case 'neq':
      return isSame(actual, momentOf(field, wanted, now), field) ? `must not be ${shown}` : undefined;
    case 'in':
      return listOf(wanted).some((item) => isSame(actual, item, field))
        ? undefined
        : `must be one of ${listOf(wanted).map(String).join(', ')}`;
    case 'not_in':
      return listOf(wanted).some((item) => isSame(actual, item, field))
        ? `must not be one of ${listOf(wanted).map(String).join(', ')}`
        : undefined;
    case 'min_length':
      return lengthOf(actual) < Number(wanted) ? `must have at least ${shown} characters` : undefined;
    case 'max_length':
      return lengthOf(actual) > Number(wanted) ? `must have at most ${shown} characters` : undefined;
    case 'pattern':
      return matchesPattern(shown, textOf(actual)) ? undefined : `must match ${shown}`;
    case 'email':
      return isEmail(textOf(actual)) ? undefined : 'must be an email address';
    case 'url':
      return isHttpUrl(textOf(actual)) ? undefined : 'must be a web address';
  }
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);
const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
/** Characters as people count them, not UTF-16 halves. */
const lengthOf = (value: unknown): number => (Array.isArray(value) ? value.length : [...textOf(value)].length);

function isHttpUrl(text: string): boolean {
  return /^https?:\/\/[^\s/]/i.test(text) && URL.canParse(text);
}

/** `now`, `$now` and `today` in a rule about a time mean the moment of the write. */
function momentOf(field: FieldModel, wanted: unknown, now: string): unknown {
  if (!TEMPORAL.includes(field.type) || typeof wanted !== 'string' || !/^\$?(now|today)$/.test(wanted)) return wanted;
  if (field.type === 'date') return now.slice(0, 10);
  return field.type === 'time' ? now.slice(11, 19) : wanted.endsWith('today') ? `${now.slice(0, 10)}T00:00:00Z` : now;
}

/** Negative, zero, positive, or NaN when the two have no order: NaN violates `gt` and `lt`, never `min` and `max`. */
export function compareValues(a: unknown, b: unknown, field: Pick<FieldModel, 'type'>): number {
  if (NUMERIC.includes(field.type) || (typeof a === 'number' && typeof b !== 'boolean')) return compareDecimals(String(a), String(b));
  if (field.type === 'timestamp') return Date.parse(textOf(a)) - Date.parse(textOf(b));
  const [left, right] = [textOf(a), textOf(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function isSame(a: unknown, b: unknown, field: FieldModel): boolean {
  if (isEmpty(b)) return false;
  if (field.type === 'json' || typeof a === 'boolean') return JSON.stringify(a) === JSON.stringify(b) || String(a) === String(b);
  const order = compareValues(a, b, field);
  return order === 0;
}
