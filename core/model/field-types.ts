/**
 * The closed table of field types. DDL asks it for the column, writes for the check of a value, filters for the reading of
 * a query string and the operators, forms for the input: one truth per type, in `fields/<type>.ts`.
 */
import { bigintField } from './fields/bigint.ts';
import { booleanField } from './fields/boolean.ts';
import { dateField } from './fields/date.ts';
import { decimalField } from './fields/decimal.ts';
import { emailField } from './fields/email.ts';
import { enumField } from './fields/enum.ts';
import { accepted, refused, type Coerced, type FieldKind } from './fields/field-kind.ts';
import { floatField, NUMBER_SHAPE } from './fields/float.ts';
import { intField } from './fields/int.ts';
import { jsonField } from './fields/json.ts';
import { stringField, textField } from './fields/string.ts';
import { timeField } from './fields/time.ts';
import { timestampField } from './fields/timestamp.ts';
import { urlField } from './fields/url.ts';
import { fileField, uuidField } from './fields/uuid.ts';
import type { FieldModel, StoredType } from './model.ts';

export type { Coerced, FieldKind, FilterOperator, FormInput } from './fields/field-kind.ts';

const KINDS: Readonly<Record<StoredType, FieldKind>> = {
  string: stringField,
  text: textField,
  int: intField,
  bigint: bigintField,
  float: floatField,
  decimal: decimalField,
  boolean: booleanField,
  uuid: uuidField,
  timestamp: timestampField,
  date: dateField,
  time: timeField,
  json: jsonField,
  file: fileField,
  email: emailField,
  url: urlField,
  enum: enumField,
};

/** What a stored type is: column, checks, operators, form input. */
export const fieldKind = (type: StoredType): FieldKind => KINDS[type];

/** The SQL type of a field's column, from the closed table. */
export const columnType = (field: FieldModel): string => KINDS[field.type].column(field.definition);

/**
 * Checks a JSON value against its field and brings it into the form that is bound (`value`) and that rules see (`plain`).
 * Null and undefined pass as null: whether a value is required, or a key must exist, is the caller's question.
 */
export function coerceValue(field: FieldModel, value: unknown): Coerced {
  if (value === null || value === undefined) return accepted(null);
  return KINDS[field.type].coerce(field, value);
}

/**
 * The type check alone, for filters: a value outside the field's limits, or half an email address, matches nothing but is
 * no mistake.
 */
export function coerceOperand(field: Pick<FieldModel, 'name' | 'type' | 'definition'>, value: unknown): Coerced {
  if (value === null || value === undefined) return accepted(null);
  const bare = { name: field.name, type: field.definition.type, required: false, unique: false, hidden: false };
  switch (field.type) {
    case 'email':
    case 'url':
      return stringField.coerce({ name: field.name, definition: bare }, value);
    case 'decimal':
      return ['number', 'string'].includes(typeof value) && NUMBER_SHAPE.test(String(value))
        ? accepted(String(value))
        : refused(field, 'type', 'must be a number');
    default:
      return KINDS[field.type].coerce({ name: field.name, definition: bare }, value);
  }
}

/** A value of a query string or CSV cell as the JSON value `coerceValue` or `coerceOperand` takes. */
export const valueFromText = (field: Pick<FieldModel, 'type'>, text: string): unknown => KINDS[field.type].fromText(text);
