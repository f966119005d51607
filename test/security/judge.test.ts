import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Caller } from '../support/api.ts';
import { freshDatabase } from '../support/database.ts';
import { httpWorld, type HttpWorld } from '../support/http-world.ts';

const USER = (n: number): string => `00000000-0000-7000-8000-0000000000a${n}`;
const TICKET = (n: number): string => `00000000-0000-7000-8000-0000000000b${n}`;

const DOCUMENT = {
  version: 1,
  entities: [
    {
      name: 'ticket',
      table: 'ticket',
      soft_delete: true,
      fields: [
        { name: 'title', type: 'string', required: true },
        { name: 'amount', type: 'int' },
        { name: 'doubled', type: 'int', computed: 'record.amount * 2' },
        { name: 'status', type: 'enum', enum: ['open', 'closed', 'held'] },
        { name: 'secret', type: 'string' },
        { name: 'owner_id', type: 'uuid' },
        { name: 'closed_at', type: 'timestamp' },
      ],
    },
    { name: 'vault', table: 'vault', fields: [{ name: 'code', type: 'string' }] },
  ],
  rules: [
    {
      id: 'positive',
      name: 'positive amount',
      entity: 'ticket',
      type: 'field',
      definition: { field: 'amount', operator: 'min', value: 0 },
    },
    {
      entity: 'ticket',
      type: 'expression',
      definition: { expression: "record.amount > 1000 and record.secret = 'none'", message: 'too much' },
    },
    {
      entity: 'ticket',
      type: 'field',
      definition: { field: 'title', operator: 'max_length', value: 10, condition: "record.status = 'held'" },
    },
  ],
  state_machines: [
    {
      entity: 'ticket',
      field: 'status',
      definition: {
        initial: 'open',
        transitions: [
          {
            from: 'open',
            to: 'closed',
            guard: 'record.amount > 10',
            message: 'too small to close',
            actions: [{ type: 'set_field', field: 'closed_at', value: 'now' }],
          },
          { from: 'open', to: 'held', roles: ['lead'] },
          { from: 'closed', to: 'open' },
        ],
      },
    },
  ],
  permissions: [
    {
      id: 'own',
      entity: 'ticket',
      action: 'read',
      roles: ['agent'],
      conditions: [{ field: 'owner_id', value: '$user.id' }],
      fields: { read: ['title', 'amount', 'status', 'owner_id'] },
    },
    { id: 'all', entity: 'ticket', action: 'read', roles: ['lead'] },
    { id: 'no-held', entity: 'ticket', action: 'read', roles: ['agent'], deny: true, conditions: [{ field: 'status', value: 'held' }] },
    {
      id: 'edit',
      entity: 'ticket',
      action: 'update',
      roles: ['Agent'],
      conditions: [{ field: 'owner_id', value: '$user.id' }],
      fields: { write: ['title', 'status'] },
    },
    { id: 'make', entity: 'ticket', action: 'create', roles: ['agent'], presets: { owner_id: '$user.id' } },
    { entity: 'ticket', action: 'read', roles: ['watcher'], fields: { read: ['title'] } },
  ],
};

let world: HttpWorld;
let admin: Caller;
let agent: Caller;
let other: Caller;
let watcher: Caller;

beforeAll(async () => {
  world = await httpWorld(await freshDatabase());
  await world.app('desk', DOCUMENT, [
    { id: USER(0), email: 'admin@desk.example', roles: ['admin'] },
    { id: USER(1), email: 'agent@desk.example', roles: ['agent'] },
    { id: USER(2), email: 'other@desk.example', roles: ['agent', 'lead'] },
    { id: USER(3), email: 'watcher@desk.example', roles: ['watcher'] },
  ]);
  await world.app('elsewhere', DOCUMENT, [{ id: USER(4), email: 'else@desk.example', roles: ['agent'] }]);
  for (const [n, owner, status, amount] of [
    [1, 1, 'open', 5],
    [2, 1, 'held', 50],
    [3, 2, 'open', 50],
    [4, 1, 'open', 70],
  ] as const) {
    await world.pool.query(
      `insert into app_desk.ticket (id, title, amount, status, secret, owner_id, _version) values ($1, $2, $3, $4, 'classified', $5, 1)`,
      [TICKET(n), `Ticket ${n}`, amount, status, USER(owner)],
    );
  }
  await world.pool.query(
    `insert into app_desk.ticket (id, title, status, owner_id, _version, deleted_at) values ($1, 'gone', 'open', $2, 1, now())`,
    [TICKET(9), USER(1)],
  );
  [admin, agent, other, watcher] = (await Promise.all(
    ['admin', 'agent', 'other', 'watcher'].map((name) => world.login('desk', `${name}@desk.example`)),
  )) as [Caller, Caller, Caller, Caller];
});

