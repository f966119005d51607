import { beforeAll, describe, expect, it } from 'vitest';
import type { AppError } from '../../../core/errors.ts';
import { createRecord } from '../../../operations/records/create.ts';
import { deleteRecord } from '../../../operations/records/delete.ts';
import { updateRecord } from '../../../operations/records/update.ts';
import type { AppContext, AppRuntime } from '../../../operations/context.ts';
import { refusal, writingWorld, type WritingWorld } from '../../support/writing.ts';

let world: WritingWorld;
beforeAll(async () => {
  world = await writingWorld();
});

const rules = (error: AppError): unknown[] => error.details.map((detail) => [detail.field, detail.rule]);
const json = (written: { text: string }): Record<string, unknown> => JSON.parse(written.text) as Record<string, unknown>;

const document = {
  version: 1,
  entities: [
    {
      name: 'customer',
      soft_delete: true,
      fields: [
        { name: 'name', type: 'string', required: true },
        { name: 'email', type: 'email', unique: true },
      ],
    },
    {
      name: 'ticket',
      soft_delete: true,
      unique: [['customer_id', 'number']],
      slug: { field: 'slug', source: 'title' },
      fields: [
        { name: 'title', type: 'string', required: true, min_length: 3 },
        { name: 'slug', type: 'string', unique: true, required: true },
        { name: 'status', type: 'enum', enum: ['open', 'closed'], default: 'open' },
        { name: 'number', type: 'int' },
        { name: 'amount', type: 'decimal', precision: 2 },
        { name: 'big', type: 'bigint' },
        { name: 'meta', type: 'json' },
        { name: 'due', type: 'date' },
        { name: 'created_at', type: 'timestamp', auto: 'create' },
        { name: 'updated_at', type: 'timestamp', auto: 'update' },
      ],
    },
    { name: 'counter', primary_key: { field: 'id', type: 'int', generated: true }, fields: [{ name: 'label', type: 'string' }] },
    {
      name: 'product',
      primary_key: { field: 'sku', type: 'string', generated: false },
      fields: [
        { name: 'sku', type: 'string' },
        { name: 'price', type: 'decimal' },
      ],
    },
  ],
  relations: [{ name: 'customer_tickets', type: 'one_to_many', source: 'customer', target: 'ticket', on_delete: 'restrict' }],
  permissions: [
    {
      entity: 'ticket',
      action: 'read',
      roles: ['agent'],
      conditions: [{ field: 'status', operator: 'eq', value: 'open' }],
      fields: { read: ['title', 'status', 'number'] },
    },
    {
      entity: 'ticket',
      action: 'create',
      roles: ['agent'],
      conditions: [{ field: 'number', operator: 'lt', value: 10 }],
      presets: { amount: '7' },
      fields: { write: ['title', 'number', 'status'] },
    },
    {
      entity: 'ticket',
      action: 'update',
      roles: ['agent'],
      conditions: [{ field: 'number', operator: 'lt', value: 5 }],
      fields: { write: ['title', 'number'] },
    },
    { entity: 'ticket', action: 'read', roles: ['watcher'] },
  ],
};

