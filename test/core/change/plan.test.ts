import { describe, expect, it } from 'vitest';
import { diff } from '../../../core/change/diff.ts';
import { derivedName } from '../../../core/change/names.ts';
import { plan, stepText } from '../../../core/change/plan.ts';
import type { Step } from '../../../core/change/step.ts';
import { isAppError } from '../../../core/errors.ts';
import { documentSchema, type SchemaDocument } from '../../../core/model/document.ts';
import { buildModel } from '../../../core/model/model.ts';

const read = (input: Record<string, unknown>): SchemaDocument => documentSchema.parse({ version: 1, ...input });
const customer = { id: 'e1', name: 'customer', fields: [{ id: 'f1', name: 'name', type: 'string' }] };
const base = read({ entities: [customer] });
const empty = read({});

function planned(previous: SchemaDocument, next: SchemaDocument) {
  const changes = diff(previous, next);
  return { changes, ...plan(changes, { previous: buildModel(previous), next: buildModel(next), storage: 'app_x' }) };
}

const withField = (field: Record<string, unknown>, extra: Record<string, unknown> = {}): SchemaDocument =>
  read({ entities: [{ ...customer, ...extra, fields: [...customer.fields, field] }] });
const edited = (field: Record<string, unknown>): SchemaDocument =>
  read({ entities: [{ ...customer, fields: [{ ...customer.fields[0], ...field }] }] });

function refusal(previous: SchemaDocument, next: SchemaDocument) {
  try {
    planned(previous, next);
  } catch (error) {
    if (isAppError(error, 'UNSAFE_CHANGE')) return error.details;
    throw error;
  }
  return undefined;
}

