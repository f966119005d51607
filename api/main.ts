/**
 * The HTTP process. Express holds the pages and whatever else is mounted; everything under /api is one handler with a
 * dispatch of its own, because a route per entity and operation would cost more than the request itself.
 */
import express, { type ErrorRequestHandler, type Express, type NextFunction, type Request, type Response } from 'express';
import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import type { Logger } from 'pino';
import { createOidc } from '../adapters/oidc.ts';
import { createApiKeys } from '../adapters/api-keys.ts';
import { ConfigError, type Config } from '../adapters/config.ts';
import { armCrashPoint } from '../adapters/crash-points.ts';
import { createLogger } from '../adapters/log.ts';
import { createMetrics } from '../adapters/metrics.ts';
import { checkDatabaseVersion } from '../adapters/postgres/migrate.ts';
import { createPool } from '../adapters/postgres/pool.ts';
import { waitForServer } from '../adapters/postgres/wait.ts';
import { leasedLimiter } from '../adapters/rate-limit/leases.ts';
import { followRevocations } from '../adapters/revocations.ts';
import { createTokens } from '../adapters/tokens.ts';
import { AppError } from '../core/errors.ts';
import { seedPlatformAdmin } from '../operations/auth/seed.ts';
import { RealtimeHub } from '../operations/realtime/hub.ts';
import { relayLag } from '../operations/relay-lag.ts';
import { createServices } from '../operations/services.ts';
import { adminPages } from './admin-pages.ts';
import type { Api } from './api.ts';
import { createHealth, type Health } from './health.ts';
import { send, textAnswer, type Answer } from './http/answer.ts';
import { createCall, newRequestId, requestIdOf, type Call } from './http/call.ts';
import { errorAnswer } from './http/errors.ts';
import { corsHeaders, preflightHeaders, securityHeaders } from './http/headers.ts';
import { answerMalformed } from './malformed.ts';
import { apiRoute, appOfPath } from './routes/app.ts';
import { createServer, drain } from './server.ts';
import { temporalPages } from './temporal-pages.ts';

export interface RunningApi {
  readonly port: number;
  close(): Promise<void>;
}

/** Starts serving. Resolves when requests are answered; `close` ends without a failed one. */
export async function startApi(config: Config, log: Logger = createLogger(config, 'api')): Promise<RunningApi> {
  armCrashPoint(config.crashAt);
  await waitForDatabase(config, log);
  const services = await createServices(config, 'api', log);
  const metrics = createMetrics('api');
  const revocations = followRevocations(services.pool, (error) => log.warn({ err: error }, 'the feed of cut sessions could not be read'));
  const tokens = createTokens({ pool: services.pool, keyring: services.keyring, revocations });
  const apiKeys = createApiKeys(services.pool, revocations, (error) =>
    log.warn({ err: error }, 'the use of an API key could not be noted'),
  );
  const health = createHealth(services);
  const api: Api = {
    services,
    tokens,
    apiKeys,
    oidc: createOidc(services.outbound),
    revocations,
    metrics,
    limits: leasedLimiter(services.limiter),
    realtime: new RealtimeHub(services),
  };
  await seedPlatformAdmin(services);
  await revocations.refresh();
  const state = { isClosing: false };
  const server = createServer(createExpress(api, health, state), apiHandler(api, health, state));
  answerMalformed(server, {
    envelope: (error, requestId) => errorAnswer(error, requestId, log).text,
    newRequestId,
    common: securityHeaders(config),
    onAnswered: (status) => metrics.request({ method: 'none', route: 'malformed', status }, 0),
  });
  const port = await listen(server, config);
  measure(api);
  log.info({ port, host: config.host }, 'the api is ready');
  return {
    port,
    async close() {
      state.isClosing = true;
      await api.realtime.close();
      await drain(server, () => (state.isClosing = true));
      revocations.close();
      health.close();
      await services.close();
    },
  };
}

/** What is counted elsewhere, and read when somebody asks for the metrics. */
function measure({ metrics, services, realtime }: Api): void {
  metrics.gauge('durabase_database_connections', 'Open connections of the data pool.', () => services.pool.totalCount);
  metrics.gauge('durabase_database_waiting', 'Requests waiting for a connection.', () => services.pool.waitingCount);
  metrics.gauge('durabase_relay_lag_seconds', 'How far the relay is behind the event log.', () => relayLag(services));
  metrics.gauge('durabase_realtime_streams', 'Realtime streams that are open.', () => realtime.size);
  metrics.counts({
    name: 'durabase_older_shape_requests_total',
    help: 'Requests answered in the shape of an older version, by app and version.',
    labels: ['app', 'version'],
    read: () => services.registry.olderUses().map(({ app, version, requests }) => ({ labels: { app, version }, count: requests })),
  });
}

/** How long an api waits for a worker to bring the database to its version. */
const DATABASE_WAIT_MS = 120_000;

