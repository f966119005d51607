import { beforeAll, describe, expect, it } from 'vitest';
import { batchRecords } from '../../../operations/records/batch.ts';
import { bulkRecords } from '../../../operations/records/bulk.ts';
import { createRecord } from '../../../operations/records/create.ts';
import { updateRecord } from '../../../operations/records/update.ts';
import type { Settled } from '../../../operations/records/operation.ts';
import type { AppContext, AppRuntime } from '../../../operations/context.ts';
import { refusal, writingWorld, type WritingWorld } from '../../support/writing.ts';

let world: WritingWorld;
let app: AppRuntime;
let ctx: AppContext;

const text = (name: string, extra: Record<string, unknown> = {}) => ({ name, type: 'string', ...extra });
const document = {
  version: 1,
  entities: [
    {
      name: 'customer',
      soft_delete: true,
      fields: [text('name', { required: true, min_length: 2 }), text('email', { unique: true }), text('secret'), text('owner')],
    },
    {
      name: 'invoice',
      unique: [['customer_id', 'number']],
      fields: [
        { name: 'number', type: 'int' },
        { name: 'total', type: 'decimal' },
        { name: 'meta', type: 'json' },
      ],
    },
    { name: 'line', fields: [text('sku', { required: true })] },
    { name: 'code', primary_key: { field: 'code', type: 'string', generated: false }, fields: [text('code'), text('label')] },
  ],
  relations: [
    { name: 'invoices', type: 'one_to_many', source: 'customer', target: 'invoice', source_name: 'invoices', on_delete: 'restrict' },
    { name: 'lines', type: 'one_to_many', source: 'invoice', target: 'line', source_name: 'lines', on_delete: 'cascade' },
  ],
  rules: [
    {
      entity: 'invoice',
      hook: 'before_write',
      type: 'expression',
      definition: { expression: 'record.total < 0', message: 'total must not be negative', field: 'total' },
    },
  ],
  permissions: [
    {
      entity: 'customer',
      action: 'read',
      roles: ['agent'],
      conditions: [{ field: 'owner', operator: 'eq', value: '$user.id' }],
      fields: { read: ['id', 'name', 'email', 'owner'] },
    },
    { entity: 'customer', action: 'create', roles: ['agent'], conditions: [{ field: 'name', operator: 'neq', value: 'forbidden' }] },
    { entity: 'customer', action: 'update', roles: ['agent'], conditions: [{ field: 'owner', operator: 'eq', value: '$user.id' }] },
    { entity: 'customer', action: 'read', roles: ['reader'] },
  ],
};

beforeAll(async () => {
  world = await writingWorld();
  app = await world.app('bulk', document);
  ctx = world.context(app);
});

const atomic = { isAtomic: true };
const single = { isAtomic: false };
const records = (settled: readonly Settled[]) => settled.map((one) => JSON.parse(one.outcome?.text ?? 'null') as Record<string, unknown>);
const count = async (table: string): Promise<number> =>
  Number((await world.pool.query<{ n: string }>(`select count(*) as n from app_bulk.${table}`)).rows[0]?.n);
let made = 0;
const email = (): string => `c${String(++made)}@example.com`;

