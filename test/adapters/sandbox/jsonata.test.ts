import { describe, expect, it } from 'vitest';
import { compileExpression } from '../../../core/expression/expression.ts';
import { evaluateInSandbox } from '../../../adapters/sandbox/jsonata.ts';

describe('the sandbox', () => {
  it('evaluates what lies outside the common subset', async () => {
    const scope = {
      record: {
        items: [
          { price: 2, n: 3 },
          { price: 5, n: 1 },
        ],
      },
      user: { roles: ['agent'] },
    };
    expect(await evaluateInSandbox('$map(record.items, function($i) { $i.price * $i.n })', scope)).toEqual([6, 5]);
    expect(await evaluateInSandbox('$sum(items[price > 3].price)', scope)).toBe(5);
    expect(await evaluateInSandbox('record.missing', scope)).toBeNull();
  });

  it.each<[string, unknown]>([
    ['$map(related.items, function($i) { $i.price * $i.n })', [0.3, 20]],
    ['related.items[price > 5].n', 2],
    ["$filter(related.items, function($i) { $i.n >= '2' }).n", [3, 2]],
    ['($x := record.total; $x > 99 and len(related.items) = 2)', true],
    ['($x := 1; record.none = null)', true],
    ['($x := 1; record.none < 1)', false],
    ['($x := 1; $date(record.at) < $now())', true],
    ["($x := 1; 'a' in user.roles)", true],
    ['related.items^(>n).n', [3, 2]],
    ['($x := 1; record.none + 1)', null],
    ['related.items.price ~> $sum', 10.1],
    ['($f := function($n) { $n <= 1 ? 1 : $n * $f($n - 1) }; $f(10))', 3628800],
    ["($x := 1; $match('ab', '^a'))", true],
  ])('means the same as the common subset: %s', async (text, expected) => {
    const compiled = compileExpression(text);
    const scope = {
      record: { total: '100.00', at: '2026-01-01T00:00:00Z' },
      now: '2026-01-02T00:00:00Z',
      user: { roles: ['a'] },
      related: {
        items: [
          { price: '0.10', n: 3 },
          { price: '10.00', n: 2 },
        ],
      },
    };
    expect(await evaluateInSandbox(compiled.source, scope)).toEqual(expected);
  });

  it('ends endless recursion and keeps serving', async () => {
    await expect(evaluateInSandbox('($f := function($x) { $f($x + 1) }; $f(1))', {}, { timeoutMs: 200 })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
    });
    expect(await evaluateInSandbox('1 + 1', {})).toBe(2);
  });

  it('ends a pattern that backtracks for ever while the main thread goes on', async () => {
    let ticks = 0;
    const ticking = setInterval(() => ticks++, 10);
    await expect(evaluateInSandbox('"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!" ~> /^(a+)+$/', {}, { timeoutMs: 300 })).rejects.toThrow(
      'did not end within 300 ms',
    );
    clearInterval(ticking);
    expect(ticks).toBeGreaterThan(10);
    expect(await evaluateInSandbox('"still here"', {})).toBe('still here');
  });

  it('ends what eats memory', async () => {
    await expect(evaluateInSandbox('$map([1..9000000], function($i) { [1..100] })', {}, { timeoutMs: 10_000 })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
    });
    expect(await evaluateInSandbox('2', {})).toBe(2);
  });

  it('says what failed', async () => {
    await expect(evaluateInSandbox('$formatBase(5, 99)', {})).rejects.toThrow(/failed: /);
  });

  it('sees nothing of the process', async () => {
    await expect(evaluateInSandbox('$eval("process")', {})).resolves.toBeNull();
  });

  it('counts the steps of each evaluation afresh', async () => {
    const record = { text: 'a'.repeat(500_000) };
    for (let run = 0; run < 30; run++) {
      expect(
        await evaluateInSandbox("$map([1], function($i){ $length($replace(record.text, 'a', 'b')) })", { record }, { timeoutMs: 5_000 }),
      ).toBe(500_000);
    }
  });
});
