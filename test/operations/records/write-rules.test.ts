import { beforeAll, describe, expect, it } from 'vitest';
import type { AppError } from '../../../core/errors.ts';
import { createRecord } from '../../../operations/records/create.ts';
import { deleteRecord } from '../../../operations/records/delete.ts';
import { updateRecord } from '../../../operations/records/update.ts';
import { systemActor, type AppContext, type AppRuntime } from '../../../operations/context.ts';
import { refusal, writingWorld, type WritingWorld } from '../../support/writing.ts';

let world: WritingWorld;
beforeAll(async () => {
  world = await writingWorld();
});

const rules = (error: AppError): unknown[] => error.details.map((detail) => [detail.field, detail.rule]);
const json = (written: { text: string }): Record<string, unknown> => JSON.parse(written.text) as Record<string, unknown>;
const rule = (entity: string, type: string, definition: Record<string, unknown>, extra: Record<string, unknown> = {}) => ({
  entity,
  type,
  definition,
  ...extra,
});

const document = {
  version: 1,
  entities: [
    {
      name: 'invoice',
      soft_delete: false,
      fields: [
        { name: 'title', type: 'string', required: true },
        { name: 'status', type: 'string' },
        { name: 'region', type: 'string' },
        { name: 'number', type: 'int' },
        { name: 'discount', type: 'decimal' },
        { name: 'total', type: 'decimal', required: true },
        { name: 'payment_date', type: 'date' },
        { name: 'approved_at', type: 'timestamp' },
        { name: 'approved_by', type: 'string' },
        { name: 'label', type: 'string', computed: 'record.title & " #" & record.number' },
      ],
    },
    {
      name: 'item',
      soft_delete: true,
      fields: [
        { name: 'name', type: 'string', required: true },
        { name: 'quantity', type: 'int', required: true },
        { name: 'unit_price', type: 'decimal', required: true },
        { name: 'line_total', type: 'decimal' },
      ],
    },
    {
      name: 'note',
      fields: [
        { name: 'text', type: 'text' },
        { name: 'about', type: 'uuid' },
      ],
    },
  ],
  relations: [
    { name: 'invoice_items', type: 'one_to_many', source: 'invoice', target: 'item', on_delete: 'cascade', source_name: 'items' },
  ],
  rules: [
    rule('invoice', 'field', { field: 'discount', operator: 'min', value: 0 }),
    rule('invoice', 'field', { field: 'discount', operator: 'max', value: 50, message: 'too generous' }),
    rule('invoice', 'field', { field: 'region', operator: 'pattern', value: '^[A-Z]{2}$' }),
    rule('invoice', 'field', { field: 'number', operator: 'unique', fields: ['region'] }),
    rule('invoice', 'field', { field: 'payment_date', operator: 'required_if', condition: "record.status == 'paid'" }),
    rule('invoice', 'expression', {
      expression: "record.status == 'void' && record.discount > 0",
      message: 'void invoices have no discount',
    }),
    rule(
      'invoice',
      'expression',
      { expression: "action == 'update' && old != nil && old.status == 'void'", message: 'void invoices are locked', stop_on_fail: true },
      { priority: 1 },
    ),
    rule('invoice', 'computed', {
      field: 'total',
      expression: '$sum(related.items.(quantity * unit_price)) ? $sum(related.items.(quantity * unit_price)) : 0',
      related_load: [{ relation: 'items', filter: {} }],
    }),
    rule(
      'invoice',
      'expression',
      {
        expression: 'len(related.items) > 0',
        message: 'still has items',
        related_load: [{ relation: 'items', filter: { 'quantity.gt': 5 } }],
      },
      { hook: 'before_delete' },
    ),
    rule('invoice', 'expression', { expression: "record.title == 'abort'", message: 'aborted afterwards' }, { hook: 'after_write' }),
    rule('item', 'field', { field: 'quantity', operator: 'min', value: 1 }),
    rule('item', 'computed', { field: 'line_total', expression: 'record.quantity * record.unit_price' }),
  ],
  state_machines: [
    {
      entity: 'invoice',
      field: 'status',
      definition: {
        initial: 'draft',
        transitions: [
          { from: 'draft', to: 'sent' },
          {
            from: ['sent'],
            to: 'paid',
            roles: ['Accountant'],
            actions: [
              { type: 'set_field', field: 'approved_at', value: 'now' },
              { type: 'set_field', field: 'approved_by', expression: 'user.id' },
              { type: 'create_record', entity: 'note', fields: { text: 'paid', about: 'record.id' } },
            ],
          },
          { from: ['draft', 'sent'], to: 'void', guard: 'record.discount == null or record.discount = 0' },
        ],
      },
    },
  ],
  permissions: [
    { entity: 'invoice', action: '*', roles: ['clerk', 'accountant'] },
    { entity: 'item', action: '*', roles: ['clerk'] },
  ],
};

