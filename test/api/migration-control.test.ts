/** Migrations that wait: for an approval, for the end of a pause, of a grace, of a retention. */
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { startWorld, type Reply, type World } from './world.ts';

let world: World;
let token: string;
beforeAll(async () => {
  world = await startWorld();
  token = await world.platformToken();
});

const send = (method: string, path: string, body?: unknown): Promise<Reply> =>
  world.send(method, `/api/${path}`, { token, ...(body === undefined ? {} : { body }) });
const NAME = { name: 'name', type: 'string' };
const book = (...fields: object[]) => ({ version: 1, entities: [{ name: 'book', fields: [NAME, ...fields] }] });
const PAGES = { name: 'pages', type: 'int' };

async function makeApp(name: string, migrations: object): Promise<void> {
  expect((await send('POST', '_platform/apps', { name })).status).toBe(201);
  const first = await send('POST', `${name}/_admin/versions`, { ...book(PAGES), settings: { migrations } });
  expect(first.status, first.text).toBe(201);
}

const until = async (app: string, id: string, isSo: (migration: { status: string; phase: string }) => boolean): Promise<void> => {
  await vi.waitUntil(async () => isSo((await send('GET', `${app}/_admin/migrations/${id}`)).body.data), { timeout: 20_000, interval: 50 });
};

describe('an approval', () => {
  const settings = { approval: 'always', grace: '1h', retention: '1h' };
  let id: string;
  let hash: string;
  beforeAll(() => makeApp('approved', settings));

  it('is waited for; the caller has 202 at once, and nothing has changed', async () => {
    const asked = await send('POST', 'approved/_admin/versions', {
      ...book(PAGES, { name: 'isbn', type: 'string' }),
      settings: { migrations: settings },
    });
    expect([asked.status, asked.body.data.migration.status], asked.text).toEqual([202, 'awaiting_approval']);
    ({ id, plan_hash: hash } = asked.body.data.migration as { id: string; plan_hash: string });
    expect((await send('POST', 'approved/book', { name: 'a', isbn: '1' })).status).toBe(422);
  });

  it('of another plan is refused, and a pause has nothing to pause', async () => {
    const wrong = await send('POST', `approved/_admin/migrations/${id}/approve`, { plan_hash: 'x' });
    expect([wrong.status, wrong.body.error.code]).toEqual([409, 'CONFLICT']);
    expect((await send('POST', `approved/_admin/migrations/${id}/pause`)).status).toBe(409);
  });

  it('is found among the others by its status, and its plan is read as it was shown', async () => {
    const waiting = await send('GET', 'approved/_admin/migrations?status=awaiting_approval');
    expect(waiting.body.data, waiting.text).toMatchObject([{ id, status: 'awaiting_approval' }]);
    expect(waiting.body.meta).toEqual({ page: 1, per_page: 25, total: 1 });
    const second = await send('GET', 'approved/_admin/migrations?page=2&per_page=1');
    expect([second.body.data[0].to_version, second.body.meta.total]).toEqual([1, 2]);
    expect((await send('GET', 'approved/_admin/migrations?status=done')).body.error.code).toBe('INVALID_VALUE');
    const plan = (await send('GET', `approved/_admin/migrations/${id}/plan`)).body.data;
    expect(plan).toMatchObject({ plan_hash: hash, from_version: 1, approval: { needed: true, four_eyes: false }, grace_ms: null });
    expect(plan.steps).toMatchObject([{ phase: 'expand', lock: 'ACCESS EXCLUSIVE, brief' }]);
    expect((await send('GET', 'approved/_admin/migrations/77/plan')).status).toBe(404);
  });

  it('lets it run, and once more changes nothing', async () => {
    const done = await send('POST', `approved/_admin/migrations/${id}/approve`, { plan_hash: hash, comment: 'fine' });
    expect(done.status, done.text).toBe(200);
    await until('approved', id, ({ status }) => status === 'completed');
    const view = (await send('GET', `approved/_admin/migrations/${id}`)).body.data;
    expect(view.approval).toMatchObject({ needed: true, by: { kind: 'platform' }, comment: 'fine' });
    expect((await send('POST', 'approved/book', { name: 'a', isbn: '1' })).status).toBe(201);
    expect((await send('POST', `approved/_admin/migrations/${id}/reject`)).status).toBe(409);
  });

  it('that is refused ends it; so does calling it off', async () => {
    for (const [verb, error] of [
      ['reject', 'The plan was rejected: not now'],
      ['abort', 'It was called off.'],
    ] as const) {
      const document = {
        ...book(PAGES, { name: 'isbn', type: 'string' }, { name: verb, type: 'string' }),
        settings: { migrations: settings },
      };
      const asked = (await send('POST', 'approved/_admin/versions', document)).body.data.migration as { id: string };
      const ended = await send('POST', `approved/_admin/migrations/${asked.id}/${verb}`, { comment: 'not now' });
      expect(ended.status, ended.text).toBe(200);
      await until('approved', asked.id, ({ status }) => status === 'aborted');
      expect((await send('GET', `approved/_admin/migrations/${asked.id}`)).body.data).toMatchObject({ error });
      const late = await send('POST', `approved/_admin/migrations/${asked.id}/approve`);
      expect([late.status, late.body.error?.code], late.text).toEqual([409, 'CONFLICT']);
      expect((await send('POST', 'approved/book', { name: 'a', [verb]: 'x' })).status).toBe(422);
    }
  });

  it("by who wrote the plan is refused when four eyes are wanted, and is somebody else's to give", async () => {
    await makeApp('eyes', { approval: 'always', four_eyes: true });
    const asked = (await send('POST', 'eyes/_admin/versions', book(PAGES, { name: 'isbn', type: 'string' }))).body.data.migration as {
      id: string;
    };
    const own = await send('POST', `eyes/_admin/migrations/${asked.id}/approve`);
    expect([own.status, own.body.error.code], own.text).toEqual([403, 'FORBIDDEN']);
    const second = { email: 'second@eyes.test', password: 'correct horse battery staple', roles: ['admin'] };
    expect((await send('POST', 'eyes/_admin/users', second)).status).toBe(201);
    const theirs = await world.login('eyes', second.email, second.password);
    const word = await world.send('POST', `/api/eyes/_admin/migrations/${asked.id}/approve`, { token: theirs });
    expect(word.status, word.text).toBe(200);
    await until('eyes', asked.id, ({ status }) => status === 'completed');
    expect((await send('POST', 'eyes/book', { name: 'a', isbn: '1' })).status).toBe(201);
  });
});

