import { beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type Reply, type World } from './world.ts';

let world: World;
let platform: string;
beforeAll(async () => {
  world = await startWorld({ TRUST_PROXY: 'loopback' });
  platform = await world.platformToken();
  for (const name of ['main', 'free'])
    expect((await world.send('POST', '/api/_platform/apps', { token: platform, body: { name } })).status).toBe(201);
});

const limit = async (rates: unknown): Promise<Reply> =>
  world.send('POST', '/api/main/_admin/import?mode=merge', {
    token: platform,
    body: { version: 1, settings: { limits: { requests_per_minute: rates } } },
  });

describe('requests per minute', () => {
  it('are not counted where no limit is set', async () => {
    const reply = await world.send('GET', '/api/free/_discovery', { token: platform });
    expect(reply.status).toBe(200);
    expect(reply.headers.get('ratelimit-limit')).toBeNull();
  });

  it('of a user end in 429 with the headers that say when to come back; others go on', async () => {
    const token = await world.login('main');
    expect((await limit({ user: 5, app: 1_000 })).status).toBe(200);
    const replies = [];
    for (let i = 0; i < 7; i++) replies.push(await world.send('GET', '/api/main/_discovery', { token }));
    expect(replies.map((reply) => reply.status)).toEqual([200, 200, 200, 200, 200, 429, 429]);
    expect(replies.map((reply) => reply.headers.get('ratelimit-remaining'))).toEqual(['4', '3', '2', '1', '0', '0', '0']);
    const last = replies.at(-1);
    expect(last?.body.error.code).toBe('RATE_LIMITED');
    expect(last?.headers.get('ratelimit-policy')).toBe('5;w=60');
    expect(Number(last?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await world.send('GET', '/api/main/_discovery', { token: platform })).status).toBe(200);
  });

  it.each([[{ user: 0 }], [{ user: 1.5 }], [{ nobody: 5 }], [7]])('are refused as %j', async (rates) => {
    expect((await limit(rates)).status).toBe(422);
  });
});

describe('the address behind a proxy', () => {
  it('is what a trusted proxy says', async () => {
    const from = (address: string): Promise<Reply> =>
      world.send('POST', '/api/free/auth/login', {
        body: { email: 'admin@localhost', password: 'wrong' },
        headers: { 'X-Forwarded-For': address },
      });
    for (let i = 0; i < 5; i++) await from(`2001:db8::${i}`);
    expect((await from('2001:db8::9')).status).toBe(429);
    expect((await from('2001:db8:0:1::9')).status).toBe(401);
    expect((await from('192.0.2.1')).status).toBe(401);
  });
});
