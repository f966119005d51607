/** Creates of one entity go together also where a reference is looked at; what comes out is what it would be row by row. */
import { beforeAll, describe, expect, it } from 'vitest';
import { batchRecords } from '../../../operations/records/batch.ts';
import { bulkRecords } from '../../../operations/records/bulk.ts';
import { createRecord } from '../../../operations/records/create.ts';
import type { AppContext, AppRuntime } from '../../../operations/context.ts';
import { isAppError } from '../../../core/errors.ts';
import { writingWorld, type WritingWorld } from '../../support/writing.ts';

const text = (name: string) => ({ name, type: 'string' });
const own = [{ field: 'owner', operator: 'eq', value: '$user.id' }];
const may = (entity: string, action: string, conditions: unknown[] = []) => ({ entity, action, roles: ['agent'], conditions });
const document = {
  version: 1,
  entities: [
    { name: 'account', fields: [text('name'), text('owner')] },
    { name: 'folder', soft_delete: true, fields: [text('name'), text('owner')] },
    { name: 'ticket', fields: [text('title'), text('owner')] },
    { name: 'node', primary_key: { field: 'code', type: 'string', generated: false }, soft_delete: true, fields: [text('code')] },
    { name: 'group', fields: [text('name')] },
    { name: 'membership', fields: [text('member')] },
  ],
  relations: [
    { name: 'account_tickets', type: 'one_to_many', source: 'account', target: 'ticket', source_name: 'tickets' },
    { name: 'folder_tickets', type: 'one_to_many', source: 'folder', target: 'ticket', source_name: 'tickets' },
    { name: 'children', type: 'one_to_many', source: 'node', target: 'node', target_key: 'parent_code', source_name: 'children' },
    { name: 'groups', type: 'one_to_many', source: 'account', target: 'group', source_name: 'groups' },
    { name: 'members', type: 'one_to_many', source: 'group', target: 'membership', source_name: 'members' },
    { name: 'vouched', type: 'one_to_many', source: 'account', target: 'membership', source_name: 'vouched' },
  ],
  permissions: [
    may('account', 'read', own),
    { ...may('account', 'read', [{ field: 'groups.members.member', operator: 'eq', value: '$user.id' }]), roles: ['member'] },
    may('folder', 'read', own),
    may('ticket', 'read'),
    may('ticket', 'create'),
    ...['membership', 'group'].flatMap((entity) => ['read', 'create'].map((action) => ({ ...may(entity, action), roles: ['member'] }))),
  ],
};

let world: WritingWorld;
let app: AppRuntime;
let admin: AppContext;
let agent: AppContext;

beforeAll(async () => {
  world = await writingWorld();
  app = await world.app('together', document);
  admin = world.context(app);
  agent = world.context(app, { id: 'u1', roles: ['agent'] });
});

type Row = Readonly<Record<string, unknown>>;

/** What a caller is told: the records without what is made anew each time, or every mistake and where it is. */
async function told(work: ReturnType<typeof bulkRecords>): Promise<unknown> {
  try {
    return (await work).map(({ outcome }) => {
      const { id: _, ...record } = JSON.parse(outcome?.text ?? '{}') as Record<string, unknown>;
      return record;
    });
  } catch (error) {
    if (!isAppError(error)) throw error;
    const place = (path: string | undefined) => path?.replace(/^operations\[(\d+)\](\.body)?/, 'create[$1]');
    return {
      code: error.code,
      details: error.details.map(({ path, field, rule, message }) => ({ path: place(path), field, rule, message })),
    };
  }
}

const together = (ctx: AppContext, entity: string, rows: readonly Row[]) => bulkRecords(ctx, entity, { create: rows }, { isAtomic: true });

/** Operations with a name are written one after the other. */
const oneByOne = (ctx: AppContext, entity: string, rows: readonly Row[]) =>
  batchRecords(
    ctx,
    { operations: rows.map((body, index) => ({ op: 'create', entity, body, ref: `r${String(index)}` })) },
    { isAtomic: true },
  );