describe('writing one record', () => {
  let app: AppRuntime;
  let ctx: AppContext;
  let agent: AppContext;
  beforeAll(async () => {
    app = await world.app('tickets', document);
    ctx = world.context(app);
    agent = world.context(app, { roles: ['agent'], isAdmin: false });
  });

  it('creates a record with defaults, stamps and a derived slug, and logs one event', async () => {
    const written = await createRecord(ctx, 'ticket', {
      title: 'Übergröße passt nicht',
      amount: 12.5,
      big: '9007199254740993',
      meta: { a: [1] },
      due: '2026-02-03',
      created_at: 'ignored',
      id: 'ignored',
    });
    expect(json(written)).toMatchObject({
      id: written.id,
      title: 'Übergröße passt nicht',
      slug: 'ubergrosse-passt-nicht',
      status: 'open',
      amount: '12.50',
      big: '9007199254740993',
      meta: { a: [1] },
      due: '2026-02-03',
      created_at: '2026-06-15T12:00:00+00:00',
    });
    expect(written.version).toBe('1');
    const [event] = (await world.events(app)).filter((logged) => logged.record_id === written.id);
    expect(event).toMatchObject({ entity: 'ticket', action: 'create', record_version: '1', old: null, actor: { kind: 'user' } });
    expect(event?.record).toEqual(json(written));
  });

  it('creates in one statement when nothing needs more', async () => {
    world.statements.length = 0;
    await createRecord(ctx, 'customer', { name: 'Ada' });
    expect(world.statements).toHaveLength(1);
  });

  it('numbers clashing slugs, keeps an explicit one, and refuses an explicit clash', async () => {
    const first = json(await createRecord(ctx, 'ticket', { title: 'Same' }));
    const second = json(await createRecord(ctx, 'ticket', { title: 'Same' }));
    const explicit = json(await createRecord(ctx, 'ticket', { title: 'Same', slug: 'mine' }));
    expect([first['slug'], second['slug'], explicit['slug']]).toEqual(['same', 'same-2', 'mine']);
    const clash = await refusal(createRecord(ctx, 'ticket', { title: 'Other', slug: 'mine' }));
    expect([clash.code, rules(clash)]).toEqual(['CONFLICT', [['slug', 'unique']]]);
  });

  it('makes different slugs for records created at the same moment', async () => {
    const made = await Promise.all(Array.from({ length: 4 }, () => createRecord(ctx, 'ticket', { title: 'Race' })));
    expect(new Set(made.map((record) => json(record)['slug'])).size).toBe(4);
  });

  it('reports every mistake of a body at once', async () => {
    const error = await refusal(createRecord(ctx, 'ticket', { title: 'x', status: 'lost', amount: 'many', nope: 1 }));
    expect(error.code).toBe('VALIDATION_FAILED');
    expect(rules(error)).toEqual([
      ['title', 'min_length'],
      ['status', 'enum'],
      ['amount', 'type'],
      ['nope', 'unknown'],
    ]);
    expect(rules(await refusal(createRecord(ctx, 'ticket', {})))).toEqual([['title', 'required']]);
  });

  it('updates the given fields only, in one statement, with the old values in the event', async () => {
    const { id } = await createRecord(ctx, 'customer', { name: 'Old', email: 'old@example.com' });
    world.statements.length = 0;
    const written = await updateRecord(ctx, 'customer', id, { name: 'New' });
    expect(world.statements).toHaveLength(1);
    expect([written.version, json(written)['name'], json(written)['email']]).toEqual(['2', 'New', 'old@example.com']);
    const last = (await world.events(app, 'customer')).at(-1);
    expect(last).toMatchObject({
      action: 'update',
      record_version: '2',
      old: { name: 'Old' },
      record: { name: 'New', email: 'old@example.com' },
    });
  });

  it('leaves version, stamps and log alone when nothing changes', async () => {
    const made = await createRecord(ctx, 'ticket', { title: 'Quiet', amount: '1.50' });
    const before = (await world.events(app)).length;
    const again = await updateRecord(world.context(app, {}, { now: new Date('2027-01-01T00:00:00Z') }), 'ticket', made.id, {
      title: 'Quiet',
      amount: 1.5,
      id: made.id,
    });
    expect([again.version, again.text]).toEqual(['1', made.text]);
    expect(await world.events(app)).toHaveLength(before);
  });

  it('finds a record by slug, and refuses emptying what is required', async () => {
    await createRecord(ctx, 'ticket', { title: 'By slug' });
    expect(json(await updateRecord(ctx, 'ticket', 'by-slug', { number: 4 }))['number']).toBe(4);
    expect(rules(await refusal(updateRecord(ctx, 'ticket', 'by-slug', { title: null })))).toEqual([['title', 'required']]);
    expect((await refusal(updateRecord(ctx, 'ticket', 'no-such', { number: 1 }))).code).toBe('NOT_FOUND');
  });

  it('answers 412 for a stale If-Match and accepts the current one', async () => {
    const { id } = await createRecord(ctx, 'customer', { name: 'A' });
    expect((await updateRecord(ctx, 'customer', id, { name: 'B' }, { ifMatch: '"1"' })).version).toBe('2');
    expect((await refusal(updateRecord(ctx, 'customer', id, { name: 'C' }, { ifMatch: '"1"' }))).code).toBe('PRECONDITION_FAILED');
    expect((await refusal(deleteRecord(ctx, 'customer', id, { ifMatch: '"1"' }))).code).toBe('PRECONDITION_FAILED');
    expect(await deleteRecord(ctx, 'customer', id, { ifMatch: '"2"' })).toEqual({ id });
  });

  it('turns unique violations into 409 with the fields, compound ones too, and frees the values of deleted records', async () => {
    const { id } = await createRecord(ctx, 'customer', { name: 'U', email: 'u@example.com' });
    const clash = await refusal(createRecord(ctx, 'customer', { name: 'V', email: 'u@example.com' }));
    expect([clash.code, rules(clash)]).toEqual(['CONFLICT', [['email', 'unique']]]);
    await createRecord(ctx, 'ticket', { title: 'One', customer_id: id, number: 1 });
    const compound = await refusal(createRecord(ctx, 'ticket', { title: 'Two', customer_id: id, number: 1 }));
    expect(compound.details[0]).toMatchObject({ rule: 'unique', fields: ['customer_id', 'number'] });
    expect((await refusal(deleteRecord(ctx, 'customer', id))).message).toContain('1 related ticket record');
    await updateRecord(ctx, 'ticket', 'one', { customer_id: null });
    await deleteRecord(ctx, 'customer', id);
    await createRecord(ctx, 'customer', { name: 'V', email: 'u@example.com' });
  });

  it('refuses references to records that do not exist or are deleted', async () => {
    const gone = await createRecord(ctx, 'customer', { name: 'Gone' });
    await deleteRecord(ctx, 'customer', gone.id);
    for (const customer_id of [gone.id, '00000000-0000-7000-8000-000000000001']) {
      expect(rules(await refusal(createRecord(ctx, 'ticket', { title: 'Dangling', customer_id })))).toEqual([['customer_id', 'reference']]);
    }
  });

  it('handles generated numbers and given text keys', async () => {
    const counter = await createRecord(ctx, 'counter', { label: 'a' });
    expect(json(await updateRecord(ctx, 'counter', counter.id, { label: 'b' }))).toEqual({ id: Number(counter.id), label: 'b' });
    await createRecord(ctx, 'product', { sku: 'A-1', price: '3' });
    expect((await refusal(createRecord(ctx, 'product', { sku: 'A-1' }))).code).toBe('CONFLICT');
    expect(rules(await refusal(createRecord(ctx, 'product', { price: 1 })))).toEqual([['sku', 'required']]);
    expect(rules(await refusal(updateRecord(ctx, 'product', 'A-1', { sku: 'B-1' })))).toEqual([['sku', 'read_only']]);
    expect(json(await updateRecord(ctx, 'product', 'A-1', { sku: 'A-1', price: '4' }))['price']).toBe('4.00');
    expect(await deleteRecord(ctx, 'product', 'A-1')).toEqual({ id: 'A-1' });
    const [event] = (await world.events(app, 'product')).slice(-1);
    expect(event).toMatchObject({ action: 'delete', record: null, record_version: '3', old: { sku: 'A-1', price: '4.00' } });
  });

  it('asks the create condition about the new row, applies presets, and answers readable fields only', async () => {
    const made = await createRecord(agent, 'ticket', { title: 'Preset', number: 3 });
    expect(json(made)).toEqual({ id: made.id, title: 'Preset', status: 'open', number: 3 });
    const stored = json(await updateRecord(ctx, 'ticket', made.id, { due: '2026-01-01' }));
    expect(stored['amount']).toBe('7.00');
    expect((await refusal(createRecord(agent, 'ticket', { title: 'Outside', number: 11 }))).code).toBe('FORBIDDEN');
    expect(rules(await refusal(createRecord(agent, 'ticket', { title: 'Hidden', due: '2026-01-01' })))).toEqual([['due', 'unknown']]);
    expect((await refusal(createRecord(agent, 'customer', { name: 'No' }))).code).toBe('FORBIDDEN');
  });

  it('answers 404 for what may not be read and 403 for what may be read but not changed', async () => {
    const open = await createRecord(ctx, 'ticket', { title: 'Readable', number: 7 });
    const closed = await createRecord(ctx, 'ticket', { title: 'Unreadable', number: 1, status: 'closed' });
    const mine = await createRecord(ctx, 'ticket', { title: 'Mine', number: 2 });
    expect((await refusal(updateRecord(agent, 'ticket', closed.id, { title: 'Nope' }))).code).toBe('NOT_FOUND');
    expect((await refusal(updateRecord(agent, 'ticket', open.id, { title: 'Nope' }))).code).toBe('FORBIDDEN');
    expect((await refusal(updateRecord(agent, 'ticket', mine.id, { number: 8 }))).code).toBe('FORBIDDEN');
    expect((await refusal(updateRecord(agent, 'ticket', mine.id, { status: 'closed' }))).code).toBe('FORBIDDEN');
    expect(json(await updateRecord(agent, 'ticket', mine.id, { title: 'Changed' }))['title']).toBe('Changed');
    expect((await refusal(deleteRecord(agent, 'ticket', mine.id))).code).toBe('FORBIDDEN');
  });

  it('compares with the row as it is under the lock, never with a stale one', async () => {
    const { id } = await createRecord(ctx, 'customer', { name: 'v0' });
    await Promise.all(Array.from({ length: 8 }, (_, n) => updateRecord(ctx, 'customer', id, { name: `v${n + 1}` })));
    const log = (await world.events(app, 'customer'))
      .filter((event) => event.record_id === id)
      .sort((a, b) => Number(a.record_version) - Number(b.record_version));
    expect(log.map((event) => event.record_version)).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9']);
    for (const [index, event] of log.entries()) if (index > 0) expect(event.old).toEqual({ name: log[index - 1]?.record?.['name'] });
  });

  it('never lets a child slip under a parent that is being deleted softly', async () => {
    for (let round = 0; round < 5; round++) {
      const { id } = await createRecord(ctx, 'customer', { name: 'Racing' });
      const outcomes = await Promise.allSettled([
        createRecord(ctx, 'ticket', { title: 'Late child', customer_id: id }),
        deleteRecord(ctx, 'customer', id),
      ]);
      expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
    }
  });

  it('writes no event when told so, and runs an effect once', async () => {
    const before = (await world.events(app)).length;
    await createRecord(ctx, 'customer', { name: 'Silent' }, { events: 'none' });
    expect(await world.events(app)).toHaveLength(before);
    const step = world.context(app, {}, { effectKey: 'process/x/1/step/2' });
    const first = await createRecord(step, 'customer', { name: 'Once' });
    expect(await createRecord(step, 'customer', { name: 'Once' })).toEqual(first);
    expect(await world.events(app)).toHaveLength(before + 1);
  });
});
