import { beforeAll, describe, expect, it } from 'vitest';
import { createRecord } from '../../../operations/records/create.ts';
import { updateRecord } from '../../../operations/records/update.ts';
import type { AppContext } from '../../../operations/context.ts';
import type { AppError } from '../../../core/errors.ts';
import { refusal, writingWorld, type WritingWorld } from '../../support/writing.ts';

let world: WritingWorld;
let ctx: AppContext;

const text = (name: string, extra: Record<string, unknown> = {}) => ({ name, type: 'string', ...extra });
const violated = (entity: string, expression: string, field: string, extra: Record<string, unknown> = {}) => ({
  entity,
  hook: 'before_write',
  type: 'expression',
  definition: { expression, field, message: `${field} is wrong`, ...extra },
});
const document = {
  version: 1,
  entities: [
    { name: 'cart', fields: [text('title'), { name: 'total', type: 'int' }] },
    { name: 'item', fields: [text('sku', { required: true }), { name: 'quantity', type: 'int' }] },
    { name: 'part', fields: [{ name: 'weight', type: 'int' }] },
    { name: 'plain', fields: [text('title')] },
    { name: 'child', fields: [text('sku')] },
  ],
  relations: [
    { name: 'a', type: 'one_to_many', source: 'cart', target: 'item', source_name: 'items', on_delete: 'cascade', required: true },
    { name: 'b', type: 'one_to_many', source: 'item', target: 'part', source_name: 'parts', on_delete: 'cascade' },
    { name: 'c', type: 'one_to_many', source: 'plain', target: 'child', source_name: 'children', on_delete: 'cascade' },
  ],
  rules: [
    violated('cart', "record.title == 'bad'", 'title'),
    violated('item', 'record.quantity < 1', 'quantity'),
    violated('item', 'record.cart_id == nil', 'cart_id'),
    violated('part', 'record.weight < 0', 'weight'),
    violated('plain', "record.title == 'bad'", 'title'),
    violated('child', "record.sku == 'bad'", 'sku'),
    {
      entity: 'cart',
      hook: 'before_write',
      type: 'computed',
      definition: { field: 'total', expression: '$sum(related.items.quantity)', related_load: [{ relation: 'items' }] },
    },
  ],
};

beforeAll(async () => {
  world = await writingWorld();
  ctx = world.context(await world.app('judge', document));
});

const paths = (error: AppError): unknown[] => error.details.map((detail) => detail.path ?? detail.field).sort();

describe('a refused write', () => {
  it('names what is wrong with the record and with every row nested in it, at any depth', async () => {
    const items = [{ sku: 'a', quantity: 0 }, { quantity: 1 }, { sku: 'b', quantity: 0, parts: [{ weight: -1 }, { weight: 1 }] }];
    const error = await refusal(createRecord(ctx, 'cart', { title: 'bad', items }));
    expect(error.code).toBe('VALIDATION_FAILED');
    expect(paths(error)).toEqual(['items.0.quantity', 'items.1.sku', 'items.2.parts.0.weight', 'items.2.quantity', 'title']);
  });

  it('names them where only nested rows are wrong, and where no rule of the parent looks at them', async () => {
    const nested = await refusal(createRecord(ctx, 'cart', { title: 'good', items: [{ quantity: 1 }, { sku: 'b', quantity: 0 }] }));
    expect([nested.code, paths(nested)]).toEqual(['NESTED_WRITE_FAILED', ['items.0.sku', 'items.1.quantity']]);
    const plain = await refusal(createRecord(ctx, 'plain', { title: 'bad', children: [{ sku: 'bad' }, { sku: 'good' }, { sku: 7 }] }));
    expect(paths(plain)).toEqual(['children.0.sku', 'children.2.sku', 'title']);
  });

  it('judges nested updates with what is stored', async () => {
    const made = await createRecord(ctx, 'cart', { title: 'good', items: [{ sku: 'a', quantity: 5 }] });
    const { rows } = await world.pool.query<{ id: string }>('select id from app_judge.item where cart_id = $1', [made.id]);
    const id = rows[0]?.id;
    const fine = await refusal(updateRecord(ctx, 'cart', made.id, { title: 'bad', items: [{ id, sku: 'b' }] }));
    expect(paths(fine)).toEqual(['title']);
    const wrong = await refusal(updateRecord(ctx, 'cart', made.id, { title: 'bad', items: [{ id, quantity: -1 }] }));
    expect(paths(wrong)).toEqual(['items.0.quantity', 'title']);
  });

  it('still writes what is right', async () => {
    const made = await createRecord(ctx, 'cart', {
      title: 'good',
      items: [
        { sku: 'a', quantity: 2, parts: [{ weight: 1 }] },
        { sku: 'b', quantity: 3 },
      ],
    });
    expect(JSON.parse(made.text)).toMatchObject({ title: 'good', total: 5 });
  });
});