async function inserts(work: () => Promise<unknown>): Promise<number> {
  const before = world.statements.length;
  await work().catch(() => undefined);
  return world.statements.slice(before).filter((statement) => statement.includes('insert into "app_together"')).length;
}

describe('many creates with references that are looked at', () => {
  it('answer as they would one by one: readable, hidden, absent, deleted and none', async () => {
    const make = async (entity: string, owner: string) => (await createRecord(admin, entity, { name: entity, owner })).id;
    const [mine, theirs, myFolder, theirFolder, gone] = await Promise.all([
      make('account', 'u1'),
      make('account', 'u2'),
      make('folder', 'u1'),
      make('folder', 'u2'),
      make('folder', 'u1'),
    ]);
    await bulkRecords(admin, 'folder', { delete: [gone] }, { isAtomic: true });
    const accounts = [null, mine, theirs, '00000000-0000-7000-8000-000000000000'];
    const folders = [null, myFolder, theirFolder, gone];
    const all = accounts.flatMap((account_id) => folders.map((folder_id) => ({ title: 't', account_id, folder_id })));
    const good = all.filter(({ account_id, folder_id }) => [null, mine].includes(account_id) && [null, myFolder].includes(folder_id));
    const cases = [all, good, all.map(({ account_id }) => ({ account_id })), good.map(({ title }) => ({ title })), all.slice(0, 7)];
    for (const rows of cases) {
      for (const ctx of [agent, admin])
        expect(await told(together(ctx, 'ticket', rows))).toEqual(await told(oneByOne(ctx, 'ticket', rows)));
    }
    expect(await told(together(agent, 'ticket', all))).toMatchObject({ code: 'VALIDATION_FAILED' });
    expect(await told(together(agent, 'ticket', good))).toHaveLength(4);
  });

  it.each([
    ['no reference', () => Promise.resolve(null)],
    ['readable references', async () => (await createRecord(admin, 'account', { owner: 'u1' })).id],
  ])('are one statement for a hundred rows with %s', async (_, account) => {
    const account_id = await account();
    const rows = Array.from({ length: 100 }, (_row, n) => ({ title: String(n), ...(account_id === null ? {} : { account_id }) }));
    expect(await inserts(() => together(agent, 'ticket', rows))).toBe(1);
    expect(await inserts(() => oneByOne(agent, 'ticket', rows))).toBe(100);
  });

  it('see what earlier rows of the same request wrote, where the reference leads back to them', async () => {
    const tree = (prefix: string) => [
      { code: `${prefix}1` },
      { code: `${prefix}2` },
      { code: `${prefix}3`, parent_code: `${prefix}1` },
      { code: `${prefix}4`, parent_code: `${prefix}3` },
      { code: `${prefix}5` },
      { code: `${prefix}6` },
    ];
    expect(await told(together(admin, 'node', tree('a')))).toHaveLength(6);
    expect(await inserts(() => together(admin, 'node', tree('b')))).toBe(4);
  });

  it.each(['account_id', 'account'])('see what earlier rows let the caller read, named by %s', async (name) => {
    const member = world.context(app, { id: 'u1', roles: ['member'] });
    const account = await createRecord(admin, 'account', { name: 'closed' });
    const group = await createRecord(admin, 'group', { account_id: account.id });
    // Alike but for their values, so that nothing else would keep the second from going with the first.
    const row = (who: string, known: string | null) => ({ group_id: group.id, member: who, [name]: known });
    const rows = [row('u1', null), row('u3', account.id), row('u4', account.id)];
    expect(await told(together(member, 'membership', rows))).toHaveLength(3);
    expect(await told(together(member, 'membership', [{ [name]: account.id }]))).toHaveLength(1);
    const other = world.context(app, { id: 'u2', roles: ['member'] });
    expect(await told(together(other, 'membership', rows.slice(1)))).toMatchObject({ code: 'VALIDATION_FAILED' });
  });
});
