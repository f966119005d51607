/**
 * Exact decimal numbers. The API shows bigint and decimal as texts, so a number is a JavaScript number or a canonical numeric
 * text. Sums, differences and products are exact; what a double cannot hold stays a text.
 */

/** A numeric text: no sign but minus, no leading zeros, no exponent. `007` is an identifier, not a number. Same in SQL. */
export const NUMERIC_TEXT_PATTERN = '^-?(0|[1-9][0-9]*)(\\.[0-9]+)?$';
const NUMERIC_TEXT = new RegExp(NUMERIC_TEXT_PATTERN);
/** A longer text is no number, and a longer result is out of range: null. Same in SQL. */
export const MAX_DIGITS = 1_000;

export type Numeric = number | string;

export const isNumericText = (value: string): boolean => {
  const first = value.charCodeAt(0);
  return ((first >= 48 && first <= 57) || first === 45) && value.length <= MAX_DIGITS && NUMERIC_TEXT.test(value);
};

/** The number a value stands for, or undefined when it is none. */
export function toNumeric(value: unknown): Numeric | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  return typeof value === 'string' && isNumericText(value) ? value : undefined;
}

interface Decimal {
  readonly digits: bigint;
  readonly scale: number;
}

function parseDecimal(value: Numeric): Decimal {
  const text = typeof value === 'number' ? String(value) : value;
  const [mantissa = '0', exponentText] = text.split('e');
  const dot = mantissa.indexOf('.');
  const fraction = dot < 0 ? '' : mantissa.slice(dot + 1);
  const digits = BigInt(dot < 0 ? mantissa : mantissa.slice(0, dot) + fraction);
  const scale = fraction.length - Number(exponentText ?? 0);
  return scale < 0 ? { digits: digits * 10n ** BigInt(-scale), scale: 0 } : { digits, scale };
}

/** A JavaScript number where one holds the value exactly as it is written, else the canonical text, else null. */
function toValue(decimal: Decimal): Numeric | null {
  const text = writeDecimal(decimal);
  if (text.length > MAX_DIGITS) return null;
  const asNumber = Number(text);
  return Number.isFinite(asNumber) && compareNumeric(asNumber, text) === 0 ? asNumber + 0 : text;
}

