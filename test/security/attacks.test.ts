/** Ways around presets, write lists and read policies, tried over HTTP on every path that writes. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Caller, Reply } from '../support/api.ts';
import { freshDatabase } from '../support/database.ts';
import { httpWorld, type HttpWorld } from '../support/http-world.ts';

const uuid = (kind: string, n: number): string => `00000000-0000-7000-8000-0000000000${kind}${String(n)}`;
const USER = (n: number): string => uuid('a', n);
const TICKET = (n: number): string => uuid('b', n);
const DESK = (n: number): string => uuid('c', n);
const NOTE = (n: number): string => uuid('d', n);
const TAG = (n: number): string => uuid('e', n);
const CARD = (n: number): string => uuid('f', n);

const DOCUMENT = {
  version: 1,
  entities: [
    { name: 'desk', table: 'desk', soft_delete: true, fields: [{ name: 'name', type: 'string' }] },
    {
      name: 'ticket',
      table: 'ticket',
      soft_delete: true,
      fields: [
        { name: 'title', type: 'string' },
        { name: 'code', type: 'string', unique: true },
        { name: 'status', type: 'enum', enum: ['draft', 'final'] },
        { name: 'amount', type: 'int' },
        { name: 'region', type: 'string' },
        { name: 'owner_id', type: 'uuid' },
        { name: 'desk', type: 'relation', target: 'desk' },
      ],
    },
    {
      name: 'note',
      table: 'note',
      soft_delete: true,
      fields: [
        { name: 'text', type: 'string' },
        { name: 'is_internal', type: 'boolean', default: false },
        { name: 'desk', type: 'relation', target: 'desk' },
      ],
    },
    { name: 'card', table: 'card', fields: [{ name: 'text', type: 'string' }] },
    { name: 'tag', table: 'tag', fields: [{ name: 'label', type: 'string' }] },
  ],
  relations: [
    { name: 'ticket_notes', type: 'one_to_many', source: 'ticket', target: 'note', source_name: 'notes', on_delete: 'cascade' },
    { name: 'ticket_card', type: 'one_to_one', source: 'ticket', target: 'card', source_name: 'card', on_delete: 'set_null' },
    { name: 'ticket_tags', type: 'many_to_many', source: 'ticket', target: 'tag', join_table: 'ticket_tag', source_name: 'tags' },
  ],
  permissions: [
    { entity: 'desk', action: '*', roles: ['agent'] },
    { entity: 'ticket', action: 'read', roles: ['agent', 'clerk'] },
    { entity: 'ticket', action: 'delete', roles: ['agent'] },
    // The client may write every field of a new ticket, and still none that is preset.
    { entity: 'ticket', action: 'create', roles: ['agent'], presets: { owner_id: '$user.id', region: 'north', desk_id: DESK(1) } },
    {
      entity: 'ticket',
      action: 'update',
      roles: ['agent'],
      conditions: [{ field: 'owner_id', value: '$user.id' }],
      fields: { write: ['title', 'code', 'amount', 'owner_id', 'status'] },
    },
    { entity: 'ticket', action: 'update', roles: ['agent'], fields: { write: ['title', 'code'] } },
    // A draft may carry an amount, anything else only its title.
    {
      entity: 'ticket',
      action: 'create',
      roles: ['clerk'],
      conditions: [{ field: 'status', value: 'draft' }],
      fields: { write: ['title', 'status', 'amount', 'code'] },
    },
    { entity: 'ticket', action: 'create', roles: ['clerk'], fields: { write: ['title', 'status', 'code'] } },
    {
      entity: 'ticket',
      action: 'update',
      roles: ['clerk'],
      conditions: [{ field: 'status', value: 'draft' }],
      fields: { write: ['title', 'status', 'amount', 'code'] },
    },
    { entity: 'ticket', action: 'update', roles: ['clerk'], fields: { write: ['title', 'status', 'code'] } },
    { entity: 'note', action: 'read', roles: ['agent'], conditions: [{ field: 'is_internal', value: false }] },
    ...['create', 'update', 'delete'].map((action) => ({ entity: 'note', action, roles: ['agent', 'clerk'] })),
    { entity: 'card', action: 'read', roles: ['agent'], conditions: [{ field: 'text', operator: 'starts_with', value: 'open' }] },
    ...['create', 'update', 'delete'].map((action) => ({ entity: 'card', action, roles: ['agent'] })),
    { entity: 'tag', action: 'read', roles: ['agent'], conditions: [{ field: 'label', operator: 'starts_with', value: 'open' }] },
  ],
};

let world: HttpWorld;
let agent: Caller;
let clerk: Caller;
const rows = async (text: string): Promise<Record<string, unknown>[]> => (await world.pool.query<Record<string, unknown>>(text)).rows;

beforeAll(async () => {
  world = await httpWorld(await freshDatabase());
  await world.app('desk', DOCUMENT, [
    { id: USER(1), email: 'agent@attack.example', roles: ['agent'] },
    { id: USER(2), email: 'clerk@attack.example', roles: ['clerk'] },
  ]);
  agent = await world.login('desk', 'agent@attack.example');
  clerk = await world.login('desk', 'clerk@attack.example');
});
afterAll(() => world.close());

beforeEach(async () => {
  await world.pool.query(`
    truncate app_desk.desk, app_desk.ticket, app_desk.note, app_desk.card, app_desk.tag, app_desk.ticket_tag;
    insert into app_desk.desk (id, name, _version) values ('${DESK(1)}', 'mine', 1), ('${DESK(2)}', 'other', 1);
    insert into app_desk.ticket (id, title, code, status, amount, owner_id, _version) values
      ('${TICKET(1)}', 'mine', 'one', 'draft', 1, '${USER(1)}', 1), ('${TICKET(2)}', 'theirs', 'two', 'draft', 2, '${USER(2)}', 1);
    insert into app_desk.note (id, text, is_internal, ticket_id, _version) values
      ('${NOTE(1)}', 'open', false, '${TICKET(1)}', 1), ('${NOTE(2)}', 'internal', true, '${TICKET(1)}', 1);
    insert into app_desk.tag (id, label, _version) values ('${TAG(1)}', 'open', 1), ('${TAG(2)}', 'closed', 1);
    insert into app_desk.ticket_tag (ticket_id, tag_id) values ('${TICKET(1)}', '${TAG(1)}'), ('${TICKET(1)}', '${TAG(2)}');`);
});

/** One record through each path of the API that can make one, with the same body. */
const CREATING: Readonly<Record<string, (caller: Caller, body: object) => Promise<Reply>>> = {
  create: (caller, body) => caller('POST', '/api/desk/ticket', body),
  'bulk create': (caller, body) => caller('POST', '/api/desk/ticket/_bulk', { create: [body, { title: 'Second' }] }),
  'bulk create, each for itself': (caller, body) => caller('POST', '/api/desk/ticket/_bulk?atomic=false', { create: [body] }),
  'bulk upsert': (caller, body) => caller('POST', '/api/desk/ticket/_bulk', { upsert: { on: 'code', rows: [{ code: 'new', ...body }] } }),
  batch: (caller, body) => caller('POST', '/api/desk/_batch', { operations: [{ op: 'create', entity: 'ticket', body }] }),
  'batch upsert': (caller, body) =>
    caller('POST', '/api/desk/_batch', { operations: [{ op: 'upsert', entity: 'ticket', on: 'code', body: { code: 'new', ...body } }] }),
  nested: (caller, body) => caller('PATCH', `/api/desk/desk/${DESK(1)}`, { ticket: [body] }),
  'nested in a new one': (caller, body) => caller('POST', '/api/desk/desk', { name: 'new', ticket: [body] }),
};

