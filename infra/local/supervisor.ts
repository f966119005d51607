/**
 * `npm start`: Postgres, Temporal, api and worker as children of one supervisor. It starts what is not given by the
 * environment, restarts what dies, adopts or ends what a killed supervisor left behind, and stops everything in order.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { Config } from '../../adapters/config.ts';
import { ConfigError } from '../../adapters/config.ts';
import { checkDatabase, databaseFor, passwordOf, secretKeyFor } from './database.ts';
import { EXAMPLE_APP, isExampleLoaded, loadExample } from './load-example.ts';
import { takeLock } from './lock.ts';
import { rotateWritten } from './logs.ts';
import { startPostgres } from './postgres.ts';
import { findPostgres } from './postgres-binaries.ts';
import { builtMain, startProcess, watchPid } from './processes.ts';
import { readyTable } from './ready-table.ts';
import { RunFile } from './run-file.ts';
import type { KeptService, RunningService, ServiceDefinition } from './service.ts';
import { keepRunning } from './service.ts';
import { commandLine, diskFull, endProcess, freeMegabytes, freePort, isPortFree, sleep, tail, waitFor } from './system.ts';
import { startTemporal } from './temporal.ts';

export interface SupervisorOptions {
  /** Hosts api and worker in one process. */
  readonly isInProcess: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly print: (line: string) => void;
  /** Stands in for dist/cli/main.js in tests. */
  readonly main?: string;
  /** Settles when the supervisor should stop. */
  readonly stopRequested: Promise<string>;
}

const LEAST_FREE_MB = 150;
const DEFAULT_POSTGRES_PORT = 54329;
const DEFAULT_TEMPORAL_PORT = 7233;

/** Runs until asked to stop (0) or until something cannot be kept running (1). Start-up failures are ConfigErrors. */
export async function supervise(config: Config, options: SupervisorOptions): Promise<number> {
  const dataDir = path.resolve(config.dataDir);
  prepareFolder(dataDir);
  const port = config.port === 0 ? await freePort(0, config.host) : config.port;
  const release = await takeLock(dataDir, `http://${config.host}:${port}`);
  const stack = new Stack(config, options, dataDir, port);
  let isStopping = false;
  const asked = options.stopRequested.then((why) => {
    isStopping = true;
    return why;
  });
  try {
    await Promise.race([stack.start(), asked]);
    const outcome = await Promise.race([asked, stack.failed]);
    if (typeof outcome === 'string') return 0;
    options.print(`durabase: ${outcome.reason}`);
    return 1;
  } finally {
    if (isStopping) options.print('· Stopping');
    await stack.stop();
    release();
    if (isStopping) options.print('· Stopped');
  }
}

