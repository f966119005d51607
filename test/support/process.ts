/** Built processes for crash proofs: a whole stack, or one api or worker, with ports and a data folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { repositoryRoot } from '../../infra/local/repository.ts';
import { endProcess, freePort, isAlive, sleep, waitFor } from '../../infra/local/system.ts';

const root = repositoryRoot();
const running = new Set<ChildProcess>();
process.once('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/** Compiles what changed; a fraction of a second when nothing did. */
export async function buildAll(): Promise<void> {
  const { code, output } = await launch([path.join(root, 'infra', 'start.mjs'), 'build'], {}).ended;
  if (code !== 0) throw new Error(`The build failed: ${output}`);
}

export interface Launched {
  readonly pid: number;
  /** Everything written so far, both streams. */
  output(): string;
  readonly ended: Promise<{ readonly code: number | null; readonly output: string }>;
  kill(signal: NodeJS.Signals): void;
}

/** `prefix` is a command that runs another. */
export function launch(args: readonly string[], env: NodeJS.ProcessEnv, prefix: readonly string[] = []): Launched {
  const [program = process.execPath, ...rest] = [...prefix, process.execPath, ...args];
  const child = spawn(program, rest, { cwd: root, env: { ...cleanEnvironment(), ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<{ code: number | null; output: string }>((resolve) => {
    child.once('exit', (code) => {
      running.delete(child);
      // The pipes may be held open by processes that outlive it.
      setTimeout(() => resolve({ code, output }), 50);
    });
  });
  return { pid: child.pid ?? 0, output: () => output, ended, kill: (signal) => void child.kill(signal) };
}

/** Without the settings of whoever runs the tests, and without vitest's own. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = ['PATH', 'HOME', 'USER', 'LANG', 'TMPDIR', 'XDG_CACHE_HOME', 'GOPATH', 'GOCACHE', 'GOPROXY', 'GOFLAGS', 'GOTOOLCHAIN'];
  return Object.fromEntries(kept.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])));
}

export interface StackOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly args?: readonly string[];
  /** A folder to start again on; a new one is made without it. */
  readonly dataDir?: string;
  /** Program to run instead of the built command line's `start`. */
  readonly program?: readonly string[];
}

export type ServiceName = 'api' | 'worker' | 'app' | 'temporal' | 'postgres';

export class Stack {
  readonly dataDir: string;
  readonly port: number;
  readonly process: Launched;

  private constructor(dataDir: string, port: number, launched: Launched) {
    this.dataDir = dataDir;
    this.port = port;
    this.process = launched;
  }

  /** Spawns the supervisor; `ready()` waits for its table. */
  static async spawn(options: StackOptions = {}): Promise<Stack> {
    const dataDir = options.dataDir ?? fs.mkdtempSync(path.join(os.tmpdir(), 'durabase-stack-'));
    fs.chmodSync(dataDir, 0o755);
    const port = Number(options.env?.['PORT'] ?? (await freePort()));
    const env = { TEMPORAL_UI_PORT: String(await freePort()), ...options.env, PORT: String(port), DATA_DIR: dataDir };
    const program = options.program ?? [path.join(root, 'dist', 'cli', 'main.js'), 'start'];
    return new Stack(dataDir, port, launch([...program, ...(options.args ?? [])], env));
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Waits until the table of addresses is printed. */
  async ready(timeoutMs = 90_000): Promise<this> {
    let hasEnded = false;
    void this.process.ended.then(() => (hasEnded = true));
    const isReady = await waitFor(() => hasEnded || this.process.output().includes('Durabase is ready'), timeoutMs);
    if (!isReady || hasEnded) throw new Error(`The stack did not become ready: ${this.process.output()}`);
    return this;
  }

  pidOf(name: ServiceName): number {
    const { processes } = JSON.parse(fs.readFileSync(path.join(this.dataDir, 'run.json'), 'utf8')) as {
      processes: Record<string, { pid: number }>;
    };
    return processes[name]?.pid ?? 0;
  }

  /** SIGKILL, as a power cut for one process. Answers the pid that is gone. */
  async kill(name: ServiceName): Promise<number> {
    const pid = this.pidOf(name);
    process.kill(pid, 'SIGKILL');
    await waitFor(() => !isAlive(pid), 5000);
    return pid;
  }

  /** Waits until the supervisor has started a killed service again. */
  async revived(name: ServiceName, oldPid: number, timeoutMs = 30_000): Promise<number> {
    const isBack = await waitFor(() => this.pidOf(name) !== oldPid && isAlive(this.pidOf(name)), timeoutMs);
    if (!isBack) throw new Error(`${name} was not started again: ${this.process.output()}`);
    return this.pidOf(name);
  }

  /** SIGTERM and the end of everything; removes the folder unless it is needed again. */
  async stop({ keepsData = false } = {}): Promise<void> {
    this.process.kill('SIGTERM');
    await Promise.race([this.process.ended, sleep(25_000)]);
    await this.killAll();
    if (!keepsData) fs.rmSync(this.dataDir, { recursive: true, force: true });
  }

  /** SIGKILL for the supervisor and all it started. */
  async killAll(): Promise<void> {
    this.process.kill('SIGKILL');
    for (const name of ['api', 'worker', 'app', 'temporal', 'postgres'] as const) {
      const pid = fs.existsSync(path.join(this.dataDir, 'run.json')) ? this.pidOf(name) : 0;
      if (pid > 0 && isAlive(pid)) await endProcess(pid, 'SIGKILL', 2000);
    }
  }
}

/** One built api or worker on services of the test's own. Ends with the test run at the latest. */
export function launchVerb(verb: 'api' | 'worker', env: NodeJS.ProcessEnv, prefix: readonly string[] = []): Launched {
  return launch([path.join(root, 'dist', 'cli', 'main.js'), verb], env, prefix);
}