const UPDATING: Readonly<Record<string, (caller: Caller, n: 1 | 2, body: object) => Promise<Reply>>> = {
  update: (caller, n, body) => caller('PATCH', `/api/desk/ticket/${TICKET(n)}`, body),
  put: (caller, n, body) => caller('PUT', `/api/desk/ticket/${TICKET(n)}`, body),
  'with nested rows': (caller, n, body) => caller('PATCH', `/api/desk/ticket/${TICKET(n)}`, { ...body, notes: [{ text: 'more' }] }),
  'bulk update': (caller, n, body) => caller('POST', '/api/desk/ticket/_bulk', { update: [{ id: TICKET(n), ...body }] }),
  'bulk upsert': (caller, n, body) =>
    caller('POST', '/api/desk/ticket/_bulk', { upsert: { on: 'code', rows: [{ code: n === 1 ? 'one' : 'two', ...body }] } }),
  batch: (caller, n, body) => caller('POST', '/api/desk/_batch', { operations: [{ op: 'update', entity: 'ticket', id: TICKET(n), body }] }),
};

const made = (): Promise<Record<string, unknown>[]> =>
  rows(`select owner_id, region, desk_id from app_desk.ticket where id not in ('${TICKET(1)}', '${TICKET(2)}')`);
const PRESET = { owner_id: USER(1), region: 'north', desk_id: DESK(1) };

