/** The operator's view over HTTP: finding stuck runs, what is done to many at once, and starts that failed. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type Reply, type World } from './world.ts';

const GONE = '00000000-0000-7000-8000-00000000dead';
const DOCUMENT = {
  version: 1,
  entities: [{ name: 'order', fields: [{ name: 'title', type: 'string' }] }],
  workflows: [
    {
      name: 'shipping',
      trigger: { type: 'manual', entity: 'order' },
      steps: [
        {
          id: 'ship',
          type: 'action',
          actions: [{ type: 'update_record', entity: 'order', record_id: 'context.order', fields: { title: 'shipped' } }],
        },
      ],
    },
    { name: 'asking', trigger: { type: 'manual' }, steps: [{ id: 'ask', type: 'approval' }] },
  ],
};

let world: World;
let admin: string;
let pool: pg.Pool;
let storage: string;
beforeAll(async () => {
  world = await startWorld();
  admin = (await world.install(DOCUMENT)).tokens['admin'] ?? '';
  pool = new pg.Pool({ connectionString: world.databaseUrl, max: 2 });
  storage = (await pool.query<{ storage: string }>(`select storage from durabase.apps where name = 'main'`)).rows[0]?.storage ?? '';
}, 120_000);
afterAll(() => pool.end());

const send = (method: string, path: string, body?: unknown, token = admin): Promise<Reply> =>
  world.send(method, `/api/main/${path}`, { token, ...(body === undefined ? {} : { body }) });
const ids = (reply: Reply): string[] => (reply.body.data as { id: string }[]).map(({ id }) => id);

/** So many runs that are stuck at the same step. */
async function stuckRuns(howMany: number): Promise<string[]> {
  const before = (await send('GET', '_admin/runs?status=stuck')).body.data.length as number;
  const started: string[] = [];
  for (let i = 0; i < howMany; i++) {
    const reply = await send('POST', '_workflows/start/shipping', { context: { order: GONE } });
    expect(reply.status, reply.text).toBe(201);
    started.push(reply.body.data.id as string);
  }
  await expect
    .poll(async () => (await send('GET', '_admin/runs?status=stuck')).body.data.length as number, { timeout: 30_000 })
    .toBe(before + howMany);
  return started;
}

const operated = async (id: string): Promise<Reply> => {
  await expect
    .poll(async () => (await send('GET', `_admin/runs/operations/${id}`)).body.data.state as string, { timeout: 30_000 })
    .toBe('done');
  return send('GET', `_admin/runs/operations/${id}`);
};

describe('stuck runs', () => {
  it('are found, counted by what is wrong, and skipped all at once', async () => {
    const started = await stuckRuns(3);
    const asking = (await send('POST', '_workflows/start/asking', {})).body.data.id as string;
    const first = await send('GET', '_admin/runs?status=stuck&workflow=shipping&limit=2');
    expect(first.body.data[0]).toMatchObject({
      workflow_name: 'shipping',
      status: 'stuck',
      step: 'ship',
      age_seconds: expect.any(Number) as number,
    });
    const second = await send('GET', `_admin/runs?status=stuck&limit=2&cursor=${first.body.page.next_cursor as string}`);
    expect([...ids(first), ...ids(second)].sort()).toEqual([...started].sort());
    expect(second.body.page.next_cursor).toBeNull();
    expect(ids(await send('GET', '_admin/runs?error=NOTHING'))).toEqual([]);
    expect(ids(await send('GET', '_admin/runs?step=ask'))).toEqual([asking]);
    expect(ids(await send('GET', '_admin/runs?started_before=2020-01-01'))).toEqual([]);
    const counts = await send('GET', '_admin/runs/counts?status=stuck');
    expect(counts.body.meta).toEqual({ total: 3 });
    expect(counts.body.data).toMatchObject([{ workflow: 'shipping', status: 'stuck', step: 'ship', runs: 3 }]);
    expect(counts.body.data[0].error).not.toContain(GONE);

    const dry = await send('POST', '_admin/runs/operate', { action: 'skip', filter: { step: 'ship' }, dry_run: true });
    expect(dry.status).toBe(200);
    expect(dry.body.data).toMatchObject({ id: null, state: 'dry_run', total: 3 });
    expect((await send('GET', '_admin/runs/operations')).body.data).toEqual([]);

    const begun = await send('POST', '_admin/runs/operate', { action: 'skip', filter: { workflow: 'shipping' } });
    expect(begun.status, begun.text).toBe(202);
    const done = await operated(begun.body.data.id as string);
    expect(done.body.data).toMatchObject({ action: 'skip', total: 3, done: 3, failed: 0 });
    for (const id of started) {
      const run = (await send('GET', `_workflows/${id}`)).body.data;
      expect(run).toMatchObject({ status: 'completed', history: [{ status: 'failed' }, { step: 'ship', status: 'skipped' }] });
    }
    expect((await send('GET', `_workflows/${asking}`)).body.data.status).toBe('running');
    const audit = await send('GET', '_admin/audit?action=runs.operate');
    expect(audit.body.data, audit.text).toMatchObject([{ target: begun.body.data.id as string, detail: { action: 'skip', runs: 3 } }]);
  }, 90_000);

  it('that were asked already when a worker died are done, and those that ended before have failed', async () => {
    const [one = '', other = ''] = await stuckRuns(2);
    const begun = await send('POST', '_admin/runs/operate', { action: 'cancel', filter: { error_contains: 'ship' } });
    const id = begun.body.data.id as string;
    const ended = await operated(id);
    expect(ended.body.data).toMatchObject({ total: 2, done: 2 });
    // As after a worker that died with the answer: asked again, it is done and not failed; the one never asked has failed.
    await pool.query(`update ${storage}._operated_runs set state = 'pending', tries = 1, due_at = now() where run_id = $1`, [one]);
    await pool.query(`update ${storage}._operated_runs set state = 'pending', tries = 0, due_at = now() where run_id = $1`, [other]);
    await pool.query(
      `insert into durabase.work (app, kind, due_at) select id, 'operations', now() from durabase.apps where name = 'main'
       on conflict (app, kind) do update set due_at = excluded.due_at`,
    );
    const again = await operated(id);
    expect(again.body.data.runs).toEqual(
      expect.arrayContaining([
        { id: one, state: 'done', error: null },
        { id: other, state: 'failed', error: 'The run is cancelled already.' },
      ]),
    );
  }, 90_000);
});