afterAll(() => world.close());

describe('_transitions', () => {
  const of = async (caller: Caller, n: number): Promise<unknown> =>
    (await caller('GET', `/api/desk/ticket/${TICKET(n)}/_transitions`)).at('data');

  it('lists where a state may go, and why not', async () => {
    expect(await of(agent, 1)).toEqual([
      {
        field: 'status',
        state: 'open',
        transitions: [
          { to: 'closed', allowed: false, rule: 'guard', message: 'too small to close' },
          { to: 'held', allowed: false, rule: 'transition', message: 'Only lead may change status from "open" to "held"', roles: ['lead'] },
        ],
      },
    ]);
    expect(await of(agent, 4)).toMatchObject([
      {
        transitions: [
          { to: 'closed', allowed: true },
          { to: 'held', allowed: false },
        ],
      },
    ]);
    expect(await of(admin, 1)).toMatchObject([
      {
        transitions: [
          { to: 'closed', rule: 'guard' },
          { to: 'held', allowed: true },
        ],
      },
    ]);
  });

  it('judges no guard for who may not write the state', async () => {
    expect(await of(other, 1)).toMatchObject([
      {
        transitions: [
          { allowed: false, rule: 'permission' },
          { allowed: false, rule: 'permission' },
        ],
      },
    ]);
  });

  it('says nothing of hidden states, hidden and deleted records', async () => {
    expect(await of(watcher, 1)).toEqual([]);
    for (const n of [2, 3, 9, 7]) {
      const reply = await agent('GET', `/api/desk/ticket/${TICKET(n)}/_transitions`);
      expect([reply.status, reply.at('error', 'message')]).toEqual([404, `There is no ticket "${TICKET(n)}".`]);
    }
    expect((await agent('GET', `/api/desk/vault/${TICKET(1)}/_transitions`)).status).toBe(403);
    expect((await agent('GET', `/api/desk/ticket/${TICKET(1)}/_transitions?include=x`)).at('error', 'code')).toBe('UNKNOWN_PARAMETER');
    expect((await agent('POST', `/api/desk/ticket/${TICKET(1)}/_transitions`, {})).status).toBe(405);
  });
});

