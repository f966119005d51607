import { describe, expect, it } from 'vitest';
import type { FieldDefinition } from '../../../core/model/document.ts';
import { coerceOperand, coerceValue, columnType, valueFromText } from '../../../core/model/field-types.ts';
import type { FieldModel, StoredType } from '../../../core/model/model.ts';

const fieldOf = (type: StoredType, options: Partial<FieldDefinition> = {}): FieldModel => ({
  name: 'f',
  column: 'f',
  type,
  required: false,
  unique: false,
  isKey: false,
  isFixed: false,
  isGenerated: false,
  isAuto: false,
  references: undefined,
  definition: { name: 'f', type, required: false, unique: false, hidden: false, ...options },
});

const stored = (type: StoredType, value: unknown, options: Partial<FieldDefinition> = {}): unknown => {
  const result = coerceValue(fieldOf(type, options), value);
  return result.ok ? result.value : `refused: ${result.rule}`;
};

describe('the column of a field', () => {
  it.each<[StoredType, string]>([
    ['string', 'text'],
    ['text', 'text'],
    ['email', 'text'],
    ['url', 'text'],
    ['enum', 'text'],
    ['int', 'integer'],
    ['bigint', 'bigint'],
    ['float', 'double precision'],
    ['boolean', 'boolean'],
    ['uuid', 'uuid'],
    ['file', 'uuid'],
    ['timestamp', 'timestamptz'],
    ['date', 'date'],
    ['time', 'time'],
    ['json', 'jsonb'],
    ['decimal', 'numeric(18, 2)'],
  ])('of type %s is %s', (type, column) => {
    expect(columnType(fieldOf(type))).toBe(column);
  });

  it('of a decimal has the digits the document asks for', () => {
    expect(columnType(fieldOf('decimal', { precision: 4 }))).toBe('numeric(18, 4)');
  });
});

describe('values that fit are stored in one form', () => {
  it.each<[StoredType, unknown, unknown, Partial<FieldDefinition>?]>([
    ['string', 'Zoë 👋', 'Zoë 👋'],
    ['string', '', ''],
    ['string', null, null],
    ['string', '👋👋👋', '👋👋👋', { max_length: 3 }],
    ['enum', 'low', 'low', { enum: ['low', 'high'] }],
    ['enum', 2, '2', { enum: [1, 2] }],
    ['int', 2, 2, { enum: [1, 2] }],
    ['int', -0, 0],
    ['int', 2_147_483_647, 2_147_483_647],
    ['int', 0, 0, { min: 0 }],
    ['bigint', '9223372036854775807', '9223372036854775807'],
    ['bigint', 12, '12'],
    ['bigint', '007', '7'],
    ['float', 1.5, 1.5],
    ['decimal', '1234567890123456.78', '1234567890123456.78'],
    ['decimal', 19.99, '19.99'],
    ['decimal', 59.970000000000006, '59.97'],
    ['decimal', 1.005, '1.01'],
    ['decimal', -1.005, '-1.01'],
    ['decimal', 5, '5.00'],
    ['decimal', '-0.00', '0.00'],
    ['decimal', 1e-7, '0.00'],
    ['decimal', 1.5e10, '15000000000.00'],
    ['decimal', '1e3', '1000.00'],
    ['decimal', '.5', '0.50'],
    ['decimal', '12.10', '12.1', { precision: 1 }],
    ['decimal', 7, '7', { precision: 0 }],
    ['boolean', false, false],
    ['uuid', '018F2A3B-0000-7000-8000-00000000000A', '018f2a3b-0000-7000-8000-00000000000a'],
    ['file', { id: '018f2a3b-0000-7000-8000-00000000000a', filename: 'a.png' }, '018f2a3b-0000-7000-8000-00000000000a'],
    ['timestamp', '2026-01-31T09:30:00.123456+02:00', '2026-01-31T09:30:00.123456+02:00'],
    ['timestamp', '2026-01-31 09:30', '2026-01-31T09:30:00Z'],
    ['timestamp', '2026-01-31', '2026-01-31T00:00:00Z'],
    ['timestamp', '2026-01-31T09:30:00+0530', '2026-01-31T09:30:00+05:30'],
    ['timestamp', '2026-01-31T09:30:00.5-23:59', '2026-02-01T09:29:00.5Z'],
    ['timestamp', '0001-01-01T09:00:00+02:00', '0001-01-01T07:00:00Z'],
    ['timestamp', '9999-12-31T23:00:00+01:00', '9999-12-31T22:00:00Z'],
    ['date', '2024-02-29', '2024-02-29'],
    ['date', '2024-02-29T10:00:00Z', '2024-02-29'],
    ['time', '09:30', '09:30:00'],
    ['email', 'ada.lovelace+tag@mail.example.org', 'ada.lovelace+tag@mail.example.org'],
    ['email', 'admin@localhost', 'admin@localhost'],
    ['url', 'http://127.0.0.1:4010/helpdesk?x=1#y', 'http://127.0.0.1:4010/helpdesk?x=1#y'],
    ['url', 'https://[::1]:8080/', 'https://[::1]:8080/'],
    ['json', [1, { a: null }], '[1,{"a":null}]'],
    ['json', 'text', '"text"'],
  ])('%s takes %j as %j', (type, value, expected, options) => {
    expect(stored(type, value, options)).toBe(expected);
  });

  it('keeps the plain value of json beside the bound text', () => {
    expect(coerceValue(fieldOf('json'), { tags: ['a'] })).toEqual({ ok: true, value: '{"tags":["a"]}', plain: { tags: ['a'] } });
  });
});

