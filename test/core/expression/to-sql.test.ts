import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../../adapters/postgres/run.ts';
import { compileExpression } from '../../../core/expression/expression.ts';
import { expressionToSql, expressionToValueSql, type SqlScope } from '../../../core/expression/to-sql.ts';
import type { StoredType } from '../../../core/model/model.ts';
import { id, render, sql, type Sql } from '../../../core/sql/sql.ts';
import { freshDatabase } from '../../support/database.ts';

const TYPES: Readonly<Record<string, StoredType>> = {
  status: 'string',
  owner: 'uuid',
  n: 'int',
  big: 'bigint',
  total: 'decimal',
  rate: 'float',
  open: 'boolean',
  at: 'timestamp',
  day: 'date',
  hour: 'time',
  data: 'json',
  picture: 'file',
};
const VALUES: Readonly<Record<string, unknown>> = {
  'user.id': '01890000-0000-7000-8000-000000000001',
  'user.roles': ['Editor'],
  'user.email': 'a@b.c',
  now: '2026-01-10T12:00:00Z',
  'user.none': null,
};
const scope: SqlScope = {
  column: (path) => {
    const type = path.length === 1 ? TYPES[path[0] ?? ''] : undefined;
    return type === undefined ? undefined : { sql: id('t', path[0] ?? ''), type };
  },
  variable: (root, path) => VALUES[[root, ...path].join('.')],
};
const toSql = (text: string): Sql => expressionToSql(compileExpression(text), scope);
const textOf = (text: string): string => render(toSql(text)).text;

describe('SQL that an index can serve', () => {
  it.each([
    ["status == 'open'", '("t"."status" is not null and "t"."status" = $1::text)'],
    ['owner = user.id', '("t"."owner" is not null and "t"."owner" = $1::uuid)'],
    ['n = 5', '("t"."n" is not null and "t"."n" = $1::bigint)'],
    ['at < now', '("t"."at" is not null and "t"."at" < $1::timestamptz)'],
    ['10 < total', '("t"."total" is not null and "t"."total" > $1::numeric)'],
    ["status in ['a', 'b']", '("t"."status" is not null and "t"."status" = any($1::text[]))'],
    ['"Editor" in user.roles', 'true'],
    ['!("admin" in user.roles) and n = null', '(true and ("t"."n" is null))'],
    [
      "status != null && !(status = 'x')",
      '((not ("t"."status" is null)) and (not ("t"."status" is not null and "t"."status" = $1::text)))',
    ],
    ["owner = 'no uuid'", 'false'],
  ])('%s', (text, expected) => expect(textOf(text)).toBe(expected));
});

