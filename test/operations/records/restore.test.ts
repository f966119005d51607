import { beforeAll, describe, expect, it } from 'vitest';
import { bulkRecords } from '../../../operations/records/bulk.ts';
import { createRecord } from '../../../operations/records/create.ts';
import { deleteRecord } from '../../../operations/records/delete.ts';
import { restoreRecord } from '../../../operations/records/restore.ts';
import { updateRecord } from '../../../operations/records/update.ts';
import type { AppContext, AppRuntime } from '../../../operations/context.ts';
import { refusal, writingWorld, type WritingWorld } from '../../support/writing.ts';

let world: WritingWorld;
let app: AppRuntime;
let ctx: AppContext;

const text = (name: string, extra: Record<string, unknown> = {}) => ({ name, type: 'string', ...extra });
const document = {
  version: 1,
  entities: [
    { name: 'post', soft_delete: true, fields: [text('title'), text('code', { unique: true }), text('owner')] },
    { name: 'comment', soft_delete: true, fields: [text('body')] },
    { name: 'reply', soft_delete: true, fields: [text('body')] },
    { name: 'hard', fields: [text('body')] },
    { name: 'note', soft_delete: true, fields: [text('body')] },
    { name: 'tag', fields: [text('name')] },
  ],
  relations: [
    { name: 'a', type: 'one_to_many', source: 'post', target: 'comment', on_delete: 'cascade', source_name: 'comments' },
    { name: 'b', type: 'one_to_many', source: 'comment', target: 'reply', on_delete: 'cascade', source_name: 'replies' },
    { name: 'c', type: 'one_to_many', source: 'post', target: 'hard', on_delete: 'cascade', source_name: 'hards' },
    { name: 'd', type: 'one_to_many', source: 'post', target: 'note', on_delete: 'set_null', source_name: 'notes' },
    { name: 'e', type: 'many_to_many', source: 'post', target: 'tag', source_name: 'tags', target_name: 'posts' },
  ],
  permissions: [
    { entity: 'post', action: 'read', roles: ['author', 'reader'] },
    { entity: 'post', action: 'delete', roles: ['author'], conditions: [{ field: 'owner', operator: 'eq', value: '$user.id' }] },
  ],
};

beforeAll(async () => {
  world = await writingWorld();
  app = await world.app('restore', document);
  ctx = world.context(app);
});

const json = (written: { text: string }): Record<string, unknown> => JSON.parse(written.text) as Record<string, unknown>;
const live = async (table: string, column: string, value: unknown): Promise<string[]> =>
  (
    await world.pool.query<{ body: string }>(
      `select body from app_restore.${table} where ${column} = $1 and deleted_at is null order by body`,
      [value],
    )
  ).rows.map((row) => row.body);
const post = async (extra: Record<string, unknown> = {}): Promise<string> =>
  (await createRecord(ctx, 'post', { title: 'post', ...extra })).id;

