/** Hooks, notifications and moving running instances, over HTTP. */
import { beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type Installed, type Reply, type World } from './world.ts';

const approval = (id: string, extra: object = {}): object => ({ id, type: 'approval', ...extra });
const LONG = {
  name: 'long',
  trigger: { type: 'manual' },
  steps: [approval('ask', { on_approve: 'after' }), { id: 'after', type: 'wait', duration: '1s' }],
};
const DOCUMENT = {
  version: 1,
  entities: [{ name: 'order', fields: [{ name: 'title', type: 'string' }] }],
  workflows: [
    {
      name: 'incoming',
      trigger: { type: 'webhook', condition: 'trigger.body.kind = "order"' },
      context: { title: 'trigger.body.title', agent: 'trigger.headers.user-agent' },
      steps: [
        {
          id: 'make',
          type: 'action',
          actions: [
            { type: 'create_record', entity: 'order', fields: { title: 'context.title' } },
            { type: 'notify', to: 'role:desk', message: 'An order: {{context.title}}' },
          ],
        },
      ],
    },
    LONG,
  ],
};

let world: World;
let tokens: Installed['tokens'];
beforeAll(async () => {
  world = await startWorld();
  ({ tokens } = await world.install(DOCUMENT, { ann: ['desk'], ben: [] }));
}, 120_000);

const send = (who: string, method: string, path: string, body?: unknown): Promise<Reply> =>
  world.send(method, `/api/main/${path}`, { token: tokens[who] ?? '', ...(body === undefined ? {} : { body }) });
const call = (token: string, body: unknown, headers: Record<string, string> = {}): Promise<Reply> =>
  world.send('POST', '/api/main/_hooks/incoming', { headers: { 'x-hook-token': token, ...headers }, body });

describe('an inbound hook', () => {
  it('is opened by its token alone, starts a run once per key, and its run notifies people', async () => {
    expect((await send('ann', 'POST', '_admin/workflows/incoming/token')).status).toBe(403);
    expect((await send('admin', 'POST', '_admin/workflows/long/token')).body.error.code).toBe('INVALID_STATE');
    const made = await send('admin', 'POST', '_admin/workflows/incoming/token');
    expect(made.status, made.text).toBe(201);
    const token = made.body.data.token as string;
    expect(made.body.data.url).toBe('/api/main/_hooks/incoming');
    expect((await call('hook_wrong', {})).status).toBe(401);
    expect((await world.send('POST', '/api/main/_hooks/nothing', { headers: { 'x-hook-token': token }, body: {} })).status).toBe(401);

    const taken = await call(token, { kind: 'order', title: 'Ten pens' }, { 'idempotency-key': 'one' });
    expect([taken.status, typeof taken.body.data.run_id]).toEqual([202, 'string']);
    const again = await call(token, { kind: 'order', title: 'Ten pens' }, { 'idempotency-key': 'one' });
    expect(again.body.data.run_id).toBe(taken.body.data.run_id);
    await call(token, { kind: 'other', title: 'Nothing' });
    await expect
      .poll(async () => (await send('admin', 'GET', `_workflows/${taken.body.data.run_id}`)).body.data?.status, { timeout: 15_000 })
      .toBe('completed');
    expect((await send('admin', 'GET', 'order')).body.data.map((order: { title: string }) => order.title)).toEqual(['Ten pens']);

    const second = (await send('admin', 'POST', '_admin/workflows/incoming/token')).body.data.token as string;
    expect((await call(token, {})).status).toBe(401);
    expect((await call(second, { kind: 'other' })).status).toBe(202);

    const told = await send('ann', 'GET', '_notifications?unread=true');
    expect(told.body).toMatchObject({ data: [{ message: 'An order: Ten pens', read_at: null }], meta: { total: 1, unread: 1 } });
    const id = told.body.data[0].id as string;
    expect((await send('ben', 'POST', `_notifications/${id}/read`)).status).toBe(404);
    expect((await send('ann', 'POST', `_notifications/${id}/read`)).body.data.read_at).not.toBeNull();
    expect((await send('ann', 'POST', '_notifications/read-all')).body.data).toEqual({ read: 0 });
    expect((await send('ben', 'GET', '_notifications')).body.data).toEqual([]);
  }, 60_000);
});

describe('a running instance', () => {
  const publish = async (steps: object[]): Promise<void> => {
    const changed = await send('admin', 'PATCH', '_admin/workflows/long', { steps });
    expect(changed.status, changed.text).toBe(200);
  };

  it('moves to the newest version where its step is there, and goes on by it', async () => {
    const started = await send('admin', 'POST', '_workflows/start/long', {});
    const id = started.body.data.id as string;
    await expect.poll(async () => (await send('admin', 'GET', `_workflows/${id}`)).body.data.task, { timeout: 15_000 }).not.toBeNull();
    await publish([approval('other')]);
    expect((await send('admin', 'GET', '_admin/workflows/long/runs')).body.data).toMatchObject([
      { id, current_steps: ['ask'], is_newest: false, can_move: false, reason: expect.stringContaining('"ask"') as string },
    ]);
    const refused = await send('admin', 'POST', '_admin/workflows/long/move', { runs: [id] });
    expect(refused.body.data).toMatchObject({ moved: [], refused: [{ id }] });
    await publish([approval('ask', { on_approve: 'again' }), approval('again')]);
    expect((await send('admin', 'POST', '_admin/workflows/long/move')).body.data).toEqual({ moved: [id], refused: [] });
    expect((await send('admin', 'GET', '_admin/workflows/long/runs')).body.data).toMatchObject([{ id, is_newest: true, can_move: true }]);
    const platform = await world.platformToken();
    const next = await world.send('POST', `/api/main/_workflows/${id}/approve`, { token: platform, body: {} });
    expect(next.body.data, next.text).toMatchObject({
      status: 'running',
      current_step: 'again',
      history: [{ status: 'moved' }, { step: 'ask', status: 'approved' }],
    });
  }, 60_000);
});
