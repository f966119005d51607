import { beforeAll, describe, expect, it } from 'vitest';
import { documentSchema } from '../../../core/model/document.ts';
import { buildModel, type EntityModel } from '../../../core/model/model.ts';
import { accessFor, policyErrors, type Access, type RecordAction } from '../../../core/policy/policy.ts';
import { render, sql, id } from '../../../core/sql/sql.ts';
import type { AppRuntime } from '../../../operations/context.ts';
import { getRecord } from '../../../operations/records/get.ts';
import { listRecords } from '../../../operations/records/list.ts';
import { HELPDESK } from '../../support/helpdesk.ts';
import { readingWorld, type ReadingWorld } from '../../support/records.ts';
import { CUSTOMER, seedHelpdesk, TICKET, USER } from '../../support/tickets.ts';

type Row = Record<string, unknown>;

const PERMISSIONS = [
  // Agents see everything but the secret.
  { entity: 'ticket', action: 'read', roles: ['Agent'], fields: { read: ['title', 'status', 'priority', 'customer_id', 'created_at'] } },
  { entity: 'customer', action: 'read', roles: ['agent'] },
  // Owners see their own tickets whole, and their comments that are not internal.
  { entity: 'ticket', action: 'read', roles: ['owner'], conditions: [{ field: 'owner_id', operator: 'eq', value: '$user.id' }] },
  { entity: 'comment', action: 'read', roles: ['owner'], conditions: [{ field: 'is_internal', operator: 'neq', value: true }] },
  // Two grants of one role: own tickets with the secret, all tickets without it.
  { entity: 'ticket', action: 'read', roles: ['lead'], conditions: [{ field: 'owner_id', value: 'self' }] },
  { entity: 'ticket', action: 'read', roles: ['lead'], fields: { read: ['title', 'status', 'owner_id'] } },
  // By relation.
  {
    entity: 'ticket',
    action: 'read',
    roles: ['north'],
    conditions: [{ field: 'customer.company.region', operator: 'eq', value: 'north' }],
  },
  { entity: 'customer', action: 'read', roles: ['north'], conditions: [{ field: 'company.region', operator: 'eq', value: 'north' }] },
  { entity: 'company', action: 'read', roles: ['north'] },
  // A deny wins over the grant of any other role.
  { entity: 'ticket', action: 'read', roles: ['barred'], conditions: [{ field: 'status', operator: 'eq', value: 'closed' }], deny: true },
  { entity: 'ticket', action: '*', roles: ['banned'], deny: true },
  { entity: 'ticket', action: 'read', roles: ['blurred'], fields: { read: ['priority'] }, deny: true },
  { entity: 'ticket', action: '*', roles: ['frozen'], fields: { write: ['title'] }, deny: true },
  // By expression.
  { entity: 'ticket', action: 'read', roles: ['expressive'], expression: 'record.priority > 3 and record.customer.name = "Customer 1"' },
  // Writing.
  {
    entity: 'ticket',
    action: 'create',
    roles: ['agent'],
    presets: { status: 'open', owner_id: '$user.id' },
    fields: { write: ['title', 'priority'] },
  },
  { entity: 'ticket', action: 'update', roles: ['agent'], conditions: [{ field: 'status', operator: 'in', value: ['open', 'held'] }] },
  { entity: '*', action: 'read', roles: ['auditor'] },
  { entity: 'ticket', action: 'read', roles: ['recent'], conditions: [{ field: 'created_at', operator: 'gte', value: '$now-7d' }] },
];

let world: ReadingWorld;
let app: AppRuntime;

beforeAll(async () => {
  world = await readingWorld();
  app = await world.app('one', { ...HELPDESK, permissions: PERMISSIONS });
  const other = await world.app('two', { ...HELPDESK, permissions: [{ entity: '*', action: '*', roles: ['agent', 'owner', 'lead'] }] });
  await seedHelpdesk(world, app);
  await seedHelpdesk(world, other, 10);
});

const NOW = new Date('2026-06-15T12:00:00Z');
const as = (roles: string[], user = USER(1)) => world.context(app, { id: user, email: 'c1@example.com', roles, isAdmin: false }, NOW);
const list = async (roles: string[], query = '', entity = 'ticket'): Promise<Row[]> =>
  (JSON.parse((await listRecords(as(roles), entity, new URLSearchParams(`per_page=100&${query}`))).text) as { data: Row[] }).data;
