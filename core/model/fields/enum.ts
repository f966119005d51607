/** `enum`: one text of a list. The list is enforced by the engine, so adding a value needs no change of the table. */
import { TEXT_OPERATORS, type FieldKind } from './field-kind.ts';
import { coerceText } from './string.ts';

export const enumField: FieldKind = {
  column: () => 'text',
  coerce: (field, value) => coerceText(field, typeof value === 'number' || typeof value === 'boolean' ? String(value) : value),
  fromText: (text) => text,
  operators: TEXT_OPERATORS,
  input: 'select',
};
