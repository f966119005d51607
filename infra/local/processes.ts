/** Our own processes (api, worker) as children: one IPC channel tells when they are ready, and tells them when we are gone. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import { ConfigError } from '../../adapters/config.ts';
import { repositoryRoot } from './repository.ts';
import { captureLines } from './logs.ts';
import type { RunningService } from './service.ts';
import { endProcess, isAlive, sleep, tail } from './system.ts';

/** A process that ends with this code says: no restart will help (BSD's EX_CONFIG). */
export const EXIT_CONFIG = 78;

export interface ProcessOptions {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logFile: string;
  readonly show: (line: string) => void;
  /** The program; dist/cli/main.js unless a test stands in for it. */
  readonly main?: string;
  /** How long it may finish its work when told to stop. */
  readonly graceMs?: number;
}

export const builtMain = (): string => path.join(repositoryRoot(), 'dist', 'cli', 'main.js');

/** Starts the process and waits until it says that it is ready. */
export async function startProcess(options: ProcessOptions): Promise<RunningService> {
  const child = spawn(process.execPath, ['--enable-source-maps', options.main ?? builtMain(), ...options.args], {
    env: { ...options.env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // A group of its own: a terminal's Ctrl-C reaches the supervisor alone, which stops the children in order.
    detached: true,
  });
  const { stdout, stderr } = child;
  let lastWords: string | undefined;
  const show = (line: string): void => {
    // The line with which cli/main.ts ends a process.
    if (line.startsWith('durabase ')) lastWords = line.replace(/^durabase[^:]*: /, '');
    options.show(line);
  };
  if (stdout !== null && stderr !== null) captureLines(options.logFile, [stdout, stderr], show);
  const ended = whenEnded(child, options, () => lastWords);
  await Promise.race([
    isReady(child),
    ended.then(({ why }) => {
      throw new ConfigError(`The ${options.name} process did not start: ${why}`);
    }),
    sleep(120_000).then(() => {
      throw new ConfigError(`The ${options.name} process was not ready within two minutes; see ${options.logFile}.`);
    }),
  ]).catch(async (error: unknown) => {
    if (child.pid !== undefined && isAlive(child.pid)) await endProcess(child.pid, 'SIGTERM', 2000);
    throw error;
  });
  return { pid: child.pid ?? 0, ended, stop: () => endProcess(child.pid ?? 0, 'SIGTERM', options.graceMs ?? 12_000) };
}

function isReady(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.on('message', (message) => {
      if ((message as { type?: string }).type === 'ready') resolve();
    });
  });
}

function whenEnded(
  child: ChildProcess,
  options: ProcessOptions,
  lastWords: () => string | undefined,
): Promise<{ isFinal: boolean; why: string }> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ isFinal: true, why: error.message }));
    child.once('close', (code, signal) => {
      const said = lastWords();
      if (code === EXIT_CONFIG) resolve({ isFinal: true, why: said ?? tail(options.logFile, 1) });
      else resolve({ isFinal: false, why: signal === null ? `exit code ${code ?? '?'}${said === undefined ? '' : `: ${said}`}` : signal });
    });
  });
}

/** A service that is not our child (adopted, or detached): asked five times a second whether it lives. */
export function watchPid(pid: number): Promise<{ isFinal: boolean; why: string }> {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (isAlive(pid)) return;
      clearInterval(timer);
      resolve({ isFinal: false, why: 'the process ended' });
    }, 200);
    timer.unref();
  });
}
