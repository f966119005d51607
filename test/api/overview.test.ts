/** The first page of the back office: what waits for each caller, and what each of them may know of. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/api.ts';
import { startWorld, type Installed, type Reply, type World } from './world.ts';

const DOCUMENT = {
  version: 1,
  entities: [
    {
      name: 'ticket',
      fields: [
        { name: 'title', type: 'string' },
        { name: 'status', type: 'string' },
        { name: 'note', type: 'string' },
        { name: 'owner', type: 'uuid' },
      ],
    },
    { name: 'secret', fields: [{ name: 'text', type: 'string' }] },
  ],
  permissions: [
    {
      entity: 'ticket',
      action: 'read',
      roles: ['agent'],
      conditions: [{ field: 'owner', operator: 'eq', value: '$user.id' }],
      fields: { read: ['id', 'title', 'status', 'owner'] },
    },
  ],
  slas: [
    { name: 'quick', entity: 'ticket', start: "record.status = 'late'", stop: "record.status = 'done'", target: '1s' },
    { name: 'slow', entity: 'ticket', start: "record.status = 'soon'", stop: "record.status = 'done'", target: '8h' },
  ],
  workflows: [
    {
      name: 'check',
      trigger: { type: 'record_created', entity: 'ticket', condition: "record.title = 'check'" },
      steps: [{ id: 'ask', type: 'approval', assignee: { type: 'role', role: 'lead' }, on_approve: 'end' }],
    },
  ],
};

let world: World;
let installed: Installed;
let pool: pg.Pool;
let storage: string;
beforeAll(async () => {
  world = await startWorld();
  installed = await world.install(DOCUMENT, { ann: ['agent'], bob: ['agent'], lea: ['lead'] });
  pool = new pg.Pool({ connectionString: world.databaseUrl, max: 2 });
  storage = (await pool.query<{ storage: string }>(`select storage from durabase.apps where name = 'main'`)).rows[0]?.storage ?? '';
}, 120_000);
afterAll(() => pool.end());

const send = (who: string, method: string, path: string, body?: unknown): Promise<Reply> =>
  world.send(method, `/api/main/${path}`, { token: installed.tokens[who] ?? '', ...(body === undefined ? {} : { body }) });
const make = async (body: object, entity = 'ticket'): Promise<string> => {
  const made = await send('admin', 'POST', entity, body);
  expect(made.status, made.text).toBe(201);
  return String(made.body.data.id);
};
interface Bounded {
  readonly count: number;
  readonly has_more: boolean;
  readonly first: readonly Record<string, unknown>[];
}
type Overview = Readonly<
  Record<'approvals' | 'notifications' | 'breached_clocks' | 'due_clocks' | 'stuck_runs' | 'failed_deliveries' | 'migrations', Bounded>
> & {
  readonly changes: readonly Record<string, unknown>[];
  readonly [more: string]: unknown;
};
const overview = async (who: string): Promise<Overview> => {
  const reply = await send(who, 'GET', '_overview');
  expect(reply.status, reply.text).toBe(200);
  expect(reply.headers.get('cache-control')).toBe('no-store');
  return reply.body.data as Overview;
};

describe('the overview', () => {
  it('of a quiet app has nothing', async () => {
    const found = await overview('ann');
    expect(Object.keys(found)).toEqual(['schema_version', 'at', 'approvals', 'notifications', 'breached_clocks', 'due_clocks', 'changes']);
    expect(found).toMatchObject({ approvals: { count: 0, has_more: false, first: [] }, changes: [] });
    const admins = await overview('admin');
    expect(admins).toMatchObject({
      stuck_runs: { count: 0 },
      failed_starts: { count: 0 },
      migrations: { count: 0 },
      findings: { error: 0 },
    });
  });

  it('has the tasks that wait for the caller, and nobody else’s', async () => {
    const record = await make({ title: 'check' });
    const leas = await eventually(
      () => overview('lea'),
      ({ approvals }) => approvals.count === 1,
    );
    expect(leas.approvals.first).toMatchObject([{ workflow: 'check', step: 'ask', entity: 'ticket', record_id: record }]);
    expect((await overview('ann')).approvals.count).toBe(0);
    await send('lea', 'POST', `_workflows/${String(leas.approvals.first[0]?.['run'])}/approve`, {});
    expect((await overview('lea')).approvals.count).toBe(0);
  });

  it('has clocks of records that the caller may read', async () => {
    const [late, soon] = [
      await make({ status: 'late', owner: installed.ids['ann'] }),
      await make({ status: 'soon', owner: installed.ids['ann'] }),
    ];
    const anns = await eventually(
      () => overview('ann'),
      ({ breached_clocks, due_clocks }) => breached_clocks.count === 1 && due_clocks.count === 1,
    );
    expect(anns.breached_clocks.first).toMatchObject([{ sla: 'quick', entity: 'ticket', record_id: late }]);
    expect(anns.due_clocks.first).toMatchObject([{ sla: 'slow', record_id: soon }]);
    const bobs = await overview('bob');
    expect([bobs.breached_clocks.count, bobs.due_clocks.count]).toEqual([0, 0]);
  });

  it('has the last changes as the caller sees them, each record once', async () => {
    const mine = await make({ title: 'mine', note: 'n', owner: installed.ids['bob'] });
    await send('admin', 'PATCH', `ticket/${mine}`, { title: 'still mine', note: 'hidden' });
    await make({ text: 'x' }, 'secret');
    const bobs = await eventually(
      () => overview('bob'),
      ({ changes }) => changes[0]?.['type'] === 'record.updated',
    );
    expect(bobs.changes).toEqual([
      {
        type: 'record.updated',
        entity: 'ticket',
        record_id: mine,
        changed_fields: ['title'],
        at: expect.any(String) as string,
        actor: { kind: 'user', id: expect.any(String) as string, name: 'admin' },
      },
    ]);
    expect((await overview('lea')).changes).toEqual([]);
    const admins = await eventually(
      () => overview('admin'),
      ({ changes }) => changes[0]?.['entity'] === 'secret',
    );
    expect(admins.changes[1]).toMatchObject({ record_id: mine, changed_fields: expect.arrayContaining(['title', 'note']) as unknown });
  });

  it('counts no further than a hundred', async () => {
    const add = (count: number): Promise<unknown> =>
      pool.query(
        `insert into "${storage}"._notifications (id, user_id, message) select uuidv7(), $1, 'hello ' || n from generate_series(1, $2::integer) n`,
        [installed.ids['ann'], count],
      );
    await add(100);
    expect((await overview('ann')).notifications).toMatchObject({ count: 100, has_more: false });
    await add(50);
    const { count, has_more: hasMore, first } = (await overview('ann')).notifications;
    expect([count, hasMore, first.length]).toEqual([100, true, 5]);
    await send('ann', 'POST', '_notifications/read-all');
    expect((await overview('ann')).notifications.count).toBe(0);
    expect((await overview('bob')).notifications.count).toBe(0);
  });

  it('tells admins what is wrong', async () => {
    await pool.query(
      `insert into "${storage}"._deliveries (id, event_seq, webhook, entity, record_id, record_version, body, status, reason)
       values (uuidv7(), 1, 'w', 'ticket', 'r', 1, '{}', 'dead', 'no')`,
    );
    await pool.query(`update "${storage}"._runs set status = 'running', error = 'Step "ask" failed: x'`);
    const found = await overview('admin');
    expect(found.failed_deliveries).toMatchObject({ count: 1, first: [{ webhook: 'w', reason: 'no' }] });
    expect(found.stuck_runs.first).toMatchObject([{ workflow: 'check', error: 'Step "ask" failed: x' }]);
    expect(Object.keys(await overview('lea'))).not.toContain('stuck_runs');
  });

  it('is cut by the scopes of a key', async () => {
    const key = async (scopes: string[]): Promise<Reply> => {
      const made = await send('admin', 'POST', '_admin/api-keys', { name: scopes.join(), scopes });
      return world.send('GET', '/api/main/_overview', { headers: { 'x-api-key': made.body.data.key as string } });
    };
    expect((await key(['ticket:read'])).status).toBe(403);
    const narrow = (await key(['_overview:read'])).body.data as Overview;
    expect(Object.keys(narrow)).toEqual(['schema_version', 'at', 'breached_clocks', 'due_clocks', 'changes']);
    expect([narrow.changes, narrow.breached_clocks.count]).toEqual([[], 0]);
    const wide = (await key(['_overview:read', '_admin:read', '_workflows:read', 'ticket:read'])).body.data as Overview;
    expect(wide.failed_deliveries.count).toBe(1);
    expect(wide.changes.every(({ entity }) => entity === 'ticket')).toBe(true);
  });

  it('takes no parameters', async () => {
    expect((await send('ann', 'GET', '_overview?limit=5')).status).toBe(400);
  });
});
