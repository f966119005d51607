/** What no expression may do: overflow the stack, run for long, or grow without bound. Every answer is a value or a clear error. */
import { describe, expect, it } from 'vitest';
import { AppError, isAppError } from '../../../core/errors.ts';
import { compileExpression, isTrue } from '../../../core/expression/expression.ts';
import { expressionToSql, type SqlScope } from '../../../core/expression/to-sql.ts';
import { id, render } from '../../../core/sql/sql.ts';

const scope: SqlScope = { column: ([name = '']) => ({ sql: id('t', name), type: 'text' }), variable: () => null };

/** As long as a source may be, each in a way that some parser has died of. */
const LONG: readonly (readonly [string, string])[] = [
  ['brackets', '('.repeat(4_000) + '1' + ')'.repeat(4_000)],
  ['lists', '['.repeat(4_000) + ']'.repeat(4_000)],
  ['objects', '{"a":'.repeat(1_500) + '1' + '}'.repeat(1_500)],
  ['minus signs', '-'.repeat(5_000) + '1'],
  ['exclamation marks', '!'.repeat(5_000) + 'a'],
  ['nots', 'not '.repeat(2_400) + 'a'],
  ['not in', '1 not in '.repeat(1_000) + '1'],
  ['sums', `${'1+'.repeat(4_900)}1`],
  ['texts put together', `${'a&'.repeat(4_900)}b`],
  ['comparisons', `${'a='.repeat(4_900)}b`],
  ['ors', `${'a or '.repeat(1_900)}b`],
  ['choices', `${'a?1:'.repeat(2_000)}1`],
  ['fallbacks', `${'a??'.repeat(3_000)}1`],
  ['calls', '$string('.repeat(1_100) + '1' + ')'.repeat(1_100)],
  ['members', `a${'.a'.repeat(4_900)}`],
  ['mapped brackets', `a${'.(b)'.repeat(2_400)}`],
  ['indexes', `a${'[0]'.repeat(3_000)}`],
  ['filters', `a${'[b=1]'.repeat(1_900)}`],
  ['list items', `a in [${'1,'.repeat(4_900)}1]`],
  ['blanks', `${' '.repeat(9_990)}1`],
  ['comments', '/*'.repeat(5_000)],
  ['backticks', '`'.repeat(9_999)],
  ['quotes', '"'.repeat(9_999)],
  ['backslashes', `"${'\\'.repeat(9_000)}"`],
  ['bindings', `a${'@$x'.repeat(3_000)}`],
  ['chains', `a${'~>$count'.repeat(1_000)}`],
];

describe('a long source', () => {
  it.each(LONG)('of %s gives a value or a mistake of the author', (_name, source) => {
    try {
      const compiled = compileExpression(source);
      compiled.evaluate({ record: { a: 1 } });
      expressionToSql(compiled, scope);
    } catch (error) {
      expect(error).toBeInstanceOf(AppError);
      expect(['VALIDATION_FAILED', 'UNSUPPORTED']).toContain((error as AppError).code);
    }
  });
  it('longer than 10,000 characters is refused', () => {
    expect(() => compileExpression(`'${'a'.repeat(10_000)}'`)).toThrow(
      expect.objectContaining({ code: 'VALIDATION_FAILED', message: expect.stringContaining('10000') as string }),
    );
  });
});

describe('a statement', () => {
  it('does not double with every level', () => {
    for (const level of [
      (inner: string) => `$string($number(${inner}))`,
      (inner: string) => `$substringAfter(${inner}, 'a')`,
      (inner: string) => `(${inner} ? ${inner} : 'x')`,
      (inner: string) => `${inner} ?? b`,
    ]) {
      let source = 'a';
      for (let depth = 0; depth < 25 && source.length < 5_000; depth++) source = level(source);
      try {
        expect(render(expressionToSql(compileExpression(`${source} = 'x'`), scope)).text.length).toBeLessThan(500_000);
      } catch (error) {
        expect(isAppError(error, 'UNSUPPORTED') || isAppError(error, 'VALIDATION_FAILED')).toBe(true);
      }
    }
  });
});

describe('an evaluation is stopped', () => {
  const items = Array.from({ length: 2_000 }, (_, n) => ({ n }));
  it.each([
    ['when it goes over lists in lists', '$sum(related.items.(related.items.n))'],
    ['when functions go over lists in lists', 'related.items.($count(related.items))'],
    ['when it looks up each of many in many', 'related.items.(n in related.items.n)'],
    ['when texts double', 'related.items.($replace(record.text, "a", "aa"))'],
    ['when long texts are searched again and again', 'related.items.($contains(record.text, "b"))'],
    ['when objects are told apart', '$distinct($append(related.items, related.items))'],
  ])('%s', (_name, source) => {
    const began = performance.now();
    expect(() => compileExpression(source).evaluate({ record: { text: 'a'.repeat(100_000) }, related: { items } })).toThrow(
      expect.objectContaining({ code: 'TOO_LARGE' }),
    );
    expect(performance.now() - began).toBeLessThan(5_000);
  });
  it('when a text grows beyond a million characters', () => {
    const text = 'a'.repeat(900_000);
    expect(() => compileExpression('record.text & record.text').evaluate({ record: { text } })).toThrow(
      expect.objectContaining({ code: 'TOO_LARGE' }),
    );
  });
  it('when values are nested deeper than the stack', () => {
    const deep = (): unknown => {
      let value: unknown = 1;
      for (let depth = 0; depth < 100_000; depth++) value = [value];
      return value;
    };
    const record = { a: deep(), b: deep() };
    for (const source of ['record.a = record.b', 'record.a.x', '$string(record.a) = "x"']) {
      expect(() => compileExpression(source).evaluate({ record })).toThrow(expect.objectContaining({ code: 'TOO_LARGE' }));
    }
    expect(isTrue(record.a)).toBe(true);
  });
  it('and the next one starts afresh', () => {
    const compiled = compileExpression('$sum(related.items.n)');
    for (let run = 0; run < 200; run++) expect(compiled.evaluate({ related: { items } })).toBe(1_999_000);
  });
});
