/** Webhooks from an admin's side: made, read, tried, replayed and enabled over HTTP; deliveries by the real relay and dispatcher. */
import { Webhook } from 'standardwebhooks';
import { beforeAll, describe, expect, it } from 'vitest';
import { receiver, type Receiver } from '../support/event-world.ts';
import { startWorld, type Reply, type World } from './world.ts';

let world: World;
let token: string;
let good: Receiver;
let moody: Receiver;
let asked: Receiver;
let status = 200;
const held: (() => void)[] = [];
let isHolding = false;

beforeAll(async () => {
  good = await receiver();
  moody = await receiver(() => status);
  asked = await receiver((_, call) => {
    const { action } = JSON.parse(call.body) as { action: string };
    if (!isHolding) return action === 'delete' ? 409 : 200;
    return new Promise((resolve) => held.push(() => resolve(200)));
  });
  world = await startWorld({ WEBHOOK_ALLOW_CIDRS: '127.0.0.0/8', WEBHOOK_PORTS: '1024-65000', DATABASE_POOL_MAX: '40' });
  token = await world.platformToken();
  expect((await world.send('POST', '/api/_platform/apps', { token, body: { name: 'main' } })).status).toBe(201);
  for (const name of ['book', 'page']) {
    const made = await admin('POST', 'entities', { name, fields: [{ name: 'title', type: 'string' }] });
    expect(made.status, made.text).toBe(201);
  }
});

const admin = (method: string, path: string, body?: unknown): Promise<Reply> =>
  world.send(method, `/api/main/_admin/${path}`, { token, ...(body === undefined ? {} : { body }) });
const create = (title: string, entity = 'book'): Promise<Reply> => world.send('POST', `/api/main/${entity}`, { token, body: { title } });
const hookId = async (body: object): Promise<{ readonly id: string; readonly secret: string }> => {
  const made = await admin('POST', 'webhooks', body);
  expect(made.status, made.text).toBe(201);
  return made.body.data as { id: string; secret: string };
};
const soon = { timeout: 20_000 };
const statusesOf = async (webhook: string): Promise<string[]> =>
  ((await admin('GET', `deliveries?webhook=${webhook}`)).body.data as { status: string }[]).map((delivery) => delivery.status);

/** Lets what is under way end; answers how many that were. */
async function receivedRest(slow: Receiver, release: (() => void)[]): Promise<number> {
  for (const answer of release.splice(0)) answer();
  await expect.poll(async () => ((await admin('GET', 'deliveries?status=pending')).body.data as unknown[]).length, soon).toBe(0);
  return slow.received.length - 5;
}

describe('the signing secret', () => {
  it('is shown when the webhook is made and when it is rotated, and both sign until the next rotation', async () => {
    const { id, secret } = await hookId({ name: 'signed', entity: 'book', url: good.url });
    for (const path of ['webhooks', `webhooks/${id}`, 'export', 'versions'])
      expect((await admin('GET', path)).text, path).not.toContain(secret.slice(6));
    await create('before');
    await good.waitFor(1);
    const rotated = (await admin('POST', `webhooks/${id}/secret`)).body.data.secret as string;
    expect(rotated).toMatch(/^whsec_/);
    await create('after');
    await good.waitFor(2);
    const verifies = (key: string, call: number): boolean => {
      const { body, headers } = good.received[call] ?? { body: '', headers: {} };
      try {
        new Webhook(key).verify(body, headers as Record<string, string>);
        return true;
      } catch {
        return false;
      }
    };
    expect([verifies(secret, 0), verifies(rotated, 0)]).toEqual([true, false]);
    expect([verifies(secret, 1), verifies(rotated, 1)]).toEqual([true, true]);
    const last = (await admin('POST', `webhooks/${id}/secret`)).body.data.secret as string;
    await create('and again');
    await good.waitFor(3);
    expect([verifies(secret, 2), verifies(rotated, 2), verifies(last, 2)]).toEqual([false, true, true]);
  });
});

