import { describe, expect, it } from 'vitest';
import { compileExpression, isTrue, type ExpressionScope } from '../../../core/expression/expression.ts';
import { isAppError } from '../../../core/errors.ts';

const run = (text: string, scope: ExpressionScope = {}): unknown => compileExpression(text).evaluate(scope);

describe('the sample expressions work as written', () => {
  const scope: ExpressionScope = {
    record: {
      status: 'paid',
      payment_date: null,
      stock_level: 3,
      amount: '10000.01',
      total: '250.00',
      quantity: 3,
      unit_price: '19.99',
      start_date: '2026-01-02',
      end_date: '2026-01-01',
    },
    old: { status: 'void' },
    action: 'update',
    related: {
      invoices: [{ id: 1 }],
      items: [
        { quantity: 2, unit_price: '0.10' },
        { quantity: 1, unit_price: '0.10' },
      ],
    },
    user: { roles: ['editor'] },
    context: { amount: '999.99' },
  };
  it.each<[string, unknown]>([
    ["record.status == 'paid' && record.payment_date == nil", true],
    ["action == 'update' && old != nil && old.status == 'void'", true],
    ['len(related.invoices) > 0', true],
    ['!("admin" in user.roles)', true],
    ["'admin' in user.roles", false],
    ['record.quantity * record.unit_price', 59.97],
    ['record.stock_level < 10', true],
    ['amount > 10000', true],
    ['true', true],
    ['new Date(record.end_date) >= new Date(record.start_date)', false],
    ["action === 'create'", false],
    ["record.status === 'resolved'", false],
    ['context.amount < 1000', true],
    ['$sum(related.items.(quantity * unit_price))', 0.3],
    ['record.total > 0', true],
    ['sum(related.items.unit_price)', 0.2],
    ["record.status in ['paid', 'sent']", true],
    ["record.status not in ['paid', 'sent']", false],
    ["record.stock_level > 2 ? 'many' : 'few'", 'many'],
    ["record.status + '!'", 'paid!'],
  ])('%s is %j', (text, expected) => expect(run(text, scope)).toEqual(expected));
});

describe('null and missing are one thing', () => {
  it.each<[string, unknown]>([
    ['record.x = null', true],
    ['record.x = record.y', true],
    ['record.x != 1', true],
    ['record.x < 1', false],
    ['record.x >= null', false],
    ['record.x + 1', null],
    ['-record.x', null],
    ["record.x & 'a'", 'a'],
    ['record.x and true', false],
    ['record.x or true', true],
    ['$not(record.x)', true],
    ['record.x in [1]', false],
    ['record.x in [null]', true],
    ['1 in record.x', false],
    ['$sum(record.x)', 0],
    ['len(record.x)', 0],
    ['$length(record.x)', null],
    ['record.x.y.z', null],
    ['record.x ?? 5', 5],
    ['$exists(record.x)', false],
    ['1 / 0', null],
    ['5 % 0', null],
    ['record.constructor', null],
    ['record.__proto__', null],
    ['record.toString', null],
  ])('%s is %j', (text, expected) => expect(run(text, { record: {} })).toEqual(expected));
});

describe('numeric texts', () => {
  it.each<[string, unknown]>([
    ['record.a = 10', true],
    ["record.a = '10.00'", true],
    ["record.a = '10'", false],
    ['record.a = record.b', true],
    ['record.a > record.c', true],
    ['record.zip = 1', false],
    ['record.big = 9007199254740993', false],
    ['record.big > record.big2', true],
    ['record.big + 2', '9007199254740995'],
    ['0.1 + 0.2', 0.3],
    ['record.big - record.big2', 1],
    ['$round(2.5)', 3],
    ['$round(-2.5)', -3],
    ['$round(1.005, 2)', 1.01],
    ['$round(1250, -2)', 1300],
    ['$floor(-1.5)', -2],
    ['$ceil(-1.5)', -1],
    ['10 / 4', 2.5],
    ['1 / 3', 0.333333333333333],
    ['-7 % 3', -1],
    ['$abs(record.c)', 9],
    ["$number('12.50')", 12.5],
    ["$number('x')", null],
    ["$number('007')", null],
    ['record.a + record.c', 19],
    ['record.w + 1', 'w1'],
  ])('%s is %j', (text, expected) =>
    expect(
      run(text, {
        record: { a: '10.00', b: '10.0', c: '9', zip: '01', w: 'w', big: '9007199254740993', big2: '9007199254740992' },
      }),
    ).toEqual(expected),
  );
});

describe('dates', () => {
  const scope = { record: { at: '2026-01-01T00:00:00.123456+00:00', day: '2026-01-01', name: 'x' }, now: '2026-01-10T12:00:00Z' };
  it.each<[string, unknown]>([
    ["record.at = '2026-01-01T01:00:00.123456+01:00'", true],
    ["record.at > '2026-01-01T00:00:00.123455Z'", true],
    ['record.at < now', true],
    ['record.at < $now()', true],
    ["$date('2026-01-01')", '2026-01-01T00:00:00+00:00'],
    ["$date('2026-02-30')", null],
    ['$date(record.name)', null],
    ['$days(record.day, now)', 9],
    ['$hours(record.day, now)', 228],
    ['$addDays(record.day, 1)', '2026-01-02T00:00:00+00:00'],
    ['$date(now) - $date(record.day)', 820_800_000],
    ['$year(record.at)', 2026],
    ['$month(now)', 1],
    ['$toMillis(record.day)', 1767225600000],
    ['record.name < now', false],
  ])('%s is %j', (text, expected) => expect(run(text, scope)).toEqual(expected));
});

