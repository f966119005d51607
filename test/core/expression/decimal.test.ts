import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { calculate, compareNumeric, roundNumeric } from '../../../core/expression/decimal.ts';
import '../../support/fixed-seed.ts';

const digits = fc.tuple(fc.bigInt({ min: -(10n ** 16n), max: 10n ** 16n }), fc.integer({ min: 0, max: 9 }));
const write = ([whole, scale]: readonly [bigint, number]): string => {
  const text = (whole < 0n ? -whole : whole).toString().padStart(scale + 1, '0');
  return `${whole < 0n ? '-' : ''}${text.slice(0, text.length - scale)}${scale === 0 ? '' : `.${text.slice(text.length - scale)}`}`;
};

describe('decimal arithmetic is exact', () => {
  it('whichever way it takes', () => {
    fc.assert(
      fc.property(digits, digits, ([a, scaleA], [b, scaleB]) => {
        const [x, y] = [write([a, scaleA]), write([b, scaleB])];
        const scale = Math.max(scaleA, scaleB);
        const up = (n: bigint, from: number): bigint => n * 10n ** BigInt(scale - from);
        const agrees = (found: unknown, exact: string): boolean => compareNumeric(found as string, exact) === 0;
        expect(agrees(calculate('+', x, y), write([up(a, scaleA) + up(b, scaleB), scale]))).toBe(true);
        expect(agrees(calculate('-', x, y), write([up(a, scaleA) - up(b, scaleB), scale]))).toBe(true);
        expect(agrees(calculate('*', x, y), write([a * b, scaleA + scaleB]))).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
  it.each<[string, unknown, unknown]>([
    ['0.1 + 0.2', calculate('+', 0.1, 0.2), 0.3],
    ['3 * 19.99', calculate('*', 3, '19.99'), 59.97],
    ['1e21 + 1', calculate('+', 1e21, 1), '1000000000000000000001'],
    ['no negative zero', calculate('*', -0.5, 0), 0],
    ['1e-7 * 3', calculate('*', 1e-7, 3), 3e-7],
    ['a quotient in the middle of two', calculate('/', 1767225600000, -0.00333333333333333), -530167680000000],
    ['another one', calculate('/', 1000000000000003, 2), 500000000000002],
    ['2.675 to 2 places', roundNumeric(2.675, 2), 2.68],
  ])('%s', (_name, found, expected) => expect(found).toBe(expected));
});
