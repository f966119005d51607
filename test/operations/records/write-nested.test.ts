import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { createRecord } from '../../../operations/records/create.ts';
import { deleteRecord } from '../../../operations/records/delete.ts';
import { updateRecord } from '../../../operations/records/update.ts';
import type { AppContext, AppRuntime } from '../../../operations/context.ts';
import { refusal, writingWorld, type WritingWorld } from '../../support/writing.ts';
import '../../support/fixed-seed.ts';

let world: WritingWorld;
let app: AppRuntime;
let ctx: AppContext;

const json = (written: { text: string }): Record<string, unknown> => JSON.parse(written.text) as Record<string, unknown>;
const rows = async (text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> =>
  (await world.pool.query<Record<string, unknown>>(text, values)).rows;

const text = (name: string, extra: Record<string, unknown> = {}) => ({ name, type: 'string', ...extra });
const document = {
  version: 1,
  entities: [
    { name: 'author', fields: [text('name')] },
    {
      name: 'post',
      soft_delete: true,
      fields: [text('title', { required: true }), { name: 'updated_at', type: 'timestamp', auto: 'update' }],
    },
    { name: 'comment', soft_delete: true, fields: [text('body', { required: true, min_length: 2 }), text('code', { unique: true })] },
    { name: 'reply', fields: [text('body', { required: true })] },
    { name: 'profile', fields: [text('bio')] },
    { name: 'tag', soft_delete: true, fields: [text('name')] },
    {
      name: 'line',
      primary_key: { field: 'sku', type: 'string', generated: false },
      fields: [text('sku'), { name: 'quantity', type: 'int' }],
    },
    { name: 'employee', fields: [text('name')] },
    { name: 'guarded', fields: [text('name')] },
  ],
  relations: [
    { name: 'author_posts', type: 'one_to_many', source: 'author', target: 'post', on_delete: 'cascade', source_name: 'posts' },
    {
      name: 'post_comments',
      type: 'one_to_many',
      source: 'post',
      target: 'comment',
      on_delete: 'cascade',
      source_name: 'comments',
      required: true,
    },
    { name: 'comment_replies', type: 'one_to_many', source: 'comment', target: 'reply', on_delete: 'cascade', source_name: 'replies' },
    { name: 'author_profile', type: 'one_to_one', source: 'author', target: 'profile', on_delete: 'set_null', source_name: 'profile' },
    {
      name: 'post_tags',
      type: 'many_to_many',
      source: 'post',
      target: 'tag',
      on_delete: 'restrict',
      source_name: 'tags',
      target_name: 'posts',
    },
    { name: 'author_lines', type: 'one_to_many', source: 'author', target: 'line', on_delete: 'set_null', source_name: 'lines' },
    {
      name: 'employee_manager',
      type: 'one_to_many',
      source: 'employee',
      target: 'employee',
      target_key: 'manager_id',
      on_delete: 'set_null',
      source_name: 'reports',
    },
    { name: 'author_guarded', type: 'one_to_many', source: 'author', target: 'guarded', on_delete: 'restrict', source_name: 'guardeds' },
  ],
  permissions: [
    { entity: 'post', action: '*', roles: ['writer'] },
    { entity: 'comment', action: 'read', roles: ['writer'] },
    { entity: 'tag', action: 'read', roles: ['writer'], conditions: [{ field: 'name', operator: 'neq', value: 'secret' }] },
  ],
};

beforeAll(async () => {
  world = await writingWorld();
  app = await world.app('nested', document);
  ctx = world.context(app);
});

const comments = (post: string) =>
  rows('select id, body from app_nested.comment where post_id = $1 and deleted_at is null order by body', [post]);

describe('nested rows', () => {
  it('creates a tree of any depth in one transaction, with an event for each record', async () => {
    const author = await createRecord(ctx, 'author', {
      name: 'A',
      posts: [{ title: 'P', comments: [{ body: 'C1', replies: [{ body: 'R' }] }, { body: 'C2' }] }],
    });
    const events = (await world.events(app)).slice(-5);
    expect(events.map((event) => event.entity)).toEqual(['author', 'post', 'comment', 'reply', 'comment']);
    expect(events[1]?.record?.['author_id']).toBe(author.id);
  });

  it('diff inserts, updates and deletes what is given and touches nothing else', async () => {
    const post = await createRecord(ctx, 'post', { title: 'D', comments: [{ body: 'keep' }, { body: 'change' }, { body: 'remove' }] });
    const [change, , remove] = await comments(post.id);
    await updateRecord(ctx, 'post', post.id, {
      comments: [{ id: change?.['id'], body: 'changed' }, { id: remove?.['id'], _delete: true }, { body: 'new' }],
    });
    expect((await comments(post.id)).map((row) => row['body'])).toEqual(['changed', 'keep', 'new']);
  });

  it('replace removes what is missing, append only inserts', async () => {
    const post = await createRecord(ctx, 'post', { title: 'R', comments: [{ body: 'aa' }, { body: 'bb' }] });
    const [first] = await comments(post.id);
    await updateRecord(ctx, 'post', post.id, {
      comments: { _write_mode: 'append', data: [{ id: first?.['id'], body: 'ignored' }, { body: 'cc' }] },
    });
    expect((await comments(post.id)).map((row) => row['body'])).toEqual(['aa', 'bb', 'cc']);
    await updateRecord(ctx, 'post', post.id, {
      comments: { _write_mode: 'replace', data: [{ id: first?.['id'], body: 'a2' }, { body: 'dd' }] },
    });
    expect((await comments(post.id)).map((row) => row['body'])).toEqual(['a2', 'dd']);
    // A mode without rows is a mistake, not an order to remove them all.
    for (const data of [undefined, null]) {
      const error = await refusal(
        updateRecord(ctx, 'post', post.id, { comments: { _write_mode: 'replace', ...(data === null ? { data } : {}) } }),
      );
      expect([error.code, error.details[0]?.rule]).toEqual(['NESTED_WRITE_FAILED', 'type']);
    }
    expect(await comments(post.id)).toHaveLength(2);
  });

  it('names relation, index and field of every mistake, and writes nothing', async () => {
    const before = (await world.events(app)).length;
    const error = await refusal(createRecord(ctx, 'post', { title: 'X', comments: [{ body: 'good' }, { body: 'x' }, { nope: 1 }] }));
    expect(error.code).toBe('NESTED_WRITE_FAILED');
    expect(error.details.map((detail) => [detail['relation'], detail['index'], detail.field, detail.rule])).toEqual([
      ['comments', 1, 'body', 'min_length'],
      ['comments', 2, 'nope', 'unknown'],
      ['comments', 2, 'body', 'required'],
    ]);
    const both = await refusal(createRecord(ctx, 'post', { comments: [{}] }));
    expect([both.code, both.details.map((detail) => detail.path ?? detail.field)]).toEqual([
      'VALIDATION_FAILED',
      ['title', 'comments.0.body'],
    ]);
    expect(await world.events(app)).toHaveLength(before);
  });

  it('refuses keys of rows that hang elsewhere, and reports clashes of values as 409', async () => {
    const other = await createRecord(ctx, 'post', { title: 'Other', comments: [{ body: 'theirs', code: 'taken' }] });
    const [theirs] = await comments(other.id);
    const mine = await createRecord(ctx, 'post', { title: 'Mine' });
    for (const row of [
      { id: theirs?.['id'], body: 'stolen' },
      { id: theirs?.['id'], _delete: true },
      { id: '00000000-0000-7000-8000-000000000001', body: 'none' },
    ]) {
      const error = await refusal(updateRecord(ctx, 'post', mine.id, { comments: [row] }));
      expect([error.code, error.details[0]?.rule, error.details[0]?.field]).toEqual(['NESTED_WRITE_FAILED', 'unknown', 'id']);
    }
    const clash = await refusal(updateRecord(ctx, 'post', mine.id, { comments: [{ body: 'fine' }, { body: 'clash', code: 'taken' }] }));
    expect([clash.code, clash.details[0]]).toEqual([
      'CONFLICT',
      expect.objectContaining({ relation: 'comments', index: 1, field: 'code' }),
    ]);
    expect(await comments(mine.id)).toEqual([]);
  });

  it('asks the permissions of the nested entity', async () => {
    const writer = world.context(app, { roles: ['writer'], isAdmin: false });
    expect((await refusal(createRecord(writer, 'post', { title: 'P', comments: [{ body: 'no' }] }))).code).toBe('FORBIDDEN');
  });

  it('limits depth and number of rows', async () => {
    let deep: Record<string, unknown> = { name: 'bottom' };
    for (let level = 0; level < 7; level++) deep = { name: 'x', reports: [deep] };
    expect((await refusal(createRecord(ctx, 'employee', deep))).code).toBe('TOO_LARGE');
    expect(
      (await refusal(createRecord(ctx, 'post', { title: 'P', comments: Array.from({ length: 1001 }, () => ({ body: 'xx' })) }))).code,
    ).toBe('TOO_LARGE');
  });

  it('updates, replaces and removes the one row of a one_to_one', async () => {
    const author = await createRecord(ctx, 'author', { name: 'One', profile: { bio: 'first' } });
    const profiles = () => rows('select bio from app_nested.profile where author_id = $1', [author.id]);
    await updateRecord(ctx, 'author', author.id, { profile: { bio: 'second' } });
    expect(await profiles()).toEqual([{ bio: 'second' }]);
    await updateRecord(ctx, 'author', author.id, { profile: null });
    expect(await profiles()).toEqual([]);
    await updateRecord(ctx, 'author', author.id, { profile: { bio: 'third' } });
    await updateRecord(ctx, 'author', author.id, { profile: { _write_mode: 'diff', data: null } });
    expect(await profiles()).toEqual([]);
  });

  it('inserts and updates rows whose keys the client gives', async () => {
    const author = await createRecord(ctx, 'author', { name: 'Keys', lines: [{ sku: 'S1', quantity: 1 }] });
    await updateRecord(ctx, 'author', author.id, {
      lines: [
        { sku: 'S1', quantity: 2 },
        { sku: 'S2', quantity: 3 },
      ],
    });
    expect(await rows('select sku, quantity from app_nested.line where author_id = $1 order by sku', [author.id])).toEqual([
      { sku: 'S1', quantity: 2 },
      { sku: 'S2', quantity: 3 },
    ]);
  });

  it('links many-to-many by key, and raises the version when only links change', async () => {
    const tags = await Promise.all(['a', 'b', 'c', 'secret'].map(async (name) => (await createRecord(ctx, 'tag', { name })).id));
    const [a, b, c, secret] = tags;
    const post = await createRecord(ctx, 'post', { title: 'T', tags: [a, { id: b }] });
    const linked = async () =>
      (
        await rows('select name from app_nested.post_tags l join app_nested.tag t on t.id = l.tag_id where l.post_id = $1 order by name', [
          post.id,
        ])
      ).map((row) => row['name']);
    expect((await updateRecord(ctx, 'post', post.id, { tags: [a, c] })).version).toBe('2');
    expect(await linked()).toEqual(['a', 'b', 'c']);
    expect((await updateRecord(ctx, 'post', post.id, { tags: { _write_mode: 'replace', data: [a, c] } })).version).toBe('3');
    expect(await linked()).toEqual(['a', 'c']);
    await updateRecord(ctx, 'post', post.id, { tags: [{ id: a, _delete: true }] });
    expect(await linked()).toEqual(['c']);
    expect((await updateRecord(ctx, 'post', post.id, { tags: [c] })).version).toBe('4');
    const writer = world.context(app, { roles: ['writer'], isAdmin: false });
    const error = await refusal(updateRecord(writer, 'post', post.id, { tags: [a, secret] }));
    expect(error.details).toEqual([expect.objectContaining({ relation: 'tags', index: 1, rule: 'unknown' })]);
  });

  it('agrees with a model of the three modes over random payloads', async () => {
    const entry = fc.record({ existing: fc.boolean(), slot: fc.nat(3), isDelete: fc.boolean(), body: fc.stringMatching(/^[a-z]{2,6}$/) });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('diff', 'replace', 'append'),
        fc.nat(4),
        fc.uniqueArray(entry, { maxLength: 5, selector: (row) => (row.existing ? row.slot : row.body) }),
        async (mode, count, given) => {
          const post = await createRecord(ctx, 'post', {
            title: 'Model',
            comments: Array.from({ length: count }, (_, n) => ({ body: `start${n}` })),
          });
          const stored = new Map((await comments(post.id)).map((row) => [String(row['id']), String(row['body'])]));
          const ids = [...stored.keys()];
          const data = given.flatMap((row): Record<string, unknown>[] => {
            const id = row.existing ? ids[row.slot] : undefined;
            if (row.existing && id === undefined) return [];
            return id === undefined ? [{ body: row.body }] : [row.isDelete ? { id, _delete: true } : { id, body: row.body }];
          });
          const expected = new Map(stored);
          if (mode === 'replace') for (const id of ids) if (!data.some((row) => row['id'] === id)) expected.delete(id);
          data.forEach((row, index) => {
            const id = row['id'] as string | undefined;
            if (id === undefined) expected.set(`new${index}`, String(row['body']));
            else if (mode !== 'append' && row['_delete'] === true) expected.delete(id);
            else if (mode !== 'append') expected.set(id, String(row['body']));
          });
          await updateRecord(ctx, 'post', post.id, { comments: { _write_mode: mode, data } });
          expect((await comments(post.id)).map((row) => row['body'])).toEqual([...expected.values()].sort());
        },
      ),
      { numRuns: 25 },
    );
  });
});

