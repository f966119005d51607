import { describe, expect, it } from 'vitest';
import { dropItem, itemOf, putItem } from '../../admin/src/document/items.ts';
import { answerable, heldBy, wayOutOf, withInstruction, type Plan, type Question } from '../../admin/src/document/plan.ts';
import { questionsOf } from '../../core/change/confirm.ts';
import { diff } from '../../core/change/diff.ts';
import { readDocument } from '../../core/model/read-document.ts';

const before = readDocument({
  version: 1,
  entities: [
    {
      id: 'e1',
      name: 'customer',
      fields: [
        { id: 'f1', name: 'company', type: 'string' },
        { id: 'f2', name: 'phone', type: 'string' },
      ],
    },
    { id: 'e2', name: 'order', fields: [{ id: 'f3', name: 'total', type: 'int' }] },
  ],
  relations: [{ id: 'r1', name: 'order_customer', type: 'one_to_many', source: 'customer', target: 'order' }],
});

/** The questions that core asks about the step to this document. */
function asked(document: unknown): readonly Question[] {
  const next = readDocument(document);
  return questionsOf(diff(before, next), next, next.migrate ?? []);
}

describe('questions are answered by instructions', () => {
  it('a rename or a drop of a field', () => {
    const renamed = {
      version: 1,
      entities: [
        {
          name: 'customer',
          fields: [
            { name: 'companies', type: 'string' },
            { name: 'phone', type: 'string' },
          ],
        },
        before.entities[1],
      ],
      relations: before.relations,
    };
    const [question] = asked(renamed);
    const answers = answerable(question!);
    expect(answers).toMatchObject({ subject: 'customer.company', renamed: 'companies' });
    expect(answers.asRename).toEqual({ rename: { entity: 'customer', field: 'company', to: 'companies' } });
    expect(asked({ ...renamed, migrate: [answers.asDrop] })).toEqual([]);
  });

  it('drops of fields, entities and relations', () => {
    const questions = asked({ version: 1, entities: [{ name: 'customer', fields: [{ name: 'company', type: 'string' }] }] });
    expect(questions.map((question) => answerable(question).subject).sort()).toEqual(['customer.phone', 'order', 'order_customer']);
    expect(questions.every((question) => answerable(question).asRename === undefined)).toBe(true);
    const migrate = questions.map((question) => answerable(question).asDrop);
    expect(asked({ version: 1, entities: [{ name: 'customer', fields: [{ name: 'company', type: 'string' }] }], migrate })).toEqual([]);
  });
});

it('the last instruction about a thing counts', () => {
  const dropped = withInstruction({ version: 1 }, { drop: { entity: 'a', field: 'b' } });
  const renamed = withInstruction(dropped, { rename: { entity: 'a', field: 'b', to: 'c' } });
  expect(renamed.migrate).toEqual([{ rename: { entity: 'a', field: 'b', to: 'c' } }]);
  expect(withInstruction(renamed, { fill: { entity: 'a', field: 'd', expression: '1' } }).migrate).toHaveLength(2);
  expect(withInstruction(renamed, { drop: { relation: 'a' } }).migrate).toHaveLength(2);
});

it('values left behind are counted per change', () => {
  const next = readDocument({ version: 1, entities: [before.entities[1]] });
  const changes = diff(before, next);
  const held = changes.flatMap((change) => change.held ?? []).map((one) => ({ ...one, values: 7 }));
  const dropped = changes.find(({ kind }) => kind === 'drop_entity')!;
  expect(heldBy({ changes, held } as unknown as Plan, dropped)).toBe(7);
});

it('a refusal with a way out offers it', () => {
  const hint = 'Say how they get one: migrate: [{"fill": {"entity": "customer", "field": "phone", "expression": "..."}}].';
  expect(wayOutOf({ kind: 'set_required', entity: 'customer', field: 'phone', hint })).toEqual({
    kind: 'fill',
    entity: 'customer',
    field: 'phone',
  });
  const retyped = diff(
    before,
    readDocument({ ...before, entities: [{ ...before.entities[0], fields: [{ id: 'f1', name: 'company', type: 'int' }] }] }),
  );
  const refused = retyped.find(({ kind }) => kind === 'change_type')!;
  expect(wayOutOf({ ...refused })).toEqual({ kind: 'convert', entity: 'customer', field: 'company' });
  expect(wayOutOf({ message: 'something else' })).toBeUndefined();
});

it('items of a section are put, found and dropped', () => {
  const document = putItem({ version: 1 }, 'rules', {
    id: 'r1',
    name: 'positive',
    entity: 'order',
    type: 'expression',
    definition: { expression: 'record.total < 0' },
  });
  const rule = itemOf(document, 'rules', 'positive')!;
  const stopped = putItem(document, 'rules', { ...rule, active: false });
  expect(stopped.rules).toEqual([{ ...rule, active: false }]);
  expect(itemOf(stopped, 'rules', 'r1')?.active).toBe(false);
  expect(dropItem(stopped, 'rules', 'r1').rules).toEqual([]);
});