describe('grace and retention', () => {
  let id: string;
  const column = async (): Promise<number> => {
    const { db_name: storage } = (await send('GET', '_platform/apps/dropped')).body.data as { db_name: string };
    const { default: pg } = await import('pg');
    const client = new pg.Client({ connectionString: world.databaseUrl });
    await client.connect();
    try {
      const found = await client.query("select from information_schema.columns where table_schema = $1 and column_name = 'pages'", [
        storage,
      ]);
      return found.rowCount ?? 0;
    } finally {
      await client.end();
    }
  };
  beforeAll(() => makeApp('dropped', { grace: '1h', retention: '1h' }));

  it('hold what was dropped, and nothing else', async () => {
    const asked = await send('POST', 'dropped/_admin/versions?confirm=drop', book());
    expect(asked.status, asked.text).toBe(201);
    ({ id } = asked.body.data.migration as { id: string });
    expect(asked.body.data.migration).toMatchObject({
      status: 'ready',
      phase: 'grace',
      waiting_for: null,
      old_traffic: { version: 1, requests: 0 },
    });
    const other = await send('POST', 'dropped/_admin/versions', book({ name: 'isbn', type: 'string' }));
    expect([other.status, other.body.data.migration.status], other.text).toEqual([201, 'completed']);
    expect(await column()).toBe(1);
  });

  it('end when they are told to', async () => {
    const ended = await send('POST', `dropped/_admin/migrations/${id}/contract`);
    expect([ended.status, ended.body.data.phase], ended.text).toEqual([200, 'contract']);
    expect(await column()).toBe(1);
    await send('POST', `dropped/_admin/migrations/${id}/contract`, { drop: true });
    await until('dropped', id, ({ status }) => status === 'completed');
    expect(await column()).toBe(0);
    expect((await send('POST', `dropped/_admin/migrations/${id}/contract`)).status).toBe(200);
    expect((await send('POST', `dropped/_admin/migrations/${id}/abort`)).status).toBe(409);
  });

  it('end by themselves when their times are over', async () => {
    await makeApp('short', { grace: '200ms', retention: '200ms' });
    const asked = await send('POST', 'short/_admin/versions?confirm=drop', book());
    const migration = asked.body.data.migration as { id: string };
    await until('short', migration.id, ({ status }) => status === 'completed');
  });

  it('leave what is served again', async () => {
    await makeApp('again', { grace: '1h', retention: '1h' });
    const made = (await send('POST', 'again/book', { name: 'a', pages: 3 })).body.data as { id: string };
    const asked = (await send('POST', 'again/_admin/versions?confirm=drop', book())).body.data.migration as { id: string };
    const back = await send('POST', 'again/_admin/versions/1/rollback');
    expect(back.status, back.text).toBe(201);
    await send('POST', `again/_admin/migrations/${asked.id}/contract`, { drop: true });
    await until('again', asked.id, ({ status }) => status === 'completed');
    expect((await send('GET', `again/book/${made.id}`)).body.data).toMatchObject({ pages: 3 });
  });

  it('a rollback that is called off leaves the values where they were', async () => {
    await makeApp('kept', { grace: '1h', retention: '1h', approval: 'always' });
    const made = (await send('POST', 'kept/book', { name: 'a', pages: 3 })).body.data as { id: string };
    const approve = async (reply: Reply): Promise<string> => {
      const id = reply.body.data.migration.id as string;
      await send('POST', `kept/_admin/migrations/${id}/approve`);
      await until('kept', id, ({ status }) => status === 'ready' || status === 'completed');
      return id;
    };
    const settings = { migrations: { grace: '1h', retention: '1h', approval: 'always' } };
    await approve(await send('POST', 'kept/_admin/versions?confirm=drop', { ...book(), settings }));
    const back = await send('POST', 'kept/_admin/versions/1/rollback');
    expect(back.status, back.text).toBe(202);
    const called = back.body.data.migration.id as string;
    await send('POST', `kept/_admin/migrations/${called}/abort`);
    await until('kept', called, ({ status }) => status === 'aborted');
    expect((await send('POST', `kept/_admin/migrations/${called}/abort`)).status).toBe(200);
    await approve(await send('POST', 'kept/_admin/versions/1/rollback'));
    expect((await send('GET', `kept/book/${made.id}`)).body.data).toMatchObject({ pages: 3 });
  });
});
