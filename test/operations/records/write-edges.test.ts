import { beforeAll, describe, expect, it } from 'vitest';
import type { AppError } from '../../../core/errors.ts';
import { createRecord } from '../../../operations/records/create.ts';
import { deleteRecord } from '../../../operations/records/delete.ts';
import { updateRecord } from '../../../operations/records/update.ts';
import type { AppContext, AppRuntime } from '../../../operations/context.ts';
import { refusal, writingWorld, type WritingWorld } from '../../support/writing.ts';

let world: WritingWorld;
let app: AppRuntime;
let ctx: AppContext;
let member: AppContext;

const rules = (error: AppError): unknown[] => error.details.map((detail) => [detail.field, detail.rule]);
const json = (written: { text: string }): Record<string, unknown> => JSON.parse(written.text) as Record<string, unknown>;

const document = {
  version: 1,
  settings: { exact_numbers: 'number' },
  entities: [
    { name: 'team', fields: [{ name: 'name', type: 'string' }] },
    {
      name: 'person',
      slug: { field: 'slug', source: 'name', regenerate_on_update: true },
      fields: [
        { name: 'name', type: 'string' },
        { name: 'slug', type: 'string', unique: true },
        { name: 'owner', type: 'string' },
        { name: 'salary', type: 'decimal' },
        { name: 'photo', type: 'file' },
        { name: 'team', type: 'relation', target: 'team', on_delete: 'set_null' },
      ],
    },
    {
      name: 'badge',
      fields: [
        { name: 'code', type: 'string' },
        { name: 'team', type: 'relation', target: 'team', required: true, on_delete: 'set_null' },
      ],
    },
    {
      name: 'counter',
      fields: [
        { name: 'hits', type: 'int' },
        { name: 'double', type: 'int', computed: 'record.hits * 2' },
      ],
    },
    {
      name: 'order',
      fields: [
        { name: 'title', type: 'string' },
        { name: 'owner', type: 'string' },
        { name: 'total', type: 'int', required: true },
      ],
    },
    { name: 'line', fields: [{ name: 'amount', type: 'int' }] },
  ],
  relations: [{ name: 'order_lines', type: 'one_to_many', source: 'order', target: 'line', source_name: 'lines', on_delete: 'cascade' }],
  rules: [
    {
      entity: 'order',
      type: 'computed',
      definition: { field: 'total', expression: '$sum(related.lines.amount)', related_load: [{ relation: 'lines' }] },
    },
  ],
  permissions: [
    { entity: 'person', action: 'read', roles: ['member'], fields: { read: ['name', 'owner'] } },
    { entity: 'person', action: 'read', roles: ['member'], conditions: [{ field: 'owner', operator: 'eq', value: '$user.id' }] },
    { entity: 'person', action: 'update', roles: ['member'], fields: { write: ['name'] } },
    { entity: 'person', action: 'update', roles: ['member'], conditions: [{ field: 'owner', operator: 'eq', value: '$user.id' }] },
    { entity: 'order', action: 'create', roles: ['member'] },
    { entity: 'line', action: 'create', roles: ['member'] },
  ],
};

beforeAll(async () => {
  world = await writingWorld();
  app = await world.app('edges', document);
  ctx = world.context(app);
  member = world.context(app, { id: 'me', roles: ['member'], isAdmin: false });
});

describe('row-dependent field rules', () => {
  it('let a field be written and shown only in rows whose grant lists it', async () => {
    const mine = await createRecord(ctx, 'person', { name: 'Mine', owner: 'me', salary: 5 });
    const other = await createRecord(ctx, 'person', { name: 'Other', owner: 'you', salary: 5 });
    expect(json(await updateRecord(member, 'person', mine.id, { salary: 6 }))).toMatchObject({ salary: 6, name: 'Mine' });
    const refused = await refusal(updateRecord(member, 'person', other.id, { salary: 6 }));
    expect([refused.code, rules(refused)]).toEqual(['FORBIDDEN', [['salary', 'permission']]]);
    expect(json(await updateRecord(member, 'person', other.id, { name: 'Renamed' }))).toEqual({
      id: other.id,
      name: 'Renamed',
      owner: 'you',
    });
    // The new row decides too: nobody gives a record away and keeps a field of it.
    const given = json(
      await updateRecord(member, 'person', mine.id, { owner: 'you' }).catch((error: AppError) => ({
        text: JSON.stringify({ code: error.code }),
      })),
    );
    expect(given['salary']).toBeUndefined();
  });

  it('answer the key alone to who may create but not read', async () => {
    const made = await createRecord(member, 'order', { title: 'Mine', lines: [{ amount: 2 }, { amount: 3 }] });
    expect(json(made)).toEqual({ id: made.id });
    expect((await world.events(app, 'order')).at(-1)?.record).toMatchObject({ title: 'Mine', total: 5 });
  });
});

