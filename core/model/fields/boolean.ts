/** `boolean`: true or false. */
import { accepted, EQUALITY_OPERATORS, refused, type FieldKind } from './field-kind.ts';

export const booleanField: FieldKind = {
  column: () => 'boolean',
  coerce: (field, value) => (typeof value === 'boolean' ? accepted(value) : refused(field, 'type', 'must be true or false')),
  fromText(text) {
    const word = text.trim().toLowerCase();
    if (word === 'true' || word === '1') return true;
    return word === 'false' || word === '0' ? false : text;
  },
  operators: EQUALITY_OPERATORS,
  input: 'checkbox',
};
