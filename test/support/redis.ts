/** A real Redis for tests: a server of the test's own from PATH (it can be killed and hung), or the one at REDIS_URL. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { freePort, onPath, waitFor } from '../../infra/local/system.ts';

export const skipsRedis = (process.env['SKIP'] ?? '').split(',').includes('redis');
const binary = onPath('redis-server') ?? onPath('valkey-server');
/** True when the server's life is ours. */
export const ownsRedis = binary !== undefined;

export interface TestRedis {
  readonly url: string;
  start(): Promise<void>;
  /** SIGKILL; nothing of its data stays. */
  kill(): Promise<void>;
  /** Accepts connections and answers nothing. */
  hang(): void;
  wake(): void;
}

/** Fails, rather than passing by, where there is no Redis at all; `SKIP=redis` says that this is meant. */
export async function testRedis(): Promise<TestRedis> {
  const given = process.env['REDIS_URL'];
  if (binary !== undefined) return ownServer(binary);
  if (given === undefined)
    throw new Error('These tests need Redis: put redis-server or valkey-server on PATH, or set REDIS_URL. SKIP=redis leaves them out.');
  const nothing = (): void => undefined;
  return { url: given, start: async () => undefined, kill: async () => undefined, hang: nothing, wake: nothing };
}

async function ownServer(program: string): Promise<TestRedis> {
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'durabase-redis-'));
  let child: ChildProcess | undefined;
  process.once('exit', () => child?.kill('SIGKILL'));
  return {
    url,
    async start() {
      child = spawn(program, ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', dir], {
        stdio: 'ignore',
      });
      if (!(await waitFor(() => answers(url), 10_000, 50))) throw new Error(`${program} did not start on port ${port}.`);
    },
    async kill() {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
    hang: () => void child?.kill('SIGSTOP'),
    wake: () => void child?.kill('SIGCONT'),
  };
}

async function answers(url: string): Promise<boolean> {
  const client = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => null });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.ping()) === 'PONG';
  } catch {
    return false;
  } finally {
    client.disconnect();
  }
}
