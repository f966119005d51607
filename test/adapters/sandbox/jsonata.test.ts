import { describe, expect, it } from 'vitest';
import { evaluateInSandbox } from '../../../adapters/sandbox/jsonata.ts';

describe('the sandbox', () => {
  it('evaluates what lies outside the common subset', async () => {
    const scope = { record: { items: [{ price: 2, n: 3 }, { price: 5, n: 1 }] }, user: { roles: ['agent'] } };
    expect(await evaluateInSandbox('$map(record.items, function($i) { $i.price * $i.n })', scope)).toEqual([6, 5]);
    expect(await evaluateInSandbox('$sum(items[price > 3].price)', scope)).toBe(5);
    expect(await evaluateInSandbox('record.missing', scope)).toBeNull();
  });

  it('ends endless recursion and keeps serving', async () => {
    await expect(evaluateInSandbox('($f := function($x) { $f($x + 1) }; $f(1))', {}, { timeoutMs: 200 })).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
    expect(await evaluateInSandbox('1 + 1', {})).toBe(2);
  });

  it('ends a pattern that backtracks for ever while the main thread goes on', async () => {
    let ticks = 0;
    const ticking = setInterval(() => ticks++, 10);
    await expect(evaluateInSandbox('$contains("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", /^(a+)+$/)', {}, { timeoutMs: 300 })).rejects.toThrow('did not end within 300 ms');
    clearInterval(ticking);
    expect(ticks).toBeGreaterThan(10);
    expect(await evaluateInSandbox('"still here"', {})).toBe('still here');
  });

  it('ends what eats memory', async () => {
    await expect(evaluateInSandbox('$map([1..9000000], function($i) { [1..100] })', {}, { timeoutMs: 10_000 })).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
    expect(await evaluateInSandbox('2', {})).toBe(2);
  });

  it('says what failed', async () => {
    await expect(evaluateInSandbox('$sum("text")', {})).rejects.toThrow(/failed: /);
  });

  it('sees nothing of the process', async () => {
    await expect(evaluateInSandbox('$eval("process")', {})).resolves.toBeNull();
  });
});
