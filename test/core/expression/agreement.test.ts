/** The two back ends mean the same: generated expressions over generated records, evaluated here and by a real Postgres. */
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../../adapters/postgres/run.ts';
import { isAppError } from '../../../core/errors.ts';
import { compareNumeric, toNumeric } from '../../../core/expression/decimal.ts';
import { compileExpression, isTrue } from '../../../core/expression/expression.ts';
import { microsOf } from '../../../core/expression/time.ts';
import { expressionToSql, expressionToValueSql, type SqlScope, type ValueSql } from '../../../core/expression/to-sql.ts';
import type { StoredType } from '../../../core/model/model.ts';
import { id, join, sql, value, type Sql } from '../../../core/sql/sql.ts';
import { freshDatabase } from '../../support/database.ts';
import { SEED } from '../../support/fixed-seed.ts';

const TYPES: Readonly<Record<string, StoredType>> = {
  id: 'int',
  word: 'string',
  other: 'text',
  n: 'int',
  m: 'int',
  big: 'bigint',
  total: 'decimal',
  paid: 'decimal',
  rate: 'float',
  open: 'boolean',
  shut: 'boolean',
  at: 'timestamp',
  due: 'timestamp',
  day: 'date',
  hour: 'time',
  owner: 'uuid',
  boss: 'uuid',
  data: 'json',
  picture: 'file',
};
const USER = '01890000-0000-7000-8000-000000000001';
const OTHER = '01890000-0000-7000-8000-0000000000ff';
interface Caller {
  readonly id: string | null;
  readonly email: string;
  readonly roles: readonly string[];
  readonly none: null;
}
const NOW = '2026-01-02T00:00:00+00:00';
const scopeOf = (user: Caller): SqlScope => ({
  column: ([name = '', ...rest]) => {
    const type = rest.length === 0 ? TYPES[name] : undefined;
    return type === undefined ? undefined : { sql: id('t', name), type };
  },
  variable: (root, [name = '']) =>
    root === 'now' ? NOW : root === 'action' ? 'update' : root === 'user' ? (user as unknown as Record<string, unknown>)[name] : undefined,
});

const WORDS = [
  '',
  'a',
  'A',
  'Z',
  'b c',
  ' b  c ',
  'é',
  'e\u0301',
  'ß',
  '\u{1F600}',
  '\uFFFD',
  '10',
  '10.0',
  '9',
  '-9',
  '007',
  '1e3',
  '+5',
  ' 5',
  "it's",
  'null',
  'x\\y',
  '%_',
  '2026-01-01',
  '2026-01-01T00:00:00Z',
  '2026-01-01 01:00+01',
  '2026-02-30',
  '2023-02-29',
  '0000-01-01',
  '2026-01-01T00:00:00.1234567+00:00',
  '-0',
  '0.00',
  '"',
  '\n',
  'İ',
];
const NUMBERS = [0, 1, -1, 5, 9, 10, 100, 0.1, 0.3, 2.5, -2.5];
const TIMES = ['2026-01-01T00:00:00+00:00', NOW, '2026-01-02T00:00:00.000001+00:00', '2024-02-29T23:59:59.5+00:00'];
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary, { nil: null, freq: 5 });
const money = fc.constantFrom('0.00', '0.10', '0.20', '0.30', '9.00', '10.00', '-9.00', '250.00', '99999999.99');
const user = fc.record({
  id: maybe(fc.constant(USER)),
  email: fc.constantFrom('é@x', "o'x@y", '10'),
  roles: fc.subarray(['a', 'Z', '10', "it's", '']),
  none: fc.constant(null),
});
/** What applications keep in json: a word, a number, lists, objects in lists, lists in lists. */
const jsonLeaf = fc.oneof(fc.constantFrom(...WORDS), fc.constantFrom(0, 1, 5, 10, 0.1, -2.5, 1e21), fc.boolean(), fc.constant(null));
const jsonItem = fc.record({ n: jsonLeaf, tags: fc.oneof(jsonLeaf, fc.array(jsonLeaf, { maxLength: 2 })) }, { requiredKeys: [] });
const json = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record(
      {
        word: jsonLeaf,
        price: jsonLeaf,
        tags: fc.array(jsonLeaf, { maxLength: 3 }),
        one: jsonItem,
        items: fc.array(fc.oneof(jsonItem, jsonLeaf, fc.array(jsonItem, { maxLength: 2 })), { maxLength: 3 }),
      },
      { requiredKeys: [] },
    ),
  },
  { weight: 1, arbitrary: fc.oneof(jsonLeaf, fc.array(jsonItem, { maxLength: 2 })) },
);
const row = fc.record({
  word: maybe(fc.constantFrom(...WORDS)),
  other: maybe(fc.constantFrom(...WORDS)),
  n: maybe(fc.constantFrom(0, 1, -1, 5, 9, 10, 2_000_000_000)),
  m: maybe(fc.integer({ min: -3, max: 3 })),
  big: maybe(fc.constantFrom('0', '9', '10', '9007199254740993', '-9007199254740993')),
  total: maybe(money),
  paid: maybe(money),
  rate: maybe(fc.constantFrom(0, 0.1, 0.2, 0.3, 2.5, -1e-3, 1e15)),
  open: maybe(fc.boolean()),
  shut: maybe(fc.boolean()),
  at: maybe(fc.constantFrom(...TIMES)),
  due: maybe(fc.constantFrom(...TIMES)),
  day: maybe(fc.constantFrom('2026-01-01', '2026-01-02', '2024-02-29')),
  hour: maybe(fc.constantFrom('09:30:00', '10:00:00')),
  owner: maybe(fc.constantFrom(USER, OTHER)),
  boss: maybe(fc.constantFrom(USER, OTHER)),
  data: maybe(json),
  picture: fc.constant(null),
});

