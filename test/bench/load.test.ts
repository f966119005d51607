import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isWrkThere, runLoad, writeRequests } from '../../bench/harness/load.ts';

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'bench-load-'));
const seen: string[] = [];
const server = http.createServer((request, response) => {
  let body = '';
  request.on('data', (chunk: Buffer) => (body += chunk.toString()));
  request.on('end', () => {
    seen.push(`${request.method} ${request.url} ${body}`);
    const status = request.url === '/refused' ? 422 : request.url === '/broken' ? 500 : 200;
    response.writeHead(status, { 'content-length': '2' }).end('ok');
  });
});
let port = 0;

const request = (line: string, body = ''): Buffer =>
  Buffer.from(`${line} HTTP/1.1\r\nHost: x\r\n${body === '' ? '' : `content-length: ${Buffer.byteLength(body)}\r\n`}\r\n${body}`);

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
  fs.rmSync(dir, { recursive: true });
});

const generators: readonly (readonly [string, string])[] = [
  ['our own generator', '/nonexistent/wrk'],
  ...(isWrkThere('wrk') ? [['wrk', 'wrk'] as const] : []),
];

describe.each(generators)('%s', (name, program) => {
  const run = async (requests: readonly Buffer[], alsoRight?: number) => {
    const load = { port, connections: 2, seconds: 1, file: writeRequests(path.join(dir, name.replaceAll(' ', '-')), requests) };
    return runLoad(program, { ...load, ...(alsoRight === undefined ? {} : { alsoRight }) });
  };

  it('sends every request with its body, in turn', async () => {
    seen.length = 0;
    const result = await run([request('GET /one'), request('POST /two', '{"text":"größer"}')]);
    expect(result).toMatchObject({ badStatus: 0, socketErrors: 0 });
    expect(result.requests).toBeGreaterThan(10);
    expect(result.p99Ms).toBeGreaterThanOrEqual(result.p50Ms);
    expect(new Set(seen)).toEqual(new Set(['GET /one ', 'POST /two {"text":"größer"}']));
  });

  it('counts what was answered wrongly, and only that', async () => {
    const requests = [request('GET /refused'), request('GET /one')];
    expect((await run(requests)).badStatus).toBeGreaterThan(0);
    expect((await run(requests, 422)).badStatus).toBe(0);
    expect((await run([request('GET /broken')], 422)).badStatus).toBeGreaterThan(0);
  });
});