describe('rules, computed fields and state machines', () => {
  let app: AppRuntime;
  let ctx: AppContext;
  let clerk: AppContext;
  let accountant: AppContext;
  beforeAll(async () => {
    app = await world.app('rules', document);
    ctx = world.context(app);
    clerk = world.context(app, { id: 'clerk-1', roles: ['clerk'], isAdmin: false });
    accountant = world.context(app, { id: 'acc-1', roles: ['accountant'], isAdmin: false });
  });

  it('collects violations of field and expression rules, lets empty values pass and boundary values too', async () => {
    const error = await refusal(createRecord(ctx, 'invoice', { title: 'Bad', discount: 51, region: 'xx', status: 'open' }));
    expect(rules(error)).toEqual([
      ['discount', 'max'],
      ['region', 'pattern'],
      ['status', 'state_machine'],
    ]);
    expect(error.details[0]?.message).toBe('too generous');
    await createRecord(ctx, 'invoice', { title: 'Bounds', discount: 0, region: null });
    await createRecord(ctx, 'invoice', { title: 'Bounds', discount: 50 });
  });

  it('starts in the initial state and computes fields', async () => {
    const made = json(await createRecord(ctx, 'invoice', { title: 'First', number: 1, label: 'ignored', total: 99 }));
    expect(made).toMatchObject({ status: 'draft', label: 'First #1', total: '0.00' });
  });

  it('checks compound uniqueness among others but not against the record itself', async () => {
    const { id } = await createRecord(ctx, 'invoice', { title: 'U', number: 70, region: 'DE' });
    expect(rules(await refusal(createRecord(ctx, 'invoice', { title: 'V', number: 70, region: 'DE' })))).toEqual([['number', 'unique']]);
    await updateRecord(ctx, 'invoice', id, { title: 'U2' });
  });

  it('sees the merged record on update, also fields that were not sent', async () => {
    const { id } = await createRecord(ctx, 'invoice', { title: 'Merged', discount: 10 });
    const error = await refusal(updateRecord(ctx, 'invoice', id, { status: 'void' }));
    expect(rules(error)).toEqual([
      [undefined, 'expression'],
      ['status', 'guard'],
    ]);
    await updateRecord(ctx, 'invoice', id, { status: 'void', discount: 0 });
    expect((await refusal(updateRecord(ctx, 'invoice', id, { title: 'x', discount: 99 }))).details.map((detail) => detail.message)).toEqual(
      ['too generous', 'void invoices are locked'],
    );
  });

  it('computes a sum over rows nested in the same write, in one event', async () => {
    const made = await createRecord(ctx, 'invoice', {
      title: 'Sum',
      items: [
        { name: 'a', quantity: 2, unit_price: '1.10' },
        { name: 'b', quantity: 1, unit_price: 3 },
      ],
    });
    expect(json(made)['total']).toBe('5.20');
    const own = (await world.events(app, 'invoice')).filter((event) => event.record_id === made.id);
    expect(own).toHaveLength(1);
    expect(own[0]).toMatchObject({ action: 'create', record: { total: '5.20' }, record_version: '1' });
    const items = (await world.events(app, 'item')).filter((event) => event.record?.['invoice_id'] === made.id);
    expect(items.map((event) => event.record?.['line_total'])).toEqual(['2.20', '3.00']);
    const more = await updateRecord(ctx, 'invoice', made.id, {
      items: { _write_mode: 'append', data: [{ name: 'c', quantity: 1, unit_price: 1 }] },
    });
    expect([json(more)['total'], more.version]).toEqual(['6.20', '2']);
  });

  it('runs before_delete rules over filtered related records', async () => {
    const kept = await createRecord(ctx, 'invoice', { title: 'Keep', items: [{ name: 'many', quantity: 6, unit_price: 1 }] });
    expect((await refusal(deleteRecord(ctx, 'invoice', kept.id))).details[0]?.message).toBe('still has items');
    const gone = await createRecord(ctx, 'invoice', { title: 'Go', items: [{ name: 'few', quantity: 5, unit_price: 1 }] });
    await deleteRecord(ctx, 'invoice', gone.id);
  });

  it('lets an after_write rule abort the whole write', async () => {
    const before = (await world.events(app)).length;
    expect(
      (await refusal(createRecord(ctx, 'invoice', { title: 'abort', items: [{ name: 'a', quantity: 1, unit_price: 1 }] }))).details[0]
        ?.message,
    ).toBe('aborted afterwards');
    expect(await world.events(app)).toHaveLength(before);
  });

  it('says from, to and allowed for an illegal transition, and 403 for a missing role', async () => {
    const { id } = await createRecord(clerk, 'invoice', { title: 'Move' });
    const illegal = await refusal(updateRecord(clerk, 'invoice', id, { status: 'paid' }));
    expect(illegal.code).toBe('VALIDATION_FAILED');
    expect(illegal.details).toContainEqual(
      expect.objectContaining({ rule: 'transition', from: 'draft', to: 'paid', allowed: ['sent', 'void'] }),
    );
    await updateRecord(clerk, 'invoice', id, { status: 'sent' });
    const role = await refusal(updateRecord(clerk, 'invoice', id, { status: 'paid', payment_date: '2026-01-01' }));
    expect([role.code, role.details[0]?.['roles']]).toEqual(['FORBIDDEN', ['Accountant']]);
    expect(rules(await refusal(updateRecord(accountant, 'invoice', id, { status: 'paid' })))).toEqual([['payment_date', 'required_if']]);
    const paid = json(await updateRecord(accountant, 'invoice', id, { status: 'paid', payment_date: '2026-01-01' }));
    expect(paid).toMatchObject({ status: 'paid', approved_at: '2026-06-15T12:00:00+00:00', approved_by: 'acc-1' });
    const notes = (await world.events(app, 'note')).filter((event) => event.record?.['about'] === id);
    expect(notes).toHaveLength(1);
    expect(notes[0]).toMatchObject({ actor: { id: 'acc-1' }, record: { text: 'paid' } });
  });

  it('lets the system pass where no transition leads, unless strict', async () => {
    const { id } = await createRecord(ctx, 'invoice', { title: 'System' });
    const system = { actor: systemActor('process/1') };
    expect(
      (
        await refusal(
          updateRecord(world.context(app, {}, { ...system, strict: true }), 'invoice', id, { status: 'paid', payment_date: '2026-01-01' }),
        )
      ).code,
    ).toBe('VALIDATION_FAILED');
    expect(
      json(await updateRecord(world.context(app, {}, system), 'invoice', id, { status: 'paid', payment_date: '2026-01-01' }))['status'],
    ).toBe('paid');
  });

  it('takes sample rows in any state without rules, keeping their keys', async () => {
    const id = '00000000-0000-7000-8000-0000000000aa';
    const made = json(
      await createRecord(
        ctx,
        'invoice',
        { id, title: 'Sample', status: 'paid', discount: 99, total: '5' },
        { asSampleData: true, events: 'none' },
      ),
    );
    expect(made).toMatchObject({ id, status: 'paid', discount: '99.00', total: '5.00' });
    expect(rules(await refusal(createRecord(ctx, 'invoice', { title: 1 }, { asSampleData: true })))).toContainEqual(['title', 'type']);
  });
});