const quoted = (text: string): string => JSON.stringify(text);
const text = fc.letrec((tie) => ({
  leaf: fc.oneof(
    fc.constantFrom('word', 'record.other', 'user.email', 'user.none', 'null', 'owner', 'hour'),
    fc.constantFrom(...WORDS).map(quoted),
  ),
  node: fc.oneof(
    { maxDepth: 2 },
    tie('leaf'),
    fc.tuple(tie('node'), tie('node')).map(([a, b]) => `(${a} & ${b})`),
    tie('node').map((a) => `$trim(${a})`),
    fc
      .tuple(tie('node'), fc.integer({ min: -4, max: 4 }), fc.integer({ min: 0, max: 3 }))
      .map(([a, from, count]) => `$substring(${a}, ${from}, ${count})`),
    fc.tuple(tie('node'), tie('node')).map(([a, b]) => `(open ? ${a} : ${b})`),
    tie('node').map((a) => `$lowercase(${a})`),
    tie('node').map((a) => `$uppercase(${a})`),
    tie('node').map((a) => `$substringAfter(${a}, 'a')`),
    fc.constantFrom('(shut ? total : n)', '(open ? day : at)', '(open ? rate : 1)').map((a) => `$string(${a})`),
    fc.constantFrom('n', 'total', 'big', 'open', 'day', 'rate * 10', 'n + 1').map((a) => `$string(${a})`),
    tie('node').map((a) => `$replace(${a}, 'a', 'é')`),
    tie('node').map((a) => `$substringBefore(${a}, ' ')`),
    tie('node').map((a) => `$substringAfter(${a}, 'b')`),
  ),
})).node as fc.Arbitrary<string>;
const number = fc.letrec((tie) => ({
  leaf: fc.oneof(
    fc.constantFrom(
      'n',
      'm',
      'big',
      'record.total',
      'paid',
      'rate',
      'null',
      '$number(word)',
      '$length(other)',
      'len(word)',
      '$number(data.price)',
      'len(data.tags)',
      'len(data.items.n)',
      'len(data)',
    ),
    fc.constantFrom(...NUMBERS).map(String),
  ),
  node: fc.oneof(
    { maxDepth: 2 },
    tie('leaf'),
    fc.tuple(tie('node'), fc.constantFrom('+', '-', '*', '/', '%'), tie('node')).map(([a, op, b]) => `(${a} ${op} ${b})`),
    tie('node').map((a) => `-(${a})`),
    fc.tuple(fc.constantFrom('$abs', '$floor', '$ceil', '$round'), tie('node')).map(([f, a]) => `${f}(${a})`),
    tie('node').map((a) => `$round(${a}, 1)`),
    fc.tuple(tie('node'), tie('node')).map(([a, b]) => `(shut ? ${a} : ${b})`),
    fc.constantFrom('$days(day, at)', '$hours(at, due)', '$year(at)', '$month(day)', '$toMillis(due)', '(at - due)', '$minutes(due, now)'),
  ),
})).node as fc.Arbitrary<string>;
const time = fc.oneof(
  fc.constantFrom(
    'at',
    'due',
    'day',
    'now',
    '$now()',
    '$date(day)',
    'new Date(at)',
    '$addDays(day, m)',
    '$addHours(at, 36)',
    'null',
    '$date(word)',
    '$addMinutes(other, n)',
    '$date(data.word)',
    'word',
  ),
  fc.constantFrom(...TIMES, '2026-01-01').map(quoted),
);
const comparison = fc.constantFrom('==', '!=', '<', '<=', '>', '>=', '===', '!==');
const compare = (side: fc.Arbitrary<string>, other = side): fc.Arbitrary<string> =>
  fc.tuple(side, comparison, other).map(([a, op, b]) => `${a} ${op} ${b}`);
