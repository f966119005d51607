/** `string` and `text`: any text. They share one column type; only the form differs. */
import { matchesPattern } from './pattern.ts';
import {
  accepted,
  hasUnstorable,
  isListed,
  mustBeListed,
  refused,
  TEXT_OPERATORS,
  type Coerced,
  type FieldConstraints,
  type FieldKind,
} from './field-kind.ts';

export const stringField: FieldKind = {
  column: () => 'text',
  coerce: coerceText,
  fromText: (text) => text,
  operators: TEXT_OPERATORS,
  input: 'text',
};

export const textField: FieldKind = { ...stringField, input: 'textarea' };

/** The checks every text-like type shares: storable, length in characters, enum, pattern. */
export function coerceText(field: FieldConstraints, value: unknown): Coerced {
  if (typeof value !== 'string') return refused(field, 'type', 'must be text');
  if (hasUnstorable(value)) return refused(field, 'type', 'must not contain the NUL character or half a surrogate pair');
  const { min_length: min, max_length: max, pattern } = field.definition;
  if (min !== undefined && isShorterThan(value, min)) {
    return refused(field, 'min_length', `must have at least ${characters(min)}`);
  }
  if (max !== undefined && !isShorterThan(value, max + 1)) {
    return refused(field, 'max_length', `must have at most ${characters(max)}`);
  }
  if (!isListed(field.definition, value)) return refused(field, 'enum', mustBeListed(field.definition));
  if (pattern !== undefined && !matchesPattern(pattern, value)) {
    return refused(field, 'pattern', `must match the pattern ${pattern}`);
  }
  return accepted(value);
}

const characters = (count: number): string => `${String(count)} character${count === 1 ? '' : 's'}`;

/** Counts characters as Postgres and people do (an emoji is one), without splitting long texts that cannot be near. */
export function isShorterThan(text: string, count: number): boolean {
  if (text.length < count) return true;
  if (text.length >= count * 2) return false;
  return [...text].length < count;
}
