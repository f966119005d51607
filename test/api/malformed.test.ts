/** What is no request, or none that is read: answered like everything else, and the answer arrives. */
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerMalformed } from '../../api/malformed.ts';
import { freshDatabase } from '../support/database.ts';
import { httpWorld, type HttpWorld } from '../support/http-world.ts';

let world: HttpWorld;
beforeAll(async () => {
  world = await httpWorld(await freshDatabase());
});
afterAll(() => world.close());

interface Answered {
  readonly status: number;
  readonly text: string;
}

function ask(method: string, path: string, headers: http.OutgoingHttpHeaders, body?: Buffer): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const request = http.request(`${world.url}${path}`, { method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    request.once('error', reject).end(body);
  });
}

/** Everything that the server sends until it closes. */
function answerTo(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = net.connect(port, '127.0.0.1', () => socket.write(bytes, 'latin1'));
    socket.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
      socket.end();
    });
    socket.once('error', reject).once('close', () => resolve(text));
  });
}

const portOf = (url: string): number => Number(new URL(url).port);

describe('a request that cannot be read', () => {
  it('with overlong headers is answered 431, though its client is still sending', async () => {
    const body = Buffer.alloc(2 * 1024 * 1024, 0x20);
    for (let round = 0; round < 20; round++) {
      const { status, text } = await ask(
        'POST',
        '/api/desk/ticket',
        { 'x-long': 'x'.repeat(33 * 1024), 'content-length': body.length },
        body,
      );
      expect(status).toBe(431);
      expect(JSON.parse(text)).toMatchObject({ error: { code: 'HEADERS_TOO_LARGE', request_id: expect.stringMatching(/\w/) as string } });
    }
  });

  it('has no body in the answer to HEAD', async () => {
    expect(await ask('HEAD', '/api/desk/ticket', { 'x-long': 'x'.repeat(33 * 1024) })).toEqual({ status: 431, text: '' });
  });

  it.each(['GET\r\n\r\n', 'GET /api/de\0sk HTTP/1.1\r\nHost: x\r\n\r\n', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'])(
    '%j is answered 400, and the connection ends',
    async (bytes) => {
      const [head, body] = (await answerTo(portOf(world.url), bytes)).split('\r\n\r\n');
      expect(head).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
      expect(head).toMatch(/\r\nConnection: close\r\n/);
      expect(head).toMatch(/\r\nX-Content-Type-Options: nosniff\r\n/);
      expect(JSON.parse(body ?? '')).toMatchObject({ error: { code: 'INVALID_PAYLOAD' } });
    },
  );

  it('is counted', async () => {
    await answerTo(portOf(world.url), 'GET\r\n\r\n');
    const metrics = await (await fetch(`${world.url}/metrics`)).text();
    expect(metrics).toMatch(/durabase_http_request\w*\{[^}]*route="malformed"[^}]*\} \d/);
  });

  it('that never comes to the end of its headers is answered 408', async () => {
    const server = http.createServer({ headersTimeout: 30, requestTimeout: 60, connectionsCheckingInterval: 10 });
    answerMalformed(server, {
      envelope: ({ code }) => JSON.stringify({ error: { code } }),
      newRequestId: () => 'one',
      common: {},
      onAnswered: () => undefined,
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const text = await answerTo((server.address() as AddressInfo).port, 'GET / HTTP/1.1\r\nHost: x\r\n');
      expect(text).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n[^]*"REQUEST_TIMEOUT"/);
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });
});