describe('restoring', () => {
  it('brings back the record and what its delete cascaded, not what was deleted before', async () => {
    const id = await post({
      comments: [{ body: 'one', replies: [{ body: 'r1' }, { body: 'r2' }] }, { body: 'earlier' }],
      hards: [{ body: 'h' }],
    });
    const { rows } = await world.pool.query<{ id: string; body: string }>('select id, body from app_restore.comment where post_id = $1', [
      id,
    ]);
    const idOf = (body: string): string => rows.find((row) => row.body === body)?.id ?? '';
    await deleteRecord(ctx, 'comment', idOf('earlier'));
    await deleteRecord(ctx, 'post', id);
    const restored = await restoreRecord(ctx, 'post', id);
    expect([json(restored)['title'], restored.version]).toEqual(['post', '3']);
    expect(await live('comment', 'post_id', id)).toEqual(['one']);
    expect(await live('reply', 'comment_id', idOf('one'))).toEqual(['r1', 'r2']);
    const events = (await world.events(app)).slice(-4);
    expect(events.map((event) => [event.entity, event.action])).toEqual([
      ['post', 'restore'],
      ['comment', 'restore'],
      ['reply', 'restore'],
      ['reply', 'restore'],
    ]);
    expect(events[0]?.record?.['title']).toBe('post');
  });

  it('tells apart what two deletes of one transaction took away', async () => {
    const id = await post({ comments: [{ body: 'by cascade' }, { body: 'by hand' }] });
    const { rows } = await world.pool.query<{ id: string }>(`select id from app_restore.comment where post_id = $1 and body = 'by hand'`, [
      id,
    ]);
    await bulkRecords(ctx, 'comment', { delete: [rows[0]?.id] }, { isAtomic: true });
    const other = await post();
    await bulkRecords(ctx, 'post', { delete: [other, id] }, { isAtomic: true });
    await restoreRecord(ctx, 'post', id);
    expect(await live('comment', 'post_id', id)).toEqual(['by cascade']);
    expect((await refusal(updateRecord(ctx, 'post', other, { title: 'x' }))).code).toBe('NOT_FOUND');
  });

  it('leaves references that were emptied empty, and finds the links of the record again', async () => {
    const tag = await createRecord(ctx, 'tag', { name: 'tag' });
    const id = await post({ notes: [{ body: 'note' }], tags: [tag.id] });
    await deleteRecord(ctx, 'post', id);
    await restoreRecord(ctx, 'post', id);
    expect(await live('note', 'post_id', id)).toEqual([]);
    const links = await world.pool.query('select 1 from app_restore.post_tag where post_id = $1', [id]).catch(() => undefined);
    if (links !== undefined) expect(links.rowCount).toBe(1);
  });

  it('answers 409 when a unique value was given away meanwhile', async () => {
    const id = await post({ code: 'taken' });
    await deleteRecord(ctx, 'post', id);
    await post({ code: 'taken' });
    const error = await refusal(restoreRecord(ctx, 'post', id));
    expect([error.code, error.details[0]?.field]).toEqual(['CONFLICT', 'code']);
  });

  it('answers 409 and names the parents that are gone', async () => {
    const id = await post({ comments: [{ body: 'child' }] });
    const { rows } = await world.pool.query<{ id: string }>('select id from app_restore.comment where post_id = $1', [id]);
    await deleteRecord(ctx, 'post', id);
    const error = await refusal(restoreRecord(ctx, 'comment', rows[0]?.id ?? ''));
    expect([error.code, error.details[0]?.field, error.details[0]?.['id']]).toEqual(['CONFLICT', 'post_id', id]);
  });

  it('is for whoever may read and delete the record, and hides it from all others', async () => {
    const id = await post({ owner: 'u1' });
    await deleteRecord(ctx, 'post', id);
    const code = async (roles: string[], user: string): Promise<string> =>
      (await refusal(restoreRecord(world.context(app, { id: user, roles }), 'post', id))).code;
    expect(await code(['reader'], 'u1')).toBe('FORBIDDEN');
    expect(await code(['author'], 'u2')).toBe('NOT_FOUND');
    expect(json(await restoreRecord(world.context(app, { id: 'u1', roles: ['author'] }), 'post', id))['owner']).toBe('u1');
  });

  it('refuses what is not deleted, what is unknown, what is deleted for good, and another version', async () => {
    const id = await post();
    const code = async (entity: string, record: string, ifMatch?: string): Promise<string> =>
      (await refusal(restoreRecord(ctx, entity, record, ifMatch === undefined ? {} : { ifMatch }))).code;
    expect(await code('post', id)).toBe('INVALID_STATE');
    expect(await code('post', '00000000-0000-7000-8000-000000000000')).toBe('NOT_FOUND');
    expect(await code('post', 'a\0b')).toBe('NOT_FOUND');
    expect(await code('tag', id)).toBe('UNSUPPORTED');
    await deleteRecord(ctx, 'post', id);
    expect(await code('post', id, '"1"')).toBe('PRECONDITION_FAILED');
    expect((await restoreRecord(ctx, 'post', id, { ifMatch: '"1", W/"2"' })).version).toBe('3');
  });
});