const member = fc.constantFrom(
  'data',
  'data.word',
  'data.price',
  'data.tags',
  'data.one.n',
  'data.one.tags',
  'data.items.n',
  'data.items.tags',
  'data.n',
  'data.nothing.at.all',
  'data.`0`',
);
const plain = fc.oneof(
  fc.constantFrom(...WORDS).map(quoted),
  fc.constantFrom(...NUMBERS).map(String),
  fc.constantFrom('true', 'false', 'null', 'now', 'n', 'total', 'rate', 'word', 'day', 'at', 'user.email', 'action', "('1' & '0')"),
);
const truth = fc.letrec((tie) => ({
  leaf: fc.oneof(
    compare(member, plain),
    compare(plain, member),
    fc.tuple(plain, member).map(([a, list]) => `${a} in ${list}`),
    fc.tuple(member, fc.array(plain, { maxLength: 3 })).map(([a, list]) => `${a} in [${list.join(', ')}]`),
    member.map((a) => `$exists(${a})`),
    compare(time, text),
    compare(plain),
    compare(text),
    compare(number),
    compare(time),
    compare(number, text),
    compare(text, number),
    fc.constantFrom(
      'open',
      '!shut',
      'n',
      'word',
      'at',
      'total',
      'big',
      'rate',
      'picture = null',
      'true',
      "'a' in user.roles",
      'user.id',
      "action = 'update'",
      'record != old',
      'picture',
      'null',
      'owner = user.id',
      'owner = boss',
      'owner != boss',
    ),
    fc.tuple(text, fc.array(fc.constantFrom(...WORDS), { maxLength: 3 })).map(([a, list]) => `${a} in [${list.map(quoted).join(', ')}]`),
    fc.tuple(number, fc.array(fc.constantFrom(...NUMBERS), { maxLength: 3 })).map(([a, list]) => `${a} not in [${list.join(', ')}]`),
    text.map((a) => `${a} in user.roles`),
    fc.tuple(text, text).map(([a, b]) => `${a} in [${b}, word]`),
    fc.tuple(fc.constantFrom('$contains', '$startsWith', '$endsWith'), text, text).map(([f, a, b]) => `${f}(${a}, ${b})`),
    fc.oneof(text, number, time).map((a) => `$exists(${a})`),
  ),
  node: fc.oneof(
    { maxDepth: 3 },
    tie('leaf'),
    fc.tuple(tie('node'), fc.constantFrom('&&', '||', 'and', 'or'), tie('node')).map(([a, op, b]) => `(${a} ${op} ${b})`),
    tie('node').map((a) => `!(${a})`),
    fc.tuple(tie('node'), tie('node'), tie('node')).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
    fc.tuple(tie('node'), tie('node')).map(([a, b]) => `((${a}) = (${b}))`),
  ),
})).node as fc.Arbitrary<string>;

/** Everything that can be one statement is: a statement per expression would measure the network. */
function sqlOf(source: string, caller: Caller): Sql | undefined {
  try {
    return expressionToSql(compileExpression(source), scopeOf(caller));
  } catch (error) {
    if (isAppError(error, 'UNSUPPORTED')) return undefined;
    throw error;
  }
}

function valueOf(source: string, caller: Caller): (ValueSql & { readonly source: string }) | undefined {
  try {
    return { source, ...expressionToValueSql(compileExpression(source), scopeOf(caller)) };
  } catch (error) {
    if (isAppError(error, 'UNSUPPORTED')) return undefined;
    throw error;
  }
}

/** The text of a value of SQL beside the JSON value of the closure. */
function isSameValue(here: unknown, there: string | null, kind: ValueSql['class']): boolean {
  if (here === null || there === null) return here === there;
  if (kind === 'time') return microsOf(here) === microsOf(there);
  if (kind !== 'number') return String(here) === there;
  const [a, b] = [toNumeric(here), toNumeric(there) ?? Number(there)];
  return a !== undefined && compareNumeric(a, b) === 0;
}

