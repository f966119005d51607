import { beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type Reply, type World } from './world.ts';

let world: World;
let token: string;
beforeAll(async () => {
  world = await startWorld();
  token = await world.platformToken();
  expect((await send('POST', '_platform/apps', { name: 'shop' })).status).toBe(201);
  const document = {
    version: 1,
    entities: [
      { name: 'order', fields: [{ name: 'title', type: 'string' }] },
      { name: 'line', fields: [{ name: 'text', type: 'string' }] },
    ],
    relations: [{ name: 'lines', type: 'one_to_many', source: 'order', target: 'line', on_delete: 'cascade' }],
  };
  expect((await send('POST', 'shop/_admin/versions', document)).status).toBe(201);
});

const send = (method: string, path: string, body?: unknown): Promise<Reply> =>
  world.send(method, `/api/${path}`, { token, ...(body === undefined ? {} : { body }) });
const hold = (maintenance: unknown): Promise<Reply> => send('PUT', '_platform/apps/shop', { maintenance });

describe('maintenance', () => {
  let order: string;

  it('of an entity holds back what writes it, alone, nested, in bulk or by a cascade', async () => {
    order = (await send('POST', 'shop/order', { title: 'a', lines: [{ text: 'x' }] })).body.data.id as string;
    const held = await hold(['line']);
    expect([held.status, held.body.data.maintenance], held.text).toEqual([200, ['line']]);
    const refused = await send('POST', 'shop/line', { text: 'y' });
    expect([refused.status, refused.body.error.code, refused.headers.get('retry-after')]).toEqual([503, 'MAINTENANCE', '60']);
    const writes: [string, string, unknown][] = [
      ['POST', 'shop/order', { title: 'b', lines: [{ text: 'z' }] }],
      ['DELETE', `shop/order/${order}`, undefined],
      ['POST', 'shop/line/_bulk', { create: [{ text: 'q' }] }],
      ['POST', 'shop/_batch', { operations: [{ op: 'create', entity: 'line', body: { text: 'q' } }] }],
    ];
    for (const [method, path, body] of writes) {
      const reply = await send(method, path, body);
      expect([reply.status, reply.text.includes('MAINTENANCE')], `${method} ${path}: ${reply.text}`).toEqual([503, true]);
    }
    expect((await send('GET', 'shop/line')).body.data).toHaveLength(1);
    expect((await send('POST', 'shop/order', { title: 'b' })).status).toBe(201);
  });

  it('of an app holds back all of it, and ends', async () => {
    expect((await hold(true)).body.data.maintenance).toBe(true);
    expect((await send('POST', 'shop/order', { title: 'c' })).status).toBe(503);
    expect((await send('GET', `shop/order/${order}`)).status).toBe(200);
    expect((await hold(false)).body.data.maintenance).toBe(false);
    expect((await send('POST', 'shop/order', { title: 'c' })).status).toBe(201);
    expect((await send('DELETE', `shop/order/${order}`)).status).toBeLessThan(300);
  });

  it('says what it does not know', async () => {
    for (const wrong of ['yes', ['nothing'], [1]]) {
      const reply = await hold(wrong);
      expect([reply.status, reply.body.error.details[0].field]).toEqual([422, 'maintenance']);
    }
  });
});