describe('lists, filters and members', () => {
  const scope = {
    record: { tags: ['a', 'b'], limit: 5 },
    related: {
      items: [
        { n: 1, k: 'x', sub: [{ v: 1 }, { v: 2 }] },
        { n: 9, k: 'x', sub: [{ v: 3 }] },
        { n: 7, k: 'y' },
      ],
      one: [{ name: 'Ann' }],
    },
  };
  it.each<[string, unknown]>([
    ["related.items[k = 'x'].n", [1, 9]],
    ['related.items[n > record.limit].n', [9, 7]],
    ['related.items[0].n', 1],
    ['related.items[-1].n', 7],
    ['related.items.sub.v', [1, 2, 3]],
    ["$sum(related.items[k='x'].n)", 10],
    ['$max(related.items.n)', 9],
    ['$min(3, 2)', 2],
    ['$average(related.items.n)', 5.66666666666667],
    ["related.items[k='z']", null],
    ["len(related.items[k='y'])", 1],
    ["'a' in record.tags", true],
    ['related.one.name', 'Ann'],
    ["related.one.name = 'Ann'", true],
    ['len(related.one.name)', 1],
    ['$count(record.limit)', 1],
    ["{'a': record.limit, 'b': [1, 2]}", { a: 5, b: [1, 2] }],
    ["$join(record.tags, '-')", 'a-b'],
    ['$distinct([1, 1, 2])', [1, 2]],
    ['related.items.(n > 5)', [false, true, true]],
    ['$contains(record.tags, "b")', true],
    ['related.items[$.n = 7].k', 'y'],
    ['record.tags[0]', 'a'],
    ['$append(record.tags, 1)', ['a', 'b', 1]],
  ])('%s is %j', (text, expected) => expect(run(text, scope)).toEqual(expected));
});

describe('texts', () => {
  it.each<[string, unknown]>([
    ["$length('a😀')", 2],
    ["$trim('  a   b ')", 'a b'],
    ["$substring('hello', 1, 3)", 'ell'],
    ["$substring('hello', -3)", 'llo'],
    ["$contains('hello', 'ell')", true],
    ["$startsWith('hello', 'he')", true],
    ["$endsWith('hello', 'lo')", true],
    ["$replace('aXbX', 'X', '-')", 'a-b-'],
    ["$match('AB12', '^[A-Z]+[0-9]+$')", true],
    ["$test('x', 'y')", false],
    ["$lowercase('ÀB')", 'àb'],
    ["$split('a,b', ',')", ['a', 'b']],
    ["'é' < 'z'", false],
    ["'\u{1F600}' > '\uFFFD'", true],
    ["'a' & 1 & true & null", 'a1true'],
    ['$string(5)', '5'],
    ["$substringAfter('a@b', '@')", 'b'],
  ])('%s is %j', (text, expected) => expect(run(text)).toEqual(expected));
});

describe('what is refused', () => {
  it.each([
    "$eval('1')",
    '$random()',
    '$foo(1)',
    'record.a = $nope',
    '$len()',
    "$match(record.a, '(')",
    '$round(1, 2, 3)',
    'record.a = ',
    '(a, b)',
  ])('%s', (text) => {
    expect(() => compileExpression(text)).toThrow(expect.objectContaining({ code: 'VALIDATION_FAILED' }));
  });
  it('deep nesting, without overflowing the stack', () => {
    for (const text of [
      '('.repeat(2_000) + '1' + ')'.repeat(2_000),
      '-'.repeat(5_000) + '1',
      '!'.repeat(5_000) + '1',
      `${'1+'.repeat(4_900)}1`,
      `a${'.a'.repeat(4_900)}`,
      `${'a?1:'.repeat(2_000)}1`,
    ]) {
      try {
        compileExpression(text).evaluate({ record: {} });
      } catch (error) {
        expect(isAppError(error, 'VALIDATION_FAILED')).toBe(true);
      }
    }
  });
  it('a long chain of or is fine', () => {
    const text = Array.from({ length: 400 }, (_, index) => `record.a = ${index}`).join(' || ');
    expect(run(text, { record: { a: 399 } })).toBe(true);
  });
  it('an evaluation that goes over too many items', () => {
    const items = Array.from({ length: 2_000 }, (_, n) => ({ n }));
    expect(() => run('$sum(related.items.(related.items.n))', { related: { items } })).toThrow(
      expect.objectContaining({ code: 'TOO_LARGE' }),
    );
  });
});

describe('whole JSONata', () => {
  it.each([
    '$map(related.items, function($i){ $i.n })',
    '($x := 1; $x)',
    'related.items^(n)',
    'related ~> $count',
    'record.**.x',
    'related.items{k: n}',
  ])('%s compiles but is not common', (text) => {
    const compiled = compileExpression(text);
    expect(compiled.isCommon).toBe(false);
    expect(() => compiled.evaluate({})).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }));
  });
});

describe('what an expression reads', () => {
  it('names its variables and the paths into the record', () => {
    const compiled = compileExpression(
      "amount > 5 and record.customer.name = old.name and 'x' in user.roles and $sum(related.items.(n * 2)) > 0",
    );
    expect([...compiled.roots].sort()).toEqual(['old', 'record', 'related', 'user']);
    expect(compiled.recordPaths).toEqual([['amount'], ['customer', 'name']]);
    expect(compiled.paths).toContainEqual({ root: 'related', path: ['items'] });
  });
  it('is remembered', () => expect(compileExpression('record.a = 1')).toBe(compileExpression('record.a = 1')));
});

describe('truth', () => {
  it.each<[unknown, boolean]>([
    [null, false],
    [0, false],
    ['', false],
    [[], false],
    [[0], false],
    [[0, 1], true],
    [{}, false],
    [{ a: 1 }, true],
    ['false', true],
  ])('%j is %j', (value, expected) => expect(isTrue(value)).toBe(expected));
});