describe('a plan of additive changes', () => {
  it('creates an entity with its indexes in one brief step', () => {
    const next = read({
      entities: [
        { id: 'e1', name: 'ticket', soft_delete: true, fields: [{ id: 'f1', name: 'code', type: 'string', unique: true, required: true }] },
      ],
    });
    const { changes, steps } = planned(empty, next);
    expect(changes).toEqual([{ kind: 'add_entity', class: 'compatible', entity: 'ticket' }]);
    expect(steps.map((step) => [step.key, step.mode])).toEqual([['create-table/ticket', 'brief']]);
    const text = steps[0] === undefined ? '' : stepText(steps[0]);
    expect(text).toContain('"_version" bigint default \'1\' not null');
    expect(text).toMatch(/create unique index "ticket_code_\w+_livekey" on "app_x"."ticket" \("code"\) where "deleted_at" is null/);
  });

  it.each([
    ['a nullable field', { name: 'age', type: 'int' }, ['add-column/customer.age'], 0],
    ['a field with a default', { name: 'level', type: 'int', default: 3, required: true }, ['add-column/customer.level'], 0],
    ['a required field', { name: 'level', type: 'int', required: true }, ['add-column/customer.level', 'set-not-null/customer.level'], 1],
    [
      'a unique field',
      { name: 'email', type: 'email', unique: true },
      ['add-column/customer.email', `add-index/${derivedName('customer', ['email'], 'key')}`],
      0,
    ],
  ])('adds %s', (_title, field, keys, checks) => {
    const result = planned(base, withField(field));
    expect(result.steps.map((step) => step.key)).toEqual(keys);
    expect(result.checks).toHaveLength(checks);
    expect(result.changes.map((change) => change.kind)).toEqual(['add_field']);
  });

  it('adds a relation to a table with records: column, index, unvalidated key, validation', () => {
    const next = read({
      entities: [customer, { id: 'e2', name: 'order', fields: [{ name: 'total', type: 'decimal' }] }],
      relations: [{ name: 'customer_orders', type: 'one_to_many', source: 'customer', target: 'order' }],
    });
    const previous = read({ entities: next.entities });
    const keys = planned(previous, next).steps.map((step) => `${step.mode} ${step.key.split('/')[0] ?? ''}`);
    expect(keys).toEqual(['brief add-column', 'long add-index', 'brief add-foreign-key', 'long validate-foreign-key']);
    expect(planned(empty, next).steps.map((step) => step.key.split('/')[0])).toEqual(['create-table', 'create-table', 'add-foreign-key']);
  });

  it('makes a join table with both keys', () => {
    const next = read({
      entities: [customer, { name: 'tag', fields: [{ name: 'label', type: 'string' }] }],
      relations: [{ name: 'customer_tags', type: 'many_to_many', source: 'customer', target: 'tag', join_table: 'customer_tag' }],
    });
    const { steps } = planned(base, next);
    expect(steps.map((step) => step.key.split('/')[0])).toEqual(['create-table', 'create-table', 'add-foreign-key', 'add-foreign-key']);
  });

  it('needs no statement for rules, permissions, labels, limits and enum values', () => {
    const next = read({
      entities: [{ ...customer, label: 'Client', fields: [{ ...customer.fields[0], max_length: undefined, description: 'x' }] }],
      permissions: [{ id: 'p1', entity: 'customer', action: 'read', roles: ['agent'] }],
      rules: [{ id: 'r1', entity: 'customer', type: 'field', definition: { field: 'name', operator: 'required' } }],
    });
    const result = planned(edited({ max_length: 10 }), next);
    expect(result.steps).toEqual([]);
    expect(result.changes.map((change) => change.kind)).toEqual(['set_entity', 'set_limit', 'set_field', 'add_rule', 'add_permission']);
  });

  it('turns soft delete on with a live uniqueness beside the full one until after the switch', () => {
    const before = edited({ unique: true });
    const after = read({ entities: [{ ...before.entities[0], soft_delete: true }] });
    expect(planned(before, after).steps.map((step) => `${step.phase} ${step.key.split('/')[0] ?? ''}`)).toEqual([
      'expand add-column',
      'expand add-index',
      'settle drop-index',
    ]);
  });

  it('builds a full-text index like any other, beside one on the same field, and drops it after the switch', () => {
    const plain = { ...customer, indexes: [{ fields: ['name'] }] };
    const searched = read({ entities: [{ ...plain, indexes: [...plain.indexes, { fields: ['name'], type: 'fulltext' }] }] });
    const added = planned(read({ entities: [plain] }), searched);
    expect(added.changes).toEqual([{ kind: 'add_index', class: 'compatible', entity: 'customer', fields: ['name'], property: 'fulltext' }]);
    expect(added.steps.map((step) => [step.key, step.mode])).toEqual([[`add-index/${derivedName('customer', ['name'], 'fts')}`, 'long']]);
    expect(stepText(added.steps[0] as Step)).toMatch(/create index concurrently "customer_name_\w+_fts" on .* using gin \(\(to_tsvector\(/);
    const dropped = planned(searched, read({ entities: [plain] }));
    expect(dropped.steps.map((step) => `${step.phase} ${step.key}`)).toEqual([
      `settle drop-index/${derivedName('customer', ['name'], 'fts')}`,
    ]);
  });

  it('answers no change when only ids and key order differ', () => {
    expect(diff(base, read({ entities: [{ fields: [{ type: 'string', name: 'name' }], name: 'customer' }] }))).toEqual([]);
  });
});

describe('a change that is not additive', () => {
  it.each([
    // A name that changes without a storage that stays, as publishing would have settled it.
    ['set_table', base, read({ entities: [{ ...customer, name: 'client' }] }), { entity: 'client' }],
    ['set_column', base, edited({ name: 'title' }), { field: 'title' }],
    ['change_type', base, edited({ type: 'int' }), { field: 'name' }],
    ['set_column', base, edited({ column: 'title' }), { field: 'name' }],
    ['set_limit', base, edited({ pattern: '(?i)^a' }), { field: 'name' }],
    ['set_primary_key', base, read({ entities: [{ ...customer, primary_key: { field: 'id', type: 'int' } }] }), { entity: 'customer' }],
  ])('%s is refused by name', (kind, previous, next, facts) => {
    expect(refusal(previous, next)?.[0]).toMatchObject({ kind, ...facts });
  });

  it('names every unsafe change of one publish', () => {
    const details = refusal(
      base,
      read({ entities: [{ ...customer, primary_key: { field: 'id', type: 'int' }, fields: [{ id: 'f1', name: 'name', type: 'int' }] }] }),
    );
    expect(details?.map((detail) => detail['kind'])).toEqual(['set_primary_key', 'change_type']);
  });
});

describe('derived names', () => {
  it('never exceed 63 bytes and never meet', () => {
    const long = 'x'.repeat(63);
    expect(derivedName(long, [long], 'livekey').length).toBeLessThanOrEqual(63);
    expect(derivedName('a_b', ['c'], 'idx')).not.toBe(derivedName('a', ['b_c'], 'idx'));
  });
});
