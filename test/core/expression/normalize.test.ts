import { describe, expect, it } from 'vitest';
import { normalizeExpression } from '../../../core/expression/expression.ts';
import { isAppError } from '../../../core/errors.ts';

describe('familiar operators are stored as JSONata', () => {
  it.each([
    ["record.status == 'paid' && record.payment_date == nil", "record.status = 'paid' and record.payment_date = null"],
    ["action == 'update' && old != nil && old.status == 'void'", "action = 'update' and old != null and old.status = 'void'"],
    ['len(related.invoices) > 0', '$len(related.invoices) > 0'],
    ['!("admin" in user.roles)', '$not("admin" in user.roles)'],
    ['new Date(record.end_date) >= new Date(record.start_date)', '$date(record.end_date) >= $date(record.start_date)'],
    ["action === 'create'", "action = 'create'"],
    ['a!==b', 'a!=b'],
    ['a&&b||c', 'a and b or c'],
    ['$sum(related.items.(quantity * unit_price))', '$sum(related.items.(quantity * unit_price))'],
    ['sum(related.items.price)', '$sum(related.items.price)'],
    ['not record.a == 5 and b', '$not(record.a = 5) and b'],
    ['record.a not in [1, 2] and b', '$not(record.a in [1, 2]) and b'],
    ['x + 1 not in [1]', '$not(x + 1 in [1])'],
    ['!record.a.b[0] == c', '$not(record.a.b[0]) = c'],
    ['!!record.a', '$not($not(record.a))'],
    ["record.first + ' ' + record.last", "record.first & ' ' & record.last"],
    ['new Date() > due', '$now() > due'],
    ['record?.customer?.name', 'record.customer.name'],
    ['true', 'true'],
    ['a ? b : c', 'a ? b : c'],
    ['a % 2 == 0', 'a % 2 = 0'],
    ["'a == b && !c'", "'a == b && !c'"],
    ["'it\\'s'", "'it\\u0027s'"],
    ['record.nil', 'record.nil'],
    ['record.not = 1', 'record.not = 1'],
    ['a ?? b', 'a ?? b'],
    ['a /* && */ && b', 'a and b'],
    ['x ? -1 : !y', 'x ? -1 : $not(y)'],
    ['now() > a', '$now() > a'],
  ])('%s', (familiar, stored) => {
    expect(normalizeExpression(familiar)).toBe(stored);
    expect(normalizeExpression(stored)).toBe(stored);
  });
});

describe('a mistake is told with its position in what was typed', () => {
  it.each([
    ["record.status == 'paid", 18, 'not closed'],
    ['record.total > 1 && (record.a', 30, 'not closed'],
    ['record.total > 5)', 17, 'closes nothing'],
    ['lenn(record.a) > 0', 1, 'no function "lenn"'],
    ['record.a = /x/', 12, 'slashes'],
    ['a ; ~', 5, ''],
    ['new Thing(1)', 1, 'dates only'],
    ['', 1, 'empty'],
    ['a && !', 6, 'follows'],
  ])('%s', (text, position, part) => {
    try {
      normalizeExpression(text);
    } catch (error) {
      expect(isAppError(error, 'VALIDATION_FAILED')).toBe(true);
      expect((error as Error).message).toContain(part);
      expect((error as { details: { position: number }[] }).details[0]?.position).toBe(position);
      return;
    }
    expect.unreachable();
  });
});
