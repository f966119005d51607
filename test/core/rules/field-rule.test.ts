import { describe, expect, it } from 'vitest';
import { documentSchema, ruleSchema } from '../../../core/model/document.ts';
import { buildModel, entityOf } from '../../../core/model/model.ts';
import { checkFieldRule, type FieldRule } from '../../../core/rules/field-rule.ts';
import { freeSlug, slugify } from '../../../core/rules/slug.ts';

const model = buildModel(
  documentSchema.parse({
    version: 1,
    entities: [
      {
        name: 'thing',
        fields: [
          { name: 'n', type: 'int' },
          { name: 'money', type: 'decimal' },
          { name: 's', type: 'string' },
          { name: 'd', type: 'date' },
          { name: 't', type: 'timestamp' },
          { name: 'b', type: 'boolean' },
          { name: 'j', type: 'json' },
          { name: 'big', type: 'bigint' },
        ],
      },
    ],
  }),
);

const violates = (field: string, operator: string, value: unknown, actual: unknown, condition = true): boolean => {
  const rule = ruleSchema.parse({
    entity: 'thing',
    type: 'field',
    definition: { field, operator, ...(value === undefined ? {} : { value }) },
  }) as FieldRule;
  const of = entityOf(model, 'thing').fields.get(field);
  if (of === undefined) throw new Error(field);
  return checkFieldRule(rule, of, { [field]: actual }, '2026-06-15T12:00:00.000Z', condition) !== undefined;
};

describe('field rules', () => {
  it.each([
    ['n', 'min', 1, 1, false],
    ['n', 'min', 1, 0, true],
    ['n', 'max', 5, 6, true],
    ['n', 'gt', 5, 5, true],
    ['n', 'lt', 5, 4, false],
    ['money', 'min', '0.1', '0.10', false],
    ['money', 'max', 10, '9.99', false],
    ['money', 'max', 9, '10.00', true],
    ['money', 'eq', '1.5', '1.50', false],
    ['big', 'lte', '9007199254740993', '9007199254740993', false],
    ['big', 'lt', '9007199254740993', '9007199254740992', false],
    ['s', 'min_length', 2, '👍', true],
    ['s', 'max_length', 1, '👍', false],
    ['s', 'pattern', '^a+$', 'aab', true],
    ['s', 'pattern', '^a+$', 'aa', false],
    ['s', 'in', ['a', 'b'], 'c', true],
    ['s', 'not_in', ['a', 'b'], 'c', false],
    ['n', 'in', [1, 2], 2, false],
    ['s', 'neq', 'x', 'x', true],
    ['s', 'email', undefined, 'no', true],
    ['s', 'email', undefined, 'a@b.co', false],
    ['s', 'url', undefined, 'javascript:alert(1)', true],
    ['s', 'url', undefined, 'https://a.b/c', false],
    ['d', 'gte', 'now', '2026-06-15', false],
    ['d', 'gte', 'today', '2026-06-14', true],
    ['t', 'gt', '$now', '2026-06-15T14:00:00+02:00', true],
    ['t', 'gt', '$now', '2026-06-15T15:00:00+02:00', false],
    ['b', 'eq', true, false, true],
    ['j', 'eq', { a: 1 }, { a: 1 }, false],
    ['j', 'not_empty', undefined, [], true],
    ['s', 'not_empty', undefined, '  ', true],
    ['s', 'required', undefined, '', true],
    ['n', 'required', undefined, 0, false],
  ])('%s %s %j judges %j: violated %s', (field, operator, value, actual, expected) => {
    expect(violates(field, operator, value, actual)).toBe(expected);
  });

  it.each(['min', 'max', 'in', 'eq', 'pattern', 'email', 'gt'])('%s lets an empty value pass', (operator) => {
    for (const empty of [null, undefined, '']) expect(violates('s', operator, operator === 'in' ? ['a'] : 'a', empty)).toBe(false);
  });

  it('requires a value only while the condition of required_if holds', () => {
    expect(violates('s', 'required_if', undefined, null, true)).toBe(true);
    expect(violates('s', 'required_if', undefined, null, false)).toBe(false);
  });
});

describe('slugs', () => {
  it.each([
    ['Hello, World!', 'hello-world'],
    ['  Crème brûlée — №1 ', 'creme-brulee-no1'],
    ['Straße Œuvre Łódź', 'strasse-oeuvre-lodz'],
    ['日本語', ''],
    ['a'.repeat(300), 'a'.repeat(200)],
  ])('of %j is %j', (text, slug) => expect(slugify(text)).toBe(slug));

  it('take the first free number', () => {
    expect(freeSlug('a', new Set())).toBe('a');
    expect(freeSlug('a', new Set(['a', 'a-2', 'a-4']))).toBe('a-3');
  });
});