describe('_bulk', () => {
  it('creates, updates, upserts and deletes in one transaction, each with its event', async () => {
    const [kept, gone] = records(await bulkRecords(ctx, 'customer', { create: [{ name: 'kept' }, { name: 'gone' }] }, atomic));
    const mail = email();
    const done = await bulkRecords(
      ctx,
      'customer',
      {
        delete: [{ id: gone?.['id'] }],
        create: [
          { name: 'one', email: mail },
          { name: 'two', secret: 'x' },
        ],
        update: [{ id: kept?.['id'], name: 'changed', _version: 1 }],
        upsert: {
          on: 'email',
          rows: [
            { email: mail, name: 'upserted' },
            { email: email(), name: 'new' },
          ],
        },
      },
      atomic,
    );
    expect(done.map((one) => [one.operation.path, one.outcome?.isCreated])).toEqual([
      ['create[0]', true],
      ['create[1]', true],
      ['update[0]', false],
      ['upsert.rows[0]', false],
      ['upsert.rows[1]', true],
      ['delete[0]', false],
    ]);
    expect(records(done).map((record) => record['name'])).toEqual(['one', 'two', 'changed', 'upserted', 'new', undefined]);
    const events = (await world.events(app, 'customer')).slice(-6);
    expect(events.map((event) => event.action)).toEqual(['create', 'create', 'update', 'update', 'create', 'delete']);
  });

  it('writes plain rows of one shape with one statement, whatever the order of their keys', async () => {
    const before = world.statements.length;
    const rows = Array.from({ length: 50 }, (_, n) =>
      n % 2 === 0 ? { name: `n ${String(n)}`, secret: 's' } : { secret: 's', name: `n ${String(n)}` },
    );
    const done = records(await bulkRecords(ctx, 'customer', { create: rows }, atomic));
    expect(done.map((record) => record['name'])).toEqual(rows.map((row) => row.name));
    expect(world.statements.slice(before).filter((statement) => statement.includes('insert into'))).toHaveLength(1);
    expect(world.statements.length - before).toBeLessThanOrEqual(3);
  });

  it('names every mistake of every row with its path, and writes nothing', async () => {
    const before = await count('customer');
    const mail = email();
    await createRecord(ctx, 'customer', { name: 'first', email: mail });
    const error = await refusal(
      bulkRecords(
        ctx,
        'customer',
        {
          create: [{ name: 'fine' }, { name: 'x', nope: 1 }, { name: 'twin', email: mail }],
          update: [{ name: 'nobody' }, { id: '00000000-0000-7000-8000-000000000000', name: 'nobody' }],
          delete: [true],
        },
        atomic,
      ),
    );
    expect(error.code).toBe('VALIDATION_FAILED');
    expect(error.details.map((detail) => [detail.path, detail.rule ?? detail['code']])).toEqual([
      ['create[1].name', 'min_length'],
      ['create[1].nope', 'unknown'],
      ['create[2].email', 'unique'],
      ['update[0].id', 'required'],
      ['update[1]', 'NOT_FOUND'],
      ['delete[0].id', 'required'],
    ]);
    expect(await count('customer')).toBe(before + 1);
  });

  it('names all clashes of unique values, not only the first', async () => {
    const [a, b] = [email(), email()];
    await bulkRecords(
      ctx,
      'customer',
      {
        create: [
          { name: 'aa', email: a },
          { name: 'bb', email: b },
        ],
      },
      atomic,
    );
    const rows = [{ name: 'cc', email: a }, { name: 'dd' }, { name: 'ee', email: b }];
    const error = await refusal(bulkRecords(ctx, 'customer', { create: rows }, atomic));
    expect([error.code, ...error.details.map((detail) => detail.path)]).toEqual(['CONFLICT', 'create[0].email', 'create[2].email']);
  });

  it('with atomic=false keeps what is right and says of each row what became of it', async () => {
    const before = await count('customer');
    const done = await bulkRecords(ctx, 'customer', { create: [{ name: 'good' }, { name: 'x' }, { name: 'good too' }] }, single);
    expect(done.map((one) => one.error?.code ?? 'written')).toEqual(['written', 'VALIDATION_FAILED', 'written']);
    expect(done[1]?.error?.details[0]?.path).toBe('create[1].name');
    expect(await count('customer')).toBe(before + 2);
  });

  it('holds rules and nested rows as single writes do', async () => {
    const error = await refusal(
      bulkRecords(ctx, 'invoice', { create: [{ total: '-1' }, { total: '1', lines: [{ sku: 'a' }, {}] }] }, atomic),
    );
    expect(error.details.map((detail) => detail.path)).toEqual(['create[0].total', 'create[1].lines.1.sku']);
    const done = records(await bulkRecords(ctx, 'invoice', { create: [{ total: '1', lines: [{ sku: 'a' }] }, { total: '2' }] }, atomic));
    expect(done.map((record) => record['total'])).toEqual(['1.00', '2.00']);
  });

  it('asks the create policy of every row of a common statement, and answers only what the caller may read', async () => {
    const agent = world.context(app, { id: 'u1', roles: ['agent'] });
    const error = await refusal(
      bulkRecords(agent, 'customer', { create: [{ name: 'fine' }, { name: 'forbidden' }, { name: 'ok' }] }, atomic),
    );
    expect([error.code, error.details.map((detail) => detail.path)]).toEqual(['FORBIDDEN', ['create[1]']]);
    const done = records(
      await bulkRecords(
        agent,
        'customer',
        {
          create: [
            { name: 'mine', owner: 'u1' },
            { name: 'other', owner: 'u2' },
          ],
        },
        atomic,
      ),
    );
    expect(done.map((record) => Object.keys(record))).toEqual([['id', 'name', 'email', 'owner'], ['id']]);
  });

  it('looks at parents that may vanish softly for all rows at once', async () => {
    const [parent] = records(await bulkRecords(ctx, 'customer', { create: [{ name: 'parent' }] }, atomic));
    await bulkRecords(ctx, 'customer', { delete: [parent?.['id']] }, atomic);
    const error = await refusal(
      bulkRecords(
        ctx,
        'invoice',
        {
          create: [
            { number: 1, customer_id: null },
            { number: 2, customer_id: parent?.['id'] },
          ],
        },
        atomic,
      ),
    );
    expect(error.details.map((detail) => [detail.path, detail.rule])).toEqual([['create[1].customer_id', 'reference']]);
  });

  it.each([
    [{ create: {} }, 'INVALID_PAYLOAD'],
    [{ create: [1] }, 'INVALID_PAYLOAD'],
    [{ craete: [] }, 'UNKNOWN_FIELD'],
    [{ upsert: [] }, 'INVALID_PAYLOAD'],
    [{ upsert: { on: 'name', rows: [] } }, 'VALIDATION_FAILED'],
    [{ upsert: { on: ['email', {}], rows: [] } }, 'VALIDATION_FAILED'],
    [{ upsert: { on: 'email', rows: [{ name: 'no mail' }] } }, 'VALIDATION_FAILED'],
    [{ upsert: { on: [{ toString: 1 }], rows: [] } }, 'VALIDATION_FAILED'],
    [{ upsert: { on: 'id', rows: [{ id: { toString: 1 } }] } }, 'VALIDATION_FAILED'],
    [{ delete: [{ toString: 1 }] }, 'UNKNOWN_FIELD'],
    [{ delete: [{ id: { toString: 1 } }] }, 'VALIDATION_FAILED'],
    [{ delete: Array.from({ length: 100_000 }, () => 'x') }, 'TOO_LARGE'],
    [{ delete: [{ id: 'x', name: 'y' }] }, 'UNKNOWN_FIELD'],
    [{ delete: ['\0'] }, 'NOT_FOUND'],
    [{ update: [{ id: { a: 1 }, name: 'y' }] }, 'VALIDATION_FAILED'],
    [{ update: [{ id: 'x', _version: [], name: 'y' }] }, 'INVALID_PAYLOAD'],
    [{ create: Array.from({ length: 1001 }, () => ({})) }, 'TOO_LARGE'],
    [{ create: [{ name: 'a\ud800' }, { name: 'b' }] }, 'VALIDATION_FAILED'],
  ])('refuses %j', async (body, code) => {
    expect((await refusal(bulkRecords(ctx, 'customer', body, atomic))).code).toBe(code);
  });

  it('takes a key that is an object with a toString of its own for a wrong key', async () => {
    const { id } = await createRecord(ctx, 'code', { code: 'key' });
    expect((await refusal(updateRecord(ctx, 'code', id, { code: { toString: 1 } }))).code).toBe('VALIDATION_FAILED');
  });

  it('refuses a version that is not the stored one, per row', async () => {
    const [one] = records(await bulkRecords(ctx, 'customer', { create: [{ name: 'version' }] }, atomic));
    const error = await refusal(bulkRecords(ctx, 'customer', { update: [{ id: one?.['id'], name: 'no', if_match: '"7"' }] }, atomic));
    expect([error.code, error.details[0]?.path]).toEqual(['PRECONDITION_FAILED', 'update[0]']);
  });
});

