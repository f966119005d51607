/** The designer's edits of a document, what it marks as changed, and how a draft is carried to a newer version. */
import { describe, expect, it } from 'vitest';
import type { DocumentInput } from '../../admin/src/document/types.ts';
import { compare } from '../../admin/src/pages/schema/model/compare.ts';
import {
  addEntity,
  addField,
  addRelation,
  answered,
  asNewField,
  entityNamed,
  fieldNamed,
  moveField,
  removeEntity,
  removeField,
  removeRelation,
  renameEntity,
  renameField,
  renameRelation,
  restoreEntity,
  restoreField,
  restoreRelation,
  setField,
} from '../../admin/src/pages/schema/model/edits.ts';
import { graphOf } from '../../admin/src/pages/schema/model/graph.ts';
import { asName, dependentsOf, freeName } from '../../admin/src/pages/schema/model/names.ts';
import { rebase } from '../../admin/src/pages/schema/model/rebase.ts';
import { documentSchema } from '../../core/model/document.ts';

const BASE: DocumentInput = {
  version: 1,
  entities: [
    {
      name: 'customer',
      display_field: 'name',
      fields: [
        { name: 'name', type: 'string', required: true },
        { name: 'phone', type: 'string' },
        { name: 'score', type: 'int' },
      ],
      indexes: [{ fields: ['phone'] }, { fields: ['score'] }],
      unique: [['name', 'phone']],
    },
    {
      name: 'ticket',
      fields: [
        { name: 'title', type: 'string' },
        { name: 'status', type: 'enum', enum: ['open', 'done'] },
        { name: 'double', type: 'int', computed: 'record.title & record.titles' },
      ],
    },
    { name: 'note', fields: [{ name: 'about', type: 'relation', target: 'ticket' }] },
  ],
  relations: [{ name: 'ticket_customer', type: 'one_to_many', source: 'customer', target: 'ticket' }],
  rules: [{ name: 'has_title', entity: 'ticket', type: 'field', definition: { field: 'title', operator: 'required' } }],
  permissions: [
    { entity: 'ticket', action: 'read', roles: ['agent'], fields: { read: ['title', 'status'] } },
    { entity: 'customer', action: 'read', roles: ['agent'] },
  ],
};

/** What an edit leaves is a document still. */
const sound = (document: DocumentInput): DocumentInput => {
  expect(documentSchema.safeParse(document).error?.issues ?? []).toEqual([]);
  return document;
};
const names = (document: DocumentInput, entity: string): readonly string[] =>
  entityNamed(document, entity)?.fields.map(({ name }) => name) ?? [];

describe('names', () => {
  it('are what somebody can only have meant', () => {
    expect(asName(' Due date ')).toBe('due_date');
    expect(asName('2nd Line!')).toBe('nd_line');
    expect(asName('ä')).toBe('');
    expect(freeName('field', ['field', 'field_2'])).toBe('field_3');
  });
});

