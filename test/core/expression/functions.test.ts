/** Every function, in both back ends: the closure over a record as JSON shows it, and SQL over the stored row. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../../adapters/postgres/run.ts';
import { compileExpression } from '../../../core/expression/expression.ts';
import { FUNCTION_ALIASES, FUNCTION_ARITY, SANDBOX_FUNCTIONS } from '../../../core/expression/function-names.ts';
import { sqlFunctionNames } from '../../../core/expression/sql-functions.ts';
import { expressionToValueSql, type SqlScope } from '../../../core/expression/to-sql.ts';
import type { StoredType } from '../../../core/model/model.ts';
import { id, sql } from '../../../core/sql/sql.ts';
import { freshDatabase } from '../../support/database.ts';

const TYPES: Readonly<Record<string, StoredType>> = {
  word: 'string',
  accents: 'text',
  spaced: 'text',
  code: 'text',
  none: 'text',
  n: 'int',
  total: 'decimal',
  rate: 'float',
  open: 'boolean',
  at: 'timestamp',
  day: 'date',
  data: 'json',
};
const NOW = '2026-01-10T12:00:00+00:00';
const record = {
  word: 'hello',
  accents: 'Straße ÀÉ Σας',
  spaced: '  a \t b\n',
  code: '12.50',
  none: null,
  n: -7,
  total: '250.00',
  rate: 2.5,
  open: true,
  at: '2026-01-01T10:30:00.5+00:00',
  day: '2026-01-02',
  data: { tags: ['b', 'a', 'b'], deep: { x: 1 }, list: [3, 1], price: '1.5' },
};
const scope: SqlScope = {
  column: ([name = '', ...rest]) => {
    const type = rest.length === 0 ? TYPES[name] : undefined;
    return type === undefined ? undefined : { sql: id('t', name), type };
  },
  variable: (root) => (root === 'now' ? NOW : undefined),
};

/** The function, an expression, its value. Those of the second table have no SQL. */
const BOTH: readonly (readonly [string, string, unknown])[] = [
  ['len', 'len(word)', 5],
  ['len', 'len(none)', 0],
  ['len', 'size(data.tags)', 3],
  ['len', 'len(data.deep)', 1],
  ['len', 'len(data.nothing)', 0],
  ['len', 'len(data.price)', 3],
  ['length', '$length(accents)', 13],
  ['length', '$length(none)', null],
  ['length', '$length(total)', 6],
  ['lowercase', '$lowercase(accents)', 'straße àé σας'],
  ['lowercase', 'lower(none)', null],
  ['lowercase', "lower('İ' & word)", 'i̇hello'],
  ['uppercase', '$uppercase(accents)', 'STRASSE ÀÉ ΣΑΣ'],
  ['uppercase', 'upper(word)', 'HELLO'],
  ['trim', '$trim(spaced)', 'a b'],
  ['trim', '$trim(none)', null],
  ['contains', "$contains(word, 'ell')", true],
  ['contains', "$contains(none, 'a')", false],
  ['contains', '$contains(word, none)', false],
  ['contains', "$contains(word, '')", true],
  ['contains', "$contains(total, '50')", true],
  ['startsWith', "$startsWith(word, 'he')", true],
  ['startsWith', "hasPrefix(word, '%')", false],
  ['endsWith', "$endsWith(word, 'lo')", true],
  ['endsWith', "hasSuffix(word, 'he')", false],
  ['substring', '$substring(word, 1, 3)', 'ell'],
  ['substring', '$substring(word, -3)', 'llo'],
  ['substring', '$substring(word, -30, 2)', 'he'],
  ['substring', '$substring(word, 9)', ''],
  ['substring', '$substring(none, 1)', null],
  ['substringBefore', "$substringBefore(word, 'l')", 'he'],
  ['substringBefore', "$substringBefore(word, 'z')", 'hello'],
  ['substringAfter', "$substringAfter(word, 'l')", 'lo'],
  ['substringAfter', "$substringAfter(word, 'z')", 'hello'],
  ['substringAfter', "$substringAfter(none, 'z')", null],
  ['replace', "$replace(word, 'l', 'L')", 'heLLo'],
  ['replace', "$replace(word, '.', '$&')", 'hello'],
  ['replace', "$replace(word, 'h', none)", 'ello'],
  ['exists', '$exists(word)', true],
  ['exists', '$exists(none)', false],
  ['exists', '$exists(data.nothing)', false],
  ['exists', '$exists(data.tags)', true],
  ['not', '$not(open)', false],
  ['not', '$not(none)', true],
  ['boolean', '$boolean(n)', true],
  ['boolean', '$boolean(none)', false],
  ['number', '$number(code)', 12.5],
  ['number', '$number(word)', null],
  ['number', '$number(open)', 1],
  ['number', '$number(data.price)', 1.5],
  ['string', '$string(total)', '250.00'],
  ['string', '$string(n)', '-7'],
  ['string', '$string(open)', 'true'],
  ['string', '$string(none)', null],
  ['string', '$string(at)', record.at],
  ['string', '$string(day)', '2026-01-02'],
  ['string', '$string(rate * 1000000000000000000000)', '2500000000000000000000'],
  ['round', '$round(rate)', 3],
  ['round', '$round(-rate)', -3],
  ['round', '$round(total / 3, 2)', 83.33],
  ['round', '$round(total, -2)', 300],
  ['round', '$round(none)', null],
  ['abs', '$abs(n)', 7],
  ['abs', '$abs(total)', 250],
  ['abs', '$abs(word)', null],
  ['floor', '$floor(-rate)', -3],
  ['ceil', '$ceil(rate)', 3],
  ['ceil', '$ceil(-rate)', -2],
  ['date', '$date(day)', '2026-01-02T00:00:00+00:00'],
  ['date', 'new Date(at)', record.at],
  ['date', '$date(none)', null],
  ['now', '$now()', NOW],
  ['now', '$days(day, $now())', 8],
  ['toMillis', '$toMillis(day)', 1767312000000],
  ['toMillis', '$toMillis(at)', 1767263400500],
  ['fromMillis', '$fromMillis($toMillis(day))', '2026-01-02T00:00:00+00:00'],
  ['fromMillis', '$fromMillis(n)', '1969-12-31T23:59:59.993+00:00'],
  ['days', '$days(at, day)', 0],
  ['days', '$days(now, at)', -9],
  ['days', '$days(none, at)', null],
  ['hours', '$hours(at, day)', 13],
  ['minutes', '$minutes(at, day)', 809],
  ['addDays', '$addDays(day, 1)', '2026-01-03T00:00:00+00:00'],
  ['addDays', '$addDays(at, n)', '2025-12-25T10:30:00.5+00:00'],
  ['addDays', '$addDays(day, 0.5)', '2026-01-02T12:00:00+00:00'],
  ['addDays', '$addDays(day, none)', null],
  ['addDays', '$addDays(day, 1000000000000000)', null],
  ['addDays', '$addDays(day, 3000000)', null],
  ['addHours', '$addHours(day, rate)', '2026-01-02T02:30:00+00:00'],
  ['addMinutes', '$addMinutes(day, -1)', '2026-01-01T23:59:00+00:00'],
  ['year', '$year(at)', 2026],
  ['year', '$year(none)', null],
  ['month', '$month(day)', 1],
  ['day', '$day(day)', 2],
  ['day', '$day(now)', 10],
];

