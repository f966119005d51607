import express from 'express';
import http from 'node:http';
import net from 'node:net';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { createServer, expressConstructors } from '../../api/server.ts';
import { startWorld, type World } from './world.ts';

let world: World;
let token: string;
beforeAll(async () => {
  world = await startWorld({ CORS_ORIGINS: 'https://shop.example' });
  token = await world.platformToken();
  expect((await world.send('POST', '/api/_platform/apps', { token, body: { name: 'main' } })).status).toBe(201);
});

describe('every answer', () => {
  it.each(['/health/live', '/api/_platform/apps', '/api/nobody/x', '/admin/', '/nowhere'])(
    'of %s has security headers and a request id',
    async (path) => {
      const reply = await world.send('GET', path);
      expect(reply.headers.get('x-content-type-options')).toBe('nosniff');
      expect(reply.headers.get('x-frame-options')).toBe('DENY');
      expect(reply.headers.get('referrer-policy')).toBe('no-referrer');
      expect(reply.headers.get('content-security-policy')).toBeTruthy();
      expect(reply.headers.get('x-powered-by')).toBeNull();
      expect(reply.headers.get('x-request-id')).toMatch(/^[\w.:-]+$/);
    },
  );

  it("carries the caller's X-Request-Id, unless it is not a harmless one", async () => {
    const given = await world.send('GET', '/api/nobody/x', { headers: { 'X-Request-Id': 'abc-1' } });
    expect(given.headers.get('x-request-id')).toBe('abc-1');
    expect(given.body.error.request_id).toBe('abc-1');
    const odd = await world.send('GET', '/api/nobody/x', { headers: { 'X-Request-Id': '<script>' } });
    expect(odd.headers.get('x-request-id')).not.toContain('script');
  });

  it('to HEAD has the headers of GET and no body', async () => {
    const reply = await world.send('HEAD', '/api/_platform/apps', { token });
    expect(reply.status).toBe(200);
    expect(reply.text).toBe('');
    expect(Number(reply.headers.get('content-length'))).toBeGreaterThan(10);
  });
});

describe('what nothing answers', () => {
  it.each([
    ['GET', '/api', 'NOT_FOUND'],
    ['GET', '/api/', 'NOT_FOUND'],
    ['GET', '/nowhere', 'NOT_FOUND'],
    ['DELETE', '/api/_platform/nothing', 'NOT_FOUND'],
    ['GET', '/api/nobody/book', 'APP_NOT_FOUND'],
    ['GET', '/api/nobody', 'UNKNOWN_ENTITY'],
    ['GET', '/api/main/_nothing', 'NOT_FOUND'],
    ['GET', '/api/main/nothing', 'UNKNOWN_ENTITY'],
    ['PUT', '/api/_platform/apps', 'NOT_FOUND'],
    ['GET', '/api/temporal/x', 'NOT_FOUND'],
    ['GET', '/api/main/_admin/nothing', 'NOT_FOUND'],
    ['GET', '/api/%ff', 'INVALID_PAYLOAD'],
    ['GET', '/api/main/a%00b', 'INVALID_PAYLOAD'],
  ])('%s %s is %s in the envelope', async (method, path, code) => {
    const reply = await world.send(method, path, { token });
    expect(reply.body.error, reply.text).toMatchObject({ code, details: [] });
    expect(reply.body.error.message).toBeTruthy();
  });
});

describe('request bodies', () => {
  const post = (body: string, type = 'application/json') =>
    world.send('POST', '/api/_platform/apps', { token, body, headers: { 'Content-Type': type } });

  it.each([
    ['malformed JSON', '{"name": ', 400, 'INVALID_PAYLOAD'],
    ['an array', '[]', 400, 'INVALID_PAYLOAD'],
    ['a text', '"x"', 400, 'INVALID_PAYLOAD'],
    ['nothing', '', 400, 'INVALID_PAYLOAD'],
    ['__proto__', '{"__proto__": {"isAdmin": true}}', 400, 'INVALID_PAYLOAD'],
    ['a nested constructor', '{"a": [{"constructor": 1}]}', 400, 'INVALID_PAYLOAD'],
    ['33 levels', '['.repeat(33) + ']'.repeat(33), 400, 'INVALID_PAYLOAD'],
    ['200,000 levels', '['.repeat(200_000) + ']'.repeat(200_000), 400, 'INVALID_PAYLOAD'],
    ['more than 1 MB', JSON.stringify({ name: 'a'.repeat(1_100_000) }), 413, 'TOO_LARGE'],
  ])('%s is refused', async (_name, body, status, code) => {
    const reply = await post(body);
    expect(reply.status, reply.text).toBe(status);
    expect(reply.body.error.code).toBe(code);
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'text/yaml', 'multipart/form-data; boundary=x'])(
    'of type %s are 415',
    async (type) => {
      const reply = await post('{"name": "x9"}', type);
      expect(reply.status).toBe(415);
      expect(reply.body.error.code).toBe('UNSUPPORTED_MEDIA');
    },
  );

  it('that are too large without saying so are cut off too', async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const request = http.request(`${world.url}/api/_platform/apps`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      });
      request.on('response', (response) => resolve(response.statusCode));
      request.on('error', reject);
      for (let i = 0; i < 20; i++) request.write('x'.repeat(100_000));
      request.end();
    });
    expect(status).toBe(413);
  });
});

