/** A whole installation of built processes whose every part a proof can kill, arm and start again by itself. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { startPostgres, type RunningPostgres } from '../../infra/local/postgres.ts';
import { endProcess, freePort, isAlive, isPortFree, sleep, waitFor } from '../../infra/local/system.ts';
import { startTemporal, type RunningTemporal } from '../../infra/local/temporal.ts';
import { buildAll, launchVerb, type Launched } from './process.ts';

export type Part = 'postgres' | 'temporal' | 'worker' | 'api';
export const PARTS: readonly Part[] = ['postgres', 'temporal', 'worker', 'api'];

export class Rig {
  readonly #dir: string;
  readonly #apiPort: number;
  readonly #running = new Map<Part, { readonly pid: number; readonly launched?: Launched }>();
  #postgres: RunningPostgres | undefined;
  #temporal: RunningTemporal | undefined;

  readonly #prefix: readonly string[];

  private constructor(dir: string, apiPort: number, prefix: readonly string[]) {
    this.#dir = dir;
    this.#apiPort = apiPort;
    this.#prefix = prefix;
  }

  /** Everything up; resolves when the api answers and the worker serves Temporal. Both are run by `prefix`, a command that runs another. */
  static async start(prefix: readonly string[] = []): Promise<Rig> {
    await buildAll();
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'durabase-rig-'));
    fs.chmodSync(dir, 0o755);
    const rig = new Rig(dir, await freePort(), prefix);
    await Promise.all([rig.up('postgres'), rig.up('temporal')]);
    await Promise.all([rig.up('worker'), rig.up('api')]);
    return rig;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#apiPort}`;
  }

  get databaseUrl(): string {
    return this.#postgres?.url('postgres') ?? '';
  }

  get temporalAddress(): string {
    return this.#temporal?.address ?? '';
  }

  isUp(part: Part): boolean {
    const pid = this.#running.get(part)?.pid;
    return pid !== undefined && isAlive(pid);
  }

  /** The process of a part that is up, for proofs that look at its memory. */
  pid(part: Part): number {
    return this.#running.get(part)?.pid ?? 0;
  }

  /** Starts a part that is down; `crashAt` arms a crash point in it. */
  async up(part: Part, crashAt?: string): Promise<void> {
    if (this.isUp(part)) return;
    switch (part) {
      case 'postgres':
        await this.#untilFree(this.#postgres?.port);
        this.#postgres = await startPostgres({ dir: path.join(this.#dir, 'pg'), port: this.#postgres?.port ?? 0 });
        return void this.#running.set(part, { pid: this.#postgres.pid });
      case 'temporal':
        await this.#untilFree(this.#temporal?.port);
        this.#temporal = await startTemporal({
          file: path.join(this.#dir, 'temporal.db'),
          logFile: path.join(this.#dir, 'temporal.log'),
          port: this.#temporal?.port ?? 0,
        });
        return void this.#running.set(part, { pid: this.#temporal.pid });
      case 'worker':
        return this.#launch('worker', { LOG_LEVEL: 'info', ...(crashAt === undefined ? {} : { DURABASE_TEST: '1', CRASH_AT: crashAt }) });
      case 'api':
        return this.#launch('api', {});
    }
  }

  /** The others know a killed part by its port only, and the system may hold that for a moment. */
  async #untilFree(port: number | undefined): Promise<void> {
    if (port === undefined) return;
    if (!(await waitFor(() => isPortFree(port), 60_000, 100))) throw new Error(`Port ${port} does not become free again.`);
  }

  async #launch(part: 'worker' | 'api', env: NodeJS.ProcessEnv): Promise<void> {
    const launched = launchVerb(
      part,
      {
        DATA_DIR: this.#dir,
        DATABASE_URL: this.databaseUrl,
        TEMPORAL_ADDRESS: this.#temporal?.address,
        SECRET_KEY: 'k'.repeat(40),
        PORT: String(this.#apiPort),
        LOG_LEVEL: 'warn',
        ...env,
      },
      this.#prefix,
    );
    this.#running.set(part, { pid: launched.pid, launched });
    const isReady =
      part === 'worker'
        ? (): boolean => launched.output().includes('serving durable work')
        : async (): Promise<boolean> => (await fetch(`${this.url}/health/ready`).catch(() => undefined))?.status === 200;
    if (!(await waitFor(async () => !isAlive(launched.pid) || (await isReady()), 40_000)) || !isAlive(launched.pid)) {
      throw new Error(`The ${part} did not start: ${launched.output().slice(-2_000)}`);
    }
  }

  /** SIGKILL, as a power cut for this part. */
  async kill(part: Part): Promise<void> {
    const pid = this.#running.get(part)?.pid;
    if (pid !== undefined && isAlive(pid)) await endProcess(pid, 'SIGKILL', 5_000);
  }

  /** True when the part ended by itself within the time. */
  async died(part: Part, timeoutMs: number): Promise<boolean> {
    return waitFor(() => !this.isUp(part), timeoutMs);
  }

  /** The last lines of api and worker, for a proof that failed. */
  lastLines(): string {
    return [...this.#running].map(([part, { launched }]) => `${part}: ${launched?.output().slice(-3_000) ?? ''}`).join('\n');
  }

  /** Whether api or worker has logged these words since it was started. */
  said(part: 'api' | 'worker', words: string): boolean {
    return this.#running.get(part)?.launched?.output().includes(words) === true;
  }

  async stop(): Promise<void> {
    for (const part of ['api', 'worker'] as const) await this.kill(part);
    await this.#temporal?.stop();
    await this.#postgres?.stop();
    await sleep(50);
    fs.rmSync(this.#dir, { recursive: true, force: true });
  }
}

/** The installation that is shared, or one for this proof alone; `release` ends only the latter. */
export async function rigOf(shared: Rig | undefined): Promise<{ readonly rig: Rig; release(): Promise<void> }> {
  const rig = shared ?? (await Rig.start());
  return {
    rig,
    async release() {
      if (shared === undefined) await rig.stop();
    },
  };
}