const total = async (roles: string[], query = ''): Promise<number> =>
  (JSON.parse((await listRecords(as(roles), 'ticket', new URLSearchParams(query))).text) as { meta: { total: number } }).meta.total;
const get = async (roles: string[], record: string, query = '', entity = 'ticket'): Promise<Row> =>
  (JSON.parse((await getRecord(as(roles), entity, record, new URLSearchParams(query))).text) as { data: Row }).data;
const truth = async (where: string): Promise<number> =>
  Number(
    (await world.pool.query<{ n: string }>(`select count(*) n from app_one.ticket t where deleted_at is null and (${where})`)).rows[0]?.n,
  );
const entityOf = (name: string): EntityModel => app.model.entities.get(name) as EntityModel;
const access = (roles: string[], action: RecordAction, user = USER(1), entity = 'ticket'): Access =>
  accessFor(app, { id: user, email: null, roles, isAdmin: false }, entityOf(entity), action, NOW);

describe('rows', () => {
  it('are denied by default, and an entity without a grant is 403', async () => {
    await expect(list([])).rejects.toMatchObject({ code: 'FORBIDDEN', status: 403 });
    await expect(list(['agent'], '', 'company')).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(get(['nobody'], TICKET(1))).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });

  it('are limited in lists, counts and by id alike', async () => {
    const own = await truth(`owner_id = '${USER(1)}'`);
    expect(await list(['owner'])).toHaveLength(own);
    expect(await total(['owner'])).toBe(own);
    expect(await get(['owner'], TICKET(1))).toMatchObject({ id: TICKET(1), title: '100% sure' });
    await expect(get(['owner'], TICKET(2))).rejects.toMatchObject({ code: 'NOT_FOUND', status: 404 });
  });

  it('add up over roles, whose names compare without case', async () => {
    expect(await total(['OWNER', 'north'].map((role) => role.toLowerCase()))).toBe(
      await truth(`owner_id = '${USER(1)}' or customer_id in ('${CUSTOMER(0)}', '${CUSTOMER(2)}')`),
    );
    expect(await total(['agent'])).toBe(56);
  });

  it('follow relations', async () => {
    expect(await total(['north'])).toBe(await truth(`customer_id in ('${CUSTOMER(0)}', '${CUSTOMER(2)}')`));
  });

  it('are taken away by an explicit deny', async () => {
    expect(await total(['agent', 'barred'])).toBe(await truth(`status is distinct from 'closed'`));
    await expect(list(['agent', 'banned'])).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });

  it('follow expressions and the time of the request', async () => {
    expect(await total(['expressive'])).toBe(await truth(`priority > 3 and customer_id = '${CUSTOMER(1)}'`));
    expect(await total(['recent'])).toBe(await truth(`created_at >= '2026-06-08T12:00:00Z'`));
  });

  it('hold inside includes, filters and sorts of other entities', async () => {
    const rows = await list(['owner'], 'include=comment');
    expect(rows.flatMap((row) => row['comment'] as Row[]).every((comment) => comment['is_internal'] !== true)).toBe(true);
    expect(await list(['owner'], 'filter[comment.some.is_internal]=true')).toEqual([]);
    expect(await list(['owner', 'auditor'], 'filter[comment.some.is_internal]=true')).not.toEqual([]);
    const north = await list(['north', 'agent'], 'include=customer.company&sort=customer.company.region');
    expect(new Set(north.map((row) => (row['customer'] as Row | null)?.['name']))).toEqual(
      new Set(['Customer 0', 'Customer 1', 'Customer 2', 'Customer 3', undefined]),
    );
    const only = await list(['north'], 'include=customer');
    expect(new Set(only.map((row) => (row['customer'] as Row)['name']))).toEqual(new Set(['Customer 0', 'Customer 2']));
  });

  it('are everything for admins and the system', async () => {
    const all = accessFor(app, { id: null, email: null, roles: [], isAdmin: true }, entityOf('ticket'), 'delete', NOW);
    expect([all.isGranted, all.where('t'), all.field('secret_note').mode]).toEqual([true, undefined, 'always']);
  });
});

