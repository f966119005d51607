import './browser-globals.ts';
import { describe, expect, it } from 'vitest';
import {
  conditionFromParam,
  conditionsOf,
  leafOf,
  operatorsOf,
  paramOf,
  treeOf,
  type Condition,
} from '../../admin/src/fields/conditions.ts';
import { diffJson, diffWords } from '../../admin/src/fields/diff.ts';
import { csvText, fromInput, inputText, plainText, statesOf, titleOf } from '../../admin/src/fields/values.ts';
import { FIELDS } from '../../admin/src/fields/words.ts';
import { formatFor } from '../../admin/src/i18n/format.ts';
import { translator } from '../../admin/src/i18n/words.ts';
import { paramsOf, stateOf, stateOfSaved, usualState, type SavedList } from '../../admin/src/resources/list/state.ts';
import type { DiscoveredEntity, DiscoveredField } from '../../admin/src/discovery.ts';
import { field } from './discovered.ts';

const TYPES: readonly DiscoveredField['type'][] = [
  'string',
  'text',
  'email',
  'url',
  'enum',
  'int',
  'float',
  'bigint',
  'decimal',
  'boolean',
  'uuid',
  'timestamp',
  'date',
  'time',
  'json',
  'file',
];

const TICKET: DiscoveredEntity = {
  name: 'ticket',
  label: 'Ticket',
  description: null,
  primary_key: { field: 'id', fields: ['id'], type: 'uuid', generated: true },
  display_field: 'string',
  soft_delete: true,
  permissions: { read: true, create: true, update: true, delete: true },
  fields: [
    field('id', 'uuid'),
    ...TYPES.map((type) => field(type, type, type === 'enum' ? { enum: ['low', 'in_between'] } : {})),
    field('customer_id', 'uuid', { references: 'customer' }),
    field('state', 'string'),
  ],
  relations: [],
  state_machines: [{ field: 'state', initial: 'new', transitions: [{ from: ['new'], to: 'done', roles: [] }] }],
};
const of = (name: string): DiscoveredField => TICKET.fields.find((one) => one.name === name) as DiscoveredField;
const english = [formatFor('en'), translator(FIELDS, 'en')] as const;
const german = [formatFor('de'), translator(FIELDS, 'de')] as const;

describe('a value as text', () => {
  it.each([
    ['int', 1234567, '1,234,567', '1.234.567'],
    ['float', 0.5, '0.5', '0,5'],
    ['float', 1e21, '1,000,000,000,000,000,000,000', '1.000.000.000.000.000.000.000'],
    ['bigint', '9007199254740993', '9,007,199,254,740,993', '9.007.199.254.740.993'],
    ['decimal', '1234567890123456789.10', '1,234,567,890,123,456,789.10', '1.234.567.890.123.456.789,10'],
    ['boolean', true, 'yes', 'ja'],
    ['date', '2026-03-09', '2026-03-09', '09.03.2026'],
    ['time', '09:30:00', '09:30', '09:30'],
    ['time', '09:30:15', '09:30:15', '09:30:15'],
    ['enum', 'in_between', 'in between', 'in between'],
    ['json', { a: [1] }, '{"a":[1]}', '{"a":[1]}'],
    ['file', { id: 'f', filename: 'a.pdf', size: 1 }, 'a.pdf', 'a.pdf'],
    ['string', 'as it is', 'as it is', 'as it is'],
    ['text', null, '', ''],
  ])('%s %j', (name, value, inEnglish, inGerman) => {
    expect([plainText(of(name), value, ...english), plainText(of(name), value, ...german)]).toEqual([inEnglish, inGerman]);
  });

  it('comes back from an input as it went in', () => {
    const values: Record<string, unknown> = {
      string: 'a',
      int: 5,
      float: 1.5,
      bigint: '9007199254740993',
      decimal: '1.50',
      boolean: false,
      date: '2026-01-02',
      json: { a: 1 },
      enum: 'low',
      time: '09:30',
      timestamp: '2026-01-02T10:30:00.000Z',
    };
    for (const [name, value] of Object.entries(values)) expect(fromInput(of(name), inputText(of(name), value)), name).toEqual(value);
    expect(fromInput(of('int'), '')).toBeNull();
    expect([fromInput(of('int'), 'x'), fromInput(of('json'), '{')]).toEqual(['x', '{']);
  });

  it('is no formula in a file, and loses no digit there', () => {
    expect(csvText(of('string'), '=1+1')).toBe("'=1+1");
    expect(csvText(of('string'), '@cmd, "x"')).toBe('"\'@cmd, ""x"""');
    expect([csvText(of('string'), '-5'), csvText(of('string'), '-5+x'), csvText(of('int'), -5)]).toEqual(['-5', "'-5+x", '-5']);
    expect([csvText(of('string'), null), csvText(of('string'), ''), csvText(of('bigint'), '9007199254740993')]).toEqual([
      '',
      '""',
      '9007199254740993',
    ]);
  });

  it('names a record by its title, and by its key where that is empty', () => {
    expect([titleOf({ id: 1, string: 'A' }, 'string'), titleOf({ id: 1, string: ' ' }, 'string'), titleOf({ id: 1 }, 'string')]).toEqual([
      'A',
      '1',
      '1',
    ]);
    expect(statesOf(TICKET, 'state')).toEqual(['new', 'done']);
  });
});