describe('what is refused', () => {
  it('says why', async () => {
    expect((await send('POST', '_admin/runs/operate', { action: 'skip', filter: { status: 'running' } })).body.error.code).toBe(
      'INVALID_PAYLOAD',
    );
    expect((await send('POST', '_admin/runs/operate', { action: 'dance' })).body.error.code).toBe('INVALID_PAYLOAD');
    expect((await send('POST', '_admin/runs/operate', { action: 'skip', filter: { since: 'soon' } })).body.error.code).toBe(
      'INVALID_VALUE',
    );
    expect((await send('GET', '_admin/runs?status=odd')).body.error.code).toBe('INVALID_VALUE');
    expect((await send('GET', '_admin/runs?cursor=x')).body.error.code).toBe('INVALID_VALUE');
    expect((await send('GET', '_admin/runs/operations/x')).status).toBe(404);
    expect((await send('GET', '_admin/starts?state=started')).body.error.code).toBe('INVALID_VALUE');
    await send('POST', '_admin/users', { email: 'ben@example.com', password: 'long enough', roles: [] });
    const ben = await world.login('main', 'ben@example.com', 'long enough');
    expect((await send('GET', '_admin/runs', undefined, ben)).status).toBe(403);
    expect((await send('POST', '_admin/starts/retry', {}, ben)).status).toBe(403);
  });
});

describe('starts that failed', () => {
  it('are shown and tried again', async () => {
    const input = { app: 'nobody', workflowId: 'process/nobody/x', signal: 'event', args: [] };
    await pool.query(
      `insert into ${storage}._starts (workflow_id, kind, input, state, tries, error) values ('signal/x', 'signal', $1, 'failed', 10, 'broken')`,
      [JSON.stringify(input)],
    );
    const failed = await send('GET', '_admin/starts');
    expect(failed.body.data).toMatchObject([{ id: 'signal/x', kind: 'signal', state: 'failed', tries: 10, error: 'broken' }]);
    expect((await send('POST', '_admin/starts/retry', { ids: ['other'] })).body.data).toEqual({ retried: 0, left: 1 });
    expect((await send('POST', '_admin/starts/retry')).body.data).toEqual({ retried: 1, left: 0 });
    await expect
      .poll(
        async () =>
          (await pool.query<{ state: string }>(`select state from ${storage}._starts where workflow_id = 'signal/x'`)).rows[0]?.state,
        {
          timeout: 20_000,
        },
      )
      .toBe('started');
    expect((await send('GET', '_admin/starts?state=failed')).body).toEqual({ data: [], meta: { total: 0 } });
  }, 40_000);
});