describe('upsert', () => {
  it('ends twenty at once in one record', async () => {
    const mail = email();
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        bulkRecords(ctx, 'customer', { upsert: { on: 'email', rows: [{ email: mail, name: `name ${String(n)}` }] } }, atomic),
      ),
    );
    expect(all.filter(([one]) => one?.outcome?.isCreated === true)).toHaveLength(1);
    expect(new Set(all.map(([one]) => one?.outcome?.id)).size).toBe(1);
  });

  it('knows compound uniqueness and keys, and does not find deleted records', async () => {
    const [parent] = records(await bulkRecords(ctx, 'customer', { create: [{ name: 'compound' }] }, atomic));
    const row = { customer_id: parent?.['id'], number: 7, total: '1' };
    const upsert = { on: ['number', 'customer_id'], rows: [row, { ...row, total: '2' }] };
    const done = await bulkRecords(ctx, 'invoice', { upsert }, atomic);
    expect(done.map((one) => one.outcome?.isCreated)).toEqual([true, false]);
    const codes = await bulkRecords(
      ctx,
      'code',
      {
        upsert: {
          on: 'code',
          rows: [
            { code: 'a', label: 'x' },
            { code: 'a', label: 'y' },
          ],
        },
      },
      atomic,
    );
    expect(codes.map((one) => one.outcome?.isCreated)).toEqual([true, false]);
    const mail = email();
    const [gone] = records(await bulkRecords(ctx, 'customer', { create: [{ name: 'gone', email: mail }] }, atomic));
    await bulkRecords(ctx, 'customer', { delete: [gone?.['id']] }, atomic);
    const [again] = await bulkRecords(ctx, 'customer', { upsert: { on: 'email', rows: [{ name: 'again', email: mail }] } }, atomic);
    expect([again?.outcome?.isCreated, again?.outcome?.id === gone?.['id']]).toEqual([true, false]);
  });

  it('says of a record the caller may not see no more than a create does', async () => {
    const mail = email();
    await createRecord(ctx, 'customer', { name: 'theirs', email: mail, owner: 'somebody' });
    const agent = world.context(app, { id: 'u1', roles: ['agent'] });
    const row = { name: 'mine', email: mail, owner: 'u1' };
    const asCreate = await refusal(bulkRecords(agent, 'customer', { create: [row] }, atomic));
    const asUpsert = await refusal(bulkRecords(agent, 'customer', { upsert: { on: 'email', rows: [row] } }, atomic));
    expect([asUpsert.code, asUpsert.details[0]?.rule]).toEqual([asCreate.code, asCreate.details[0]?.rule]);
    expect(asUpsert.code).toBe('CONFLICT');
    const hidden = await refusal(bulkRecords(agent, 'customer', { upsert: { on: 'secret', rows: [] } }, atomic));
    expect(hidden.details[0]?.message).not.toContain('secret');
  });

  it('needs the right to create where it creates and the right to update where it updates', async () => {
    const mail = email();
    await createRecord(ctx, 'customer', { name: 'seen', email: mail });
    const reader = world.context(app, { id: 'u1', roles: ['reader'] });
    const error = await refusal(bulkRecords(reader, 'customer', { upsert: { on: 'email', rows: [{ name: 'no', email: mail }] } }, atomic));
    expect(error.code).toBe('FORBIDDEN');
    const agent = world.context(app, { id: 'u1', roles: ['agent'] });
    const own = { name: 'own', email: email(), owner: 'u1' };
    await bulkRecords(agent, 'customer', { create: [own] }, atomic);
    const away = await refusal(bulkRecords(agent, 'customer', { upsert: { on: 'email', rows: [{ ...own, owner: 'u2' }] } }, atomic));
    expect(away.code).toBe('FORBIDDEN');
  });
});