describe('a rename', () => {
  it('keeps the values: it says what the thing was, once, and nothing when it is called so again', () => {
    const once = sound(renameField(BASE, 'customer', 'phone', 'mobile', BASE));
    expect(fieldNamed(once, 'customer', 'mobile')).toEqual({ name: 'mobile', was: 'phone', type: 'string' });
    const twice = renameField(once, 'customer', 'mobile', 'telephone', BASE);
    expect(fieldNamed(twice, 'customer', 'telephone')?.was).toBe('phone');
    const back = renameField(twice, 'customer', 'telephone', 'phone', BASE);
    expect(back).toEqual(BASE);
  });

  it('of what was never published is only another name', () => {
    const { document } = addField(BASE, 'customer', { name: 'field', type: 'string' });
    expect(fieldNamed(renameField(document, 'customer', 'field', 'email', BASE), 'customer', 'email')).toEqual({
      name: 'email',
      type: 'string',
    });
  });

  it('of a field reaches indexes, groups, rules, permissions and expressions about it, and no others', () => {
    const phone = renameField(BASE, 'customer', 'phone', 'mobile', BASE);
    expect(entityNamed(phone, 'customer')).toMatchObject({
      indexes: [{ fields: ['mobile'] }, { fields: ['score'] }],
      unique: [['name', 'mobile']],
    });
    const title = sound(renameField(BASE, 'ticket', 'title', 'subject', BASE));
    expect(title.rules?.[0]).toMatchObject({ definition: { field: 'subject' } });
    expect(title.permissions?.[0]).toMatchObject({ fields: { read: ['subject', 'status'] } });
    expect(fieldNamed(title, 'ticket', 'double')?.computed).toBe('record.subject & record.titles');
    expect(title.permissions?.[1]).toBe(BASE.permissions?.[1]);
  });

  it('of an entity reaches relations, references and everything about it', () => {
    const renamed = sound(renameEntity(BASE, 'ticket', 'case', BASE));
    expect(entityNamed(renamed, 'case')?.was).toBe('ticket');
    expect(renamed.relations?.[0]?.target).toBe('case');
    expect(fieldNamed(renamed, 'note', 'about')?.target).toBe('case');
    expect(renamed.rules?.[0]).toMatchObject({ entity: 'case' });
    expect(renamed.permissions?.map(({ entity }) => entity)).toEqual(['case', 'customer']);
  });

  it('of a relation says what it was', () => {
    expect(renameRelation(BASE, 'ticket_customer', 'reporter', BASE).relations?.[0]).toMatchObject({
      name: 'reporter',
      was: 'ticket_customer',
    });
  });

  it('that a question of the plan brought up is said by the thing itself', () => {
    const { document } = addField(removeField(BASE, 'customer', 'phone'), 'customer', { name: 'mobile', type: 'string' });
    const renamed = answered(document, { rename: { entity: 'customer', field: 'phone', to: 'mobile' } });
    expect(fieldNamed(renamed, 'customer', 'mobile')?.was).toBe('phone');
    expect(compare(BASE, renamed).entities.get('customer')?.removedFields).toEqual([]);
    expect(answered(document, { drop: { entity: 'customer', field: 'phone' } }).migrate).toHaveLength(1);
    const entity = { ...BASE, entities: BASE.entities!.map((one) => (one.name === 'note' ? { ...one, name: 'memo' } : one)) };
    expect(entityNamed(answered(entity, { rename: { entity: 'note', to: 'memo' } }), 'memo')?.was).toBe('note');
  });

  it('that was meant as a new field drops the old one', () => {
    const renamed = renameField(BASE, 'customer', 'phone', 'mobile', BASE);
    const anew = asNewField(renamed, 'customer', 'mobile', BASE);
    expect(fieldNamed(anew, 'customer', 'mobile')).toEqual({ name: 'mobile', type: 'string' });
    expect(anew.migrate).toEqual([{ drop: { entity: 'customer', field: 'phone' } }]);
    // Put back, it is dropped no more.
    expect(restoreField(anew, 'customer', 'phone', BASE).migrate).toBeUndefined();
  });
});

describe('fields', () => {
  it('move up and down, and not beyond the ends', () => {
    expect(names(moveField(BASE, 'customer', 'phone', -1), 'customer')).toEqual(['phone', 'name', 'score']);
    expect(names(moveField(BASE, 'customer', 'phone', 1), 'customer')).toEqual(['name', 'score', 'phone']);
    expect(moveField(BASE, 'customer', 'name', -1)).toEqual(BASE);
  });

  it('are removed with what cannot stand without them, and come back to their place', () => {
    const without = sound(removeField(BASE, 'customer', 'phone'));
    expect(entityNamed(without, 'customer')).toMatchObject({ indexes: [{ fields: ['score'] }] });
    expect(entityNamed(without, 'customer')?.unique).toBeUndefined();
    expect(removeField(BASE, 'ticket', 'title').permissions?.[0]).toMatchObject({ fields: { read: ['status'] } });
    expect(names(restoreField(without, 'customer', 'phone', BASE), 'customer')).toEqual(['name', 'phone', 'score']);
  });

  it('say nothing of what only repeats nothing', () => {
    expect(fieldNamed(setField(BASE, 'customer', 'name', { label: '', required: undefined }), 'customer', 'name')).toEqual({
      name: 'name',
      type: 'string',
    });
  });
});

describe('entities and relations', () => {
  it('begin as something that can be published', () => {
    const { document, name } = addEntity(BASE, 'ticket');
    expect(name).toBe('ticket_2');
    sound(addRelation(document, { name: 'ticket_customer', type: 'many_to_many', source: 'ticket', target: 'ticket_2' }).document);
  });

  it('are removed with all that depends on them, which is told before', () => {
    expect(dependentsOf(BASE, 'ticket')).toEqual({
      relations: ['ticket_customer'],
      fields: ['note.about'],
      items: { rules: 1, permissions: 1 },
    });
    const without = removeEntity(BASE, 'ticket');
    expect(without).toMatchObject({ relations: [], rules: [], permissions: [{ entity: 'customer' }] });
    const back = restoreEntity(without, 'ticket', BASE);
    expect(back.relations).toEqual(BASE.relations);
    expect(entityNamed(back, 'ticket')).toBe(entityNamed(BASE, 'ticket'));
  });

  it('leave the document as it was before', () => {
    const copy = structuredClone(BASE);
    removeEntity(renameField(removeRelation(BASE, 'ticket_customer'), 'ticket', 'title', 'subject', BASE), 'customer');
    expect(BASE).toEqual(copy);
    expect(restoreRelation(removeRelation(BASE, 'ticket_customer'), 'ticket_customer', BASE)).toEqual(BASE);
  });
});

