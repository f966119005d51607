/** A whole installation for one test file: a database of its own, a worker and an api in this process, over real HTTP. */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import pino from 'pino';
import { afterAll, vi } from 'vitest';
import { startApi, type RunningApi } from '../../api/main.ts';
import { loadConfig, type Config } from '../../adapters/config.ts';
import { startWorker, type RunningWorker } from '../../workers/main.ts';
import { freshDatabase } from '../support/database.ts';
import { temporalAddress, workflowBundle } from '../support/temporal.ts';

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  // Tests look into answers of every shape.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests look freely into the bodies of all routes
  readonly body: any;
  readonly text: string;
}

export interface SendOptions {
  readonly token?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request to a path below `/api/`, as one caller. */
export type Send = (method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>) => Promise<Reply>;

export interface World {
  readonly config: Config;
  readonly url: string;
  readonly databaseUrl: string;
  readonly api: RunningApi;
  readonly worker: RunningWorker;
  send(method: string, path: string, options?: SendOptions): Promise<Reply>;
  platformToken(): Promise<string>;
  /** Requests of the platform's admin, who may do everything in every app. */
  asPlatformAdmin(): Promise<Send>;
  login(app: string, email?: string, password?: string): Promise<string>;
  /** Makes the app `main` of a document, and accounts `<name>@example.com` with their roles. Tokens are by name, `admin` among them. */
  install(document: object, people?: Readonly<Record<string, readonly string[]>>): Promise<Installed>;
}

export interface Installed {
  readonly tokens: Readonly<Record<string, string>>;
  /** Of the accounts. */
  readonly ids: Readonly<Record<string, string>>;
}

const PASSWORD = 'long enough for everybody';

export async function startWorld(env: Readonly<Record<string, string>> = {}): Promise<World> {
  const databaseUrl = await freshDatabase();
  const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'durabase-api-'));
  const config = loadConfig({
    PORT: '0',
    DATA_DIR: dataDir,
    DATABASE_URL: databaseUrl,
    TEMPORAL_ADDRESS: await temporalAddress(),
    TEMPORAL_NAMESPACE: `t-${randomBytes(4).toString('hex')}`,
    SECRET_KEY: 'k'.repeat(40),
    LOG_LEVEL: 'warn',
    DEFAULT_APP: 'main',
    ...env,
  });
  const log = pino({ level: process.env['TEST_LOG'] ?? 'silent' });
  const worker = await startWorker(config, { log, bundlePath: await workflowBundle() });
  const api = await startApi(config, log);
  await vi.waitUntil(() => worker.health().temporal === 'running', { timeout: 40_000, interval: 20 });
  afterAll(async () => {
    await api.close();
    await worker.close();
    fs.rmSync(dataDir, { recursive: true, force: true });
  });
  const url = `http://127.0.0.1:${api.port}`;
  const send = async (method: string, target: string, options: SendOptions = {}): Promise<Reply> => {
    const isText = typeof options.body === 'string';
    const response = await fetch(url + target, {
      method,
      redirect: 'manual',
      headers: {
        ...(options.token === undefined ? {} : { Authorization: `Bearer ${options.token}` }),
        ...(options.body === undefined || isText ? {} : { 'Content-Type': 'application/json' }),
        ...options.headers,
      },
      ...(options.body === undefined ? {} : { body: isText ? (options.body as string) : JSON.stringify(options.body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('/json') === true && text !== '';
    return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined };
  };
  const signIn = async (prefix: string, email: string, password: string): Promise<string> => {
    const reply = await send('POST', `/api/${prefix}/auth/login`, { body: { email, password } });
    if (reply.status !== 200) throw new Error(`sign-in failed: ${reply.text}`);
    return (reply.body as { data: { access_token: string } }).data.access_token;
  };
  const platformToken = (): Promise<string> => signIn('_platform', 'platform@localhost', 'changeme');
  const asPlatformAdmin: World['asPlatformAdmin'] = async () => {
    const token = await platformToken();
    return (method, target, body, headers = {}) =>
      send(method, `/api/${target}`, { token, headers, ...(body === undefined ? {} : { body }) });
  };
  const install: World['install'] = async (document, people = {}) => {
    const platform = await platformToken();
    const succeeds = async (path: string, token: string, body: object): Promise<Reply> => {
      const reply = await send('POST', path, { token, body });
      if (reply.status >= 300) throw new Error(`POST ${path} answered ${reply.status}: ${reply.text}`);
      return reply;
    };
    await succeeds('/api/_platform/apps', platform, { name: 'main' });
    await succeeds('/api/main/_admin/import', platform, document);
    const tokens: Record<string, string> = { admin: await signIn('main', 'admin@localhost', 'changeme') };
    const ids: Record<string, string> = {};
    for (const [name, roles] of Object.entries(people)) {
      const email = `${name}@example.com`;
      const made = await succeeds('/api/main/_admin/users', tokens['admin'] ?? '', { email, password: PASSWORD, roles });
      ids[name] = made.body.data.id as string;
      tokens[name] = await signIn('main', email, PASSWORD);
    }
    return { tokens, ids };
  };
  return {
    config,
    url,
    databaseUrl,
    api,
    worker,
    send,
    platformToken,
    asPlatformAdmin,
    install,
    login: (app, email = 'admin@localhost', password = 'changeme') => signIn(app, email, password),
  };
}
