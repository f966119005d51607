import express from 'express';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createServer } from '../../api/server.ts';

const app = express();
app.use((request, response) => void response.end(`express ${request.url}`));
app.use(((_error, _request, response, _next) => void response.status(500).end('express failed')) as express.ErrorRequestHandler);
let server: Server;
let base = '';

beforeAll(async () => {
  server = createServer(app, (request, response, next) => {
    if (request.url.startsWith('/api')) response.end(`first ${request.url} from ${request.ip}`);
    else next();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

const text = async (path: string): Promise<string> => (await fetch(base + path)).text();

describe('the handler in front of Express', () => {
  it("answers what is its own, on Express's request", async () => {
    expect(await text('/api/x')).toBe('first /api/x from 127.0.0.1');
  });

  it('hands everything else on to Express', async () => {
    expect(await text('/admin')).toBe('express /admin');
  });
});
