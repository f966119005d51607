import { describe, expect, it } from 'vitest';
import { runScript, type ScriptInput } from '../../../adapters/sandbox/script.ts';

const INPUT: ScriptInput = {
  record: { title: 'a', total: 3 },
  old: null,
  user: { id: 'u', roles: ['agent'] },
  now: '2026-01-02T03:04:05.000Z',
};
const LIMITS = { timeoutMs: 300, memoryMb: 32 };
const run = (source: string, app = 'one') => runScript(app, source, INPUT, LIMITS);

describe('what scripts may do', () => {
  it('change the record they are given, or return another', async () => {
    expect(await run('record.title = record.title + user.id + now.slice(0, 4)')).toEqual({
      ok: true,
      record: { title: 'au2026', total: 3 },
    });
    expect(await run('return { ...record, total: record.total * 2 }')).toEqual({ ok: true, record: { title: 'a', total: 6 } });
    expect(await run('if (old === null) record.total = 1')).toEqual({ ok: true, record: { title: 'a', total: 1 } });
  });

  it('refuse with their own words', async () => {
    expect(await run("throw new Error('no titles on mondays')")).toEqual({ ok: false, isRefusal: true, message: 'no titles on mondays' });
    expect(await run("throw 'just text'")).toEqual({ ok: false, isRefusal: true, message: 'just text' });
  });

  it('fail where they are wrong', async () => {
    expect(await run('return record.missing.name')).toMatchObject({ ok: false, isRefusal: false, message: /^failed: / });
    expect(await run('this is no script')).toMatchObject({ ok: false, isRefusal: false });
    expect(await run('return 7')).toMatchObject({ ok: false, isRefusal: false, message: /must return the record/ });
    expect(await run('return [record]')).toMatchObject({ ok: false, isRefusal: false, message: /must return the record/ });
    expect(await run('return (async () => record)()')).toMatchObject({ ok: false, isRefusal: false, message: /asynchronous/ });
  });
});

describe('hostile scripts', () => {
  it.each([
    ['an endless loop', 'for (;;);'],
    ['an endless loop that catches what stops it', 'for (;;) { try { for (;;); } catch {} }'],
    ['a promise that never ends its jobs', 'const again = () => Promise.resolve().then(again); again(); for (;;);'],
  ])('%s is ended', async (_, source) => {
    const began = performance.now();
    expect(await run(source)).toMatchObject({ ok: false, isRefusal: false, message: 'did not end within 300 ms' });
    expect(performance.now() - began).toBeLessThan(3_000);
  });

  it('a pattern that runs away is ended', async () => {
    const answer = await run("return { title: String(/^(a+)+$/.test('a'.repeat(40) + '!')) }");
    expect(answer).toMatchObject({ ok: false, isRefusal: false });
  });

  it.each([
    ['an array without end', 'const all = []; for (;;) all.push(new Array(1000).fill(all.length))'],
    ['a text that doubles', "let text = 'x'; for (;;) text += text"],
    ['a buffer of gigabytes', 'return { title: String(new ArrayBuffer(4e9).byteLength) }'],
    ['deep recursion', 'const down = (n) => down(n + 1) + 1; return { total: down(0) }'],
    ['deep nesting in the result', 'let deep = {}; for (let i = 0; i < 200000; i++) deep = { deep }; return deep'],
    ['a huge result', "return { title: 'x'.repeat(2000000) }"],
    ['a circle', 'record.self = record; return record'],
    ['a getter that never ends', 'return { get title() { for (;;); } }'],
    ['a toJSON that throws', 'return { toJSON() { throw new TypeError("x") } }'],
  ])('%s ends the script and nothing else', async (_, source) => {
    expect(await run(source)).toMatchObject({ ok: false, isRefusal: false });
    expect(await run('record.total = 4')).toEqual({ ok: true, record: { title: 'a', total: 4 } });
  });

  it('finds nothing of the host', async () => {
    const names = [
      'process',
      'require',
      'module',
      'fetch',
      'setTimeout',
      'queueMicrotask',
      'WebAssembly',
      'navigator',
      'Deno',
      'Buffer',
      'console',
      'std',
      'os',
    ];
    const seen = await run(`return { title: ${JSON.stringify(names)}.filter((name) => typeof globalThis[name] !== 'undefined').join() }`);
    expect(seen).toEqual({ ok: true, record: { title: '' } });
    const climbed = await run("return { title: typeof record.constructor.constructor('return this')().process }");
    expect(climbed).toEqual({ ok: true, record: { title: 'undefined' } });
    expect(await run("return import('node:fs').then(() => record)")).toMatchObject({ ok: false });
  });

  it('leaves nothing behind for the next script', async () => {
    await run("Object.prototype.title = 'left'; JSON.stringify = () => '{}'; globalThis.left = 1; Array.prototype.join = () => 'left'");
    expect(await run("return { title: typeof left + [1, 2].join('-') + String({}.title) }")).toEqual({
      ok: true,
      record: { title: 'number1-2undefined'.replace('number', 'undefined') },
    });
    expect(({} as Record<string, unknown>)['title']).toBeUndefined();
  });

  it('gives back plain data, also where names are those of prototypes', async () => {
    const answer = await run(`return JSON.parse('{"__proto__": {"isAdmin": true}, "title": "b"}')`);
    expect(answer).toMatchObject({ ok: true });
    expect(({} as Record<string, unknown>)['isAdmin']).toBeUndefined();
  });

  it('an app that loops does not keep another one waiting', async () => {
    const loops = [run('for (;;);', 'bad'), run('for (;;);', 'bad'), run('for (;;);', 'bad')];
    const began = performance.now();
    expect(await run('return record', 'good')).toMatchObject({ ok: true });
    expect(performance.now() - began).toBeLessThan(2_000);
    for (const loop of await Promise.all(loops)) expect(loop).toMatchObject({ ok: false });
  });
});
