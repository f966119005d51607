import { describe, expect, it } from 'vitest';
import type { Held } from '../../../core/change/change.ts';
import { diff } from '../../../core/change/diff.ts';
import { plan } from '../../../core/change/plan.ts';
import { assignStorage } from '../../../core/change/storage.ts';
import { documentSchema, type SchemaDocument } from '../../../core/model/document.ts';
import { buildModel } from '../../../core/model/model.ts';

const read = (input: Record<string, unknown>): SchemaDocument => documentSchema.parse({ version: 1, ...input });

const customer = (fields: object[], extra: object = {}) => ({ id: 'e1', name: 'customer', fields, ...extra });
const name = { id: 'f1', name: 'name', type: 'string', required: true };
const age = { id: 'f2', name: 'age', type: 'int' };
const ticket = { id: 'e2', name: 'ticket', fields: [{ id: 'f3', name: 'title', type: 'string' }] };
const owns = { id: 'r1', name: 'customer_tickets', type: 'one_to_many', source: 'customer', target: 'ticket' };
const tagged = { id: 'r2', name: 'tags', type: 'many_to_many', source: 'ticket', target: 'customer' };

function step(previous: SchemaDocument, input: Record<string, unknown>, held: Held[] = []) {
  const next = assignStorage(read(input), previous, { version: 2, held });
  const changes = diff(previous, next);
  const { steps } = plan(changes, { previous: buildModel(previous), next: buildModel(next), storage: 'app_x', held });
  return {
    next,
    changes: changes.map((change) => `${change.class} ${change.kind}`),
    steps: steps.map((one) => `${one.phase} ${one.key}`),
    all: changes,
  };
}

describe('what is renamed', () => {
  it('keeps its column, and no statement is sent', () => {
    const { next, changes, steps } = step(read({ entities: [customer([name])] }), { entities: [customer([{ ...name, name: 'title' }])] });
    expect(next.entities[0]?.fields[0]).toMatchObject({ name: 'title', column: 'name' });
    expect(changes).toEqual(['breaking rename_field']);
    expect(steps).toEqual([]);
  });

  it('keeps its column through another rename, and leaves it out when it is called like it again', () => {
    const once = step(read({ entities: [customer([name])] }), { entities: [customer([{ ...name, name: 'title' }])] }).next;
    const twice = step(once, { entities: [customer([{ ...name, name: 'label' }])] }).next;
    expect(twice.entities[0]?.fields[0]).toMatchObject({ name: 'label', column: 'name' });
    const back = step(twice, { entities: [customer([name])] }).next;
    expect(back.entities[0]?.fields[0]).not.toHaveProperty('column');
  });

  it('may swap names with another field', () => {
    const code = { id: 'f4', name: 'code', type: 'string' };
    const { next, steps } = step(read({ entities: [customer([name, code])] }), {
      entities: [
        customer([
          { ...name, name: 'code' },
          { ...code, name: 'name' },
        ]),
      ],
    });
    expect(next.entities[0]?.fields.map((field) => field.column)).toEqual(['name', 'code']);
    expect(steps).toEqual([]);
  });

  it('an entity keeps its table, and the keys and links of its relations what they are called', () => {
    const before = read({ entities: [customer([name]), ticket], relations: [owns, tagged] });
    const { next, changes, steps } = step(before, {
      entities: [{ ...customer([name]), name: 'client' }, ticket],
      relations: [
        { ...owns, source: 'client' },
        { ...tagged, name: 'labels', target: 'client' },
      ],
    });
    expect(next.entities[0]).toMatchObject({ name: 'client', table: 'customer' });
    expect(next.relations[0]).toMatchObject({ target_key: 'customer_id' });
    expect(next.relations[1]).toMatchObject({ join_table: 'tags', target_join_key: 'customer_id' });
    expect(changes).toEqual(['breaking rename_entity', 'breaking rename_relation']);
    expect(steps).toEqual([]);
  });

  it('a key that no field declares keeps its column under its new name', () => {
    const before = read({ entities: [customer([name]), ticket], relations: [owns] });
    const { next, changes, steps } = step(before, {
      entities: [customer([name]), ticket],
      relations: [{ ...owns, target_key: 'buyer_id' }],
    });
    expect(next.relations[0]).toMatchObject({ target_key: 'buyer_id', column: 'customer_id' });
    expect([changes, steps]).toEqual([['breaking rename_field'], []]);
  });

  it('a declared key is called in the relation what its field is called', () => {
    const key = { id: 'f9', name: 'customer_id', type: 'uuid' };
    const withKey = { ...ticket, fields: [...ticket.fields, key] };
    const before = read({ entities: [customer([name]), withKey], relations: [owns] });
    const renamed = { ...withKey, fields: [...ticket.fields, { ...key, name: 'buyer_id' }] };
    const { next, steps } = step(before, { entities: [customer([name]), renamed], relations: [owns] });
    expect(next.relations[0]).toMatchObject({ target_key: 'buyer_id' });
    expect(next.entities[1]?.fields[1]).toMatchObject({ column: 'customer_id' });
    expect(steps).toEqual([]);
  });
});