describe('a preset', () => {
  for (const [path, create] of Object.entries(CREATING)) {
    it(`cannot be overridden by ${path}`, async () => {
      for (const body of [
        { title: 'Attack', owner_id: USER(2), region: 'south', desk_id: DESK(2) },
        { title: 'Attack', owner_id: null, region: '', desk: DESK(2) },
        { title: 'Attack', owner_id: null, region: null, desk: null },
      ]) {
        const { status } = await create(agent, path.endsWith('upsert') ? { ...body, code: `new ${JSON.stringify(body)}` } : body);
        expect(status).toBeLessThan(500);
      }
      for (const row of await made()) expect(row).toEqual(PRESET);
    });
  }

  it('is there where the client says nothing', async () => {
    expect((await agent('POST', '/api/desk/ticket', { title: 'Plain' })).status).toBe(201);
    expect((await agent('PATCH', `/api/desk/desk/${DESK(1)}`, { ticket: [{ title: 'Nested' }] })).status).toBe(200);
    expect(await made()).toEqual([PRESET, PRESET]);
  });

  it('refuses a row that is nested under another parent than it says', async () => {
    const refused = await agent('PATCH', `/api/desk/desk/${DESK(2)}`, { ticket: [{ title: 'Attack' }] });
    expect([refused.status, refused.at('error', 'code')]).toEqual([403, 'FORBIDDEN']);
    expect(refused.at('error', 'details', 0)).toMatchObject({ field: 'desk_id', rule: 'permission', relation: 'ticket', index: 0 });
    expect(await made()).toEqual([]);
  });
});

describe('a write list that holds under a condition', () => {
  for (const [path, update] of Object.entries(UPDATING)) {
    it(`is asked of the stored row by ${path}`, async () => {
      expect((await update(agent, 2, { title: 'Fine' })).status).toBe(200);
      for (const body of [{ amount: 50 }, { owner_id: USER(1) }, { owner_id: USER(1), amount: 50 }, { status: 'final' }])
        expect((await update(agent, 2, body)).status).toBe(403);
      expect(await rows(`select amount, owner_id, status from app_desk.ticket where id = '${TICKET(2)}'`)).toEqual([
        { amount: 2, owner_id: USER(2), status: 'draft' },
      ]);
    });

    it(`is asked of the new row by ${path}`, async () => {
      for (const body of [
        { owner_id: USER(2) },
        { owner_id: USER(2), amount: 50 },
        { owner_id: null },
        { owner_id: USER(2), title: 'x' },
      ]) {
        const refused = await update(agent, 1, body);
        expect([refused.status, refused.text.includes('"owner_id"')]).toEqual([403, true]);
      }
      expect((await update(clerk, 1, { status: 'final', amount: 50 })).status).toBe(403);
      expect(await rows(`select amount, owner_id, status, title from app_desk.ticket where id = '${TICKET(1)}'`)).toEqual([
        { amount: 1, owner_id: USER(1), status: 'draft', title: 'mine' },
      ]);
      expect((await update(clerk, 1, { amount: 60 })).status).toBe(200);
      expect((await update(clerk, 1, { status: 'final' })).status).toBe(200);
      expect((await update(clerk, 1, { amount: 70 })).status).toBe(403);
    });
  }

  for (const [path, create] of Object.entries(CREATING)) {
    if (path.startsWith('nested')) continue;
    it(`is asked of a new record by ${path}`, async () => {
      const refused = await create(clerk, { title: 'Attack', status: 'final', amount: 9 });
      expect([path.endsWith('itself') ? refused.at('data', 0, 'status') : refused.status]).toEqual([403]);
      expect(await made()).toEqual([]);
      expect((await create(clerk, { title: 'Fine', status: 'draft', amount: 9 })).status).toBeLessThan(300);
    });
  }
});