describe('closure and SQL', () => {
  let pool: pg.Pool;
  beforeAll(async () => {
    pool = new pg.Pool({ connectionString: await freshDatabase(), max: 1, options: '-c timezone=UTC' });
    await pool.query(`create table t (id int, word text, other text, n int, m int, big bigint, total numeric(14,2), paid numeric(14,2), rate double precision, open boolean,
      shut boolean, at timestamptz, due timestamptz, day date, hour time, owner uuid, boss uuid, data jsonb, picture uuid)`);
  });
  afterAll(() => pool.end());

  async function store(rows: readonly Record<string, unknown>[]): Promise<Record<string, unknown>[]> {
    await pool.query('truncate t');
    const json = JSON.stringify(rows.map((entry, index) => ({ id: index, ...entry })));
    await pool.query('insert into t select * from jsonb_populate_recordset(null::t, $1::jsonb)', [json]);
    const shown = Object.entries(TYPES).map(
      ([name, type]) => sql`${type === 'bigint' || type === 'decimal' ? sql`${id('t', name)}::text` : id('t', name)} as ${id(name)}`,
    );
    const found = await run<{ x: Record<string, unknown> }>(
      pool,
      sql`select (select row_to_json(r) from (select ${join(shown)}) r) as x from t order by id`,
    );
    return found.map((entry) => entry.x);
  }

  it('agree on every record, and are never null', async () => {
    const runs = Number(process.env['PROVE_RUNS'] ?? 120);
    process.stdout.write(`agreement of expressions: PROVE_SEED=${SEED} PROVE_RUNS=${runs}\n`);
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 8, maxLength: 8 }),
        fc.array(truth, { minLength: 12, maxLength: 12 }),
        user,
        async (rows, sources, caller) => {
          const records = await store(rows);
          const built = sources.flatMap((source) => {
            const statement = sqlOf(source, caller);
            return statement === undefined ? [] : [{ source, statement }];
          });
          if (built.length === 0) return;
          const columns = built.map((entry, index) => sql`${entry.statement} as ${id(`v${index}`)}`);
          const found = await run<Record<string, boolean | null>>(pool, sql`select ${join(columns)} from t order by id`);
          compared += built.length;
          for (const [index, { source }] of built.entries()) {
            records.forEach((record, at) => {
              const here = isTrue(compileExpression(source).evaluate({ record, user: caller, action: 'update', now: NOW }));
              const there = found[at]?.[`v${index}`];
              if (there !== here)
                throw new Error(`${source}\nSQL ${there}, closure ${here}\n${JSON.stringify(record)} of ${JSON.stringify(caller)}`);
            });
          }
        },
      ),
      { numRuns: runs },
    );
    // What SQL refuses is not compared: it must stay the exception.
    expect(compared).toBeGreaterThan(runs * 12 * 0.7);
    process.stdout.write(`agreement of expressions: ${compared} of ${runs * 12} had SQL\n`);
  }, 600_000);

  it('give the same values', async () => {
    const runs = Number(process.env['PROVE_RUNS'] ?? 120);
    process.stdout.write(`agreement of values: PROVE_SEED=${SEED} PROVE_RUNS=${runs}\n`);
    const sources = fc.array(fc.oneof(text, number, time), { minLength: 25, maxLength: 25 });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 8, maxLength: 8 }), sources, user, async (rows, generated, caller) => {
        const records = await store(rows);
        const built = generated.flatMap((source) => valueOf(source, caller) ?? []);
        const columns = built.map((entry, index) => sql`(${entry.sql})::text as ${id(`v${index}`)}`);
        if (columns.length === 0) return;
        const found = await run<Record<string, string | null>>(pool, sql`select ${join(columns)} from t order by id`);
        for (const [index, entry] of built.entries()) {
          records.forEach((record, at) => {
            const here = compileExpression(entry.source).evaluate({ record, user: caller, action: 'update', now: NOW });
            const there = found[at]?.[`v${index}`] ?? null;
            if (!isSameValue(here, there, entry.class))
              throw new Error(`${entry.source}\nSQL ${there}, closure ${JSON.stringify(here)}\n${JSON.stringify(record)}`);
          });
        }
      }),
      { numRuns: runs },
    );
  }, 600_000);

  it('divide to the same fifteenth digit', async () => {
    const records = await store(
      Array.from({ length: 2_000 }, (_, index) => ({
        total: String((index % 50) + 5),
        paid: `${Math.floor(index / 50) + 5}.${10 + (index % 83)}`,
      })),
    );
    const entry = valueOf('total / paid', { id: null, email: 'a@x', roles: [], none: null });
    const found = await run<{ x: string }>(pool, sql`select (${entry?.sql ?? sql`null`})::text as x from t order by id`);
    const differing = records.filter((record, at) => {
      const here = compileExpression('total / paid').evaluate({ record, action: 'update', now: NOW });
      return !isSameValue(here, found[at]?.x ?? null, 'number');
    });
    expect(differing).toEqual([]);
  });

  it('binds what it must (the harness itself can see a difference)', async () => {
    await store([{ n: 1 }]);
    const [entry] = await run<{ x: boolean }>(pool, sql`select ${id('t', 'n')} = ${value(2, 'integer')} as x from t`);
    expect(entry?.x).toBe(false);
  });
});