describe('rules/try', () => {
  const tried = async (
    body: unknown,
  ): Promise<{ valid: boolean; computed: Record<string, unknown>; results: Record<string, unknown>[] }> => {
    const reply = await admin('POST', '/api/desk/_admin/rules/try', body);
    expect([reply.status, reply.status === 200 ? '' : JSON.stringify(reply.body)]).toEqual([200, '']);
    return reply.at('data') as never;
  };

  it('explains what passed, was violated and skipped, and writes nothing', async () => {
    const { valid, computed, results } = await tried({ entity: 'ticket', record: { title: 'A', amount: -1 } });
    expect([valid, computed]).toEqual([false, {}]);
    expect(results).toContainEqual({
      rule: 'min',
      outcome: 'violated',
      message: 'amount must be at least 0',
      field: 'amount',
      id: 'positive',
      name: 'positive amount',
      is_draft: false,
    });
    expect(results).toContainEqual({ rule: 'max_length', field: 'title', outcome: 'skipped', message: 'its condition does not hold' });
    expect(results).toContainEqual({ rule: 'expression', outcome: 'passed', message: null });
    expect(results).toContainEqual({
      rule: 'computed',
      field: 'doubled',
      outcome: 'skipped',
      message: 'computed only when nothing is wrong so far',
    });
    const { rows } = await world.pool.query('select 1 from app_desk.ticket');
    expect(rows).toHaveLength(5);
  });

  it('computes, moves states and skips what was refused already', async () => {
    expect(await tried({ entity: 'ticket', record: { title: 'A', amount: 21 } })).toMatchObject({ valid: true, computed: { doubled: 42 } });
    const closing = await tried({ entity: 'ticket', old: { title: 'A', amount: 21, status: 'open' }, record: { status: 'closed' } });
    expect(closing.valid).toBe(true);
    expect(closing.computed['closed_at']).toMatch(/^\d{4}-/);
    const wrong = await tried({ entity: 'ticket', record: { amount: 'many', nothing: 1 } });
    expect(wrong.results).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ rule: 'required', field: 'title', outcome: 'violated' }),
        expect.objectContaining({ rule: 'unknown', field: 'nothing', outcome: 'violated' }),
        expect.objectContaining({ rule: 'min', outcome: 'skipped', message: 'the value of amount was refused already' }),
      ]),
    );
  });

  it('asks as somebody else', async () => {
    const move = { entity: 'ticket', old: { title: 'A', status: 'open' }, record: { status: 'held' } };
    expect((await tried({ ...move, as: USER(1) })).results).toContainEqual(
      expect.objectContaining({ rule: 'transition', outcome: 'violated', message: 'Only lead may change status from "open" to "held"' }),
    );
    expect((await tried({ ...move, as: { roles: ['LEAD'] } })).valid).toBe(true);
  });

  it('takes drafts, and refuses those that could not be saved', async () => {
    const draft = { entity: 'ticket', type: 'expression', definition: { expression: 'record.amount = 7', message: 'unlucky' } };
    const { results } = await tried({ entity: 'ticket', record: { title: 'A', amount: 7 }, drafts: [draft] });
    expect(results).toContainEqual(
      expect.objectContaining({ rule: 'expression', outcome: 'violated', message: 'unlucky', is_draft: true }),
    );
    const broken = { ...draft, definition: { expression: 'record.amount = (', message: 'x' } };
    const [reply, saved] = await Promise.all([
      admin('POST', '/api/desk/_admin/rules/try', { entity: 'ticket', record: {}, drafts: [broken] }),
      admin('POST', '/api/desk/_admin/rules', broken),
    ]);
    expect([reply.status, reply.at('error', 'code')]).toEqual([422, 'VALIDATION_FAILED']);
    expect(reply.at('error', 'details', 0, 'message')).toEqual(saved.at('error', 'details', 0, 'message'));
  });

  it('is for admins, and refuses what it does not know', async () => {
    expect((await agent('POST', '/api/desk/_admin/rules/try', { entity: 'ticket', record: {} })).status).toBe(403);
    for (const body of [{}, { entity: 'ticket' }, { entity: 'ticket', record: {}, action: 'read' }]) {
      expect((await admin('POST', '/api/desk/_admin/rules/try', body)).at('error', 'code')).toBe('INVALID_PAYLOAD');
    }
    const extra = await admin('POST', '/api/desk/_admin/rules/try', { entity: 'ticket', record: {}, as: { roles: [], extra: 1 } });
    expect([extra.at('error', 'code'), extra.at('error', 'details', 0, 'path')]).toEqual(['UNKNOWN_FIELD', 'as.extra']);
    expect((await admin('POST', '/api/desk/_admin/rules/try', { entity: 'nothing', record: {} })).status).toBe(404);
    expect((await admin('POST', '/api/desk/_admin/rules/test', { entity: 'ticket', record: { title: 'A' } })).status).toBe(200);
  });
});