describe('nested rows', () => {
  const notes = (): Promise<Record<string, unknown>[]> =>
    rows(`select id, text, deleted_at is null as live from app_desk.note where ticket_id = '${TICKET(1)}' order by id`);
  const links = (): Promise<Record<string, unknown>[]> => rows(`select tag_id from app_desk.ticket_tag order by 1`);
  const change = (body: object, caller = agent): Promise<Reply> => caller('PATCH', `/api/desk/ticket/${TICKET(1)}`, body);
  const INTERNAL = { id: NOTE(2), text: 'internal', live: true };

  it('that are replaced leave those the caller may not read, and say nothing of them', async () => {
    const replaced = await change({ notes: { _write_mode: 'replace', data: [{ text: 'new' }] } });
    expect(replaced.status).toBe(200);
    expect(replaced.text).not.toContain(NOTE(2));
    expect(await notes()).toEqual([
      { id: NOTE(1), text: 'open', live: false },
      INTERNAL,
      expect.objectContaining({ text: 'new', live: true }),
    ]);
  });

  it('that are replaced by somebody who may read none of them are left too', async () => {
    const replaced = await change({ notes: { _write_mode: 'replace', data: [] } }, clerk);
    expect([replaced.status, replaced.text.includes(NOTE(1)), replaced.text.includes(NOTE(2))]).toEqual([200, false, false]);
    expect((await notes()).every(({ live }) => live)).toBe(true);
  });

  it('cannot be changed or deleted where they may not be read', async () => {
    const absent = await change({ notes: [{ id: NOTE(9), text: 'x' }] });
    for (const row of [
      { id: NOTE(2), text: 'x' },
      { id: NOTE(2), is_internal: false },
      { id: NOTE(2), _delete: true },
    ]) {
      const refused = await change({ notes: [row] });
      expect(refused.status).toBe(422);
      expect(refused.text.replaceAll(NOTE(2), NOTE(9)).replace(/"request_id":"[^"]*"/, '')).toBe(
        absent.text.replace(/"request_id":"[^"]*"/, ''),
      );
    }
    expect((await notes())[1]).toEqual(INTERNAL);
  });

  it('do not tell the key of the one hidden row of a one_to_one', async () => {
    await world.pool.query(`insert into app_desk.card (id, text, ticket_id, _version) values ('${CARD(1)}', 'closed', '${TICKET(1)}', 1)`);
    for (const given of [{ text: 'open' }, null, []]) {
      const answer = await change({ card: given });
      expect([answer.status < 500, answer.text.includes(CARD(1))]).toEqual([true, false]);
    }
    expect(await rows('select id, text, ticket_id from app_desk.card')).toEqual([{ id: CARD(1), text: 'closed', ticket_id: TICKET(1) }]);
  });

  it('that are links leave those to records the caller may not read', async () => {
    const [before] = await rows(`select _version from app_desk.ticket where id = '${TICKET(1)}'`);
    for (const tags of [[{ id: TAG(2), _delete: true }], { _write_mode: 'replace', data: [TAG(1)] }]) {
      expect((await change({ tags })).status).toBe(200);
      expect(await links()).toEqual([{ tag_id: TAG(1) }, { tag_id: TAG(2) }]);
    }
    // Nothing changed that the caller can see: neither does the version.
    expect(await rows(`select _version from app_desk.ticket where id = '${TICKET(1)}'`)).toEqual([before]);
    expect((await change({ tags: { _write_mode: 'replace', data: [] } })).status).toBe(200);
    expect(await links()).toEqual([{ tag_id: TAG(2) }]);
    expect((await change({ tags: [TAG(2)] })).status).toBe(422);
  });
});

describe('the answer of a write', () => {
  it('is the key alone where the record is outside of what may be read', async () => {
    const created = await agent('POST', '/api/desk/note', { text: 'secret', is_internal: true });
    expect([created.status, Object.keys(created.at('data') as object)]).toEqual([201, ['id']]);
    const changed = await agent('PATCH', `/api/desk/note/${NOTE(1)}`, { is_internal: true });
    expect([changed.status, changed.at('data')]).toEqual([200, { id: NOTE(1) }]);
    const many = await agent('POST', '/api/desk/note/_bulk', { create: [{ text: 'a', is_internal: true }, { text: 'b' }] });
    expect([many.status, many.text.includes('"a"'), many.text.includes('"b"')]).toEqual([200, false, true]);
  });
});

describe('a restored record', () => {
  it('does not tell what its hidden children refer to', async () => {
    await world.pool.query(`update app_desk.note set desk_id = '${DESK(2)}' where id = '${NOTE(2)}'`);
    expect((await agent('DELETE', `/api/desk/ticket/${TICKET(1)}`)).status).toBe(200);
    expect((await agent('DELETE', `/api/desk/desk/${DESK(2)}`)).status).toBe(200);
    const refused = await agent('POST', `/api/desk/ticket/${TICKET(1)}/_restore`);
    expect([refused.status, refused.text.includes('deleted record')]).toEqual([409, true]);
    expect(['desk', 'note', DESK(2), NOTE(2)].filter((name) => refused.text.includes(name))).toEqual([]);
  });
});
