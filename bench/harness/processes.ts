/** The servers under measurement, as child processes that end with us. */
import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import { sleep, stopTree } from '../lib/proc.mjs';

export interface ServerProcess {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  stop(): Promise<void>;
}

const running = new Set<ChildProcess>();
process.once('exit', () => running.forEach((child) => child.kill('SIGKILL')));

export interface ServerOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly port: number;
  readonly logFile: string;
  readonly cwd?: string;
  /** Answers anything but 5xx once it serves; without one any answer will do. */
  readonly readyPath?: string;
}

/** Starts it and waits until it answers. */
export async function startServer(options: ServerOptions): Promise<ServerProcess> {
  const child = spawnLogged(options);
  const url = `http://127.0.0.1:${options.port}${options.readyPath ?? '/'}`;
  for (let waited = 0; ; waited += 50) {
    if (child.exitCode !== null) throw new Error(`${options.name} ended: ${fs.readFileSync(options.logFile, 'utf8').slice(-2000)}`);
    if (waited > 60_000) throw new Error(`${options.name} did not answer at ${url} within a minute; see ${options.logFile}.`);
    const answer = await fetch(url, { signal: AbortSignal.timeout(2000) }).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer !== undefined && (options.readyPath === undefined || answer.status < 500)) break;
    await sleep(50);
  }
  return { name: options.name, pid: child.pid ?? 0, port: options.port, stop: () => stopTree(child.pid ?? 0) };
}

/** Starts a process without a port (a worker) and leaves it running. */
export function startBackground(options: Omit<ServerOptions, 'port' | 'readyPath'>): { readonly pid: number; stop(): Promise<void> } {
  const child = spawnLogged(options);
  return { pid: child.pid ?? 0, stop: () => stopTree(child.pid ?? 0) };
}

function spawnLogged(options: Omit<ServerOptions, 'port' | 'readyPath'>): ChildProcess {
  const log = fs.openSync(options.logFile, 'a');
  const child = spawn(options.command, options.args, {
    env: options.env,
    stdio: ['ignore', log, log],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  fs.closeSync(log);
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}
