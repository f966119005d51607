/** What reaches the Temporal Web UI through /temporal, and what comes back: here a server that tells what it was sent stands in its place. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type Reply, type World } from './world.ts';

const PAGE = '<!doctype html><script>const base = "/temporal";</script><script src="/temporal/_app/a.js"></script>';
const received: http.IncomingMessage[] = [];
const recorder = http.createServer((request, response) => {
  received.push(request);
  if (request.url?.startsWith('/temporal/render') === true) response.setHeader('Content-Security-Policy', "default-src 'none'; sandbox");
  response.setHeader('Set-Cookie', ['_csrf=abc; Path=/; SameSite=Strict', 'other=1; Path=/temporal/x']);
  response.setHeader('X-Frame-Options', 'SAMEORIGIN');
  response.setHeader(
    'Content-Type',
    request.headers.accept?.includes('text/html') === true ? 'text/html; charset=utf-8' : 'application/json',
  );
  response.end(request.headers.accept?.includes('text/html') === true ? PAGE : '{"namespaces":[]}');
});

let world: World;
let token: string;
let cookie: string;

const cookieOf = (reply: Reply): string => reply.headers.getSetCookie()[0] ?? '';
const enter = (as: string): Promise<Reply> => world.send('POST', '/temporal/_session', { token: as });

beforeAll(async () => {
  await new Promise<void>((resolve) => recorder.listen(0, '127.0.0.1', resolve));
  const { port } = recorder.address() as AddressInfo;
  world = await startWorld({ TEMPORAL_UI_UPSTREAM: `http://127.0.0.1:${String(port)}` });
  token = await world.platformToken();
  expect((await world.send('POST', '/api/_platform/apps', { token, body: { name: 'main' } })).status).toBe(201);
  cookie = cookieOf(await enter(token)).split(';')[0] ?? '';
});
afterAll(() => void recorder.close());

describe('the Temporal Web UI under our origin', () => {
  it('opens with the session of a platform account, in a cookie that no script and no other site can use', async () => {
    const reply = await enter(token);
    expect(reply.status).toBe(204);
    expect(cookieOf(reply)).toMatch(/^durabase_temporal=[^;]+; Path=\/temporal; Max-Age=900; HttpOnly; SameSite=Strict$/);
  });

  it('is for nobody else', async () => {
    const admin = await world.login('main');
    const key = await world.send('POST', '/api/_platform/auth/api-keys', { token, body: { name: 'all', scopes: ['*:*'] } });
    expect(key.status).toBe(201);
    for (const other of [admin, String(key.body.data.key), 'nonsense']) {
      const refused = await enter(other);
      expect([refused.status, refused.body.error.code]).toEqual([401, 'UNAUTHORIZED']);
    }
    expect((await world.send('POST', '/temporal/_session')).status).toBe(401);
    const asApp = { Cookie: `durabase_temporal=${admin}` };
    expect((await world.send('GET', '/temporal/api/v1/namespaces', { headers: asApp })).status).toBe(401);
    expect((await world.send('GET', '/temporal/api/v1/namespaces', { token })).status).toBe(401);
    expect(received).toHaveLength(0);
  });

  it('leads a person to the back office and back, and tells a program', async () => {
    const person = await world.send('GET', '/temporal/namespaces/default?a=1', { headers: { Accept: 'text/html' } });
    expect(person.status).toBe(302);
    expect(person.headers.get('location')).toBe('/admin/platform/temporal?to=%2Ftemporal%2Fnamespaces%2Fdefault%3Fa%3D1');
    expect((await world.send('GET', '/temporal/api/v1/namespaces')).body.error.code).toBe('UNAUTHORIZED');
  });

  it('is told neither who asks nor our cookies, and keeps its own to its path', async () => {
    const headers = { Cookie: `a=1; ${cookie}; durabase_refresh=secret`, 'X-CSRF-Token': 'abc' };
    const reply = await world.send('POST', '/temporal/api/v1/namespaces?next=2', { token, body: { a: 1 }, headers });
    expect([reply.status, reply.body]).toEqual([200, { namespaces: [] }]);
    const sent = received.at(-1);
    expect([sent?.method, sent?.url, sent?.headers.cookie]).toEqual(['POST', '/temporal/api/v1/namespaces?next=2', 'a=1']);
    expect([sent?.headers.authorization, sent?.headers['x-csrf-token']]).toEqual([undefined, 'abc']);
    expect(reply.headers.getSetCookie()).toEqual(['_csrf=abc; Path=/temporal; SameSite=Strict', 'other=1; Path=/temporal/x']);
  });

  it('may run its own scripts only, which may speak to nothing but itself', async () => {
    const page = await world.send('GET', '/temporal/', { headers: { Cookie: cookie, Accept: 'text/html' } });
    expect(page.text).toBe(PAGE);
    const policy = page.headers.get('content-security-policy') ?? '';
    const here = `${new URL(world.url).host}/temporal/`;
    expect(policy).toContain(`connect-src ${here};`);
    expect(policy).toMatch(new RegExp(`script-src ${here} 'sha256-[A-Za-z0-9+/=]{44}';`));
    expect(policy).not.toMatch(/script-src[^;]*unsafe/);
    const rendered = await world.send('GET', '/temporal/render?x=1', { headers: { Cookie: cookie, Accept: 'text/html' } });
    expect(rendered.headers.get('content-security-policy')).toBe("default-src 'none'; sandbox");
  });

  it('ends with the session', async () => {
    const own = await world.platformToken();
    const given = cookieOf(await enter(own)).split(';')[0] ?? '';
    const look = (): Promise<Reply> => world.send('GET', '/temporal/api/v1/namespaces', { headers: { Cookie: given } });
    expect((await look()).status).toBe(200);
    expect((await world.send('DELETE', '/api/_platform/auth/sessions?all=true', { token: own })).status).toBe(200);
    expect((await look()).status).toBe(401);
  });

  it('says so when it does not answer, and is nowhere where none is set', async () => {
    await new Promise((resolve) => (recorder.close(resolve), recorder.closeAllConnections()));
    const fresh = cookieOf(await enter(await world.platformToken())).split(';')[0] ?? '';
    const reply = await world.send('GET', '/temporal/api/v1/namespaces', { headers: { Cookie: fresh } });
    expect([reply.status, reply.body.error.code]).toEqual([503, 'UNAVAILABLE']);
    const without = await startWorld();
    expect((await without.send('POST', '/temporal/_session', { token: await without.platformToken() })).status).toBe(404);
  });
});