describe('fields', () => {
  it('one may not read behave as if they did not exist', async () => {
    expect(Object.keys((await list(['agent']))[0] ?? {}).sort()).toEqual([
      'created_at',
      'customer_id',
      'id',
      'priority',
      'status',
      'title',
    ]);
    for (const query of [
      'filter[secret_note]=x',
      'filter[secret_note.is_null]=true',
      'sort=secret_note',
      'fields=secret_note',
      'filter={"field":"secret_note","op":"like","value":"s%"}',
      'filter[secret_notes]=1',
      'sort=customer.secret',
    ]) {
      const refusal = (await list(['agent'], query).catch((error: unknown) => error)) as Error & {
        code: string;
        details: unknown;
        hint: string;
      };
      expect(refusal.code).toBe('UNKNOWN_FIELD');
      const said = JSON.stringify([refusal.details, refusal.hint]).replaceAll(/"field":"[^"]*"|has no field or relation \\"[^"]*\\"/g, '');
      expect(said).not.toContain('secret_note');
    }
  });

  it('hide the relations that hang on them, and relations to entities without a grant', async () => {
    await expect(list(['agent'], 'include=parent')).rejects.toMatchObject({ code: 'UNKNOWN_FIELD' });
    await expect(list(['agent'], 'include=comment')).rejects.toMatchObject({ code: 'UNKNOWN_FIELD' });
    await expect(list(['agent'], 'filter[comment.some.text]=x')).rejects.toMatchObject({ code: 'UNKNOWN_FIELD' });
    await expect(list(['agent'], 'include=customer.company')).rejects.toMatchObject({ code: 'UNKNOWN_FIELD' });
    await expect(list(['agent'], 'include=tags')).rejects.toMatchObject({ code: 'UNKNOWN_FIELD' });
  });

  it('vary by row: the key is missing where no grant of that row lists it', async () => {
    const rows = await list(['lead']);
    expect(rows).toHaveLength(56);
    for (const row of rows) expect('secret_note' in row).toBe(row['owner_id'] === USER(1));
    expect(rows.every((row) => 'title' in row && 'status' in row)).toBe(true);
    expect(await get(['lead'], TICKET(2))).toEqual({ id: TICKET(2), title: 'under_score', status: 'held', owner_id: USER(2) });
    expect(await get(['lead'], TICKET(1))).toHaveProperty('secret_note', null);
  });

  it('look the same in a row whose keys vary as in any other', async () => {
    for (const n of [1, 5, 13, 21]) {
      expect(await get(['lead'], TICKET(n))).toEqual(
        JSON.parse((await getRecord(world.context(app), 'ticket', TICKET(n), new URLSearchParams())).text).data,
      );
    }
  });

  it('that vary by row cannot be inferred by filter or sort', async () => {
    const lead0 = { ...as(['lead'], USER(0)) };
    const answer = JSON.parse(
      (await listRecords(lead0, 'ticket', new URLSearchParams('per_page=100&filter[secret_note.starts_with]=secret'))).text,
    ) as { data: Row[]; meta: { total: number } };
    expect(answer.data.length).toBeGreaterThan(0);
    expect(answer.data.every((row) => row['owner_id'] === USER(0))).toBe(true);
    expect(answer.meta.total).toBe(await truth(`owner_id = '${USER(0)}' and secret_note is not null`));
    const sorted = await list(['lead'], 'sort=-priority');
    const hidden = sorted.filter((row) => !('priority' in row)).map((row) => row['id'] as string);
    // Rows whose priority is hidden stand in the order of the tie-breaker, not of the hidden value.
    expect(hidden).toEqual([...hidden].sort().reverse());
  });

  it('are taken away by a deny that lists them', async () => {
    expect(Object.keys((await list(['agent', 'blurred']))[0] ?? {})).not.toContain('priority');
    await expect(list(['agent', 'blurred'], 'sort=priority')).rejects.toMatchObject({ code: 'UNKNOWN_FIELD' });
  });

  it('denied for writing only can still be read', async () => {
    expect(await total(['agent', 'frozen'])).toBe(56);
    expect(access(['agent', 'frozen'], 'read').field('title').mode).toBe('always');
    expect(access(['agent', 'frozen'], 'update').field('title').mode).toBe('never');
    expect(access(['agent', 'frozen'], 'update').field('status').mode).toBe('always');
  });

  it('are writable as the write list says, with presets of the caller', () => {
    const create = access(['agent'], 'create');
    expect([create.field('title').mode, create.field('status').mode]).toEqual(['always', 'never']);
    expect(create.presets).toEqual({ status: 'open', owner_id: USER(1) });
    expect(access(['agent'], 'update').field('status').mode).toBe('always');
    expect(access(['agent'], 'delete').isGranted).toBe(false);
  });
});