describe('deleting', () => {
  it('cascades to any depth, softly or for good as each entity says, with an event for every record', async () => {
    const author = await createRecord(ctx, 'author', {
      name: 'Tree',
      posts: [{ title: 'P', comments: [{ body: 'C1', replies: [{ body: 'R' }] }, { body: 'C2' }] }],
      profile: { bio: 'b' },
    });
    await deleteRecord(ctx, 'author', author.id);
    const events = (await world.events(app)).slice(-6);
    expect(events.map((event) => `${event.entity} ${event.action}`).sort()).toEqual([
      'author delete',
      'comment delete',
      'comment delete',
      'post delete',
      'profile update',
      'reply delete',
    ]);
    expect(await rows('select 1 from app_nested.author where id = $1', [author.id])).toEqual([]);
    expect(
      await rows(`select author_id, deleted_at is not null as deleted from app_nested.post where title = 'P' order by id desc limit 1`),
    ).toEqual([{ author_id: null, deleted: true }]);
    expect(await rows('select bio, author_id from app_nested.profile where bio = $1', ['b'])).toEqual([{ bio: 'b', author_id: null }]);
  });

  it.each([false, true])('is not restricted by what another branch of the same cascade takes away (soft: %s)', async (isSoft) => {
    const many = (name: string, source: string, target: string, on_delete: string) => ({
      name,
      type: 'one_to_many',
      source,
      target,
      on_delete,
    });
    const knot = await world.app(`knot${String(isSoft)}`, {
      version: 1,
      entities: ['root', 'first', 'second', 'third'].map((name) => ({ name, soft_delete: isSoft, fields: [text('name')] })),
      relations: [
        many('a', 'root', 'first', 'cascade'),
        many('b', 'root', 'second', 'cascade'),
        many('c', 'second', 'third', 'cascade'),
        many('d', 'first', 'third', 'restrict'),
      ],
    });
    const inKnot = world.context(knot);
    const make = async (entity: string, body: Record<string, unknown>): Promise<string> => (await createRecord(inKnot, entity, body)).id;
    const root = await make('root', {});
    const first = await make('first', { root_id: root });
    const second = await make('second', { root_id: root });
    const stranger = await make('third', { first_id: first });
    await make('third', { first_id: first, second_id: second });
    const error = await refusal(deleteRecord(inKnot, 'root', root));
    expect([error.code, error.details[0]?.['count']]).toEqual(['CONFLICT', 1]);
    await deleteRecord(inKnot, 'third', stranger);
    expect(await deleteRecord(inKnot, 'root', root)).toEqual({ id: root });
    const left = await rows(`select 1 from app_knot${String(isSoft)}.third ${isSoft ? 'where deleted_at is null' : ''}`);
    expect(left).toEqual([]);
  });

  it('names what restricts and how many there are', async () => {
    const author = await createRecord(ctx, 'author', { name: 'Stuck', guardeds: [{ name: 'a' }, { name: 'b' }] });
    const error = await refusal(deleteRecord(ctx, 'author', author.id));
    expect([error.code, error.details[0]]).toEqual([
      'CONFLICT',
      expect.objectContaining({ relation: 'guardeds', count: 2, rule: 'restrict' }),
    ]);
    expect(error.message).toContain('2 related guarded records');
  });

  it('lets the owner of links go, and keeps what is linked while links restrict', async () => {
    const tag = await createRecord(ctx, 'tag', { name: 'used' });
    const post = await createRecord(ctx, 'post', { title: 'Linked', tags: [tag.id] });
    expect((await refusal(deleteRecord(ctx, 'tag', tag.id))).details[0]).toMatchObject({ count: 1 });
    await deleteRecord(ctx, 'post', post.id);
    await deleteRecord(ctx, 'tag', tag.id);
  });

  it('ends circles of references', async () => {
    const boss = await createRecord(ctx, 'employee', { name: 'Boss', reports: [{ name: 'Report' }] });
    await updateRecord(ctx, 'employee', boss.id, { manager_id: boss.id });
    await deleteRecord(ctx, 'employee', boss.id);
    expect(await rows('select name, manager_id from app_nested.employee')).toEqual([{ name: 'Report', manager_id: null }]);
    expect(json(await createRecord(ctx, 'employee', { name: 'x' }))['manager_id']).toBeNull();
  });
});