describe('deliveries', () => {
  let id: string;
  const dead: string[] = [];

  it('are listed newest first, by filters, in pages and from a cursor on', async () => {
    ({ id } = await hookId({ name: 'moody', entity: 'page', url: moody.url, retry: { max_attempts: 1 } }));
    status = 503;
    for (let i = 0; i < 5; i++) await create(`page ${String(i)}`, 'page');
    await expect.poll(() => statusesOf(id), soon).toEqual(Array(5).fill('dead'));
    const all = (await admin('GET', `deliveries?webhook=${id}&status=dead`)).body;
    dead.push(...(all.data as { id: string }[]).map((delivery) => delivery.id));
    expect(all.meta).toMatchObject({ total: 5, page: 1 });
    expect([...dead].sort().reverse()).toEqual(dead);
    expect(all.data[0]).toMatchObject({
      status: 'dead',
      reason: 'The receiver answered 503. That was attempt 1 of 1.',
      attempts: [{ number: 1, status: 503, error: 'The receiver answered 503.' }],
    });
    const walked: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: Reply = await admin('GET', `deliveries?webhook=${id}&cursor=${cursor}&limit=2`);
      expect(page.status, page.text).toBe(200);
      walked.push(...(page.body.data as { id: string }[]).map((delivery) => delivery.id));
      cursor = page.body.page.next_cursor as string | null;
    }
    expect(walked).toEqual(dead);
    const { record_id, event_id } = all.data[2] as { record_id: string; event_id: string };
    for (const filter of [`record_id=${record_id}`, `event_id=${event_id}`])
      expect((await admin('GET', `deliveries?webhook=${id}&${filter}`)).body.data).toMatchObject([{ id: dead[2] }]);
    expect((await admin('GET', `deliveries?webhook=${id}&to=2020-01-01`)).body.data).toEqual([]);
    expect((await admin('GET', `deliveries?webhook=${id}&from=2020-01-01`)).body.data).toHaveLength(5);
  });

  it('are replayed one by one and all together, under their ids, once the receiver is well', async () => {
    status = 200;
    const before = moody.received.length;
    const one = await admin('POST', `deliveries/${dead[0] ?? ''}/replay`);
    expect(one.body.data, one.text).toMatchObject({ id: dead[0], status: 'pending', round: 1 });
    await moody.waitFor(before + 1);
    expect(moody.received.at(-1)?.headers['webhook-id']).toBe(dead[0]);
    const many = await admin('POST', 'deliveries/replay', { webhook: id, status: 'dead' });
    expect([many.status, many.body.data.state], many.text).toEqual([202, 'running']);
    await expect.poll(() => statusesOf(id), soon).toEqual(Array(5).fill('delivered'));
    expect(
      moody.received
        .slice(before)
        .map((call) => call.headers['webhook-id'])
        .sort(),
    ).toEqual([...dead].sort());
    const replays = (await admin('GET', 'deliveries/replays')).body.data;
    expect(replays[0]).toMatchObject({ id: many.body.data.id, state: 'done', replayed: 4 });
    const attempts = (await admin('GET', `deliveries/${dead[1] ?? ''}`)).body.data.attempts as { number: number }[];
    expect(attempts.map((attempt) => attempt.number)).toEqual([1, 2]);
  });

  it('are counted per endpoint, with what they took', async () => {
    const health = (await admin('GET', `webhooks/${id}/health`)).body.data;
    expect(health).toMatchObject({ webhook: id, state: 'closed', failures: 0, backlog: 0, last_24h: { delivered: 5, failed: 5 } });
    expect(health.last_24h.p95_ms).toBeGreaterThanOrEqual(health.last_24h.p50_ms);
  });

  it('of a test go the same way, and show a refusal', async () => {
    const sent = moody.received.length;
    const tested = (await admin('POST', `webhooks/${id}/test`)).body.data;
    expect(tested).toMatchObject({ status: 'delivered', attempts: [{ status: 200 }], body: { test: true } });
    expect(moody.received[sent]?.headers['webhook-signature']).toMatch(/^v1,/);
    const { id: elsewhere } = await hookId({ entity: 'page', url: 'http://127.0.0.1:22/', condition: 'false' });
    const refused = (await admin('POST', `webhooks/${elsewhere}/test`)).body.data;
    expect(refused).toMatchObject({ status: 'dead', attempts: [{ status: null }] });
    expect(refused.reason).toContain('WEBHOOK_PORTS');
  });

  it('to a receiver that answered 410 wait until the webhook is enabled again', async () => {
    status = 410;
    await create('gone', 'page');
    await expect.poll(async () => (await admin('GET', `webhooks/${id}/health`)).body.data.state, soon).toBe('disabled');
    status = 200;
    const before = moody.received.length;
    await create('waits', 'page');
    await expect.poll(async () => (await admin('GET', `webhooks/${id}/health`)).body.data.backlog, soon).toBe(1);
    expect((await admin('GET', `deliveries?webhook=${id}&status=pending`)).body.data).toMatchObject([
      { next_attempt_at: null, attempts: [] },
    ]);
    expect((await admin('POST', `webhooks/${id}/enable`)).body.data).toMatchObject({ state: 'closed', backlog: 1 });
    await moody.waitFor(before + 1);
  });

  it('to a webhook that somebody pauses wait, and go out when it is enabled', async () => {
    expect((await admin('POST', `webhooks/${id}/pause`)).body.data).toMatchObject({
      state: 'disabled',
      reason: expect.stringMatching(/^Paused by /),
    });
    const before = moody.received.length;
    await create('held back', 'page');
    const backlog = async (): Promise<unknown> =>
      ((await admin('GET', 'deliveries/health')).body.data as { webhook: string; backlog: number }[]).find(({ webhook }) => webhook === id)
        ?.backlog;
    await expect.poll(backlog, soon).toBe(1);
    expect(moody.received).toHaveLength(before);
    expect((await admin('POST', `webhooks/${id}/enable`)).body.data.state).toBe('closed');
    await moody.waitFor(before + 1);
  });

  it('of a replay that is stopped are again what they were, but for those under way', async () => {
    const release: (() => void)[] = [];
    let isWell = false;
    const slow = await receiver(() => (isWell ? new Promise((resolve) => release.push(() => resolve(200))) : 503));
    const made = await hookId({
      name: 'slow',
      entity: 'page',
      url: slow.url,
      concurrency: 1,
      break_after: 100,
      retry: { max_attempts: 1 },
    });
    for (let i = 0; i < 5; i++) await create(`slow ${String(i)}`, 'page');
    await expect.poll(() => statusesOf(made.id), soon).toEqual(Array(5).fill('dead'));
    isWell = true;
    const replay = (await admin('POST', 'deliveries/replay', { webhook: made.id })).body.data as { id: string };
    await slow.waitFor(6);
    const path = `deliveries/replays/${replay.id}`;
    await expect.poll(async () => (await admin('GET', path)).body.data, soon).toMatchObject({ state: 'done', replayed: 5, waiting: 5 });
    const stopped = await admin('POST', `${path}/stop`);
    expect([stopped.status, stopped.body.data.state], stopped.text).toEqual([200, 'stopped']);
    const last = await receivedRest(slow, release);
    expect((await statusesOf(made.id)).sort()).toEqual([...Array<string>(5 - last).fill('dead'), ...Array<string>(last).fill('delivered')]);
    const dead = (await admin('GET', `deliveries?webhook=${made.id}&status=dead`)).body.data as { reason: string; round: number }[];
    expect(dead.map(({ reason, round }) => [reason, round])).toEqual(Array(5 - last).fill(['Its replay was stopped.', 0]));
    expect((await admin('GET', path)).body.data).toMatchObject({ state: 'stopped', waiting: 0, delivered: last, dead: 5 - last });
    expect((await admin('POST', `${path}/stop`)).body.error.code).toBe('INVALID_STATE');
  });

  it.each([
    ['GET', 'deliveries?status=gone', 400, 'INVALID_VALUE'],
    ['GET', 'deliveries?status=constructor', 400, 'INVALID_VALUE'],
    ['GET', 'deliveries?from=yesterday', 400, 'INVALID_VALUE'],
    ['GET', 'deliveries?event_id=x', 400, 'INVALID_VALUE'],
    ['GET', 'deliveries?cursor=x', 400, 'INVALID_VALUE'],
    ['GET', 'deliveries?record_id=%00', 400, 'INVALID_VALUE'],
    ['GET', 'deliveries?cursor=&page=2', 400, 'UNKNOWN_PARAMETER'],
    ['GET', 'deliveries/nobody', 404, 'NOT_FOUND'],
    ['GET', 'webhooks/nobody/health', 404, 'NOT_FOUND'],
    ['POST', 'webhooks/nobody/enable', 404, 'NOT_FOUND'],
    ['POST', 'webhooks/nobody/test', 404, 'NOT_FOUND'],
    ['POST', 'webhooks/nobody/pause', 404, 'NOT_FOUND'],
    ['GET', 'deliveries/replays/nobody', 404, 'NOT_FOUND'],
    ['POST', 'deliveries/replays/nobody/stop', 404, 'NOT_FOUND'],
    ['DELETE', 'deliveries/replay', 405, 'METHOD_NOT_ALLOWED'],
  ])('%s %s is refused with %i %s', async (method, path, expected, code) => {
    const reply = await admin(method, path);
    expect([reply.status, reply.body.error.code], reply.text).toEqual([expected, code]);
  });

  it.each([
    [{ status: 'pending' }, 422, 'VALIDATION_FAILED'],
    [{ webhook: 'nobody' }, 404, 'NOT_FOUND'],
    [{ webhook: 7 }, 422, 'VALIDATION_FAILED'],
    [{ from: 'soon' }, 400, 'INVALID_VALUE'],
    [{ from: '2026-02-01', to: '2026-01-01' }, 422, 'VALIDATION_FAILED'],
    [{ since: '2026-02-01' }, 400, 'UNKNOWN_FIELD'],
  ])('a replay of %j is refused with %i %s', async (body, expected, code) => {
    const reply = await admin('POST', 'deliveries/replay', body);
    expect([reply.status, reply.body.error.code], reply.text).toEqual([expected, code]);
  });
});