describe('values that do not fit are refused by rule', () => {
  const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)]);

  it.each<[StoredType, unknown, string, Partial<FieldDefinition>?]>([
    ['string', 5, 'type'],
    ['string', 'a\0b', 'type'],
    ['string', 'half \ud83d', 'type'],
    ['string', '👋👋', 'min_length', { min_length: 3 }],
    ['string', 'abcd', 'max_length', { max_length: 3 }],
    ['string', 'Abc', 'pattern', { pattern: '^[a-z]+$' }],
    ['enum', 'other', 'enum', { enum: ['low', 'high'] }],
    ['int', '5', 'type'],
    ['int', 5.5, 'type'],
    ['int', 2_147_483_648, 'type'],
    ['int', -1, 'min', { min: 0 }],
    ['int', 3, 'enum', { enum: [1, 2] }],
    ['bigint', 9_007_199_254_740_993, 'type'],
    ['bigint', '9223372036854775808', 'type'],
    ['bigint', '9223372036854775807', 'max', { max: '9223372036854775806' }],
    ['float', Number.NaN, 'type'],
    ['float', '1.5', 'type'],
    ['decimal', 'abc', 'type'],
    ['decimal', '', 'type'],
    ['decimal', '1.234', 'precision'],
    ['decimal', '12345678901234567.00', 'precision'],
    ['decimal', '10.01', 'max', { max: 10 }],
    ['decimal', '-0.01', 'min', { min: '0' }],
    ['boolean', 'true', 'type'],
    ['uuid', 'not-a-uuid', 'type'],
    ['file', { id: 5 }, 'type'],
    ['timestamp', '2026-02-30T00:00:00Z', 'type'],
    ['timestamp', '2026-01-01T24:00:00Z', 'type'],
    ['timestamp', '0001-01-01T00:00:00+02:00', 'type'],
    ['timestamp', '9999-12-31T23:00:00-02:00', 'type'],
    ['timestamp', '2026-01-01T00:00:00+24:00', 'type'],
    ['timestamp', 'yesterday', 'type'],
    ['timestamp', 1_700_000_000, 'type'],
    ['timestamp', '2026-01-01T00:00:00Z', 'min', { min: '2026-01-01T00:00:01Z' }],
    ['date', '2023-02-29', 'type'],
    ['date', '2026-01-01', 'max', { max: '2025-12-31' }],
    ['time', '24:00', 'type'],
    ['email', 'nobody', 'email'],
    ['email', 'a@b@', 'email'],
    ['email', 'a..b@example.org', 'email'],
    ['url', 'javascript:alert(1)', 'url'],
    ['url', 'http://host:99999/', 'url'],
    ['json', deep(33), 'type'],
    ['json', { ['a\0']: 1 }, 'type'],
  ])('%s refuses %j (%s)', (type, value, rule, options) => {
    expect(stored(type, value, options)).toBe(`refused: ${rule}`);
  });

  it('names the field and the way out', () => {
    expect(coerceValue(fieldOf('enum', { enum: ['low', 'high'] }), 'x')).toMatchObject({ message: 'f must be one of low, high' });
  });

  it('json of exactly 32 levels passes', () => {
    expect(coerceValue(fieldOf('json'), deep(32)).ok).toBe(true);
  });
});

describe('operands of filters', () => {
  it('are checked for their type, not for the limits of the field', () => {
    expect(coerceOperand(fieldOf('int', { min: 10 }), 1)).toMatchObject({ ok: true, value: 1 });
    expect(coerceOperand(fieldOf('enum', { enum: ['a'] }), 'b')).toMatchObject({ ok: true });
    expect(coerceOperand(fieldOf('email'), 'half')).toMatchObject({ ok: true });
    expect(coerceOperand(fieldOf('decimal'), '1.2345')).toMatchObject({ ok: true, value: '1.2345' });
    expect(coerceOperand(fieldOf('decimal'), 'NaN')).toMatchObject({ ok: false, rule: 'type' });
    expect(coerceOperand(fieldOf('uuid'), 'x')).toMatchObject({ ok: false, rule: 'type' });
  });

  it('come from text as the JSON value of the type', () => {
    expect(valueFromText({ type: 'int' }, '5')).toBe(5);
    expect(valueFromText({ type: 'int' }, 'five')).toBe('five');
    expect(valueFromText({ type: 'boolean' }, 'true')).toBe(true);
    expect(valueFromText({ type: 'float' }, '1e3')).toBe(1000);
    expect(valueFromText({ type: 'json' }, '{"a":1}')).toEqual({ a: 1 });
    expect(valueFromText({ type: 'decimal' }, '1.50')).toBe('1.50');
  });
});