const CLOSURE_ONLY: readonly (readonly [string, string, unknown])[] = [
  ['sum', '$sum(data.list)', 4],
  ['sum', '$sum([total, n, none])', 243],
  ['sum', '$sum(none)', 0],
  ['count', '$count(data.tags)', 3],
  ['count', '$count(none)', 0],
  ['min', '$min(data.list)', 1],
  ['min', '$min(n, 2)', -7],
  ['max', '$max(data.list)', 3],
  ['max', '$max(none)', null],
  ['average', '$average(data.list)', 2],
  ['average', 'avg(none)', null],
  ['split', "$split(word, 'l')", ['he', '', 'o']],
  ['join', "$join(data.tags, '-')", 'b-a-b'],
  ['join', '$join(data.tags)', 'bab'],
  ['match', "$match(word, '^h[a-z]+o$')", true],
  ['match', "matches(none, 'x')", false],
  ['test', "$test(word, 'L')", false],
  ['sqrt', '$sqrt(16 + n + 7)', 4],
  ['sqrt', '$sqrt(n)', null],
  ['power', '$power(rate, 2)', 6.25],
  ['power', '$power(n, none)', null],
  ['distinct', '$distinct(data.tags)', ['b', 'a']],
  ['append', "$append(data.list, 'x')", [3, 1, 'x']],
  ['reverse', '$reverse(data.list)', [1, 3]],
  ['keys', '$keys(data.deep)', ['x']],
  ['keys', '$keys(word)', []],
  ['lookup', "$lookup(data.deep, 'x')", 1],
  ['lookup', "$lookup(data, 'constructor')", null],
];

describe('functions', () => {
  let pool: pg.Pool;
  beforeAll(async () => {
    pool = new pg.Pool({ connectionString: await freshDatabase(), max: 1, options: '-c timezone=UTC' });
    await pool.query(`create table t (word text, accents text, spaced text, code text, none text, n int, total numeric(12,2), rate double precision, open boolean,
      at timestamptz, day date, data jsonb)`);
    await pool.query('insert into t select * from jsonb_populate_record(null::t, $1::jsonb)', [JSON.stringify(record)]);
  });
  afterAll(() => pool.end());

  it.each([...BOTH, ...CLOSURE_ONLY])('%s: %s here', (_name, source, expected) => {
    expect(compileExpression(source).evaluate({ record, now: NOW })).toEqual(expected);
  });

  it.each(BOTH)('%s: %s in SQL', async (_name, source, expected) => {
    const built = expressionToValueSql(compileExpression(source), scope);
    const [found] = await run<{ x: unknown }>(pool, sql`select to_jsonb(${built.sql}) as x from t`);
    expect(typeof expected === 'number' ? Number(found?.x) : found?.x).toEqual(expected);
  });

  it.each(CLOSURE_ONLY)('$%s is refused in SQL by its name: %s', (_name, source) => {
    expect(() => expressionToValueSql(compileExpression(source), scope)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }));
  });

  it('no function is left out of the tables, and they say which has SQL', () => {
    const named = (table: readonly (readonly [string, ...unknown[]])[]): string[] => [...new Set(table.map(([name]) => name))].sort();
    expect(named(BOTH)).toEqual(sqlFunctionNames());
    expect([...named(BOTH), ...named(CLOSURE_ONLY)].sort()).toEqual(Object.keys(FUNCTION_ARITY).sort());
  });

  it('every other spelling leads to a function', () => {
    for (const target of FUNCTION_ALIASES.values()) expect(target in FUNCTION_ARITY || SANDBOX_FUNCTIONS.has(target), target).toBe(true);
  });
});
