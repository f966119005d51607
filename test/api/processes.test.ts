/** Hooks, notifications and moving running instances, over HTTP. */
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTemporalGateway, type TemporalGateway } from '../../adapters/temporal/client.ts';
import { recordHistories } from '../replay/record.ts';
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
    {
      name: 'nightly',
      trigger: { type: 'schedule', cron: '0 3 * * *', timezone: 'Europe/Berlin' },
      steps: [{ id: 'make', type: 'action', actions: [{ type: 'create_record', entity: 'order', fields: { title: 'nightly' } }] }],
    },
  ],
};

let world: World;
let tokens: Installed['tokens'];
let temporal: TemporalGateway;
const recorded = new Map<string, string>();
beforeAll(async () => {
  world = await startWorld();
  temporal = createTemporalGateway(world.config, pino({ level: 'silent' }));
  ({ tokens } = await world.install(DOCUMENT, { ann: ['desk'], ben: [] }));
}, 120_000);
afterAll(async () => {
  await recordHistories({ temporal }, 'process', recorded);
  await temporal.close();
});

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

describe('a schedule', () => {
  interface Shown {
    readonly id: string;
    readonly paused: boolean;
    readonly hours: readonly number[];
    readonly zone: string | undefined;
  }
  /** Those of this installation's namespace. */
  const schedules = async (): Promise<Shown[]> => {
    const { schedule } = await temporal.client();
    const { rows } = await ids();
    return Promise.all(
      rows.map(async ({ id }) => {
        const { spec, state } = await schedule.getHandle(id).describe();
        const hours = (spec.calendars ?? []).flatMap(({ hour }) => (hour ?? []).map(({ start }) => start));
        return { id, paused: state.paused, hours, zone: spec.timezone };
      }),
    );
  };
  const ids = async (): Promise<{ rows: { id: string }[] }> => {
    const rows: { id: string }[] = [];
    const { schedule } = await temporal.client();
    for await (const { scheduleId } of schedule.list()) rows.push({ id: scheduleId });
    return { rows };
  };
  const shows = (wanted: object[]) =>
    expect.poll(() => schedules().catch((error: unknown) => String(error)), { timeout: 20_000, interval: 100 }).toMatchObject(wanted);
  const change = async (body: object): Promise<void> => {
    const changed = await send('admin', 'PATCH', '_admin/workflows/nightly', body);
    expect(changed.status, changed.text).toBe(200);
  };

  it('follows what is published: its times, a pause, its removal, and another of the same name', async () => {
    const trigger = { type: 'schedule', cron: '0 3 * * *', timezone: 'Europe/Berlin' };
    await shows([{ paused: false, hours: [3], zone: 'Europe/Berlin' }]);
    await change({ trigger: { ...trigger, cron: '0 5 * * *', timezone: 'America/New_York' } });
    await shows([{ paused: false, hours: [5], zone: 'America/New_York' }]);
    await change({ active: false });
    await shows([{ paused: true, hours: [5] }]);
    const gone = await send('admin', 'DELETE', '_admin/workflows/nightly');
    expect(gone.status, gone.text).toBeLessThan(300);
    await shows([]);
    const steps = [{ id: 'make', type: 'action', actions: [{ type: 'create_record', entity: 'order', fields: { title: 'n' } }] }];
    const made = await send('admin', 'POST', '_admin/workflows', { name: 'nightly', trigger, steps });
    expect(made.status, made.text).toBe(201);
    await shows([{ paused: false, hours: [3], zone: 'Europe/Berlin' }]);
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
    recorded.set(next.body.data.temporal_workflow_id as string, 'moved');
  }, 60_000);
});

// The last: nothing is served behind it.
describe('an app that is deleted', () => {
  it('takes its schedules along, and has them again when it is restored', async () => {
    const platform = await world.platformToken();
    const { schedule } = await temporal.client();
    const listed = async (): Promise<number> => {
      let found = 0;
      for await (const _one of schedule.list()) found++;
      return found;
    };
    await expect.poll(listed, { timeout: 20_000 }).toBe(1);
    expect((await world.send('DELETE', '/api/_platform/apps/main', { token: platform })).status).toBe(200);
    await expect.poll(listed, { timeout: 20_000 }).toBe(0);
    const back = await world.send('POST', '/api/_platform/apps/main/restore', { token: platform });
    expect(back.status, back.text).toBe(200);
    await expect.poll(listed, { timeout: 20_000 }).toBe(1);
  }, 60_000);
});
