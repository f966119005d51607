/** `int`: a whole number of 32 bits. */
import { accepted, checkBounds, ORDER_OPERATORS, refused, type FieldKind } from './field-kind.ts';

const MIN = -2_147_483_648;
const MAX = 2_147_483_647;

export const intField: FieldKind = {
  column: () => 'integer',
  coerce(field, value) {
    if (typeof value !== 'number' || !Number.isInteger(value)) return refused(field, 'type', 'must be a whole number');
    if (value < MIN || value > MAX) {
      return refused(field, 'type', `must be between ${String(MIN)} and ${String(MAX)}; the type bigint holds larger numbers`);
    }
    const whole = value === 0 ? 0 : value;
    return checkBounds(field, whole, (bound) => whole - Number(bound)) ?? accepted(whole);
  },
  fromText: (text) => (/^[+-]?\d{1,15}$/.test(text.trim()) ? Number(text) : text),
  operators: ORDER_OPERATORS,
  input: 'integer',
};