describe('permissions/simulate', () => {
  const simulated = async (body: object): Promise<Record<string, unknown> & { considered: Record<string, unknown>[] }> => {
    const reply = await admin('POST', '/api/desk/_admin/permissions/simulate', { entity: 'ticket', action: 'read', ...body });
    expect([reply.status, reply.status === 200 ? '' : JSON.stringify(reply.body)]).toEqual([200, '']);
    return reply.at('data') as never;
  };

  it('says what a caller may read, why, and how many rows that is', async () => {
    const answer = await simulated({ as: USER(1) });
    expect(answer).toMatchObject({
      decision: 'filtered',
      predicate: 'owner_id eq "$user.id" but not status eq "held"',
      rows: { before: 2, after: 2, gained: [], lost: [] },
      draft: null,
    });
    expect(answer.considered.map(({ id, why }) => [id, why])).toContainEqual(['all', "none of its roles is the caller's"]);
    expect(answer['fields']).toContainEqual({ name: 'secret', access: 'never', in_record: null });
    const { body } = await agent('GET', '/api/desk/ticket');
    expect((body as { meta: { total: number } }).meta.total).toBe(2);
  });

  it('judges one record, grant by grant', async () => {
    const held = await simulated({ as: USER(1), record_id: TICKET(2) });
    expect(held['decision']).toBe('denied');
    expect(held.considered).toContainEqual(
      expect.objectContaining({ id: 'no-held', effect: 'deny', holds: true, why: 'it denies the record' }),
    );
    expect((await simulated({ as: USER(1), record_id: TICKET(1) }))['decision']).toBe('allowed');
    expect((await simulated({ as: { roles: ['agent'] }, record_id: TICKET(1) }))['decision']).toBe('denied');
    expect((await simulated({ as: { roles: ['nobody'] } }))['decision']).toBe('denied');
    expect((await simulated({ as: USER(0), record_id: TICKET(1) }))['decision']).toBe('allowed');
  });

  it('tests the stored and the new row of an update, and the candidate of a create', async () => {
    const update = { as: USER(1), action: 'update', record_id: TICKET(1) };
    expect((await simulated({ ...update, record: { title: 'x' } }))['decision']).toBe('allowed');
    expect((await simulated({ ...update, record: { owner_id: USER(2) } }))['decision']).toBe('denied');
    expect((await simulated({ ...update, record_id: TICKET(3), record: { title: 'x' } }))['decision']).toBe('denied');
    expect(await simulated({ as: USER(1), action: 'create', record: { title: 'x' } })).toMatchObject({
      decision: 'allowed',
      presets: { owner_id: USER(1) },
      rows: null,
    });
  });

  it('shows what a draft would give and take', async () => {
    const gained = await simulated({
      as: USER(1),
      draft: [{ entity: 'ticket', action: 'read', roles: ['agent'], conditions: [{ field: 'amount', operator: 'gte', value: 50 }] }],
    });
    expect(gained).toMatchObject({ rows: { before: 2, after: 3, gained: [TICKET(3)], lost: [] }, draft: { decision: 'filtered' } });
    const lost = await simulated({ as: USER(1), draft: [{ id: 'own', deleted: true }] });
    expect(lost).toMatchObject({
      rows: { before: 2, after: 0, lost: [TICKET(1), TICKET(4)] },
      draft: { decision: 'denied', predicate: 'no record' },
    });
    const replaced = await simulated({
      as: USER(1),
      draft: [{ id: 'no-held', entity: 'ticket', action: 'read', roles: ['other'], deny: true }],
    });
    expect(replaced).toMatchObject({ rows: { before: 2, after: 3, gained: [TICKET(2)] } });
    const filtered = await simulated({ as: USER(1), query: { filter: { amount: 5 } } });
    expect(filtered).toMatchObject({ rows: { before: 1 } });
    expect((await world.pool.query('select 1 from durabase.schema_versions where schema_name = $1', ['desk'])).rowCount).toBe(1);
  });

  it('refuses drafts that could not be saved, and what it does not know', async () => {
    const send = async (body: object): Promise<unknown> =>
      (await admin('POST', '/api/desk/_admin/permissions/simulate', { as: USER(1), entity: 'ticket', action: 'read', ...body })).at(
        'error',
        'code',
      );
    expect(await send({ draft: [{ entity: 'ticket', action: 'read', roles: ['x'], conditions: [{ field: 'nothing', value: 1 }] }] })).toBe(
      'VALIDATION_FAILED',
    );
    expect(await send({ extra: 1 })).toBe('UNKNOWN_FIELD');
    expect(await send({ action: 'everything' })).toBe('INVALID_PAYLOAD');
    expect(await send({ as: USER(7) })).toBe('NOT_FOUND');
    expect(await send({ as: 'nobody' })).toBe('NOT_FOUND');
    expect(await send({ as: USER(4) })).toBe('NOT_FOUND');
    expect(await send({ record_id: TICKET(8) })).toBe('NOT_FOUND');
    expect(await send({ action: 'create', record: { nothing: 1 } })).toBe('UNKNOWN_FIELD');
    expect(await send({ record_id: '\0\ud800' })).toBe('NOT_FOUND');
  });
});

