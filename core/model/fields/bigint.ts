/** `bigint`: a whole number of 64 bits, as text beyond what a JSON number holds exactly. */
import { accepted, checkBounds, ORDER_OPERATORS, refused, type FieldKind } from './field-kind.ts';

const MIN = -(2n ** 63n);
const MAX = 2n ** 63n - 1n;

export const bigintField: FieldKind = {
  column: () => 'bigint',
  coerce(field, value) {
    if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) {
      return refused(field, 'type', 'must be sent as text ("12345678901234567890"): JSON numbers lose digits beyond 9007199254740991');
    }
    if (!(typeof value === 'number' && Number.isInteger(value)) && !(typeof value === 'string' && /^[+-]?\d{1,20}$/.test(value))) {
      return refused(field, 'type', 'must be a whole number, or its digits as text');
    }
    const exact = BigInt(typeof value === 'string' && value.startsWith('+') ? value.slice(1) : value);
    if (exact < MIN || exact > MAX) return refused(field, 'type', `must be between ${String(MIN)} and ${String(MAX)}`);
    const text = String(exact);
    return checkBounds(field, text, (bound) => compareWhole(exact, bound)) ?? accepted(text);
  },
  fromText: (text) => text.trim(),
  operators: ORDER_OPERATORS,
  input: 'integer',
};

function compareWhole(exact: bigint, bound: number | string): number {
  if (/^[+-]?\d+$/.test(String(bound))) {
    const limit = BigInt(String(bound).replace(/^\+/, ''));
    return exact < limit ? -1 : exact > limit ? 1 : 0;
  }
  return Number(exact) - Number(bound);
}
