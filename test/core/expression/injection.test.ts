/** Whatever stands in a text, a name or a number is only ever that, in every back end. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../../adapters/postgres/run.ts';
import { evaluateInSandbox } from '../../../adapters/sandbox/jsonata.ts';
import { isAppError } from '../../../core/errors.ts';
import { compileExpression, isTrue, normalizeExpression } from '../../../core/expression/expression.ts';
import { expressionToSql, type SqlScope } from '../../../core/expression/to-sql.ts';
import type { StoredType } from '../../../core/model/model.ts';
import { id, render, sql } from '../../../core/sql/sql.ts';
import { freshDatabase } from '../../support/database.ts';

const TEXTS = [
  "'",
  '"',
  "''",
  '""',
  '`',
  '\\',
  "\\'",
  '\\"',
  '\\\\',
  "'; drop table t; --",
  "' or 1=1 --",
  '"; drop table t; --',
  "') or ('1'='1",
  "E'\\x41'",
  '$1',
  '$$',
  '${process.exit()}',
  '{{x}}',
  '%',
  '_',
  '%_',
  '\n',
  '\r\n',
  '\t',
  '\b',
  '\u0001',
  '\u007f',
  '\u2028',
  '\u2029',
  '\uFEFF',
  '\u202E',
  '\u{1F600}',
  'e\u0301',
  'null',
  'nil',
  'true',
  'a == b && !c',
  "x' & $eval('1') & '",
  '/* */',
  '--',
  '//',
  ';',
  '(',
  ')',
  '[',
  ']',
  '{',
  '}',
  '$.a',
  '@ == 1',
  '" ? (@.x',
  '$[*]',
  'constructor',
  '__proto__',
  '<script>',
  'ÿ',
  '\\u0027',
  '\\u0000',
  'pg_sleep(10)',
];
const NAMES = [
  'a b',
  'a"b',
  "a'b",
  'a; drop table t',
  'a\\b',
  '$1',
  '%',
  '0',
  '-1',
  'select',
  'constructor',
  '__proto__',
  'toString',
  'hasOwnProperty',
  '" ? (@.x > 1)',
  '[*]',
  '\u{1F600}',
  'é',
  '\n',
];
const NUMBERS = [
  '0',
  '-0',
  '1',
  '1.5',
  '1e3',
  '1e-7',
  '1E+2',
  '1e21',
  '1e100',
  '1e308',
  '5e-324',
  '9007199254740993',
  '123456789012345678901234567890',
  '0.1000',
  '00',
  '007',
  '1.',
  '.5',
  '1e',
  '1e400',
  '-1e400',
  '0x10',
  '1_000',
  'Infinity',
  'NaN',
  '1n',
  '١',
  '１',
  '1,5',
  '1 2',
  '1--1',
  '1..2',
  `1e308${'0'.repeat(50)}`,
  '9'.repeat(400),
];
const TYPES: Readonly<Record<string, StoredType>> = {
  word: 'text',
  n: 'int',
  big: 'bigint',
  total: 'decimal',
  rate: 'float',
  data: 'json',
};
const scope: SqlScope = {
  column: ([name = '', ...rest]) =>
    rest.length === 0 && Object.hasOwn(TYPES, name) ? { sql: id('t', name), type: TYPES[name] ?? 'text' } : undefined,
  variable: (root) => (root === 'user' ? null : undefined),
};
const SPELLINGS: readonly ((text: string) => string)[] = [
  (text) => JSON.stringify(text),
  (text) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`,
  (text) =>
    `"${[...text].flatMap((char) => char.split('').map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)).join('')}"`,
];

describe('texts', () => {
  let pool: pg.Pool;
  beforeAll(async () => {
    pool = new pg.Pool({ connectionString: await freshDatabase(), max: 1, options: '-c timezone=UTC' });
    await pool.query('create table t (word text, n int, big bigint, total numeric(12,2), rate double precision, data jsonb)');
  });
  afterAll(() => pool.end());
  const holds = async (source: string): Promise<unknown> =>
    (await run<{ x: unknown }>(pool, sql`select ${expressionToSql(compileExpression(source), scope)} as x from t`))[0]?.x;
  const store = async (record: Readonly<Record<string, unknown>>): Promise<void> => {
    await pool.query('truncate t');
    await pool.query('insert into t select * from jsonb_populate_record(null::t, $1::jsonb)', [JSON.stringify(record)]);
  };

  it.each(TEXTS)('%j is a value, however it is written', async (text) => {
    const record = { word: text, data: { list: [text], [text]: 1 } };
    await store(record);
    for (const spell of SPELLINGS) {
      const literal = spell(text);
      expect(compileExpression(literal).evaluate({})).toBe(text);
      expect(compileExpression(normalizeExpression(literal)).evaluate({})).toBe(text);
      for (const source of [
        `word = ${literal}`,
        `word in [${literal}]`,
        `${literal} in data.list`,
        `$contains(word, ${literal})`,
        `word & 'x' = ${literal} & 'x'`,
        `$replace(word, ${literal}, 'y') = 'y'`,
      ]) {
        expect(isTrue(compileExpression(source).evaluate({ record })), source).toBe(true);
        expect(await holds(source), source).toBe(true);
        expect(render(expressionToSql(compileExpression(source), scope)).text).not.toMatch(/drop|eval|sleep|1=1/);
      }
    }
  });

  it('hostile texts mean the same in the sandbox', async () => {
    for (const text of TEXTS)
      expect(await evaluateInSandbox(normalizeExpression(`$map([${JSON.stringify(text)}], function($x){ $x & '!' })`), {}), text).toBe(
        `${text}!`,
      );
  });

  it.each(NAMES)('the name %j is a member, and nothing of the runtime', async (name) => {
    await store({ data: { deep: Object.fromEntries([[name, 7]]), none: {} } });
    const record = { data: { deep: Object.fromEntries([[name, 7]]), none: {} } };
    for (const [source, expected] of [
      ['record.data.deep.`' + name + '` = 7', true],
      ['record.data.none.`' + name + '` = null', true],
    ] as const) {
      expect(isTrue(compileExpression(source).evaluate({ record })), source).toBe(expected);
      expect(await holds(source), source).toBe(expected);
    }
    expect(() => expressionToSql(compileExpression('record.`' + name + '` = 1'), scope)).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED' }),
    );
  });

  it.each(NUMBERS)('the number %s is refused when saved, or means the same in both', async (number) => {
    const record = { word: number, n: 5, big: '9007199254740993', total: '1.50', rate: 1e21, data: { n: 1e21 } };
    await store(record);
    for (const left of ['word', 'n', 'big', 'total', 'rate', 'data.n', '(n + rate)']) {
      for (const operator of ['=', '<', '>=']) {
        const source = `${left} ${operator} ${number}`;
        let expected: boolean;
        try {
          expected = isTrue(compileExpression(source).evaluate({ record }));
        } catch (error) {
          expect(isAppError(error, 'VALIDATION_FAILED') || isAppError(error, 'UNSUPPORTED'), source).toBe(true);
          continue;
        }
        try {
          expect(await holds(source), source).toBe(expected);
        } catch (error) {
          if (!isAppError(error, 'UNSUPPORTED')) throw error;
        }
      }
    }
  });

  it('what Postgres can hold in no text is refused when saved', () => {
    for (const source of ['"\\u0000"', '"\\ud800"', '"\ud800"', '`\ud800` = 1', 'record.`a\0` = 1', "word = '\0'"]) {
      expect(() => compileExpression(source), JSON.stringify(source)).toThrow(expect.objectContaining({ code: 'VALIDATION_FAILED' }));
    }
  });

  it('numbers that grow without end fail no statement', async () => {
    await store({ n: 5, rate: 1e300 });
    let product = 'rate';
    for (let depth = 0; depth < 9; depth++) product = `(${product} * ${product})`;
    expect(() => expressionToSql(compileExpression(`${product} > 1`), scope)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }));
    for (const source of [
      'rate * rate > 1',
      'rate / 1e-300 = null',
      '1e-300 / rate = 0',
      '$addDays("2026-01-01", rate) = null',
      '$addMinutes("2026-01-01", -rate) = null',
      '$date(rate) = null',
      '$round(rate, 100) > 1',
    ]) {
      expect(isTrue(compileExpression(source).evaluate({ record: { n: 5, rate: 1e300 } })), source).toBe(true);
      expect(await holds(source), source).toBe(true);
    }
  });
});
