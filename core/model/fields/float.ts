/** `float`: a number with about 15 significant digits; use `decimal` for money. */
import { accepted, checkBounds, ORDER_OPERATORS, refused, type FieldKind } from './field-kind.ts';

export const NUMBER_SHAPE = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?$/;

export const floatField: FieldKind = {
  column: () => 'double precision',
  coerce(field, value) {
    if (typeof value !== 'number' || !Number.isFinite(value)) return refused(field, 'type', 'must be a number');
    return checkBounds(field, value, (bound) => value - Number(bound)) ?? accepted(value);
  },
  fromText: (text) => (NUMBER_SHAPE.test(text.trim()) ? Number(text) : text),
  operators: ORDER_OPERATORS,
  input: 'number',
};
