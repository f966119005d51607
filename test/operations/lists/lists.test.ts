/** Saved lists: own and shared, checked when they are saved, never a mistake when they are read. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { callerOf, type Caller } from '../../support/api.ts';
import { freshDatabase } from '../../support/database.ts';
import { httpWorld, type HttpWorld } from '../../support/http-world.ts';

const user = (name: string, roles: string[] = []) => ({ id: randomUUID(), email: `${name}@example.com`, roles });
const [admin, lead, ann, ben] = [
  user('admin', ['admin']),
  user('lead', ['lead', 'agent']),
  user('ann', ['agent']),
  user('ben', ['clerk']),
] as const;

const DOCUMENT = {
  version: 1,
  settings: { lists: { shared_by: ['Lead'] } },
  entities: [
    { name: 'customer', fields: [{ name: 'name', type: 'string' }] },
    {
      name: 'ticket',
      fields: [
        { name: 'title', type: 'string' },
        { name: 'status', type: 'enum', enum: ['open', 'closed'] },
        { name: 'cost', type: 'int' },
        { name: 'customer', type: 'relation', target: 'customer' },
      ],
    },
    { name: 'secret', fields: [{ name: 'text', type: 'string' }] },
  ],
  permissions: [
    { entity: 'ticket', action: 'read', roles: ['agent', 'lead'] },
    { entity: 'customer', action: 'read', roles: ['agent', 'lead'] },
    { entity: 'ticket', action: 'read', roles: ['clerk'], fields: { read: ['id', 'title', 'status'] } },
  ],
};

let world: HttpWorld;
let as: Record<'admin' | 'lead' | 'ann' | 'ben' | 'platform', Caller>;
beforeAll(async () => {
  world = await httpWorld(await freshDatabase());
  await world.app('desk', DOCUMENT, [admin, lead, ann, ben]);
  const of = (who: { email: string }): Promise<Caller> => world.login('desk', who.email);
  as = { admin: await of(admin), lead: await of(lead), ann: await of(ann), ben: await of(ben), platform: await world.platform() };
});
afterAll(() => world.close());
beforeEach(() => world.pool.query('delete from app_desk._lists'));

const LISTS = '/api/desk/_lists';
const OPEN = {
  entity: 'ticket',
  name: 'Open',
  filter: { field: 'status', op: 'eq', value: 'open' },
  sort: ['-cost', 'title'],
  columns: ['title', 'customer.name'],
  per_page: 50,
};
const save = async (caller: Caller, body: object = OPEN): Promise<string> => {
  const made = await caller('POST', LISTS, body);
  expect(made.status, made.text).toBe(201);
  return String(made.at('data', 'id'));
};
const names = async (caller: Caller, query = ''): Promise<unknown[]> =>
  ((await caller('GET', LISTS + query)).at('data') as { name: string }[]).map(({ name }) => name);

describe('own lists', () => {
  it('are what was saved, for their owner alone', async () => {
    const id = await save(as.ann);
    const found = await as.ann('GET', `${LISTS}/${id}`);
    expect(found.at('data')).toMatchObject({
      ...OPEN,
      q: null,
      shared_with: null,
      is_default: false,
      may_change: true,
      stale: [],
      version: 1,
    });
    expect(found.headers.get('etag')).toBe('"1"');
    for (const other of [as.ben, as.admin, as.platform]) expect((await other('GET', `${LISTS}/${id}`)).status).toBe(404);
    expect(await names(as.lead)).toEqual([]);
  });

  it('have one name each per owner and entity, in whatever case', async () => {
    await save(as.ann);
    expect((await as.ann('POST', LISTS, { ...OPEN, name: 'OPEN' })).at('error', 'code')).toBe('CONFLICT');
    await save(as.ann, { entity: 'customer', name: 'Open' });
    await save(as.lead);
    expect(await names(as.ann, '?entity=ticket')).toEqual(['Open']);
    expect(await names(as.ann)).toEqual(['Open', 'Open']);
  });

  it('are changed in what is given, under If-Match', async () => {
    const id = await save(as.ann);
    const changed = await as.ann('PATCH', `${LISTS}/${id}`, { name: 'All', filter: null }, { 'if-match': '"1"' });
    expect(changed.at('data')).toMatchObject({ name: 'All', filter: null, sort: OPEN.sort, version: 2 });
    expect((await as.ann('PATCH', `${LISTS}/${id}`, { name: 'x' }, { 'if-match': '"1"' })).status).toBe(412);
    expect((await as.ann('DELETE', `${LISTS}/${id}`, undefined, { 'if-match': '"1"' })).status).toBe(412);
    expect((await as.ann('DELETE', `${LISTS}/${id}`)).status).toBe(200);
    expect((await as.ann('GET', `${LISTS}/${id}`)).status).toBe(404);
  });

  it('belong to platform accounts too, and to no key without an account', async () => {
    const id = await save(as.platform);
    expect((await as.platform('PATCH', `${LISTS}/${id}`, { is_default: true })).at('data', 'is_default')).toBe(true);
    const key = await as.admin('POST', '/api/desk/_admin/api-keys', { name: 'k', scopes: ['_lists:*', 'ticket:read'], roles: ['agent'] });
    const asKey = callerOf(world.url, String(key.at('data', 'key')));
    expect((await asKey('POST', LISTS, OPEN)).at('error', 'message')).toContain('without an account');
    expect((await asKey('GET', LISTS)).at('data')).toEqual([]);
  });

  it('go with their account', async () => {
    const gone = user('gone', ['agent']);
    const made = await as.admin('POST', '/api/desk/_admin/users', { email: gone.email, password: 'correct horse', roles: gone.roles });
    const caller = await world.login('desk', gone.email);
    await caller('PATCH', `${LISTS}/${await save(caller)}`, { is_default: true });
    const shared = await save(as.admin, { ...OPEN, shared_with: ['*'] });
    await caller('PATCH', `${LISTS}/${shared}`, { is_default: true });
    expect((await as.admin('DELETE', `/api/desk/_admin/users/${String(made.at('data', 'id'))}`)).status).toBe(200);
    const { rows } = await world.pool.query<{ lists: number; defaults: number }>(
      'select (select count(*) from app_desk._lists)::int lists, (select count(*) from app_desk._list_defaults)::int defaults',
    );
    expect(rows).toEqual([{ lists: 1, defaults: 0 }]);
  });
});

describe('a list that is saved', () => {
  it('is refused with every mistake at once', async () => {
    const wrong = { ...OPEN, filter: { field: 'state', op: 'eq', value: 'open' }, sort: ['-price'], columns: ['title', 'nobody.name'] };
    const refused = await as.ann('POST', LISTS, wrong);
    expect(refused.at('error', 'code')).toBe('VALIDATION_FAILED');
    expect((refused.at('error', 'details') as { field: string; path: string }[]).map(({ field, path }) => [field, path])).toEqual([
      ['filter', 'state'],
      ['sort', '-price'],
      ['columns', 'nobody.name'],
    ]);
  });

  it.each([
    ['a field that may not be read', { ...OPEN, sort: ['cost'] }, 422],
    ['an entity that may not be read', { ...OPEN, entity: 'secret' }, 403],
    ['an entity that is not there', { ...OPEN, entity: 'nothing' }, 404],
    ['a name that is none', { ...OPEN, name: ' ' }, 422],
    ['a value that does not fit', { ...OPEN, columns: null, sort: [], filter: { id: 'burning' } }, 422],
    ['text that cannot be stored', { ...OPEN, columns: null, sort: [], filter: { title: 'a\0' } }, 422],
    ['a member that lists have not', { ...OPEN, colour: 'red' }, 422],
    ['too much', { ...OPEN, columns: null, sort: [], filter: { field: 'title', op: 'in', value: Array(500).fill('x'.repeat(100)) } }, 413],
  ])('has not %s', async (_, body, status) => {
    const refused = await as.ben('POST', LISTS, body);
    expect(refused.status, refused.text).toBe(status);
  });

  it('is one of 200 at most', async () => {
    await world.pool.query(
      `insert into app_desk._lists (id, entity_key, entity, schema_version, name, content, owner, user_id, created_by)
       select gen_random_uuid(), 'x', 'x', 1, n::text, '{}', $1::text, $1::text::uuid, '{}' from generate_series(1, 200) n`,
      [ann.id],
    );
    expect((await as.ann('POST', LISTS, OPEN)).at('error', 'message')).toContain('200');
  });
});

describe('shared lists', () => {
  it('are made and changed by admins and the roles of the document', async () => {
    expect((await as.ann('POST', LISTS, { ...OPEN, shared_with: ['*'] })).at('error', 'code')).toBe('FORBIDDEN');
    const id = await save(as.lead, { ...OPEN, shared_with: ['Agent'] });
    expect((await as.ann('GET', `${LISTS}/${id}`)).at('data')).toMatchObject({ ...OPEN, shared_with: ['agent'], may_change: false });
    expect((await as.ben('GET', `${LISTS}/${id}`)).status).toBe(404);
    expect((await as.ann('PATCH', `${LISTS}/${id}`, { name: 'x' })).status).toBe(403);
    expect((await as.ann('DELETE', `${LISTS}/${id}`)).status).toBe(403);
    expect((await as.admin('PATCH', `${LISTS}/${id}`, { shared_with: ['clerk'] })).status).toBe(200);
    expect(await names(as.ann)).toEqual([]);
    expect(await names(as.ben)).toEqual(['Open']);
  });

  it('become somebody’s own again, and stay one of a name', async () => {
    const id = await save(as.admin, { ...OPEN, shared_with: ['*'] });
    expect((await as.lead('POST', LISTS, { ...OPEN, shared_with: ['agent'] })).status).toBe(409);
    const own = await as.lead('PATCH', `${LISTS}/${id}`, { shared_with: null });
    expect(own.at('data', 'shared_with')).toBeNull();
    expect((await as.admin('GET', `${LISTS}/${id}`)).status).toBe(404);
  });

  it('show nobody the names of fields that are hidden', async () => {
    const cost = { ...OPEN, filter: { field: 'cost', op: 'gt', value: 4711 }, shared_with: ['*'] };
    const id = await save(as.admin, cost);
    const seen = await as.ben('GET', `${LISTS}/${id}`);
    expect(seen.at('data')).toMatchObject({ filter: null, sort: ['title'], columns: ['title'], may_change: false });
    expect((seen.at('data', 'stale') as { part: string }[]).map(({ part }) => part)).toEqual(['filter', 'sort', 'columns']);
    expect(seen.text).not.toMatch(/cost|4711|customer/);
    expect((await as.ann('GET', `${LISTS}/${id}`)).at('data', 'stale')).toEqual([]);
  });

  it('are the default of whoever says so', async () => {
    const [shared, own] = [await save(as.admin, { ...OPEN, shared_with: ['*'] }), await save(as.ann, { ...OPEN, name: 'Mine' })];
    expect((await as.ann('PATCH', `${LISTS}/${shared}`, { is_default: true })).at('data')).toMatchObject({ is_default: true, version: 1 });
    expect((await as.ben('GET', `${LISTS}/${shared}`)).at('data', 'is_default')).toBe(false);
    await as.ann('PATCH', `${LISTS}/${own}`, { is_default: true });
    expect((await as.ann('GET', `${LISTS}/${shared}`)).at('data', 'is_default')).toBe(false);
    expect((await as.ann('PATCH', `${LISTS}/${own}`, { is_default: false })).at('data', 'is_default')).toBe(false);
  });
});
