/** Saved lists whose entity and fields get other names, are dropped, and come back. */
import { beforeAll, expect, it } from 'vitest';
import { startWorld, type Installed, type World } from './world.ts';

interface Field {
  readonly name: string;
  readonly type: string;
  readonly was?: string;
}
const ticket = (name: string, fields: readonly Field[], was?: string) => ({
  version: 1,
  settings: { migrations: { approval: 'never', grace: '1h', retention: '1h' } },
  entities: [
    { name: 'person', fields: [{ name: 'email', type: 'string' }] },
    { name, ...(was === undefined ? {} : { was }), fields: [...fields, { name: 'owner', type: 'relation', target: 'person' }] },
  ],
});
const text = (name: string, was?: string): Field => ({ name, type: 'string', ...(was === undefined ? {} : { was }) });

let world: World;
let installed: Installed;
beforeAll(async () => {
  world = await startWorld();
  const { entities, ...rest } = ticket('ticket', [text('title'), text('status'), text('kind')]);
  installed = await world.install({ ...rest, entities: [...entities, { name: 'memo', fields: [text('text')] }] });
}, 120_000);

const send = (method: string, path: string, body?: unknown) =>
  world.send(method, `/api/main/${path}`, { token: installed.tokens['admin'] ?? '', ...(body === undefined ? {} : { body }) });

async function move(document: object): Promise<void> {
  const moved = await send('POST', '_admin/import?mode=replace&confirm=drop', document);
  expect(moved.status, moved.text).toBeLessThan(300);
}

it('follow renamed entities and fields, and tell what is gone instead of failing', async () => {
  const content = {
    filter: {
      and: [
        { field: 'status', op: 'in', value: ['status', 'open'] },
        { not: { 'title.icontains': 'x', 'owner.email': 'a@example.com' } },
        { or: [{ field: 'kind', op: 'not_null', value: true }] },
      ],
    },
    sort: ['-title', 'kind:desc', 'owner.email'],
    columns: ['title', 'kind', 'owner.email', 'id'],
  };
  const made = await send('POST', '_lists', { entity: 'ticket', name: 'All', ...content });
  expect(made.status, made.text).toBe(201);
  const id = made.body.data.id as string;
  const memos = (await send('POST', '_lists', { entity: 'memo', name: 'Memos', sort: ['-text'] })).body.data.id as string;

  await move(ticket('issue', [text('subject', 'title'), text('kind'), text('status')], 'ticket'));
  const renamed = (await send('GET', `_lists/${id}`)).body.data;
  expect(renamed).toMatchObject({
    entity: 'issue',
    stale: [],
    filter: {
      and: [
        { field: 'status', op: 'in', value: ['status', 'open'] },
        { not: { 'subject.icontains': 'x', 'owner.email': 'a@example.com' } },
        { or: [{ field: 'kind', op: 'not_null', value: true }] },
      ],
    },
    sort: ['-subject', 'kind:desc', 'owner.email'],
    columns: ['subject', 'kind', 'owner.email', 'id'],
  });
  expect((await send('GET', '_lists?entity=issue')).body.meta.total).toBe(1);

  // Another field takes the name of one that goes: a list does not take it for the same.
  await move(ticket('issue', [text('subject'), text('kind', 'status')]));
  const gone = (await send('GET', `_lists/${id}`)).body.data;
  expect(gone.stale.map(({ part, path }: { part: string; path: string }) => [part, path])).toEqual([
    ['filter', 'kind'],
    ['sort', 'kind'],
    ['columns', 'kind'],
  ]);
  expect(gone.filter.and[0]).toEqual({ field: 'kind', op: 'in', value: ['status', 'open'] });
  expect((await send('PATCH', `_lists/${id}`, { name: 'Still all' })).status).toBe(200);
  const refused = await send('PATCH', `_lists/${id}`, { columns: ['subject'] });
  expect(refused.body.error.details.map(({ field }: { field: string }) => field)).toEqual(['filter', 'sort']);
  const mended = await send('PATCH', `_lists/${id}`, { columns: ['subject'], sort: [], filter: { kind: 'open' } });
  expect(mended.body.data).toMatchObject({ stale: [], filter: { kind: 'open' } });

  const lost = (await send('GET', `_lists/${memos}`)).body.data;
  expect(lost).toMatchObject({ entity: 'memo', stale: [{ part: 'entity' }], sort: ['-text'] });
  expect((await send('PATCH', `_lists/${memos}`, { sort: [] })).body.error.code).toBe('INVALID_STATE');
  expect((await send('DELETE', `_lists/${memos}`)).status).toBe(200);
}, 120_000);