describe('what is dropped', () => {
  it('stays in the table until it is purged, and asks for nothing meanwhile', () => {
    const { all, steps } = step(read({ entities: [customer([name, age])] }), { entities: [customer([age])] });
    expect(all[0]).toMatchObject({ kind: 'drop_field', held: [{ id: 'f1', table: 'customer', column: 'name' }], touches: ['f1'] });
    expect(steps).toEqual(['expand drop-not-null/customer.name', 'purge drop-column/customer.name']);
  });

  it('gives its name to nobody else, but back to itself', () => {
    const held: Held[] = [{ id: 'f1', table: 'customer', column: 'name', type: 'text' }];
    const before = read({ entities: [customer([age])] });
    const other = step(before, { entities: [customer([age, { ...name, id: 'f7', required: false }])] }, held);
    expect(other.next.entities[0]?.fields[1]).toMatchObject({ column: 'name__2' });
    const back = step(before, { entities: [customer([age, name])] }, held);
    expect(back.next.entities[0]?.fields[1]).not.toHaveProperty('column');
    expect(back.steps).toEqual(['expand add-column/customer.name', 'settle set-not-null/customer.name']);
  });

  it('an entity goes with what refers to it', () => {
    const before = read({ entities: [customer([name]), ticket], relations: [owns] });
    const { all, steps } = step(before, { entities: [ticket] });
    expect(all.map((change) => change.held)).toEqual([
      [{ id: 'e1', table: 'customer' }],
      [{ id: 'r1', table: 'ticket', column: 'customer_id' }],
    ]);
    expect(steps.map((key) => key.replace(/_[a-z0-9]{7}_/, '_#_'))).toEqual([
      'expand drop-foreign-key/ticket_customer_id_customer_id_#_fkey',
      'contract drop-index/ticket_customer_id_#_idx',
      'purge drop-column/ticket.customer_id',
      'purge drop-table/customer',
    ]);
  });

  it('a table that is held is not taken by a new entity of that name', () => {
    const held: Held[] = [{ id: 'e1', table: 'customer' }];
    const { next } = step(read({ entities: [ticket] }), { entities: [ticket, { ...customer([name]), id: 'e5' }] }, held);
    expect(next.entities[1]).toMatchObject({ table: 'customer__2' });
    const back = step(read({ entities: [ticket] }), { entities: [ticket, customer([name])] }, held);
    expect(back.next.entities[1]).not.toHaveProperty('table');
  });

  it('a key that is declared no more but that a relation needs is still there', () => {
    const key = { id: 'f9', name: 'customer_id', type: 'uuid', column: 'owner' };
    const before = read({ entities: [customer([name]), { ...ticket, fields: [...ticket.fields, key] }], relations: [owns] });
    const { next, changes, steps } = step(before, { entities: [customer([name]), ticket], relations: [owns] });
    expect(next.relations[0]).toMatchObject({ column: 'owner' });
    expect([changes, steps]).toEqual([[], []]);
  });
});

it('a field of another type gets a column of its version', () => {
  const previous = read({ entities: [customer([age])] });
  const next = assignStorage(read({ entities: [customer([{ ...age, type: 'string' }])] }), previous, { version: 2, held: [] });
  expect(next.entities[0]?.fields[0]).toMatchObject({ column: 'age__2' });
});

it('stays as it is when a document does not say it', () => {
  const previous = read({
    entities: [customer([{ ...age, column: 'old_age' }]), ticket],
    relations: [{ ...owns, column: 'old_customer' }],
  });
  const { next, steps } = step(previous, { entities: [customer([age]), ticket], relations: [owns] });
  expect([next.entities[0]?.fields[0]?.column, next.relations[0]?.column]).toEqual(['old_age', 'old_customer']);
  expect(steps).toEqual([]);
});