describe('calls from browsers', () => {
  it('are allowed for named origins only, with credentials', async () => {
    const allowed = await world.send('GET', '/api/_platform/apps', { token, headers: { Origin: 'https://shop.example' } });
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://shop.example');
    expect(allowed.headers.get('access-control-allow-credentials')).toBe('true');
    const other = await world.send('GET', '/api/_platform/apps', { token, headers: { Origin: 'https://evil.example' } });
    expect(other.headers.get('access-control-allow-origin')).toBeNull();
    expect(other.headers.get('vary')).toBe('Origin');
  });

  it('ask before they call', async () => {
    const reply = await world.send('OPTIONS', '/api/main/book', {
      headers: { Origin: 'https://shop.example', 'Access-Control-Request-Method': 'PUT' },
    });
    expect(reply.status).toBe(204);
    expect(reply.headers.get('access-control-allow-methods')).toContain('PUT');
    expect(reply.headers.get('access-control-allow-headers')).toContain('If-Match');
  });
});

describe('paths', () => {
  it('without an app mean the default one, or the one of X-Tenant-Id', async () => {
    await world.send('POST', '/api/_platform/apps', { token, body: { name: 'second' } });
    const body = { email: 'admin@localhost', password: 'changeme' };
    const main = (await world.send('POST', '/api/auth/login', { body })).body.data.access_token as string;
    expect((await world.send('GET', '/api/main/auth/me', { token: main })).status).toBe(200);
    const headers = { 'X-Tenant-Id': 'second' };
    const second = (await world.send('POST', '/api/auth/login', { body, headers })).body.data.access_token as string;
    expect((await world.send('GET', '/api/second/_admin/users', { token: second })).status).toBe(200);
    expect((await world.send('GET', '/api/_admin/users', { token: second })).status).toBe(401);
    expect((await world.send('GET', '/api/_admin/users', { token: second, headers })).status).toBe(200);
    expect((await world.send('GET', '/api/_admin/users', { token, headers: { 'X-Tenant-Id': 'nobody' } })).body.error.code).toBe(
      'APP_NOT_FOUND',
    );
  });

  it('of the founding documents lead to the same routes', async () => {
    expect((await world.send('GET', '/api/projects', { token })).body.meta.total).toBeGreaterThan(0);
    expect((await world.send('GET', '/api/projects/main/_admin/users', { token })).status).toBe(200);
    expect((await world.send('GET', '/api/platform/tenants/main', { token })).body.data.name).toBe('main');
  });
});

describe('health', () => {
  it('says what each dependency does', async () => {
    expect((await world.send('GET', '/health/live')).body).toEqual({ status: 'ok' });
    // Temporal counts as degraded until the first contact with it.
    const ready = await vi.waitUntil(
      async () => {
        const reply = await world.send('GET', '/health/ready');
        return reply.body.status === 'ok' ? reply : undefined;
      },
      { timeout: 10_000, interval: 20 },
    );
    expect(ready.status).toBe(200);
    expect(ready.body).toEqual({ status: 'ok', dependencies: { postgres: 'ok', registry: 'ok', temporal: 'ok' } });
    const metrics = await world.send('GET', '/metrics');
    expect(metrics.headers.get('content-type')).toContain('text/plain');
    expect(metrics.text).toMatch(/durabase_http_requests_total\{[^}]*route="\/api\/_platform\/apps"/);
  });
});

describe('the server', () => {
  it('makes requests and responses with the prototypes of Express from the start', async () => {
    const app = express();
    const made = expressConstructors(app);
    expect(made).toBeDefined();
    app.get('/x', (request, response) => {
      expect(Object.getPrototypeOf(request)).toBe(app.request);
      expect(Object.getPrototypeOf(response)).toBe(app.response);
      response.json({ path: request.path, query: request.query });
    });
    const server = createServer(app).listen(0);
    const { port } = server.address() as net.AddressInfo;
    const reply = await fetch(`http://127.0.0.1:${port}/x?a=1`);
    expect(await reply.json()).toEqual({ path: '/x', query: { a: '1' } });
    server.close();
  });

  it('falls back to a plain server where Node does not allow that', () => {
    const app = express();
    const broken = new Proxy(app, { get: (target, key) => (key === 'request' ? Object.create(null) : Reflect.get(target, key)) });
    expect(expressConstructors(broken)).toBeUndefined();
  });

  it('survives a client that sends garbage', async () => {
    const { port } = new URL(world.url);
    const answer = await new Promise<string>((resolve) => {
      const socket = net.connect(Number(port), '127.0.0.1', () => socket.write('NOT HTTP\r\n\r\n'));
      let text = '';
      socket.on('data', (chunk) => (text += chunk.toString()));
      socket.on('close', () => resolve(text));
    });
    expect(answer).toContain('400');
    expect((await world.send('GET', '/health/live')).status).toBe(200);
  });
});