describe('permissions/matrix and permissions/impact', () => {
  const ask = async (verb: string, body: object) => {
    const reply = await admin('POST', `/api/desk/_admin/permissions/${verb}`, body);
    expect([reply.status, reply.status === 200 ? '' : JSON.stringify(reply.body)]).toEqual([200, '']);
    return reply;
  };
  const cellsOf = async (body: object) =>
    (await ask('matrix', body)).at('data', 'cells') as { role: string; entity: string; action: string }[];
  const cell = (cells: { role: string; entity: string; action: string }[], role: string, entity: string, action: string) =>
    cells.find((each) => each.role === role && each.entity === entity && each.action === action);

  it('says for every role what it may do, and by which permissions', async () => {
    const reply = await ask('matrix', {});
    expect(reply.at('data', 'roles')).toEqual(['agent', 'lead', 'watcher', '*']);
    const cells = await cellsOf({});
    expect(cells).toHaveLength(4 * 2 * 4);
    expect(cell(cells, 'agent', 'ticket', 'read')).toMatchObject({ decision: 'filtered', by: ['own', 'no-held'] });
    expect(cell(cells, 'lead', 'ticket', 'read')).toMatchObject({ decision: 'allowed', by: ['all'], fields: { never: 0 } });
    expect(cell(cells, 'watcher', 'ticket', 'read')).toMatchObject({ decision: 'allowed', fields: { always: 2, conditional: 0 } });
    expect(cell(cells, '*', 'vault', 'read')).toMatchObject({ decision: 'denied', by: [] });
    const drafted = await cellsOf({ draft: [{ entity: '*', action: 'read', roles: ['*'] }] });
    expect(cell(drafted, '*', 'vault', 'read')).toMatchObject({ decision: 'allowed' });
  });

  it('says who gains and who loses by a draft, with the records of each user, and nobody else', async () => {
    const changesOf = async (draft: object[]) =>
      (await ask('impact', { draft })).at('data', 'changes') as { role: string | null; user: { email: string } | null; effect: string }[];
    const taken = await changesOf([{ id: 'own', deleted: true }]);
    expect(taken).toContainEqual(
      expect.objectContaining({
        role: 'agent',
        user: null,
        action: 'read',
        before: 'filtered',
        after: 'denied',
        effect: 'loses',
        rows: null,
      }),
    );
    expect(taken).toContainEqual(
      expect.objectContaining({
        user: { id: USER(1), email: 'agent@desk.example' },
        action: 'read',
        before: 'filtered',
        after: 'denied',
        rows: { gained: 0, lost: 2 },
      }),
    );
    // What cannot be read cannot be changed either.
    expect(taken).toContainEqual(
      expect.objectContaining({ user: { id: USER(1), email: 'agent@desk.example' }, action: 'update', rows: { gained: 0, lost: 2 } }),
    );
    // Who is lead besides reads all that is not held, with or without it.
    expect(taken.filter(({ user }) => user?.email === 'other@desk.example')).toEqual([]);
    const given = await changesOf([
      { entity: 'ticket', action: 'read', roles: ['agent'], conditions: [{ field: 'amount', operator: 'gte', value: 50 }] },
    ]);
    expect(given.find(({ user }) => user?.email === 'agent@desk.example')).toMatchObject({ effect: 'gains', rows: { gained: 1, lost: 0 } });
    const masked = await changesOf([{ entity: 'ticket', action: 'read', roles: ['watcher'], deny: true, fields: { read: ['title'] } }]);
    expect(masked.map(({ role, user }) => role ?? user?.email)).toEqual(['watcher', 'watcher@desk.example']);
    expect(masked[0]).toMatchObject({ effect: 'loses', fields: { gained: [], lost: ['title'] } });
    expect(await changesOf([{ entity: 'ticket', action: 'read', roles: ['lead'] }])).toEqual([]);
  });

  it('is for admins, refuses drafts that could not be saved, and writes nothing', async () => {
    for (const verb of ['matrix', 'impact']) {
      const path = `/api/desk/_admin/permissions/${verb}`;
      expect((await agent('POST', path, { draft: [] })).status).toBe(403);
      expect((await admin('POST', path, { draft: [{ entity: 'ticket', action: 'fly', roles: ['x'] }] })).status).toBe(422);
      expect((await admin('POST', path, { extra: 1 })).at('error', 'code')).toBe('UNKNOWN_FIELD');
      expect((await admin('GET', path)).status).toBe(405);
    }
    expect((await admin('POST', '/api/desk/_admin/permissions/impact', {})).at('error', 'code')).toBe('INVALID_PAYLOAD');
    expect((await world.pool.query('select 1 from durabase.schema_versions where schema_name = $1', ['desk'])).rowCount).toBe(1);
  });
});