describe('what has no SQL is refused by name', () => {
  it.each([
    ["$match(status, 'x')", '$match'],
    ['related.items.n = 1', 'related.items.n'],
    ['record.nothing = 1', 'record.nothing'],
    ['data', 'truth of a json'],
    ["total = '10'", 'quoted'],
    ["at > 'soon'", 'soon'],
    ['status + n', 'text field'],
    ['$map(data, function($x){$x})', '$map'],
    ['picture = 1', 'file'],
    ['user.unknown = status', 'user.unknown'],
    ['$date(owner) < now', 'date'],
    ['record.data[0] = 1', 'filter'],
    ['data > owner', 'json'],
    ['data.n + 1 = 2', 'json value'],
    ['record = 1', 'whole record'],
  ])('%s', (text, part) => {
    expect(() => toSql(text)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED', message: expect.stringContaining(part) as string }));
  });
});

describe('on a real database', () => {
  let pool: pg.Pool;
  beforeAll(async () => {
    pool = new pg.Pool({ connectionString: await freshDatabase(), max: 2 });
    await pool.query(`create table t (status text, owner uuid, n int, big bigint, total numeric(12,2), rate double precision, open boolean,
      at timestamptz, day date, hour time, data jsonb, picture uuid)`);
    await pool.query(`insert into t values ('open', '01890000-0000-7000-8000-000000000001', 5, 9007199254740993, 250.00, 0.1, true,
      '2026-01-09T12:00:00.5Z', '2026-01-01', '09:30', '{"tags": ["a", 5], "deep": {"x": "7"}, "n": null, "word": "w"}', null)`);
  });
  afterAll(() => pool.end());
  const holds = async (text: string): Promise<unknown> => (await run<{ x: unknown }>(pool, sql`select ${toSql(text)} as x from t`))[0]?.x;

  it.each<[string, boolean]>([
    ['total > 99', true],
    ['big = 9007199254740992', false],
    ['rate = 0.1', true],
    ['rate + 0.2 = 0.3', true],
    ['total * n = 1250', true],
    ['n / 0 = null', true],
    ['n / 3 = 1.66666666666667', true],
    ["'a' in data.tags", true],
    ["'b' in data.tags", false],
    ['5 in data.tags', true],
    ['data.deep.x = 7', true],
    ['data.deep.x > 6', true],
    ['data.n = null', true],
    ['data.missing.x = null', true],
    ["data.word = 'w'", true],
    ['picture = null', true],
    ["hour = '09:30:00'", true],
    ["hour > '09:00'", true],
    ["day = '2026-01-01'", true],
    ['day < now', true],
    ['$days(day, at) = 8', true],
    ['$year(at) = 2026', true],
    ["$addDays(day, 1) = '2026-01-02'", true],
    ['at - day > 0', true],
    ["status & n = 'open5'", true],
    ["status & total = 'open250.00'", true],
    ["(open ? 'a' : status) = 'a'", true],
    ['(n > 9 ? n : null) = null', true],
    ["$contains(status, 'pe')", true],
    ["$startsWith(status, 'op')", true],
    ["$endsWith(status, 'x')", false],
    ["$substring(status, -2, 1) = 'e'", true],
    ['$len(data.tags) = 2', true],
    ['len(status) = 4', true],
    ['len(data.missing) = 0', true],
    ['$round(total / 3, 1) = 83.3', true],
    ['$exists(picture)', false],
    ['open', true],
    ['!open', false],
    ['n % 2 = 1', true],
    ['-n = -5', true],
    ["$uppercase(status) = 'OPEN'", true],
    ['record != null', true],
    ['total in [1, 250]', true],
    ['n in [5]', true],
    ['status in user.roles', false],
    ["$string(total) = '250.00'", true],
    ['$number(open) = 1', true],
    ["status ?? 'x' = 'open'", true],
    ["$replace(status, 'o', '') = 'pen'", true],
    ["$substringBefore(status, 'e') = 'op'", true],
    ['$floor(rate) = 0', true],
    ['user.none = status', false],
  ])('%s is %j', async (text, expected) => expect(await holds(text)).toBe(expected));

  it.each([
    "'; drop table t; --",
    "' or true --",
    '\\',
    "\\'; select 1",
    '$1',
    '"',
    '`',
    '%_',
    '\u2028',
    '\uFEFF',
    '\uD83D\uDE00',
    "''",
    '\n',
    '{{x}}',
    "E'\\x41'",
  ])('the text %j is only ever a value', async (text) => {
    const quoted = JSON.stringify(text);
    const statement = toSql(
      `status = ${quoted} or status in [${quoted}, 'z'] or $contains(status, ${quoted}) or status > ${quoted} or ${quoted} in data.tags or data.word = ${quoted}`,
    );
    expect(render(statement).text).not.toContain('drop');
    await run(pool, sql`select ${statement} from t`);
    await pool.query('delete from t where status = $1', [text]);
    await pool.query('insert into t (status) values ($1)', [text]);
    const rows = await run(pool, sql`select 1 from t where ${toSql(`status = ${quoted}`)}`);
    expect(rows).toHaveLength(1);
    await pool.query('delete from t where status = $1', [text]);
  });
  it('names go to the scope, never into the text', () => {
    for (const name of ['a"; drop table t; --', "a' or true", 'a\\', '$1']) {
      expect(() => toSql('record.`' + name + '` = 1')).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }));
      expect(render(toSql('record.data.`' + name + '` = 1')).text).not.toContain('drop');
    }
  });
  it('a numeric text of any length cannot make a statement fail', async () => {
    await pool.query("insert into t (status, data) values (repeat('9', 200000), '{}'), ('1e999', '[]'), ('-', '3'), ('1.', null)");
    await run(pool, sql`select ${toSql('status > 5 or status = n or data > 1')} from t`);
  });
  it('a value for a fill', async () => {
    const found = expressionToValueSql(compileExpression("status & '-' & n"), scope);
    expect(found.class).toBe('text');
    expect((await run<{ x: string }>(pool, sql`select ${found.sql} as x from t where n = 5`))[0]?.x).toBe('open-5');
  });
});
