/**
 * The HTTP server below Express. Express gives every request and response its own prototypes, which throws V8 off its fast
 * paths; made with those prototypes from the start, the call changes nothing and two thirds of Express's price are gone.
 * It rests on Node's constructors being callable as functions, so it is tried first and given up where that fails.
 */
import type { Express, NextFunction, Request, Response } from 'express';
import http from 'node:http';
import net from 'node:net';

type Constructor = new (...args: never[]) => object;

/** Constructors that make Express's requests and responses, or undefined where Node does not allow it. */
export function expressConstructors(
  app: Express,
): { IncomingMessage: typeof http.IncomingMessage; ServerResponse: typeof http.ServerResponse } | undefined {
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
    const isWhole =
      request instanceof http.IncomingMessage &&
      response instanceof http.ServerResponse &&
      Object.getPrototypeOf(request) === app.request &&
      response.getHeader('x-probe') === '1' &&
      typeof request.headers === 'object';
    return isWhole ? { IncomingMessage, ServerResponse } : undefined;
  } catch {
    return undefined;
  }
}

const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_MS = 65_000;
const MAX_HEADER_BYTES = 32 * 1024;

/** A handler as Express has them. */
type First = (request: Request, response: Response, next: NextFunction) => void;

/**
 * `first` is asked before Express, when requests and responses are Express's from the start; it must be mounted in the app too,
 * for where they are not. What it hands on goes to the app.
 */
export function createServer(app: Express, first?: First): http.Server {
  const options: http.ServerOptions = {
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: 5_000,
    maxHeaderSize: MAX_HEADER_BYTES,
  };
  const constructors = expressConstructors(app);
  const listener = first === undefined || constructors === undefined ? app : before(app, first);
  const server = http.createServer({ ...options, ...constructors } as http.ServerOptions, listener);
  server.maxRequestsPerSocket = 0;
  return server;
}

function before(app: Express, first: First): http.RequestListener {
  return (request, response) => {
    // An error that is handed on meets the app's own handler there: the app runs `first` again, which hands on the same.
    first(request as Request, response as Response, () => app(request, response));
  };
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