describe('X-As-User', () => {
  const as = (caller: Caller, user: string, path = '/api/desk/ticket') => caller('GET', path, undefined, { 'X-As-User': user });

  it('shows an admin exactly what the user sees, and leaves a trace', async () => {
    for (const path of [
      '/api/desk/ticket',
      '/api/desk/ticket?filter[secret]=x',
      `/api/desk/ticket/${TICKET(3)}`,
      '/api/desk/_discovery',
      '/api/desk/_admin/users',
    ]) {
      const [seen, own] = await Promise.all([as(admin, USER(1), path), agent('GET', path)]);
      const plain = (body: unknown): string => JSON.stringify(body).replace(/"request_id":"[^"]*"/g, '');
      expect([seen.status, plain(seen.body)]).toEqual([own.status, plain(own.body)]);
    }
    const { rows } = await world.pool.query<{ actor: { id: string }; target: string; detail: unknown }>(
      `select actor, target, detail from durabase.audit where action = 'user.impersonate' and app = 'desk' order by id limit 1`,
    );
    expect(rows[0]).toMatchObject({
      actor: { id: USER(0) },
      target: USER(1),
      detail: { as: 'agent@desk.example', method: 'GET', path: '/api/desk/ticket' },
    });
  });

  it('marks what was written so', async () => {
    const reply = await admin('PATCH', `/api/desk/ticket/${TICKET(1)}`, { title: 'changed' }, { 'X-As-User': USER(1) });
    expect(reply.status).toBe(200);
    const { rows } = await world.pool.query<{ actor: unknown }>(`select actor from durabase.events where app = 'desk' and record_id = $1`, [
      TICKET(1),
    ]);
    expect(rows[0]?.actor).toEqual({ kind: 'user', id: USER(1), roles: ['agent'], by: { kind: 'user', id: USER(0) } });
  });

  it('is refused to everybody else, for unknown users, and where there is nobody to be', async () => {
    expect((await as(agent, USER(2))).status).toBe(403);
    expect((await as(other, USER(0))).status).toBe(403);
    for (const user of [USER(8), USER(4), 'admin@desk.example', "' or 1=1"]) expect((await as(admin, user)).status).toBe(404);
    expect((await as(admin, USER(1), '/api/desk/auth/me')).status).toBe(403);
    expect((await as(await world.platform(), USER(1), '/api/_platform/apps')).status).toBe(403);
    expect((await as(await world.platform(), USER(1))).status).toBe(200);
  });
});
