/** Comments of records: for whoever may read the record, by whoever the document lets; mentions; what becomes of them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callerOf, eventually, type Caller } from '../../support/api.ts';
import { freshDatabase } from '../../support/database.ts';
import { DESK, realtimeWorld, USERS, type RealtimeWorld } from '../../support/realtime-world.ts';

const entity = (name: string, rest: object = {}): object => ({ name, fields: [{ name: 'text', type: 'string' }], ...rest });
const [ticket, ...others] = DESK.entities;
const DOCUMENT = {
  ...DESK,
  entities: [
    ticket,
    ...others,
    entity('quiet', { comments: 'off' }),
    entity('formal', { comments: 'updaters' }),
    entity('internal', { comments: ['Staff'] }),
    {
      ...entity('coded', { primary_key: { field: 'code', type: 'string', generated: false } }),
      fields: [{ name: 'code', type: 'string', required: true }],
    },
  ],
  permissions: [
    ...DESK.permissions,
    ...['quiet', 'formal', 'internal'].map((name) => ({ entity: name, action: 'read', roles: ['agent', 'staff'] })),
    { entity: 'formal', action: 'update', roles: ['agent'], conditions: [{ field: 'text', operator: 'eq', value: 'open' }] },
  ],
};
const [ADMIN, ANN, BOB] = USERS.map(({ id }) => id) as [string, string, string, string];
const SAM = { id: '00000000-0000-7000-8000-0000000000f1', email: 'sam@x.test', roles: ['staff'] };

let world: RealtimeWorld;
let as: Record<'admin' | 'ann' | 'bob' | 'eve' | 'sam', Caller>;
beforeAll(async () => {
  world = await realtimeWorld(await freshDatabase());
  await world.app('desk', DOCUMENT, [...USERS, SAM]);
  const of = async (name: string): Promise<Caller> => callerOf(world.url, await world.token(`${name}@x.test`));
  as = { admin: await of('admin'), ann: await of('ann'), bob: await of('bob'), eve: await of('eve'), sam: await of('sam') };
});
afterAll(() => world.close());

const make = async (name: string, body: object): Promise<string> => {
  const made = await as.admin('POST', `/api/desk/${name}`, body);
  expect(made.status, made.text).toBe(201);
  return `/api/desk/${name}/${String(made.at('data', 'id') ?? made.at('data', 'code'))}`;
};
const annsTicket = (): Promise<string> => make('ticket', { title: 'a', owner: ANN });
const say = async (caller: Caller, record: string, body: string): Promise<string> => {
  const said = await caller('POST', `${record}/_comments`, { body });
  expect(said.status, said.text).toBe(201);
  return String(said.at('data', 'id'));
};
async function bodies(caller: Caller, record: string): Promise<unknown> {
  const page = await caller('GET', `${record}/_comments`);
  expect(page.status, page.text).toBe(200);
  return (page.at('data') as { body: string }[]).map(({ body }) => body);
}
const notices = async (caller: Caller): Promise<{ message: string; link: string }[]> =>
  (await caller('GET', '/api/desk/_notifications')).at('data') as { message: string; link: string }[];

describe('comments', () => {
  it('are read and written by whoever may read the record, and by nobody else', async () => {
    const record = await annsTicket();
    const said = await as.ann('POST', `${record}/_comments`, { body: 'Looks good.\nReally.' });
    expect(said.at('data')).toMatchObject({
      body: 'Looks good.\nReally.',
      author: { kind: 'user', id: ANN, name: 'ann' },
      mentions: [],
      version: 1,
      edited_at: null,
      may_edit: true,
      may_delete: true,
    });
    expect(said.headers.get('etag')).toBe('"1"');
    await say(as.admin, record, 'second');
    const seen = await as.ann('GET', `${record}/_comments`);
    expect(seen.at('meta')).toEqual({ total: 2, may_write: true });
    expect(await bodies(as.ann, record)).toEqual(['second', 'Looks good.\nReally.']);
    for (const method of ['GET', 'POST']) {
      expect((await as.bob(method, `${record}/_comments`, method === 'GET' ? undefined : { body: 'x' })).status).toBe(404);
      expect((await as.eve(method, `${record}/_comments`, method === 'GET' ? undefined : { body: 'x' })).status).toBe(403);
    }
    expect((await as.bob('DELETE', `${record}/_comments/${String(said.at('data', 'id'))}`)).status).toBe(404);
  });

  it('are edited by their author and deleted by admins too, under If-Match', async () => {
    const record = await annsTicket();
    const mine = `${record}/_comments/${await say(as.ann, record, 'draft')}`;
    const edited = await as.ann('PATCH', mine, { body: 'done' }, { 'if-match': '"1"' });
    expect(edited.at('data')).toMatchObject({ body: 'done', version: 2 });
    expect(edited.at('data', 'edited_at')).not.toBeNull();
    expect((await as.ann('PATCH', mine, { body: 'x' }, { 'if-match': '"1"' })).status).toBe(412);
    expect((await as.admin('PATCH', mine, { body: 'x' })).status).toBe(403);
    const theirs = `${record}/_comments/${await say(as.admin, record, 'by the admin')}`;
    expect((await as.ann('DELETE', theirs)).status).toBe(403);
    expect((await as.ann('GET', theirs)).at('data')).toMatchObject({ may_edit: false, may_delete: false });
    expect((await as.admin('DELETE', mine)).status).toBe(200);
    expect((await as.ann('GET', mine)).status).toBe(404);
    // Of another record it is not to be found.
    expect((await as.admin('GET', theirs.replace(record, await annsTicket()))).status).toBe(404);
  });

  it('are read page by page', async () => {
    const record = await annsTicket();
    for (const body of ['1', '2', '3', '4', '5']) await say(as.ann, record, body);
    const told: unknown[] = [];
    for (let cursor: unknown = ''; cursor !== null;) {
      const page = await as.ann('GET', `${record}/_comments?limit=2&cursor=${String(cursor)}`);
      told.push(...(page.at('data') as { body: string }[]).map(({ body }) => body));
      cursor = page.at('page', 'next_cursor');
    }
    expect(told).toEqual(['5', '4', '3', '2', '1']);
    for (const query of ['limit=0', 'cursor=x', 'page=1']) expect((await as.ann('GET', `${record}/_comments?${query}`)).status).toBe(400);
  });

  it.each([
    ['nothing', {}, 422],
    ['a blank', { body: ' \n' }, 422],
    ['no text', { body: 5 }, 422],
    ['too much', { body: 'x'.repeat(10_001) }, 422],
    ['what cannot be stored', { body: 'a\0' }, 422],
    ['another member', { body: 'a', title: 'b' }, 400],
    ['a list', [], 400],
  ])('have not %s', async (_, body, status) => {
    expect((await as.ann('POST', `${await annsTicket()}/_comments`, body)).status).toBe(status);
  });

  it('are written once under an Idempotency-Key', async () => {
    const record = await annsTicket();
    const [first, again] = [1, 2].map(() => as.ann('POST', `${record}/_comments`, { body: 'once' }, { 'idempotency-key': 'c-1' }));
    expect((await first)?.at('data', 'id')).toBe((await again)?.at('data', 'id'));
    expect(await bodies(as.ann, record)).toEqual(['once']);
  });
});

describe('the document says who comments', () => {
  it('nobody', async () => {
    const record = await make('quiet', { text: 'x' });
    for (const caller of [as.ann, as.admin]) expect((await caller('GET', `${record}/_comments`)).at('error', 'hint')).toContain('off');
  });

  it('whoever may update that very record', async () => {
    const [open, closed] = [await make('formal', { text: 'open' }), await make('formal', { text: 'closed' })];
    expect((await as.ann('GET', `${open}/_comments`)).at('meta', 'may_write')).toBe(true);
    await say(as.ann, open, 'yes');
    expect((await as.ann('POST', `${closed}/_comments`, { body: 'no' })).status).toBe(403);
    await say(as.admin, closed, 'I may');
    expect(await bodies(as.ann, closed)).toEqual(['I may']);
    expect((await as.sam('POST', `${open}/_comments`, { body: 'no' })).status).toBe(403);
  });

  it('certain roles, who are then the only ones to see them', async () => {
    const record = await make('internal', { text: 'x' });
    await say(as.sam, record, 'between us');
    expect((await as.ann('GET', record)).status).toBe(200);
    expect((await as.ann('GET', `${record}/_comments`)).status).toBe(403);
    const described = (await as.ann('GET', '/api/desk/_discovery')).at('data', 'entities') as { name: string; comments: object }[];
    expect(described.find(({ name }) => name === 'internal')?.comments).toEqual({ read: false, write: false });
    expect(described.find(({ name }) => name === 'formal')?.comments).toEqual({ read: true, write: true });
  });

  it('but a key that only reads writes nothing', async () => {
    const record = await annsTicket();
    const key = async (scope: string): Promise<Caller> => {
      const made = await as.admin('POST', '/api/desk/_admin/api-keys', { name: scope, scopes: [scope], user_id: ANN });
      return callerOf(world.url, String(made.at('data', 'key')));
    };
    expect((await (await key('ticket:read'))('POST', `${record}/_comments`, { body: 'x' })).status).toBe(403);
    const reading = await as.admin('POST', '/api/desk/_admin/api-keys', { name: 'k', scopes: ['ticket:*'], user_id: ANN });
    await say(callerOf(world.url, String(reading.at('data', 'key'))), record, 'by a key');
  });
});

describe('mentions', () => {
  it('tell users who see the record, once, by id or address', async () => {
    const record = await annsTicket();
    const mine = await say(as.admin, record, `Please look, @[ANN@x.test] and @[${BOB}] and @[${ADMIN}].`);
    const [notice] = await notices(as.ann);
    expect(notice?.message).toMatch(/^admin mentioned you in a comment on ticket /);
    expect(notice?.link).toBe(record.replace('/api/desk/ticket', '/admin/t/desk/ticket') + '/show');
    // Bob does not see the ticket, and does not hear of it.
    expect(await notices(as.bob)).toEqual([]);
    expect(await notices(as.admin)).toEqual([]);
    const seen = await as.ann('GET', `${record}/_comments/${mine}`);
    expect(seen.at('data', 'body')).toBe(`Please look, @[${ANN}] and @[${BOB}] and @[${ADMIN}].`);
    expect((seen.at('data', 'mentions') as { name: string }[]).map(({ name }) => name)).toEqual(['admin', 'ann', 'bob']);
    await as.admin('PATCH', `${record}/_comments/${mine}`, { body: `Again, @[${ANN}]` });
    expect(await notices(as.ann)).toHaveLength(1);
  });

  it('of nobody are refused, and too many', async () => {
    const record = await annsTicket();
    const refused = await as.ann('POST', `${record}/_comments`, { body: 'Hello @[who@x.test], a@[b' });
    expect(refused.at('error', 'details', 0)).toMatchObject({ field: 'body', rule: 'unknown_user' });
    const many = Array.from({ length: 21 }, (_, n) => `@[u${String(n)}@x.test]`).join(' ');
    expect((await as.ann('POST', `${record}/_comments`, { body: many })).at('error', 'details', 0, 'rule')).toBe('limit');
  });
});

describe('an open page', () => {
  it('hears of comments as whoever sees them, without their text', async () => {
    const [record, internal] = [await annsTicket(), await make('internal', { text: 'x' })];
    const pages = await Promise.all([as.ann, as.bob, as.sam].map((caller) => caller('GET', '/api/desk/_events')));
    const from = pages.map((page) => String(page.at('next')));
    const id = await say(as.ann, record, 'hush');
    await as.ann('PATCH', `${record}/_comments/${id}`, { body: 'hush, hush' });
    await as.ann('DELETE', `${record}/_comments/${id}`);
    const inside = await say(as.sam, internal, 'hush');
    const told = async (caller: Caller, after: string, count: number): Promise<{ name: string; data: object }[]> => {
      const found = await eventually(
        async () => (await caller('GET', `/api/desk/_events?after=${after}`)).at('data') as { type: string; name: string; data: object }[],
        (events) => events.filter(({ type }) => type === 'custom').length >= count,
        5_000,
      );
      expect(JSON.stringify(found)).not.toContain('hush');
      return found.flatMap(({ type, name, data }) => (type === 'custom' ? [{ name, data }] : []));
    };
    expect(await told(as.sam, from[2] ?? '', 1)).toEqual([{ name: 'comment:created', data: { comment: inside } }]);
    expect(await told(as.ann, from[0] ?? '', 3)).toEqual(
      ['created', 'edited', 'deleted'].map((verb) => ({ name: `comment:${verb}`, data: { comment: id } })),
    );
    expect(await told(as.bob, from[1] ?? '', 0)).toEqual([]);
  });
});

describe('with the record', () => {
  const left = async (): Promise<number> => (await world.pool.query('select from app_desk._comments')).rowCount ?? 0;

  it('they are hidden and come back', async () => {
    const record = await annsTicket();
    await say(as.ann, record, 'still here');
    await as.admin('DELETE', record);
    expect((await as.admin('GET', `${record}/_comments`)).status).toBe(404);
    await as.admin('POST', `${record}/_restore`);
    expect(await bodies(as.ann, record)).toEqual(['still here']);
  });

  it('they go for good, and a new one of its key has none', async () => {
    const record = await make('coded', { code: 'a' });
    await say(as.admin, record, 'about the first');
    await say(as.admin, await make('coded', { code: 'b' }), 'about another');
    const before = await left();
    expect((await as.admin('DELETE', record)).status).toBe(200);
    expect(await left()).toBe(before - 1);
    await make('coded', { code: 'a' });
    expect(await bodies(as.admin, record)).toEqual([]);
    expect(await bodies(as.admin, '/api/desk/coded/b')).toEqual(['about another']);
  });
});
