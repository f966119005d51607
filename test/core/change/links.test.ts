import { describe, expect, it } from 'vitest';
import { diff } from '../../../core/change/diff.ts';
import { plan } from '../../../core/change/plan.ts';
import { isAppError } from '../../../core/errors.ts';
import { documentSchema, type SchemaDocument } from '../../../core/model/document.ts';
import { buildModel } from '../../../core/model/model.ts';

const ticket = (...fields: object[]) => ({ id: 'e2', name: 'ticket', fields: [{ id: 'f1', name: 'title', type: 'string' }, ...fields] });
const read = (relation: object, ...fields: object[]): SchemaDocument =>
  documentSchema.parse({
    version: 1,
    entities: [{ id: 'e1', name: 'customer', fields: [{ id: 'f0', name: 'name', type: 'string' }] }, ticket(...fields)],
    relations: [{ id: 'r1', name: 'customer_tickets', source: 'customer', target: 'ticket', ...relation }],
  });
const KEYED = { type: 'one_to_many' };
const LINKED = { type: 'many_to_many' };

function planned(previous: SchemaDocument, next: SchemaDocument) {
  const changes = diff(previous, next);
  return { changes, ...plan(changes, { previous: buildModel(previous), next: buildModel(next), storage: 'app_x', version: 2 }) };
}
const kinds = (previous: SchemaDocument, next: SchemaDocument): string[] =>
  planned(previous, next).steps.map((step) => `${step.phase} ${step.key.split('/')[0] ?? ''}`);

function refusal(previous: SchemaDocument, next: SchemaDocument): string | undefined {
  try {
    planned(previous, next);
  } catch (error) {
    if (isAppError(error, 'UNSAFE_CHANGE')) return error.message;
    throw error;
  }
  return undefined;
}

describe('the plan of links that move', () => {
  it('from a key: triggers before the backfill, foreign keys of both places until the contract, the column in the purge', () => {
    expect(kinds(read({ ...KEYED, required: true }), read(LINKED))).toEqual([
      'expand drop-not-null',
      'expand create-table',
      'expand links',
      'expand add-foreign-key',
      'expand add-foreign-key',
      'backfill backfill',
      'verify verify',
      'contract drop-index',
      'contract end-links',
      'purge drop-column',
    ]);
    expect(planned(read(KEYED), read(LINKED)).changes).toMatchObject([
      { kind: 'set_relation', property: 'type', class: 'breaking', touches: ['r1'], held: [{ table: 'ticket', column: 'customer_id' }] },
    ]);
  });

  it('to a key: records with several links are counted first', () => {
    const result = planned(read(LINKED), read(KEYED));
    expect(kinds(read(LINKED), read(KEYED))).toEqual([
      'expand add-column',
      'expand links',
      'expand add-index',
      'expand add-foreign-key',
      'expand validate-foreign-key',
      'backfill backfill',
      'verify verify',
      'contract end-links',
      'purge drop-table',
    ]);
    expect(result.checks.map((check) => check.message(2))).toEqual([
      'Relation "customer_tickets" cannot become one_to_many: 2 records of "ticket" have more than one "customer", and a key holds only one.',
    ]);
    expect(result.changes).toMatchObject([{ held: [{ id: 'r1', table: 'customer_tickets' }] }]);
  });

  const key = { id: 'f2', name: 'customer_id', type: 'uuid' };
  it.each([
    ['a one_to_one', read({ type: 'one_to_one' }), read(LINKED), 'The type of relation'],
    ['a declared key that stays', read(KEYED, key), read(LINKED, key), 'would go on as a field of its own'],
    ['a unique key', read(KEYED, { ...key, unique: true }), read(LINKED), 'part of something unique'],
    ['links in the table of an entity', read(KEYED), read({ ...LINKED, join_table: 'ticket' }), 'belongs to the entity "ticket"'],
  ])('refuses %s', (_title, previous, next, message) => {
    expect(refusal(previous, next)).toContain(message);
  });
});