function prepareFolder(dataDir: string): void {
  try {
    // Others may pass through, since Postgres of a root start is another user; what is secret in it is 0600.
    fs.mkdirSync(path.join(dataDir, 'logs'), { recursive: true, mode: 0o755 });
    fs.accessSync(dataDir, fs.constants.W_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOSPC') throw diskFull(dataDir);
    throw new ConfigError(`The data folder ${dataDir} cannot be written (${code ?? String(error)}). Set DATA_DIR to a folder of yours.`);
  }
  if (freeMegabytes(dataDir) < LEAST_FREE_MB) throw diskFull(dataDir);
}

class Stack {
  readonly failed: Promise<{ readonly reason: string }>;
  private fail: (failure: { readonly reason: string }) => void = () => undefined;
  private readonly services: KeptService[] = [];
  private readonly pending: Promise<unknown>[] = [];
  private readonly runFile: RunFile;
  private readonly startedAt = Date.now();
  private readonly config: Config;
  private readonly options: SupervisorOptions;
  private readonly dataDir: string;
  private readonly port: number;
  private rotation: NodeJS.Timeout | undefined;
  private isStopping = false;

  constructor(config: Config, options: SupervisorOptions, dataDir: string, port: number) {
    this.config = config;
    this.options = options;
    this.dataDir = dataDir;
    this.port = port;
    this.runFile = new RunFile(dataDir);
    this.failed = new Promise((resolve) => (this.fail = resolve));
  }

  async start(): Promise<void> {
    await this.endLeftovers();
    if (!(await isPortFree(this.port, this.config.host))) {
      throw new ConfigError(`Port ${this.port} of ${this.config.host} is in use by another program. Stop that, or set PORT to a free one.`);
    }
    const secretKey = secretKeyFor(this.config, this.dataDir);
    const [database, temporal] = await allOf([this.database(), this.temporal()]);
    if (this.isStopping) return;
    const env = this.childEnvironment({ secretKey, ...database, ...temporal });
    await this.processes(env);
    await this.untilReady();
    if (this.isStopping) return;
    const hasExample = await this.example();
    for (const line of readyTable(this.config, {
      port: this.port,
      dataDir: this.dataDir,
      hasExample,
      databaseUrl: database.databaseUrl,
      hasTemporalUi: (temporal.uiUpstream ?? this.config.temporal.uiUpstream) !== undefined,
      seconds: (Date.now() - this.startedAt) / 1000,
    }))
      this.options.print(line);
    this.rotation = setInterval(() => ['postgres', 'temporal'].forEach((name) => rotateWritten(this.log(name))), 60_000);
  }

  /** In order: api, worker, Temporal, Postgres. */
  async stop(): Promise<void> {
    this.isStopping = true;
    clearInterval(this.rotation);
    // What is just being started has a process id only when that is done.
    await Promise.race([Promise.allSettled(this.pending), sleep(4000)]);
    for (const name of ['api', 'app', 'worker', 'temporal', 'postgres'])
      await this.services.find((service) => service.name === name)?.stop();
    this.runFile.clear();
  }

  private progress(line: string): void {
    this.options.print(`· ${line}`);
  }

  private log(name: string): string {
    return path.join(this.dataDir, 'logs', `${name}.log`);
  }

  private async keep(definition: ServiceDefinition): Promise<void> {
    const starting = keepRunning(definition, {
      up: (name, running) => this.runFile.note(name, running.pid),
      down: (name, why, retryMs) => this.progress(`${name} ended (${why}); starting it again in ${retryMs / 1000} s`),
      gaveUp: (name, reason) => this.fail({ reason: `${name}: ${reason}` }),
    }).then((service) => {
      this.services.push(service);
    });
    this.pending.push(starting);
    await starting;
  }

  /** Api and worker of a killed supervisor notice by themselves; this makes sure before their port is wanted. */
  private async endLeftovers(): Promise<void> {
    for (const name of ['api', 'worker', 'app']) {
      const pid = this.runFile.alive(name);
      if (pid === undefined || !commandLine(pid).includes(path.basename(this.options.main ?? builtMain()))) continue;
      this.progress(`Ending the ${name} process ${pid} of an earlier run`);
      if (!(await waitFor(() => this.runFile.alive(name) === undefined, 3000))) await endProcess(pid, 'SIGTERM', 3000);
    }
  }

  private async database(): Promise<{ databaseUrl: string; isEmbedded: boolean }> {
    if (this.config.databaseUrl !== undefined) {
      await checkDatabase('DATABASE_URL', this.config.databaseUrl);
      if (this.config.databaseOwnerUrl !== undefined) await checkDatabase('DATABASE_OWNER_URL', this.config.databaseOwnerUrl);
      return { databaseUrl: this.config.databaseUrl, isEmbedded: false };
    }
    const { major } = findPostgres();
    this.refuseOtherMajor(major);
    const dir = path.join(this.dataDir, `pg${major}`);
    const password = passwordOf(this.dataDir);
    let port = this.runFile.port('postgres') ?? DEFAULT_POSTGRES_PORT;
    if (!fs.existsSync(dir)) this.progress('Creating the database');
    await this.keep({
      name: 'postgres',
      lastLines: () => tail(this.log('postgres'), 5),
      start: async () => {
        const server = await startPostgres({ dir, port, password, logFile: this.log('postgres'), flags: ['-c', 'max_connections=200'] });
        if (this.services.some((service) => service.name === 'postgres') && server.port !== port) await this.refusePort(server, port);
        port = server.port;
        this.runFile.notePort('postgres', port);
        return { pid: server.pid, ended: watchPid(server.pid), stop: () => server.stop() };
      },
    });
    return { databaseUrl: await databaseFor(port, password), isEmbedded: true };
  }

  /** Api and worker know the port; a restart must come back on it. */
  private async refusePort(server: { stop(): Promise<void> }, port: number): Promise<never> {
    await server.stop();
    throw new ConfigError(`port ${port} is taken by another program`);
  }

  private refuseOtherMajor(major: number): void {
    const others = fs.readdirSync(this.dataDir).filter((name) => /^pg\d+$/.test(name) && name !== `pg${major}`);
    if (others.length === 0 || fs.existsSync(path.join(this.dataDir, `pg${major}`))) return;
    throw new ConfigError(
      `${path.join(this.dataDir, others[0] ?? '')} was made by another version; the Postgres here is version ${major}. Serve it with that version through DATABASE_URL, or set another DATA_DIR.`,
    );
  }

  private async temporal(): Promise<{ address: string; uiUpstream: string | undefined; isLocal: boolean }> {
    const given = this.config.temporal.address;
    if (given !== undefined) return { address: given, uiUpstream: undefined, isLocal: false };
    let ports = { port: this.runFile.port('temporal') ?? DEFAULT_TEMPORAL_PORT, uiPort: this.config.temporal.uiPort };
    if (
      this.options.env['TEMPORAL_UI_PORT'] !== undefined &&
      this.runFile.alive('temporal') === undefined &&
      !(await isPortFree(ports.uiPort))
    ) {
      throw new ConfigError(
        `Port ${ports.uiPort} (TEMPORAL_UI_PORT) is in use by another program. Stop that, or set TEMPORAL_UI_PORT to a free one.`,
      );
    }
    let isStarted = false;
    await this.keep({
      name: 'temporal',
      lastLines: () => tail(this.log('temporal'), 5),
      start: async () => {
        const pid = this.runFile.alive('temporal');
        const previous =
          pid === undefined ? undefined : { pid, port: ports.port, uiPort: this.runFile.port('temporal-ui') ?? ports.uiPort };
        const server = await startTemporal({
          file: path.join(this.dataDir, 'temporal.db'),
          logFile: this.log('temporal'),
          namespace: this.config.temporal.namespace,
          ...ports,
          progress: (line) => this.progress(line),
          ...(previous === undefined ? {} : { previous }),
        });
        if (isStarted && server.port !== ports.port) await this.refusePort(server, ports.port);
        isStarted = true;
        ports = { port: server.port, uiPort: server.uiPort };
        this.runFile.notePort('temporal', server.port);
        this.runFile.notePort('temporal-ui', server.uiPort);
        return { pid: server.pid, ended: watchPid(server.pid), stop: () => server.stop() };
      },
    });
    return { address: `127.0.0.1:${ports.port}`, uiUpstream: `http://127.0.0.1:${ports.uiPort}`, isLocal: true };
  }

  private childEnvironment(found: {
    secretKey: string;
    databaseUrl: string;
    isEmbedded: boolean;
    address: string;
    uiUpstream: string | undefined;
  }): NodeJS.ProcessEnv {
    return {
      ...this.options.env,
      PORT: String(this.port),
      DATA_DIR: this.dataDir,
      DATABASE_URL: found.databaseUrl,
      ...(found.isEmbedded ? { DATABASE_OWNER_URL: found.databaseUrl } : {}),
      TEMPORAL_ADDRESS: found.address,
      ...(found.uiUpstream === undefined ? {} : { TEMPORAL_UI_UPSTREAM: found.uiUpstream }),
      SECRET_KEY: found.secretKey,
      ...(this.defaultApp() === undefined ? {} : { DEFAULT_APP: this.defaultApp() }),
    };
  }

  private defaultApp(): string | undefined {
    return this.config.defaultApp ?? (this.config.isDevelopment ? EXAMPLE_APP : undefined);
  }

  private async processes(env: NodeJS.ProcessEnv): Promise<void> {
    const child = (name: string, args: readonly string[]): Promise<void> => {
      const start = (): Promise<RunningService> =>
        startProcess({
          name,
          args,
          env,
          logFile: this.log(name),
          show: (line) => this.options.print(`${name}: ${line}`),
          ...(this.options.main === undefined ? {} : { main: this.options.main }),
        });
      return this.keep({ name, start, lastLines: () => tail(this.log(name), 5) });
    };
    this.progress(this.options.isInProcess ? 'Starting api and worker in one process' : 'Starting api and worker');
    if (this.options.isInProcess) await child('app', ['api', '--with-worker']);
    else await allOf([child('worker', ['worker']), child('api', ['api'])]);
  }

  private async untilReady(): Promise<void> {
    const host = this.config.host === '0.0.0.0' || this.config.host === '::' ? '127.0.0.1' : this.config.host;
    const url = `http://${host.includes(':') ? `[${host}]` : host}:${this.port}/health/ready`;
    let last = 'no answer';
    const isReady = async (): Promise<boolean> => {
      try {
        const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
        last = `${response.status} ${(await response.text()).slice(0, 300)}`;
        return response.ok;
      } catch (error) {
        last = String(error);
        return this.isStopping;
      }
    };
    if (!(await waitFor(isReady, 60_000, 50)))
      throw new ConfigError(`The api did not become ready within a minute (${last}). See ${this.log('api')}.`);
  }

  private async example(): Promise<boolean> {
    if (this.config.defaultApp !== undefined || !this.config.isDevelopment) return false;
    if (isExampleLoaded(this.dataDir)) return true;
    try {
      await loadExample(this.config, { port: this.port, dataDir: this.dataDir, progress: (line) => this.progress(line) });
      return true;
    } catch (error) {
      this.progress(
        `The example app was not loaded (${error instanceof Error ? error.message : String(error)}); the next start tries again`,
      );
      return false;
    }
  }
}

/** Like Promise.all, but waits for all before it fails, so that nothing is being started behind a failure. */
async function allOf<T extends readonly Promise<unknown>[]>(promises: readonly [...T]): Promise<{ [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(promises);
  return Promise.all(promises) as Promise<{ [K in keyof T]: Awaited<T[K]> }>;
}