describe('marks', () => {
  it('say what is new, modified and removed, and how much that is', () => {
    const draft = removeEntity(
      renameField(
        setField(addField(addEntity(BASE, 'team').document, 'customer', { name: 'email', type: 'email' }).document, 'customer', 'score', {
          min: 0,
        }),
        'customer',
        'phone',
        'mobile',
        BASE,
      ),
      'note',
    );
    const marks = compare(BASE, draft);
    expect(marks.entities.get('team')?.mark).toBe('new');
    expect(marks.entities.get('ticket')?.mark).toBeUndefined();
    const customer = marks.entities.get('customer');
    expect(customer?.mark).toBe('modified');
    expect(Object.fromEntries(customer?.fields ?? [])).toEqual({ name: undefined, mobile: 'modified', score: 'modified', email: 'new' });
    expect(customer?.removedFields).toEqual([]);
    expect(marks.removedEntities.map(({ name }) => name)).toEqual(['note']);
    expect(marks.count).toBe(3);
  });

  it('take a name that somebody else took over for a new thing', () => {
    const renamed = renameField(BASE, 'customer', 'phone', 'mobile', BASE);
    const { document } = addField(renamed, 'customer', { name: 'phone', type: 'int' });
    expect(Object.fromEntries(compare(BASE, document).entities.get('customer')?.fields ?? [])).toMatchObject({
      mobile: 'modified',
      phone: 'new',
    });
  });

  it('see no change in the order of options', () => {
    const [customer, ...others] = BASE.entities!;
    const turned = {
      ...BASE,
      entities: [Object.fromEntries(Object.entries(customer!).reverse()) as typeof customer, ...others],
    } as DocumentInput;
    expect(compare(BASE, turned)).toMatchObject({ count: 0 });
  });

  it('count an item of another section once', () => {
    const [rule] = BASE.rules!;
    expect(compare(BASE, { ...BASE, rules: [{ ...rule!, active: false }] }).count).toBe(1);
    expect(compare(BASE, { ...BASE, rules: [], name: 'desk' }).count).toBe(2);
  });

  it('keep what was removed in the diagram', () => {
    const draft = removeEntity(BASE, 'ticket');
    const { nodes, edges } = graphOf(draft, compare(BASE, draft));
    expect(nodes.find(({ name }) => name === 'ticket')?.mark).toBe('removed');
    expect(edges).toMatchObject([{ name: 'ticket_customer', mark: 'removed' }]);
    const whole = graphOf(BASE, compare(BASE, BASE));
    expect(whole.edges.map(({ name, source, target, type }) => [name, source, target, type])).toEqual([
      ['ticket_customer', 'customer', 'ticket', 'one_to_many'],
      ['about', 'ticket', 'note', 'one_to_many'],
    ]);
  });
});

describe('a draft upon a newer version', () => {
  it('has the changes of both', () => {
    const mine = addField(BASE, 'customer', { name: 'email', type: 'email' }).document;
    const theirs = setField(addEntity(BASE, 'team').document, 'ticket', 'title', { required: true });
    const { document, conflicts } = rebase(BASE, mine, theirs);
    expect(conflicts).toEqual([]);
    expect(fieldNamed(document, 'customer', 'email')).toBeDefined();
    expect(fieldNamed(document, 'ticket', 'title')?.required).toBe(true);
    expect(entityNamed(document, 'team')).toBeDefined();
    expect(compare(theirs, document).count).toBe(1);
  });

  it('keeps its word where both changed the same, and says where', () => {
    const mine = setField(BASE, 'ticket', 'title', { label: 'Subject' });
    const theirs = setField(BASE, 'ticket', 'title', { label: 'Matter' });
    const { document, conflicts } = rebase(BASE, mine, theirs);
    expect(fieldNamed(document, 'ticket', 'title')?.label).toBe('Subject');
    expect(conflicts).toEqual(['entities.ticket.fields.title.label']);
  });

  it('keeps removed what either removed', () => {
    const { document, conflicts } = rebase(BASE, removeEntity(BASE, 'note'), removeField(BASE, 'customer', 'phone'));
    expect(conflicts).toEqual([]);
    expect(entityNamed(document, 'note')).toBeUndefined();
    expect(names(document, 'customer')).toEqual(['name', 'score']);
  });
});