function writeDecimal({ digits, scale }: Decimal): string {
  const isNegative = digits < 0n;
  const all = (isNegative ? -digits : digits).toString().padStart(scale + 1, '0');
  const whole = all.slice(0, all.length - scale);
  const fraction = scale === 0 ? '' : all.slice(all.length - scale).replace(/0+$/, '');
  return `${isNegative ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}

/** The digits of a number, never with an exponent. */
export function numberText(value: number): string {
  const text = String(value);
  return text.includes('e') ? writeDecimal(parseDecimal(value)) : text;
}

function align(a: Decimal, b: Decimal): readonly [bigint, bigint, number] {
  if (a.scale === b.scale) return [a.digits, b.digits, a.scale];
  return a.scale > b.scale
    ? [a.digits, b.digits * 10n ** BigInt(a.scale - b.scale), a.scale]
    : [a.digits * 10n ** BigInt(b.scale - a.scale), b.digits, b.scale];
}

export function compareNumeric(a: Numeric, b: Numeric): number {
  if (typeof a === 'number' && typeof b === 'number') return a < b ? -1 : a > b ? 1 : 0;
  const roughA = Number(a);
  const roughB = Number(b);
  // Doubles are monotonic: only a tie needs the digits.
  if (roughA !== roughB) return roughA < roughB ? -1 : 1;
  const [x, y] = align(parseDecimal(a), parseDecimal(b));
  return x < y ? -1 : x > y ? 1 : 0;
}

const isSmallInteger = (value: Numeric): value is number =>
  typeof value === 'number' && Number.isInteger(value) && Math.abs(value) < 67_000_000;

export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%';

const POWERS = Array.from({ length: 16 }, (_, power) => 10 ** power);
/** Whole numbers up to here, divided by a power of ten, give the double that is written with the very same digits. */
const MAX_EXACT = 1e15;

/** Money, mostly: short decimals as whole numbers of their last digit, in doubles. Undefined when that would not be exact. */
function calculateShort(operator: ArithmeticOperator, a: Numeric, b: Numeric): number | undefined {
  if (operator === '%' || operator === '/') return undefined;
  const textA = typeof a === 'number' ? String(a) : a;
  const textB = typeof b === 'number' ? String(b) : b;
  if (textA.length > 14 || textB.length > 14 || textA.includes('e') || textB.includes('e')) return undefined;
  const [scaleA, scaleB] = [fractionDigits(textA), fractionDigits(textB)];
  const scale = operator === '*' ? scaleA + scaleB : Math.max(scaleA, scaleB);
  const unit = POWERS[scale];
  if (unit === undefined) return undefined;
  const x = Math.round(Number(a) * (POWERS[operator === '*' ? scaleA : scale] ?? NaN));
  const y = Math.round(Number(b) * (POWERS[operator === '*' ? scaleB : scale] ?? NaN));
  const result = operator === '*' ? x * y : operator === '+' ? x + y : x - y;
  // Every part must be exact, not the result alone: an addend that was rounded could cancel out.
  return Math.abs(x) <= MAX_EXACT && Math.abs(y) <= MAX_EXACT && Math.abs(result) <= MAX_EXACT ? result / unit + 0 : undefined;
}

function fractionDigits(text: string): number {
  const dot = text.indexOf('.');
  return dot < 0 ? 0 : text.length - dot - 1;
}

/** Null for a division by zero and for what is out of range. */
export function calculate(operator: ArithmeticOperator, a: Numeric, b: Numeric): Numeric | null {
  if (operator === '/') return divide(a, b);
  if (isSmallInteger(a) && isSmallInteger(b)) {
    if (operator === '+') return a + b;
    if (operator === '-') return a - b;
    if (operator === '*') return a * b + 0;
    return b === 0 ? null : (a % b) + 0;
  }
  const quick = calculateShort(operator, a, b);
  if (quick !== undefined) return quick;
  const x = parseDecimal(a);
  const y = parseDecimal(b);
  if (operator === '*') return toValue({ digits: x.digits * y.digits, scale: x.scale + y.scale });
  const [p, q, scale] = align(x, y);
  if (operator === '%') return q === 0n ? null : toValue({ digits: p % q, scale });
  return toValue({ digits: operator === '+' ? p + q : p - q, scale });
}

const MAX_QUOTIENT = 1e300;
const MIN_QUOTIENT = 1e-300;

/**
 * Divided as doubles, to fifteen significant digits: what a double keeps for certain, and what Postgres gives for the same detour.
 * Null when an operand or the quotient is out of range, 0 when it is too small.
 */
function divide(a: Numeric, b: Numeric): Numeric | null {
  const quotient = Number(a) / Number(b);
  const [sizeA, sizeB, size] = [Math.abs(Number(a)), Math.abs(Number(b)), Math.abs(quotient)];
  if (!(Math.max(sizeA, sizeB, size) <= MAX_QUOTIENT) || sizeB < MIN_QUOTIENT) return null;
  return Math.min(sizeA, size) < MIN_QUOTIENT ? 0 : toFifteenDigits(quotient);
}

/** As C's printf, and so Postgres, rounds a double: one that lies exactly in the middle goes to the even digit, where JavaScript goes up. */
function toFifteenDigits(double: number): number {
  if (double.toExponential(16).includes('50e')) {
    const middle = /^(-?\d\.\d{13}[02468])50+e(.+)$/.exec(double.toExponential(60));
    if (middle !== null) return Number(`${middle[1] ?? ''}e${middle[2] ?? ''}`);
  }
  return Number(double.toPrecision(15));
}

export const negate = (value: Numeric): Numeric | null => calculate('-', 0, value);

/** Half away from zero, as Postgres and accountants round. */
export function roundNumeric(value: Numeric, places: number): Numeric | null {
  const { digits, scale } = parseDecimal(value);
  if (places >= scale) return toValue({ digits, scale });
  const unit = 10n ** BigInt(scale - places);
  const half = unit / 2n;
  const rounded = digits < 0n ? -((-digits + half) / unit) : (digits + half) / unit;
  return places >= 0 ? toValue({ digits: rounded, scale: places }) : toValue({ digits: rounded * 10n ** BigInt(-places), scale: 0 });
}

export function floorNumeric(value: Numeric): Numeric | null {
  const { digits, scale } = parseDecimal(value);
  const unit = 10n ** BigInt(scale);
  const cut = digits / unit;
  return toValue({ digits: digits < 0n && cut * unit !== digits ? cut - 1n : cut, scale: 0 });
}