describe('a condition', () => {
  const samples: Condition[] = TICKET.fields.flatMap((one) =>
    operatorsOf(one, one.name === 'state').map((op): Condition => {
      if (op === 'is_empty' || op === 'not_empty') return { field: one.name, op, values: [] };
      if (op === 'last' || op === 'next') return { field: one.name, op, values: ['7d'] };
      const value =
        one.type === 'int' || one.type === 'float' ? '5' : one.type === 'boolean' ? 'true' : one.type === 'json' ? '{"a":1}' : 'a,b\\c';
      return { field: one.name, op, values: op === 'in' || op === 'not_in' || op === 'between' ? [value, value] : [value] };
    }),
  );

  it('of every type and operator means the same in a link and in a saved list', () => {
    expect(new Set(samples.map(({ op }) => op)).size).toBe(17);
    for (const condition of samples) {
      const [name, text] = paramOf(condition);
      expect(conditionFromParam(TICKET, name, new URLSearchParams({ [name]: text }).get(name) ?? '')).toEqual(condition);
      expect(conditionsOf(TICKET, leafOf(TICKET, condition))).toEqual({ conditions: [condition], further: undefined });
    }
  });

  it('has the type of its field in JSON', () => {
    expect(leafOf(TICKET, { field: 'int', op: 'in', values: ['1', '2'] })).toEqual({ field: 'int', op: 'in', value: [1, 2] });
    expect(leafOf(TICKET, { field: 'boolean', op: 'eq', values: ['false'] })).toEqual({ field: 'boolean', op: 'eq', value: false });
    expect(leafOf(TICKET, { field: 'bigint', op: 'eq', values: ['9007199254740993'] })['value']).toBe('9007199254740993');
    expect(leafOf(TICKET, { field: 'date', op: 'last', values: ['2w'] })['value']).toEqual(['$now-2w', '$now']);
  });

  it('is not made of what is none', () => {
    for (const [name, text] of [
      ['nobody.eq', '1'],
      ['string.like', 'x'],
      ['string', 'x'],
      ['date.last', 'soon'],
      ['string.eq', ''],
    ] as const)
      expect(conditionFromParam(TICKET, name, text), name).toBeUndefined();
  });

  it('keeps what it cannot show as a tree of its own', () => {
    const or = {
      or: [
        { field: 'int', op: 'eq', value: 1 },
        { field: 'int', op: 'eq', value: 2 },
      ],
    };
    const read = conditionsOf(TICKET, {
      and: [{ field: 'enum', op: 'eq', value: 'low' }, or, { field: 'customer.name', op: 'eq', value: 'x' }],
    });
    expect(read.conditions).toEqual([{ field: 'enum', op: 'eq', values: ['low'] }]);
    expect(read.further).toEqual({ and: [or, { field: 'customer.name', op: 'eq', value: 'x' }] });
    expect(treeOf(TICKET, read.conditions, or)).toEqual({ and: [{ field: 'enum', op: 'eq', value: 'low' }, or] });
    expect(treeOf(TICKET, [])).toBeUndefined();
  });
});

describe('a list in the address', () => {
  it('is the same list again', () => {
    const state = {
      ...usualState(TICKET),
      conditions: [{ field: 'enum', op: 'in', values: ['low', 'in_between'] } as const],
      further: { or: [] },
      q: 'printer, "on fire"',
      sort: { field: 'int', order: 'DESC' } as const,
      columns: ['int', 'string'],
      page: 3,
      perPage: 50,
    };
    expect(stateOf(TICKET, new URLSearchParams(paramsOf(TICKET, state).toString()))).toEqual(state);
    expect(paramsOf(TICKET, usualState(TICKET)).toString()).toBe('');
  });

  it('does without what is nonsense', () => {
    const asked = new URLSearchParams('page=-1&per_page=7&sort=nobody&columns=nobody&filter={&deleted=1&string.eq=a');
    expect(stateOf(TICKET, asked)).toEqual({
      ...usualState(TICKET),
      isTrash: true,
      conditions: [{ field: 'string', op: 'eq', values: ['a'] }],
    });
  });

  it('opens a saved list as it is kept', () => {
    const saved = {
      id: 's',
      filter: { field: 'int', op: 'gte', value: 3 },
      q: null,
      sort: ['-int'],
      columns: ['int', 'gone'],
      per_page: 50,
    } as unknown as SavedList;
    const state = stateOfSaved(TICKET, saved, 2);
    expect(state).toMatchObject({
      conditions: [{ field: 'int', op: 'gte', values: ['3'] }],
      columns: ['int'],
      perPage: 50,
      page: 2,
      list: 's',
    });
    expect(paramsOf(TICKET, state).get('sort')).toBe('-int');
  });
});

describe('what changed', () => {
  it('is told in words', () => {
    const pieces = diffWords('The printer is on fire', 'The old printer is fine');
    expect(
      pieces
        .filter(({ kind }) => kind !== 'new')
        .map(({ text }) => text)
        .join(''),
    ).toBe('The printer is on fire');
    expect(
      pieces
        .filter(({ kind }) => kind !== 'gone')
        .map(({ text }) => text)
        .join(''),
    ).toBe('The old printer is fine');
    expect(pieces.some(({ kind, text }) => kind === 'same' && text.includes('printer'))).toBe(true);
    expect(diffWords('a '.repeat(500), 'b')).toHaveLength(2);
  });

  it('is told at its place in JSON', () => {
    expect(diffJson({ a: 1, b: { c: [1, 2] }, d: 1 }, { a: 1, b: { c: [1, 3] }, e: null })).toEqual([
      { path: 'b.c[1]', from: 2, to: 3 },
      { path: 'd', from: 1, to: undefined },
      { path: 'e', from: undefined, to: null },
    ]);
    expect(diffJson({ a: 1 }, [1])).toEqual([{ path: '', from: { a: 1 }, to: [1] }]);
  });
});
