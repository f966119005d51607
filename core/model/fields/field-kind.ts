/**
 * What a field type is: its column, how a value that came from outside becomes one Postgres can bind, which filter operators
 * make sense on it and which input a form shows. One file per type beside this one; `field-types.ts` is the closed table.
 */
import type { CONDITION_OPERATORS, FieldDefinition } from '../document.ts';

export type FilterOperator = (typeof CONDITION_OPERATORS)[number];

/** The input a generated form shows. */
export type FormInput =
  'text' | 'textarea' | 'email' | 'url' | 'select' | 'integer' | 'number' | 'checkbox' | 'datetime' | 'date' | 'time' | 'json' | 'file';

/** What the checks of a value need to know of its field. */
export interface FieldConstraints {
  readonly name: string;
  readonly definition: FieldDefinition;
}

/**
 * `value` can be bound to the column as it is. `plain` is the same as a JSON value, for rules and expressions; the two
 * differ for `json` only, which is bound as its text.
 */
export type Coerced =
  | { readonly ok: true; readonly value: unknown; readonly plain: unknown }
  | { readonly ok: false; readonly rule: string; readonly message: string };

export interface FieldKind {
  /** The SQL type of the column. */
  column(definition: FieldDefinition): string;
  /** Checks a JSON value that is not null and brings it into its stored form. */
  coerce(field: FieldConstraints, value: unknown): Coerced;
  /** A value that arrives as text (query string, CSV): the JSON value it stands for, or the text itself when it is none. */
  fromText(text: string): unknown;
  readonly operators: readonly FilterOperator[];
  readonly input: FormInput;
}

/** An accepted value. */
export const accepted = (value: unknown, plain: unknown = value): Coerced => ({ ok: true, value, plain });

/** A refused value; the message begins with the field's name. */
export const refused = (field: FieldConstraints, rule: string, must: string): Coerced => ({
  ok: false,
  rule,
  message: `${field.name} ${must}`,
});

export const EQUALITY_OPERATORS = ['eq', 'neq', 'in', 'not_in', 'is_null', 'not_null'] as const satisfies readonly FilterOperator[];
export const ORDER_OPERATORS = [...EQUALITY_OPERATORS, 'gt', 'gte', 'lt', 'lte', 'between'] as const satisfies readonly FilterOperator[];
export const TEXT_OPERATORS = [
  ...ORDER_OPERATORS,
  'like',
  'ilike',
  'contains',
  'icontains',
  'starts_with',
  'ends_with',
  'is_empty',
] as const satisfies readonly FilterOperator[];

/** Text Postgres cannot store: NUL, and halves of a surrogate pair. */
export const hasUnstorable = (text: string): boolean => /[\0\p{Surrogate}]/u.test(text);

/** `enum` lists of any scalar type; numbers and their text are the same value. */
export function isListed(definition: FieldDefinition, value: unknown): boolean {
  if (definition.enum === undefined) return true;
  return definition.enum.some((allowed) => allowed === value || (allowed !== null && String(allowed) === String(value)));
}

/** "must be one of a, b, c", cut where a list would no longer be read. */
export function mustBeListed(definition: FieldDefinition): string {
  const listed = (definition.enum ?? []).map(String);
  const shown = listed.slice(0, 20).join(', ');
  return `must be one of ${shown}${listed.length > 20 ? ` and ${String(listed.length - 20)} more` : ''}`;
}

/** Checks `min` and `max` with the type's own order, then `enum`. `compare` answers NaN for a bound it cannot read. */
export function checkBounds(field: FieldConstraints, value: unknown, compare: (bound: number | string) => number): Coerced | undefined {
  const { min, max } = field.definition;
  if (min !== undefined && compare(min) < 0) return refused(field, 'min', `must be at least ${String(min)}`);
  if (max !== undefined && compare(max) > 0) return refused(field, 'max', `must be at most ${String(max)}`);
  if (!isListed(field.definition, value)) return refused(field, 'enum', mustBeListed(field.definition));
  return undefined;
}
