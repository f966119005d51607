/**
 * `decimal`: an exact number of 18 digits, `precision` of them (2 when not said) after the point. Digits given as text are
 * all kept or refused; a JSON number is an approximation already and is rounded like Postgres does, half away from zero.
 */
import { accepted, checkBounds, ORDER_OPERATORS, refused, type Coerced, type FieldConstraints, type FieldKind } from './field-kind.ts';
import { NUMBER_SHAPE } from './float.ts';

const DIGITS = 18;
const DEFAULT_SCALE = 2;

interface Exact {
  readonly isNegative: boolean;
  readonly whole: string;
  readonly fraction: string;
}

export const decimalField: FieldKind = {
  column: (definition) => `numeric(${String(DIGITS)}, ${String(definition.precision ?? DEFAULT_SCALE)})`,
  coerce: coerceDecimal,
  fromText: (text) => text.trim(),
  operators: ORDER_OPERATORS,
  input: 'number',
};

function coerceDecimal(field: FieldConstraints, value: unknown): Coerced {
  const scale = field.definition.precision ?? DEFAULT_SCALE;
  const isText = typeof value === 'string';
  if (!(typeof value === 'number' && Number.isFinite(value)) && !(isText && value.length <= 400 && NUMBER_SHAPE.test(value))) {
    return refused(field, 'type', 'must be a number, or its digits as text');
  }
  const exact = readExact(String(value));
  if (isText && exact.fraction.length > scale) {
    return refused(field, 'precision', `must have at most ${String(scale)} digit${scale === 1 ? '' : 's'} after the point`);
  }
  const stored = roundExact(exact, scale);
  if (stored.whole.length > DIGITS - scale) {
    return refused(field, 'precision', `must have at most ${String(DIGITS - scale)} digits before the point`);
  }
  const text = writeExact(stored);
  return checkBounds(field, text, (bound) => compareDecimals(text, String(bound))) ?? accepted(text);
}

/** Digits of a number's text, without exponent, without zeros that mean nothing. */
function readExact(text: string): Exact {
  const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e');
  const unsigned = mantissa.replace(/^[+-]/, '');
  const [head = '', tail = ''] = unsigned.split('.');
  const shift = Number(exponent);
  const digits = head + tail;
  const point = head.length + shift;
  const whole = point <= 0 ? '' : digits.slice(0, point).padEnd(point, '0');
  const fraction = point >= digits.length ? '' : '0'.repeat(Math.max(0, -point)) + digits.slice(Math.max(0, point));
  return { isNegative: mantissa.startsWith('-'), whole: whole.replace(/^0+/, ''), fraction: fraction.replace(/0+$/, '') };
}

function roundExact(exact: Exact, scale: number): Exact {
  const digits = exact.whole + exact.fraction.slice(0, scale).padEnd(scale, '0');
  const isUp = (exact.fraction[scale] ?? '0') >= '5';
  const rounded = String(BigInt(digits === '' ? '0' : digits) + (isUp ? 1n : 0n)).padStart(scale + 1, '0');
  const split = rounded.length - scale;
  return { isNegative: exact.isNegative, whole: rounded.slice(0, split).replace(/^0+/, ''), fraction: rounded.slice(split) };
}

function writeExact({ isNegative, whole, fraction }: Exact): string {
  const text = `${whole === '' ? '0' : whole}${fraction === '' ? '' : `.${fraction}`}`;
  return isNegative && /[1-9]/.test(text) ? `-${text}` : text;
}

/** Orders two decimal texts exactly; NaN when one is no number. */
export function compareDecimals(a: string, b: string): number {
  if (!NUMBER_SHAPE.test(a) || !NUMBER_SHAPE.test(b)) return Number.NaN;
  const [left, right] = [readExact(a), readExact(b)];
  const scale = Math.max(left.fraction.length, right.fraction.length);
  const scaled = ({ isNegative, whole, fraction }: Exact): bigint => {
    const size = BigInt(`0${whole}${fraction.padEnd(scale, '0')}`);
    return isNegative ? -size : size;
  };
  const difference = scaled(left) - scaled(right);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}
