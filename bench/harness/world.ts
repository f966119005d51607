/** Everything a measurement stands on, in a temporary folder: Postgres with production's flags, and Temporal while it is needed. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { startPostgres, type RunningPostgres } from '../../infra/local/postgres.ts';
import { freePort } from '../../infra/local/system.ts';
import { startTemporal } from '../../infra/local/temporal.ts';
import { repositoryRoot } from '../../infra/local/repository.ts';
import { config } from '../config.mjs';
import { startBackground, startServer, type ServerProcess } from './processes.ts';

export interface World {
  readonly dir: string;
  readonly postgres: RunningPostgres;
  log(name: string): string;
  /** Runs last first when the world ends. */
  onEnd(work: () => Promise<unknown>): void;
}

/** Runs work in a fresh world and takes it down, also after a failure or a Ctrl-C. */
export async function withWorld<T>(work: (world: World) => Promise<T>): Promise<T> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'durabase-bench-'));
  // The server may run as another user than we do, and it reads our CSV files.
  fs.chmodSync(dir, 0o755);
  const endings: (() => Promise<unknown>)[] = [];
  const end = async (): Promise<void> => {
    for (const ending of endings.splice(0).reverse()) await ending().catch((error: unknown) => console.error(error));
    fs.rmSync(dir, { recursive: true, force: true });
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end().finally(() => process.exit(130)));
  try {
    // Durable as in production: fsync, full page writes and synchronous commit stay on.
    const postgres = await startPostgres({ dir: path.join(dir, 'pg'), flags: ['-c', 'max_connections=200'] });
    endings.push(() => postgres.stop());
    return await work({ dir, postgres, log: (name) => path.join(dir, `${name}.log`), onEnd: (ending) => void endings.push(ending) });
  } finally {
    await end();
  }
}

/** lib/, targets/ and seed.mjs read these settings whenever they are used. */
export function pointSharedPartsAt(world: World): void {
  config.pgBin = path.join(import.meta.dirname, '..', 'psql');
  config.dataDir = path.join(world.dir, 'csv');
  config.pg.port = world.postgres.port;
  config.pg.pidFile = path.join(world.dir, 'pg', 'postmaster.pid');
  // For the script that stands in for psql.
  process.env['BENCH_NODE'] = process.execPath;
}

const PLATFORM_ADMIN = { email: 'platform@bench.test', password: 'bench-platform-password' };

export interface Durabase {
  readonly api: ServerProcess;
  /** Of the platform's admin. */
  readonly call: Caller;
}

export type Caller = (method: string, path: string, json?: unknown) => Promise<unknown>;

const main = (): string => path.join(repositoryRoot(), 'dist', 'cli', 'main.js');

function environment(world: World, database: string, port: number, temporal: string | undefined): NodeJS.ProcessEnv {
  const kept = Object.fromEntries(['PATH', 'HOME', 'LANG', 'TMPDIR', 'XDG_CACHE_HOME'].map((name) => [name, process.env[name]]));
  return {
    ...kept,
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    PORT: String(port),
    DATA_DIR: path.join(world.dir, 'data'),
    DATABASE_URL: world.postgres.url(database),
    DATABASE_POOL_MAX: String(config.poolSize),
    SECRET_KEY: 'bench-secret-bench-secret-bench-secret',
    PLATFORM_ADMIN_EMAIL: PLATFORM_ADMIN.email,
    PLATFORM_ADMIN_PASSWORD: PLATFORM_ADMIN.password,
    WEBHOOK_ALLOW_CIDRS: '127.0.0.0/8',
    LOG_LEVEL: 'warn',
    ...(temporal === undefined ? {} : { TEMPORAL_ADDRESS: temporal }),
  };
}

/** How the built api is started on a database of the world. */
export const apiCommand = (
  world: World,
  database: string,
  port: number,
  options: { temporal?: string; nodeArgs?: readonly string[] } = {},
): { command: string; args: string[]; env: NodeJS.ProcessEnv } => ({
  command: process.execPath,
  args: [...(options.nodeArgs ?? []), main(), 'api'],
  env: environment(world, database, port, options.temporal),
});

/** The built api on a database of the world; `nodeArgs` for a profiler. */
export async function startApi(
  world: World,
  database: string,
  options: { temporal?: string; nodeArgs?: readonly string[] } = {},
): Promise<Durabase> {
  const port = await freePort();
  const api = await startServer({
    name: 'durabase',
    ...apiCommand(world, database, port, options),
    port,
    logFile: world.log('api'),
    readyPath: '/health/ready',
    cwd: world.dir,
  });
  world.onEnd(() => api.stop());
  const token = await signIn(port, '_platform', PLATFORM_ADMIN.email, PLATFORM_ADMIN.password);
  return { api, call: caller(port, token) };
}

/** Runs work with Temporal, a worker and an api on the database, and ends all three: what is measured runs alone. */
export async function withStack<T>(world: World, database: string, work: (durabase: Durabase) => Promise<T>): Promise<T> {
  const temporal = await startTemporal({ file: path.join(world.dir, `temporal-${database}.db`), logFile: world.log('temporal') });
  const worker = startBackground({
    name: 'worker',
    command: process.execPath,
    args: [main(), 'worker'],
    env: environment(world, database, 0, temporal.address),
    logFile: world.log('worker'),
    cwd: world.dir,
  });
  const stop = once(async () => {
    await worker.stop();
    await temporal.stop();
  });
  world.onEnd(stop);
  const durabase = await startApi(world, database, { temporal: temporal.address });
  try {
    return await work(durabase);
  } finally {
    await durabase.api.stop();
    await stop();
  }
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => (done ??= work());
}

/** A real sign-in; answers the access token. */
export async function signIn(port: number, realm: string, email: string, password: string): Promise<string> {
  const answer = (await caller(port)('POST', `/api/${realm}/auth/login`, { email, password })) as { data: { access_token: string } };
  return answer.data.access_token;
}

/** Calls of set-up code: anything but 2xx is the end. */
export const caller =
  (port: number, token?: string): Caller =>
  async (method, route, json) => {
    const response = await fetch(`http://127.0.0.1:${port}${route}`, {
      method,
      headers: {
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${route} answered ${response.status}: ${text.slice(0, 800)}`);
    return text === '' ? undefined : JSON.parse(text);
  };

/** A fresh token of the platform's admin. */
export const signInPlatform = (port: number): Promise<string> => signIn(port, '_platform', PLATFORM_ADMIN.email, PLATFORM_ADMIN.password);

/** Waits until an app serves. */
export async function createApp(call: Caller, name: string, document: unknown): Promise<void> {
  await call('POST', '/api/_platform/apps', { name, display_name: name });
  await call('POST', `/api/${name}/_admin/import`, document);
}