/** The worker migrates our tables; until it has, an api has nothing to serve. A newer database is refused in one line. */
async function waitForDatabase(config: Config, log: Logger): Promise<void> {
  if (config.databaseUrl === undefined) return;
  await waitForServer(config.databaseUrl, log);
  const pool = createPool({ url: config.databaseUrl, max: 1, applicationName: 'durabase-api-start' });
  const deadline = Date.now() + DATABASE_WAIT_MS;
  try {
    for (let isTold = false; (await checkDatabaseVersion(pool)) === 'behind'; isTold = true) {
      if (Date.now() > deadline)
        throw new ConfigError('The database has not been brought to this version within two minutes. Start a worker: it does that.');
      if (!isTold) log.info('waiting for a worker to bring the database to this version');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  } finally {
    await pool.end();
  }
}

async function listen(server: Server, config: Config): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(config.port, config.host, () => {
      server.removeListener('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

interface State {
  isClosing: boolean;
}

/** The Express application: the API's handler first, then the pages. */
export function createExpress(api: Api, health: Health, state: State): Express {
  const { config } = api.services;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);
  if (config.trustProxy !== undefined)
    app.set('trust proxy', /^\d+$/.test(config.trustProxy) ? Number(config.trustProxy) : config.trustProxy);
  app.use(apiHandler(api, health, state));
  app.use('/admin', adminPages());
  const temporal = temporalPages(api);
  if (temporal !== undefined) app.use('/temporal', temporal);
  app.get('/', (_request, response) => response.redirect(302, '/admin/'));
  app.use((request: Request) => {
    throw new AppError('NOT_FOUND', `There is no ${request.method} ${request.path.slice(0, 200)}.`, {
      hint: 'The API is under /api, the back office under /admin.',
    });
  });
  app.use(lastResort(api));
  return app;
}

type Handler = (request: Request, response: Response, next: NextFunction) => void;

/**
 * Answers /api, /health and /metrics; hands everything else on. The server asks it before Express, whose walk to its first
 * handler costs as much as the rest of the HTTP work of a small request.
 */
function apiHandler(api: Api, health: Health, state: State): Handler {
  const common = securityHeaders(api.services.config);
  return (request, response, next) => {
    const url = request.url;
    const requestId = requestIdOf(request);
    if (url.startsWith('/api/') || url === '/api') return void answerApi(api, request, response, { requestId, common, state });
    const other = url.startsWith('/health/') || url.startsWith('/metrics') ? operational(api, health, state, url) : undefined;
    if (other !== undefined) {
      other
        .then((answer) => send(response, answer, { requestId, common, isHead: request.method === 'HEAD', isClosing: state.isClosing }))
        .catch(next);
      return;
    }
    response.setHeader('X-Request-Id', requestId);
    if (state.isClosing) response.setHeader('Connection', 'close');
    next();
  };
}

function operational(api: Api, health: Health, state: State, url: string): Promise<Answer> | undefined {
  switch (url.split('?')[0]) {
    case '/health/live':
      return Promise.resolve(health.live());
    case '/health/ready':
      return health.ready(state.isClosing);
    case '/metrics':
      return api.metrics.text().then((text) => ({ ...textAnswer(text), type: api.metrics.contentType }));
    default:
      return undefined;
  }
}

interface Frame {
  readonly requestId: string;
  readonly common: Readonly<Record<string, string>>;
  readonly state: State;
}

/** One request of the API from start to end. Never throws: what fails becomes the error envelope. */
async function answerApi(api: Api, request: Request, response: Response, { requestId, common, state }: Frame): Promise<void> {
  let call: Call | undefined;
  let answer: Answer;
  try {
    call = createCall(request, response, requestId);
    answer = call.method === 'OPTIONS' ? await preflight(api, call) : await apiRoute(api, call);
  } catch (error) {
    answer = errorAnswer(error, requestId, api.services.log);
  }
  if (call?.limits !== undefined) answer = { ...answer, headers: { ...answer.headers, ...call.limits } };
  const cors = call === undefined ? undefined : corsHeaders(call, api.services.config);
  const onBroken = answer.stream === undefined ? undefined : (error: unknown): void => logBroken(api, requestId, error);
  send(response, answer, {
    requestId,
    common,
    cors,
    isHead: request.method === 'HEAD',
    isClosing: state.isClosing,
    ...(onBroken === undefined ? {} : { onBroken }),
  });
  if (call !== undefined) observe(api, call, answer.status);
}

/** A browser asks before it calls: answered for the origins of the configuration and of the app in the path. */
async function preflight(api: Api, call: Call): Promise<Answer> {
  call.route = 'preflight';
  call.app = await appOfPath(api, call);
  return { status: 204, text: '', headers: preflightHeaders };
}

/** The client has its status already; all it sees is that the connection breaks. */
const logBroken = (api: Api, requestId: string, error: unknown): void =>
  api.services.log.warn({ err: error, request_id: requestId }, 'an answer broke off');

const SLOW_MS = 2_000;
const WRITES_OF_ONE = new Set(['/api/:app/:entity', '/api/:app/:entity/:id']);

function observe(api: Api, call: Call, status: number): void {
  const ms = performance.now() - call.startedAt;
  api.metrics.request({ method: call.method, route: call.route, status }, ms / 1000);
  if (call.method !== 'GET' && WRITES_OF_ONE.has(call.route)) api.services.registry.noteWrite(ms);
  const { log } = api.services;
  // For information only: some calls wait for a workflow on purpose, and the metrics hold every duration.
  if (ms > SLOW_MS) log.info({ request_id: call.requestId, route: call.route, status, ms: Math.round(ms) }, 'slow request');
  else if (log.isLevelEnabled('debug'))
    log.debug({ request_id: call.requestId, method: call.method, route: call.route, status, ms: Math.round(ms) }, 'request');
}

/** The one error handler of Express: pages and files that fail answer in the same envelope. */
function lastResort(api: Api): ErrorRequestHandler {
  const common = securityHeaders(api.services.config);
  return (error: unknown, request, response, _next) => {
    const status = (error as { status?: unknown } | null)?.status;
    const known = status === 404 || status === 400 ? new AppError('NOT_FOUND', 'There is no such file.') : error;
    const requestId = String(response.getHeader('X-Request-Id') ?? '');
    send(response, errorAnswer(known, requestId, api.services.log), {
      requestId,
      common,
      isHead: request.method === 'HEAD',
      isClosing: false,
    });
  };
}
