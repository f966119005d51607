import { describe, expect, it } from 'vitest';
import { buildModel, type AppModel, type RelationEnd } from '../../../core/model/model.ts';
import { readDocument } from '../../../core/model/read-document.ts';

const field = (name: string, type = 'string', extra: object = {}): object => ({ name, type, ...extra });
const entity = (name: string, fields: object[] = [field('title')], extra: object = {}): object => ({ name, fields, ...extra });
const relation = (name: string, source: string, target: string, extra: object = {}): object => ({
  name,
  type: 'one_to_many',
  source,
  target,
  ...extra,
});
const model = (entities: object[], relations: object[] = [], extra: object = {}): AppModel =>
  buildModel(readDocument({ version: 1, entities, relations, ...extra }));

const end = (app: AppModel, of: string, include: string): string => {
  const found: RelationEnd | undefined = app.entities.get(of)?.ends.get(include);
  return found === undefined
    ? 'none'
    : `${found.direction} ${found.cardinality} ${found.target} by ${found.localColumn}=${found.targetColumn}`;
};

describe('include names', () => {
  const app = model(
    [entity('customer', undefined, { table: 'customers' }), entity('ticket', undefined, { table: 'tickets' }), entity('response')],
    [relation('ticket_customer', 'customer', 'ticket'), relation('ticket_responses', 'ticket', 'response')],
  );

  it.each([
    ['ticket', 'ticket_customer', 'forward one customer by customer_id=id'],
    ['ticket', 'customer', 'forward one customer by customer_id=id'],
    ['customer', 'ticket_customer', 'reverse many ticket by id=customer_id'],
    ['customer', 'ticket', 'reverse many ticket by id=customer_id'],
    ['customer', 'tickets', 'reverse many ticket by id=customer_id'],
    ['ticket', 'responses', 'reverse many response by id=ticket_id'],
    ['ticket', 'response', 'reverse many response by id=ticket_id'],
    ['ticket', 'ticket_responses', 'reverse many response by id=ticket_id'],
    ['response', 'ticket', 'forward one ticket by ticket_id=id'],
    ['response', 'tickets', 'none'],
  ])('%s?include=%s is %s', (of, include, expected) => {
    expect(end(app, of, include)).toBe(expected);
  });

  it('show the short name: customer on a ticket, responses on a ticket', () => {
    expect(app.entities.get('ticket')?.relations.map(({ name }) => name)).toEqual(['customer', 'responses']);
  });

  it('given per side win over every derived one', () => {
    const named = model([entity('a'), entity('b')], [relation('r', 'a', 'b', { source_name: 'children', target_name: 'owner' })]);
    expect(end(named, 'a', 'children')).toBe('reverse many b by id=a_id');
    expect(end(named, 'b', 'owner')).toBe('forward one a by a_id=id');
    expect(end(named, 'b', 'a')).toBe('forward one a by a_id=id');
    expect(named.entities.get('a')?.relations[0]?.name).toBe('children');
  });

  it('two relations to one entity are told apart by their keys, and the shared name belongs to neither', () => {
    const post = model(
      [entity('person'), entity('post')],
      [
        relation('post_author', 'person', 'post', { target_key: 'author_id' }),
        relation('post_reviewer', 'person', 'post', { target_key: 'reviewer_id' }),
      ],
    );
    expect(end(post, 'post', 'author')).toBe('forward one person by author_id=id');
    expect(end(post, 'post', 'reviewer')).toBe('forward one person by reviewer_id=id');
    expect(end(post, 'post', 'person')).toBe('none');
    expect(end(post, 'person', 'post')).toBe('none');
    expect(end(post, 'person', 'post_author')).toBe('reverse many post by id=author_id');
  });

  it('never hide a field', () => {
    const app2 = model([entity('customer'), entity('ticket', [field('customer')])], [relation('ticket_customer', 'customer', 'ticket')]);
    expect(end(app2, 'ticket', 'customer')).toBe('none');
    expect(app2.entities.get('ticket')?.relations[0]?.name).toBe('ticket_customer');
  });

  it('every end answers to its own name', () => {
    for (const each of app.entities.values()) for (const one of each.relations) expect(each.ends.get(one.name)).toBe(one);
  });
});

