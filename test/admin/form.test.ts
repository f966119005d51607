/** What a form sends of rows, where it shows mistakes, and what two people's changes come to: without a page. */
import { describe, expect, it } from 'vitest';
import type { DiscoveredEntity, DiscoveredField, DiscoveredRelation, Discovery } from '../../admin/src/discovery.ts';
import { differences, usualChoice } from '../../admin/src/resources/form/conflict.ts';
import { mistakesOf, placed } from '../../admin/src/resources/form/mistakes.ts';
import { field } from './discovered.ts';
import { nestedRelations, REMOVED, writtenRows, type NestedRelation } from '../../admin/src/resources/form/rows.ts';

const entity = (name: string, fields: readonly DiscoveredField[], more: Partial<DiscoveredEntity> = {}): DiscoveredEntity => ({
  name,
  label: name,
  description: null,
  primary_key: { field: 'id', fields: ['id'], type: 'uuid', generated: true },
  display_field: 'title',
  soft_delete: false,
  permissions: { read: true, create: true, update: true, delete: true },
  fields,
  relations: [],
  state_machines: [],
  ...more,
});

const toLines: DiscoveredRelation = {
  name: 'lines',
  names: ['lines'],
  type: 'one_to_many',
  cardinality: 'many',
  direction: 'reverse',
  target: 'line',
  local_field: 'id',
  target_field: 'order_id',
  write_mode: 'replace',
  on_delete: 'cascade',
};

const line = entity('line', [field('id', 'uuid'), field('order_id', 'uuid'), field('sku'), field('qty', 'int'), field('paper', 'file')]);
const order = (relation: Partial<DiscoveredRelation> = {}): DiscoveredEntity =>
  entity('order', [field('id', 'uuid'), field('title')], { relations: [{ ...toLines, ...relation }] });
const discoveryOf = (...entities: readonly DiscoveredEntity[]): Discovery => ({
  app: { name: 'shop', display_name: 'Shop' },
  schema_version: 1,
  user: { id: '1', email: 'a@b.test', roles: [], is_admin: false, may_share_lists: false },
  entities,
});

const nestedOf = (parent: DiscoveredEntity, child = line): readonly NestedRelation[] => nestedRelations(discoveryOf(parent, child), parent);

describe('rows within a form', () => {
  it('are those that go with their record, with the fields one types', () => {
    expect(nestedOf(order()).map(({ fields }) => fields.map(({ name }) => name))).toEqual([['sku', 'qty']]);
    expect(nestedOf(order({ on_delete: 'restrict' }))).toEqual([]);
    expect(nestedOf(order({ direction: 'forward' }))).toEqual([]);
    expect(nestedOf(order({ name: 'title' }))).toEqual([]);
    const readOnly = { ...line, permissions: { read: true, create: false, update: false, delete: false } };
    expect(nestedOf(order(), readOnly)).toEqual([]);
  });

  const stored = [
    { id: 'a', sku: 'A1', qty: 1, order_id: 'o' },
    { id: 'b', sku: 'B1', qty: 2, order_id: 'o' },
  ];
  const [nested] = nestedOf(order());
  const write = (rows: readonly Record<string, unknown>[], of = nested): unknown => of && writtenRows(of, rows, stored);

  it('are not sent when none changed, however an input says nothing', () => {
    expect(write(stored)).toBeUndefined();
    const [empty] = nestedOf(order());
    expect(empty && writtenRows(empty, [{ id: 'a', sku: '', qty: undefined }], [{ id: 'a', sku: null, qty: null }])).toBeUndefined();
  });

  it('are sent at their places, with what changed of them and never so that the others are removed', () => {
    const rows = [stored[0] ?? {}, { ...stored[1], qty: 3 }, { sku: 'C1', qty: '', order_id: 'x' }];
    expect(write(rows)).toEqual({ _write_mode: 'diff', data: [{ id: 'a' }, { id: 'b', qty: 3 }, { sku: 'C1' }] });
    expect(
      write([
        { ...stored[0], [REMOVED]: true },
        { ...stored[1], sku: '' },
      ]),
    ).toEqual({
      _write_mode: 'diff',
      data: [
        { id: 'a', [REMOVED]: true },
        { id: 'b', sku: null },
      ],
    });
  });

  it('that may only be added are not changed', () => {
    const [of] = nestedOf(order(), { ...line, permissions: { read: true, create: true, update: false, delete: false } });
    expect(write([{ ...stored[0], sku: 'other' }, stored[1] ?? {}], of)).toBeUndefined();
  });
});

describe('mistakes', () => {
  it('are found in what react-hook-form keeps and in what the API answers, by the names of inputs', () => {
    expect(mistakesOf({ title: { type: 'server', message: 'Too short.', ref: {} }, root: { serverError: { message: 'no' } } })).toEqual([
      { source: 'title', message: 'Too short.' },
    ]);
    expect(mistakesOf({ title: 'Too short.', lines: [{}, { message: 'A field called message.' }] })).toEqual([
      { source: 'title', message: 'Too short.' },
      { source: 'lines.1.message', message: 'A field called message.' },
    ]);
    expect(mistakesOf({ lines: [undefined, { qty: { type: 'server', message: 'Too few.', ref: {} } }] })).toEqual([
      { source: 'lines.1.qty', message: 'Too few.' },
    ]);
  });

  it('without an input here are told with the whole', () => {
    const errors = { title: 'Too short.', status: 'Not from here.', root: { serverError: 'No.' } };
    expect(placed(errors, 'No.', (source) => source === 'title')).toEqual({
      title: 'Too short.',
      root: { serverError: 'No. status: Not from here.' },
    });
  });
});

describe('a change of somebody else meanwhile', () => {
  const fields = [field('title'), field('note', 'text'), field('due', 'timestamp'), field('qty', 'int')];
  const base = { title: 'A', note: 'x', due: '2026-01-01T00:00:00.000Z', qty: 1 };

  it('is told field by field, where both changed first', () => {
    const theirs = { ...base, title: 'B', note: 'y' };
    const mine = { ...base, note: 'z', qty: '' };
    const found = differences(fields, base, theirs, mine);
    expect(found.map(({ field: { name }, kind }) => [name, kind])).toEqual([
      ['note', 'both'],
      ['title', 'only_theirs'],
      ['qty', 'only_mine'],
    ]);
    expect(found.map(usualChoice)).toEqual(['mine', 'theirs', 'mine']);
  });

  it('leaves nothing to choose where both came to the same, or an input holds a date', () => {
    const theirs = { ...base, title: 'B' };
    expect(differences(fields, base, theirs, { ...base, title: 'B', due: new Date(base.due) })).toEqual([]);
  });
});
