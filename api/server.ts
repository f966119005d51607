/**
 * The HTTP server below Express. Express gives every request and response its own prototypes, which throws V8 off its fast
 * paths; made with those prototypes from the start, the call changes nothing and two thirds of Express's price are gone.
 * It rests on Node's constructors being callable as functions, so it is tried first and given up where that fails.
 */
import type { Express } from 'express';
import http from 'node:http';
import net from 'node:net';

type Constructor = new (...args: never[]) => object;

/** Constructors that make Express's requests and responses, or undefined where Node does not allow it. */
export function expressConstructors(app: Express): { IncomingMessage: typeof http.IncomingMessage; ServerResponse: typeof http.ServerResponse } | undefined {
  const derive = (base: Constructor, prototype: object): Constructor => {
    const made = function (this: object, ...args: unknown[]): void {
      (base as unknown as (...given: unknown[]) => void).apply(this, args);
    };
    made.prototype = prototype;
    return made as unknown as Constructor;
  };
  const IncomingMessage = derive(http.IncomingMessage as unknown as Constructor, app.request) as unknown as typeof http.IncomingMessage;
  const ServerResponse = derive(http.ServerResponse as unknown as Constructor, app.response) as unknown as typeof http.ServerResponse;
  try {
    const request = new IncomingMessage(new net.Socket());
    const response = new ServerResponse(request);
    response.setHeader('X-Probe', '1');
    const isWhole = request instanceof http.IncomingMessage && response instanceof http.ServerResponse &&
      Object.getPrototypeOf(request) === app.request && response.getHeader('x-probe') === '1' && typeof request.headers === 'object';
    return isWhole ? { IncomingMessage, ServerResponse } : undefined;
  } catch {
    return undefined;
  }
}

const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_MS = 65_000;
const MAX_HEADER_BYTES = 32 * 1024;

export function createServer(app: Express): http.Server {
  const options: http.ServerOptions = {
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: 5_000,
    maxHeaderSize: MAX_HEADER_BYTES,
  };
  const server = http.createServer({ ...options, ...expressConstructors(app) } as http.ServerOptions, app);
  server.maxRequestsPerSocket = 0;
  return server;
}

/** How long clients on kept-alive connections are told to close them before they are closed. */
const GRACE_MS = 1_000;
const DRAIN_MS = 30_000;

/**
 * Ends without a failed request: no new connections, every answer from now on says `Connection: close`, idle connections go
 * after a moment, and what is being answered is waited for.
 */
export async function drain(server: http.Server, markClosing: () => void): Promise<void> {
  markClosing();
  // http.Server.close would cut idle connections at once, while a request may be on its way on one of them.
  const closed = new Promise<void>((resolve) => net.Server.prototype.close.call(server, () => resolve()));
  const idle = setTimeout(() => server.closeIdleConnections(), GRACE_MS);
  const sweep = setInterval(() => server.closeIdleConnections(), GRACE_MS * 2);
  const last = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
  await closed;
  clearTimeout(idle);
  clearInterval(sweep);
  clearTimeout(last);
}