describe('self relations', () => {
  it('read from the side their name describes', () => {
    const app = model(
      [entity('employee'), entity('task')],
      [
        relation('employee_manager', 'employee', 'employee', { target_key: 'manager_id' }),
        relation('subtasks', 'task', 'task', { target_key: 'parent_task_id' }),
      ],
    );
    expect(end(app, 'employee', 'manager')).toBe('forward one employee by manager_id=id');
    expect(end(app, 'employee', 'employee_manager')).toBe('forward one employee by manager_id=id');
    expect(end(app, 'employee', 'employee_manager_reverse')).toBe('reverse many employee by id=manager_id');
    expect(end(app, 'task', 'subtasks')).toBe('reverse many task by id=parent_task_id');
    expect(end(app, 'task', 'parent_task')).toBe('forward one task by parent_task_id=id');
  });

  it('between many and many have two columns and both directions', () => {
    const app = model([entity('post')], [relation('related', 'post', 'post', { type: 'many_to_many' })]);
    const out = app.entities.get('post')?.ends.get('related');
    const back = app.entities.get('post')?.ends.get('related_reverse');
    expect(out?.join).toEqual({ table: 'related', localColumn: 'post_id', targetColumn: 'related_post_id' });
    expect(back?.join).toEqual({ table: 'related', localColumn: 'related_post_id', targetColumn: 'post_id' });
  });
});

describe('short-form relation fields', () => {
  const app = model([
    entity('author', [field('id', 'int'), field('name')]),
    entity('book', [
      field('author', 'relation', { target: 'author', required: true, on_delete: 'cascade' }),
      field('editor_id', 'relation', { target: 'author' }),
    ]),
  ]);

  it('become a column named after the field, of the type of the key it holds', () => {
    const book = app.entities.get('book');
    expect(book?.fields.get('author_id')).toMatchObject({ type: 'int', references: 'author', required: true });
    expect(book?.fields.get('editor_id')).toMatchObject({ type: 'int', references: 'author', required: false });
    expect(book?.fields.has('author')).toBe(false);
  });

  it('are included by the name of the field, from the other side by the entity', () => {
    expect(end(app, 'book', 'author')).toBe('forward one author by author_id=id');
    expect(end(app, 'book', 'editor')).toBe('forward one author by editor_id=id');
    expect(app.entities.get('book')?.ends.get('author')?.onDelete).toBe('cascade');
    expect(end(app, 'author', 'book_editor')).toBe('reverse many book by id=editor_id');
  });
});

describe('fields and keys', () => {
  it('a generated key is the engine’s, even when declared required', () => {
    const app = model([entity('a', [field('id', 'uuid', { required: true }), field('x', 'string', { required: true })])]);
    expect(app.entities.get('a')?.fields.get('id')).toMatchObject({ isKey: true, isAuto: true, required: false, unique: true });
    expect(app.entities.get('a')?.fields.get('x')?.required).toBe(true);
  });

  it('an entity without a key gets a generated uuid', () => {
    const app = model([entity('a')]);
    expect(app.entities.get('a')).toMatchObject({ keyType: 'uuid', isKeyGenerated: true, table: 'a' });
    expect([...(app.entities.get('a')?.fields.keys() ?? [])]).toEqual(['id', 'title']);
  });

  it('a natural key is the client’s', () => {
    const app = model([entity('a', [field('code')], { primary_key: { field: 'code', type: 'string', generated: false } })]);
    expect(app.entities.get('a')?.fields.get('code')).toMatchObject({ isKey: true, isAuto: false, required: true });
  });

  it('not nullable is required; computed and stamped fields are the engine’s', () => {
    const app = model(
      [entity('a', [field('x', 'string', { nullable: false }), field('at', 'timestamp', { auto: 'create' }), field('n', 'int')])],
      [],
      { rules: [{ entity: 'a', type: 'computed', definition: { field: 'n', expression: '1 + 1' } }] },
    );
    const fields = app.entities.get('a')?.fields;
    expect(fields?.get('x')?.required).toBe(true);
    expect(fields?.get('at')?.isAuto).toBe(true);
    expect(fields?.get('n')?.isAuto).toBe(true);
  });

  it('a one_to_one key is unique, and a foreign key takes the type of the key', () => {
    const app = model([entity('a', [field('id', 'bigint')]), entity('b')], [relation('r', 'a', 'b', { type: 'one_to_one' })]);
    expect(app.entities.get('b')?.fields.get('a_id')).toMatchObject({ unique: true, type: 'bigint' });
    expect(end(app, 'a', 'b')).toBe('reverse one b by id=a_id');
  });

  it('rules come by priority, inactive ones not at all', () => {
    const rule = (priority: number, active = true): object => ({
      entity: 'a',
      type: 'field',
      priority,
      active,
      definition: { field: 'title', operator: 'required' },
    });
    const app = model([entity('a')], [], { rules: [rule(5), rule(1), rule(0, false)] });
    expect(app.entities.get('a')?.rules.map(({ priority }) => priority)).toEqual([1, 5]);
  });
});