describe('webhooks that are asked first', () => {
  it('may refuse a delete', async () => {
    const made = await create('kept', 'book');
    await hookId({ entity: 'book', hook: 'before_delete', url: asked.url });
    const path = `/api/main/book/${String(made.body.data.id)}`;
    const refused = await world.send('DELETE', path, { token });
    expect([refused.status, refused.body.error.code], refused.text).toEqual([422, 'WEBHOOK_REJECTED']);
    expect((await world.send('GET', path, { token })).status).toBe(200);
  });

  it('hold at most twenty requests of an app at once: the next is told to come back, and other routes answer', async () => {
    await hookId({ entity: 'book', hook: 'before_write', events: ['record.created'], url: asked.url });
    isHolding = true;
    const before = asked.received.length;
    const waiting = Array.from({ length: 20 }, (_, index) => create(`waits ${String(index)}`));
    await asked.waitFor(before + 20);
    const next = await create('one too many');
    expect([next.status, next.body.error.code], next.text).toEqual([502, 'WEBHOOK_UNAVAILABLE']);
    expect(next.headers.get('retry-after')).toBe('2');
    expect((await create('no webhook', 'page')).status).toBe(201);
    isHolding = false;
    for (const release of held.splice(0)) release();
    expect((await Promise.all(waiting)).map((reply) => reply.status)).toEqual(Array(20).fill(201));
    expect((await create('room again')).status).toBe(201);
  });
});