describe('references', () => {
  it('to a record that does not exist are 422, by the relation’s name too', async () => {
    const missing = '00000000-0000-7000-8000-000000000001';
    expect(rules(await refusal(createRecord(ctx, 'person', { name: 'a', team_id: missing })))).toEqual([['team_id', 'reference']]);
    expect(rules(await refusal(createRecord(ctx, 'person', { name: 'a', photo: missing })))).toEqual([['photo', 'reference']]);
    const team = await createRecord(ctx, 'team', { name: 't' });
    expect(json(await createRecord(ctx, 'person', { name: 'with team', team: team.id }))['team_id']).toBe(team.id);
    expect(rules(await refusal(createRecord(ctx, 'person', { name: 'a', team: { name: 'new' } })))).toEqual([['team', 'unknown']]);
  });

  it('are emptied with an event, and a required one restricts', async () => {
    const team = await createRecord(ctx, 'team', { name: 'Going' });
    const person = await createRecord(ctx, 'person', { name: 'Left', team_id: team.id });
    const badge = await createRecord(ctx, 'badge', { code: 'B', team_id: team.id });
    expect((await refusal(deleteRecord(ctx, 'team', team.id))).details[0]).toMatchObject({ rule: 'restrict', entity: 'badge', count: 1 });
    await deleteRecord(ctx, 'badge', badge.id);
    await deleteRecord(ctx, 'team', team.id);
    expect((await world.events(app, 'person')).filter((event) => event.record_id === person.id).at(-1)).toMatchObject({
      action: 'update',
      record_version: '2',
      old: { team_id: team.id },
      record: { team_id: null },
    });
  });
});

describe('writing at the same time', () => {
  it('judges every update by the record it really changes', async () => {
    const { id } = await createRecord(ctx, 'counter', { hits: 0 });
    await Promise.all(Array.from({ length: 10 }, (_, n) => updateRecord(ctx, 'counter', id, { hits: n + 1 })));
    const log = (await world.events(app, 'counter'))
      .filter((event) => event.record_id === id)
      .sort((a, b) => Number(a.record_version) - Number(b.record_version));
    expect(log.at(-1)?.record_version).toBe('11');
    for (const event of log) expect(event.record?.['double']).toBe(Number(event.record?.['hits']) * 2);
    for (const [index, event] of log.entries()) if (index > 0) expect(event.old?.['hits']).toBe(log[index - 1]?.record?.['hits']);
  });

  it('gives one of two stale If-Match updates to the loser as 412, rules or not', async () => {
    const { id } = await createRecord(ctx, 'counter', { hits: 0 });
    const outcomes = await Promise.allSettled([1, 2].map((hits) => updateRecord(ctx, 'counter', id, { hits }, { ifMatch: '"1"' })));
    const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [(outcome.reason as AppError).code] : []));
    expect(refused).toEqual(['PRECONDITION_FAILED']);
  });

  it('runs the effect of a durable step once, however many workers try', async () => {
    const steps = Array.from({ length: 4 }, () =>
      createRecord(world.context(app, {}, { effectKey: 'same', cause: 'process/x/1', depth: 3 }), 'team', { name: 'effect' }),
    );
    expect(new Set((await Promise.all(steps)).map((made) => made.id)).size).toBe(1);
    const { rows } = await world.pool.query(
      `select cause, depth from durabase.events where entity = 'team' and record ->> 'name' = 'effect'`,
    );
    expect(rows).toEqual([{ cause: 'process/x/1', depth: 3 }]);
  });
});

describe('slugs and odd bodies', () => {
  it('follow their source only where the entity says so', async () => {
    const { id } = await createRecord(ctx, 'person', { name: 'First Name' });
    expect(json(await updateRecord(ctx, 'person', id, { name: 'Second Name' }))['slug']).toBe('second-name');
    expect(json(await updateRecord(ctx, 'person', 'second-name', { name: 'Second Name' }))['slug']).toBe('second-name');
    expect(json(await updateRecord(ctx, 'person', id, { name: 'Third', slug: 'chosen' }))['slug']).toBe('chosen');
  });

  it('accept an empty body as a change of nothing, and refuse what is no object', async () => {
    const { id } = await createRecord(ctx, 'team', {});
    expect((await updateRecord(ctx, 'team', id, {})).version).toBe('1');
    expect((await refusal(createRecord(ctx, 'team', [] as never))).code).toBe('INVALID_PAYLOAD');
    expect((await refusal(updateRecord(ctx, 'team', 'not-a-uuid', {}))).code).toBe('NOT_FOUND');
    expect((await refusal(updateRecord(ctx, 'team', "'; drop table x; --", { name: 'x' }))).code).toBe('NOT_FOUND');
    expect((await refusal(createRecord(ctx, 'nothing', {}))).code).toBe('UNKNOWN_ENTITY');
    expect(
      rules(await refusal(createRecord(ctx, 'team', JSON.parse('{"__proto__": 1, "name\\"; --": 2}') as Record<string, unknown>))),
    ).toEqual([
      ['__proto__', 'unknown'],
      ['name"; --', 'unknown'],
    ]);
  });
});