describe('_batch', () => {
  const customer = (extra: Record<string, unknown> = {}) => ({
    op: 'create',
    entity: 'customer',
    ref: 'customer',
    body: { name: 'batch', ...extra },
  });

  it('writes over several entities, later ones with values of earlier ones', async () => {
    const done = await batchRecords(
      ctx,
      {
        operations: [
          customer(),
          {
            op: 'create',
            entity: 'invoice',
            ref: 'invoice',
            body: { customer_id: { $ref: 'customer.id' }, number: 1, meta: { $ref: '#/x' } },
          },
          { op: 'create', entity: 'line', body: { sku: 'a', invoice_id: { $ref: 'invoice.id' } } },
          { op: 'update', entity: 'customer', id: { $ref: 'customer.id' }, body: { secret: { $ref: 'customer.name' } } },
          { op: 'delete', entity: 'invoice', id: { $ref: 'invoice.id' } },
        ],
      },
      atomic,
    );
    const [made, invoice, line, updated] = records(done);
    expect([invoice?.['customer_id'], invoice?.['meta'], line?.['invoice_id']]).toEqual([made?.['id'], { $ref: '#/x' }, invoice?.['id']]);
    expect(updated?.['secret']).toBe('batch');
  });

  it.each([
    [[{ op: 'create', entity: 'invoice', body: { customer_id: { $ref: 'nobody.id' } } }], 'operations[0].body.customer_id'],
    [[{ op: 'create', entity: 'invoice', body: { customer_id: { $ref: 'customer.id' } } }, customer()], 'operations[0].body.customer_id'],
    [
      [customer(), { op: 'create', entity: 'invoice', body: { customer_id: { $ref: 'customer.nothing' } } }],
      'operations[1].body.customer_id',
    ],
    [[customer(), { op: 'delete', entity: 'invoice', id: { $ref: 7 } }], 'operations[1].id'],
    [[customer({ invoices: [{ number: { $ref: 'x' } }] })], 'operations[0].body.invoices.0.number'],
    [[customer(), customer()], 'operations[1].ref'],
  ])('refuses the references of %j with their path, before anything is written', async (operations, path) => {
    const before = await count('customer');
    const error = await refusal(batchRecords(ctx, { operations }, single));
    expect([error.code, error.details[0]?.path]).toEqual(['VALIDATION_FAILED', path]);
    expect(await count('customer')).toBe(before);
  });

  it('skips what depends on a failed operation, and says why', async () => {
    const operations = [
      customer({ name: 'x' }),
      { op: 'create', entity: 'invoice', ref: 'invoice', body: { customer_id: { $ref: 'customer.id' } } },
      { op: 'create', entity: 'line', body: { sku: 'a', invoice_id: { $ref: 'invoice.id' } } },
      { op: 'create', entity: 'customer', body: { name: 'independent' } },
    ];
    const done = await batchRecords(ctx, { operations }, single);
    expect(done.map((one) => one.error?.code ?? one.skipped ?? 'written')).toEqual([
      'VALIDATION_FAILED',
      '"customer", which it refers to, was not written',
      '"invoice", which it refers to, was not written',
      'written',
    ]);
    const error = await refusal(batchRecords(ctx, { operations }, atomic));
    expect(error.details.map((detail) => detail.path)).toEqual(['operations[0].body.name']);
  });

  it.each([
    [{}],
    [{ operations: {} }],
    [{ operations: [null] }],
    [{ operations: [{ op: 'drop', entity: 'customer' }] }],
    [{ operations: [{ op: 'create', entity: 7, body: {} }] }],
    [{ operations: [{ op: 'create', entity: 'customer' }] }],
    [{ operations: [{ op: 'create', entity: 'customer', id: 'x', body: {} }] }],
    [{ operations: [{ op: 'delete', entity: 'customer', id: 'x', body: {} }] }],
    [{ operations: [{ ...customer(), ref: 'a b' }] }],
  ])('refuses %j', async (body) => {
    expect((await refusal(batchRecords(ctx, body, atomic))).code).toBe('INVALID_PAYLOAD');
  });

  it.each([
    [{ operations: [], more: 1 }, 'more'],
    [{ operations: [{ ...customer(), method: 'POST' }] }, 'operations[0].method'],
  ])('refuses what %j has besides', async (body, path) => {
    const { code, details } = await refusal(batchRecords(ctx, body, atomic));
    expect([code, details[0]?.path, details[0]?.rule]).toEqual(['UNKNOWN_FIELD', path, 'unknown']);
  });

  it('does nothing for no operations', async () => {
    expect(await batchRecords(ctx, { operations: [] }, atomic)).toEqual([]);
  });
});