describe('a policy', () => {
  it('tests a candidate row as well as a stored one', async () => {
    const where = access(['north'], 'read').where('candidate');
    const update = access(['agent'], 'update').where('candidate');
    for (const [customer, status, passes] of [
      [0, 'open', [true, true]],
      [1, 'closed', [false, false]],
      [2, 'held', [true, true]],
    ] as const) {
      const row = sql`(select ${id('c0', 'customer_id')}, ${id('c0', 'status')} from ${id('app_one', 'ticket')} ${id('c0')} where ${id('c0', 'customer_id')} = `;
      const { text, values } = render(sql`select ${where ?? sql`true`} as a, ${update ?? sql`true`} as b from ${row}`);
      const query = `${text}'${CUSTOMER(customer)}' limit 1) candidate0, lateral (select candidate0.customer_id, '${status}'::text as status) candidate`;
      const answer = await world.pool.query<{ a: boolean; b: boolean }>(query, [...values]);
      expect([answer.rows[0]?.a, answer.rows[0]?.b]).toEqual(passes);
    }
  });

  it('gives nothing to a caller without the value it asks for', async () => {
    const nobody = { ...as(['owner']), actor: { ...as(['owner']).actor, id: null } };
    const page = JSON.parse((await listRecords(nobody, 'ticket', new URLSearchParams())).text) as { data: Row[] };
    expect(page.data).toEqual([]);
  });

  it('is refused when it cannot become SQL, naming permission and construct', () => {
    const broken = (permission: Row): unknown =>
      policyErrors(
        buildModel(documentSchema.parse({ ...HELPDESK, permissions: [{ action: 'read', roles: ['x'], ...permission }] })),
        'app_one',
      );
    expect(broken({ entity: 'ticket', conditions: [{ field: 'nothing', value: 1 }] })).toMatchObject([
      { path: 'permissions[0].conditions[0]' },
    ]);
    expect(
      broken({
        entity: 'ticket',
        conditions: [
          { field: 'status', value: 'open' },
          { field: 'priority', operator: 'like', value: '1' },
        ],
      }),
    ).toMatchObject([{ path: 'permissions[0].conditions[1]' }]);
    expect(broken({ entity: 'ticket', conditions: [{ field: 'priority', value: 'high' }] })).toMatchObject([
      { path: 'permissions[0].conditions[0]' },
    ]);
    expect(broken({ entity: 'ticket', conditions: [{ field: 'priority', value: '$user.id' }] })).toMatchObject([
      { path: 'permissions[0].conditions[0]' },
    ]);
    expect(broken({ entity: 'ticket', expression: 'record.nothing.more = 1' })).toMatchObject([{ path: 'permissions[0].expression' }]);
    expect(broken({ entity: 'later', conditions: [{ field: 'anything', value: 1 }] })).toEqual([]);
    expect(broken({ entity: '*', conditions: [{ field: 'owner_id', value: '$user.id' }] })).toEqual([]);
    expect(broken({ entity: 'ticket', expression: 'record.owner_id = user.id' })).toEqual([]);
  });

  it('with a condition some entity cannot have grants nothing there', async () => {
    const wild = await world.app('wild', {
      ...HELPDESK,
      permissions: [{ entity: '*', action: 'read', roles: ['own'], conditions: [{ field: 'owner_id', value: '$user.id' }] }],
    });
    const ctx = world.context(wild, { id: USER(1), roles: ['own'], isAdmin: false });
    await expect(listRecords(ctx, 'ticket', new URLSearchParams())).resolves.toBeDefined();
    await expect(listRecords(ctx, 'tag', new URLSearchParams())).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });
});
