import { beforeAll, describe, expect, it, vi } from 'vitest';
import { freePort } from '../../infra/local/system.ts';
import { buildAll, launchVerb, type Launched } from '../support/process.ts';
import { startWorld, type Reply, type World } from './world.ts';

let world: World;
let token: string;
beforeAll(async () => {
  world = await startWorld();
  token = await world.platformToken();
  expect((await world.send('POST', '/api/_platform/apps', { token, body: { name: 'main' } })).status).toBe(201);
  const fields = [
    { name: 'title', type: 'string', required: true, min_length: 2 },
    { name: 'isbn', type: 'string', unique: true },
  ];
  const made = await world.send('POST', '/api/main/_admin/entities', { token, body: { name: 'book', soft_delete: true, fields } });
  expect(made.status, made.text).toBe(201);
});

const post = (target: string, body?: unknown, headers: Record<string, string> = {}): Promise<Reply> =>
  world.send('POST', `/api/main/${target}`, { token, headers, ...(body === undefined ? {} : { body }) });

describe('writes over HTTP', () => {
  it('answers a result per row of a bulk, also of one that is not atomic', async () => {
    const whole = await post('book/_bulk', {
      create: [{ title: 'One' }, { title: 'Two' }],
      upsert: { on: 'isbn', rows: [{ isbn: '1', title: 'Three' }] },
    });
    expect([whole.status, whole.body.meta.created]).toEqual([200, 3]);
    expect(whole.body.data[0]).toMatchObject({ op: 'create', index: 0, status: 201, version: '1', data: { title: 'One' } });
    const refused = await post('book/_bulk', { create: [{ title: 'Four' }, { title: 'x' }] });
    expect([refused.status, refused.body.errors[0].field]).toEqual([422, 'create[1].title']);
    const rows = await post('book/_bulk?atomic=false', { create: [{ title: 'Four' }, { title: 'x' }] });
    expect(rows.body.data.map((row: { status: number }) => row.status)).toEqual([201, 422]);
    expect(rows.body.data[1].error.details[0].path).toBe('create[1].title');
  });

  it('writes a batch with references, and says what was skipped', async () => {
    const operations = [
      { op: 'create', entity: 'book', ref: 'first', body: { title: 'x' } },
      { op: 'create', entity: 'book', body: { title: { $ref: 'first.title' } } },
    ];
    const reply = await post('_batch?atomic=false', { operations });
    expect(reply.body.data.map((row: { status: number }) => row.status)).toEqual([422, 424]);
    expect(reply.body.meta).toMatchObject({ failed: 1, skipped: 1 });
  });

  it.each([
    ['book/_bulk?atomic=maybe', {}, 400, 'INVALID_VALUE'],
    ['book/_bulk?page=1', {}, 400, 'UNKNOWN_PARAMETER'],
    ['nothing/_bulk', {}, 404, 'UNKNOWN_ENTITY'],
    ['_batch/more', {}, 404, 'NOT_FOUND'],
    ['_batch', [], 400, 'INVALID_PAYLOAD'],
    ['book/x/_restore', undefined, 404, 'NOT_FOUND'],
    ['book/x/_restore', { a: 1 }, 400, 'UNKNOWN_FIELD'],
  ])('POST %s with %j is %i', async (target, body, status, code) => {
    const reply = await post(target, body);
    expect([reply.status, reply.body.error.code]).toEqual([status, code]);
  });

  it('restores what was deleted, under the versions it accepts', async () => {
    const { body } = await post('book', { title: 'Gone' });
    const id = String(body.data.id);
    expect((await world.send('DELETE', `/api/main/book/${id}`, { token })).body).toEqual({ data: { id } });
    expect((await post(`book/${id}/_restore`, undefined, { 'If-Match': '"1"' })).status).toBe(412);
    const restored = await post(`book/${id}/_restore`, undefined, { 'If-Match': 'W/"2", "9"' });
    expect([restored.status, restored.headers.get('etag'), restored.body.data.title]).toEqual([200, '"3"', 'Gone']);
    expect((await post(`book/${id}/_restore`)).body.error.code).toBe('INVALID_STATE');
    for (const tags of ['"x"', '', '"3x"', '"2", "4"'])
      expect(
        (await world.send('PATCH', `/api/main/book/${id}`, { token, body: { title: 'No' }, headers: { 'If-Match': tags } })).status,
      ).toBe(412);
  });

  it('answers a repeated key byte by byte, and says so', async () => {
    const headers = { 'Idempotency-Key': 'k-1' };
    const first = await post('book', { title: 'Once' }, headers);
    const second = await post('book', { title: 'Once' }, headers);
    expect([second.status, second.text, second.headers.get('etag')]).toEqual([201, first.text, first.headers.get('etag')]);
    expect([first.headers.get('idempotent-replayed'), second.headers.get('idempotent-replayed')]).toEqual([null, 'true']);
    expect((await post('book', { title: 'Other' }, headers)).body.error.code).toBe('IDEMPOTENCY_MISMATCH');
    expect((await post('book/_bulk', { create: [{ title: 'Once' }] }, headers)).body.error.code).toBe('IDEMPOTENCY_MISMATCH');
    expect((await post('book', { title: 'Once' }, { 'Idempotency-Key': 'a b' })).body.error.code).toBe('INVALID_VALUE');
  });
});

/** An api on the same database that dies at the named place. */
async function doomedApi(crashAt: string): Promise<{ readonly url: string; readonly api: Launched }> {
  await buildAll();
  const port = await freePort();
  const { config } = world;
  const api = launchVerb('api', {
    PORT: String(port),
    DATA_DIR: config.dataDir,
    DATABASE_URL: world.databaseUrl,
    TEMPORAL_ADDRESS: config.temporal.address,
    TEMPORAL_NAMESPACE: config.temporal.namespace,
    SECRET_KEY: config.secretKey,
    LOG_LEVEL: 'error',
    DURABASE_TEST: '1',
    CRASH_AT: crashAt,
  });
  const url = `http://127.0.0.1:${String(port)}`;
  await vi.waitUntil(async () => (await fetch(`${url}/health/live`).catch(() => undefined))?.status === 200, {
    timeout: 30_000,
    interval: 100,
  });
  return { url, api };
}

describe.each([
  ['write.answer_kept', 'neither the record nor the answer', null],
  ['write.committed', 'both, so that the repeat gets the answer of the first', 'true'],
])('an api killed at %s', (place, what, replayed) => {
  it(`leaves ${what}`, async () => {
    const { url, api } = await doomedApi(place);
    const request = { method: 'POST', body: JSON.stringify({ title: place }) };
    const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', 'Idempotency-Key': place };
    await expect(fetch(`${url}/api/main/book`, { ...request, headers })).rejects.toThrow();
    // No code: a signal ended it.
    expect((await api.ended).code, api.output()).toBeNull();
    const repeated = await post('book', { title: place }, { 'Idempotency-Key': place });
    expect([repeated.status, repeated.headers.get('idempotent-replayed')]).toEqual([201, replayed]);
    const found = await world.send('GET', `/api/main/book?filter[title]=${place}`, { token });
    expect(found.body.meta.total).toBe(1);
  }, 60_000);
});
