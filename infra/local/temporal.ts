/**
 * A local Temporal server: found in the order of docs/operating.md, started on a database file, adopted when a killed
 * supervisor left it running. It is a development server; a cluster takes over by TEMPORAL_ADDRESS.
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Connection } from '@temporalio/client';
import { ConfigError } from '../../adapters/config.ts';
import { SEARCH_ATTRIBUTES } from '../../workflows/contracts/search-attributes.ts';
import { commandLine, diskFull, endProcess, freePort, isAlive, isDiskFull, onPath, sleep, tail } from './system.ts';

export const TEMPORAL_VERSION = 'v1.5.1';

/** Where compiled and downloaded servers are kept for all clones of one user. */
export const cacheFolder = (): string => path.join(process.env['XDG_CACHE_HOME'] ?? path.join(os.homedir(), '.cache'), 'durabase', 'bin');
const cachedBinary = (): string => path.join(cacheFolder(), `temporal-${TEMPORAL_VERSION}`);

export type Progress = (line: string) => void;

/** The executable that is already there: on PATH, else in our cache. */
export function installedTemporal(): string | undefined {
  const onThisPath = onPath('temporal');
  if (onThisPath !== undefined) return onThisPath;
  return fs.existsSync(cachedBinary()) ? cachedBinary() : undefined;
}

/** The executable, fetched or compiled into the cache when it is not there yet. */
export async function findTemporal(progress: Progress): Promise<string> {
  return installedTemporal() ?? (await downloadTemporal(progress)) ?? (await compileTemporal(progress));
}

/** The SDK's own download of the command line tool, given up after a short while without the Internet. */
async function downloadTemporal(progress: Progress): Promise<string | undefined> {
  progress('No temporal on PATH or in the cache: trying the download of the Temporal SDK');
  const folder = path.join(cacheFolder(), 'download');
  fs.mkdirSync(folder, { recursive: true });
  const executable = { type: 'cached-download', downloadDir: folder } as const;
  // A package for development: an installation without those has no download either.
  const started = import('@temporalio/testing')
    .then(({ TestWorkflowEnvironment: environment }) =>
      environment.createLocal({ server: { executable, log: { format: 'json', level: 'error' } } }),
    )
    .then((server) => server.teardown());
  started.catch(() => undefined);
  const isFetched = await Promise.race([
    started.then(
      () => true,
      () => false,
    ),
    sleep(60_000).then(() => false),
  ]);
  const file = isFetched ? fs.readdirSync(folder).find((name) => name.startsWith('temporal')) : undefined;
  if (file === undefined) {
    progress('The download did not answer');
    return undefined;
  }
  fs.copyFileSync(path.join(folder, file), `${cachedBinary()}.${process.pid}`);
  fs.chmodSync(`${cachedBinary()}.${process.pid}`, 0o755);
  fs.renameSync(`${cachedBinary()}.${process.pid}`, cachedBinary());
  return cachedBinary();
}

/** `go install`, minutes once. Renamed into place at the end, so that a killed compilation leaves no half file. */
async function compileTemporal(progress: Progress): Promise<string> {
  if (onPath('go') === undefined) throw missingTemporal('There is no Go to compile it with either.');
  const workFolder = path.join(cacheFolder(), `compile-${process.pid}`);
  fs.mkdirSync(workFolder, { recursive: true });
  const since = Date.now();
  const seconds = (): number => Math.round((Date.now() - since) / 1000);
  progress(`Compiling the Temporal server ${TEMPORAL_VERSION} with Go: about five minutes, once; kept in ${cacheFolder()}`);
  const ticker = setInterval(() => progress(`Compiling the Temporal server ... ${seconds()} s`), 15_000);
  try {
    const output: string[] = [];
    const code = await goInstall(workFolder, output);
    if (code !== 0) throw missingTemporal(`Go could not compile it: ${output.join('').trim().split('\n').slice(-3).join(' ')}`);
    fs.renameSync(path.join(workFolder, 'temporal'), cachedBinary());
    progress(`Compiled the Temporal server in ${seconds()} s`);
    return cachedBinary();
  } finally {
    clearInterval(ticker);
    fs.rmSync(workFolder, { recursive: true, force: true });
  }
}

function goInstall(folder: string, output: string[]): Promise<number | null> {
  const child = spawn('go', ['install', '-ldflags', '-s -w', `github.com/temporalio/cli/cmd/temporal@${TEMPORAL_VERSION}`], {
    env: { ...process.env, GOBIN: folder, GOFLAGS: '-mod=mod' },
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stop = (): void => void child.kill('SIGKILL');
  process.once('exit', stop);
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => output.push(text.toString()));
  return new Promise((resolve) => {
    child.once('error', () => resolve(1));
    child.once('close', (code) => {
      process.off('exit', stop);
      resolve(code);
    });
  });
}

const missingTemporal = (why: string): ConfigError =>
  new ConfigError(
    `No Temporal server was found. ${why} Put the temporal command on PATH (https://docs.temporal.io/cli), install Go, or set TEMPORAL_ADDRESS to a running server.`,
  );

export interface TemporalOptions {
  /** The database file; no file = state in memory, for tests. */
  readonly file?: string;
  readonly logFile: string;
  readonly port?: number;
  /** Undefined = no Web UI. */
  readonly uiPort?: number;
  readonly namespace?: string;
  readonly progress?: Progress;
  /** Settings of the server itself, by their names there; values as JSON. */
  readonly dynamicConfig?: Readonly<Record<string, number | boolean | string>>;
  /** A server an earlier, killed supervisor started. */
  readonly previous?: { readonly pid: number; readonly port: number; readonly uiPort: number };
}

export interface RunningTemporal {
  readonly address: string;
  readonly port: number;
  readonly uiPort: number;
  readonly pid: number;
  readonly isAdopted: boolean;
  stop(): Promise<void>;
}

export async function startTemporal(options: TemporalOptions): Promise<RunningTemporal> {
  const namespace = options.namespace ?? 'default';
  const adopted = await adopt(options, namespace);
  if (adopted !== undefined) return adopted;
  const executable = await findTemporal(options.progress ?? (() => undefined));
  for (let attempt = 0; ; attempt++) {
    const started = await launch(executable, options, namespace);
    if (!(started instanceof Error)) return started;
    if (attempt === 2 || !isPassing(options.logFile)) throw started;
  }
}

/** A port that was free a moment ago, one of ours or of the server's own services, which panics over it. Anything else ends the same way again. */
const isPassing = (logFile: string): boolean => /address already in use|^panic: /im.test(tail(logFile, 200));

async function adopt(options: TemporalOptions, namespace: string): Promise<RunningTemporal | undefined> {
  const { previous, file } = options;
  if (previous === undefined || file === undefined || !isAlive(previous.pid) || !commandLine(previous.pid).includes(file)) return undefined;
  if (await answers(`127.0.0.1:${previous.port}`, namespace)) return handle(previous.pid, previous.port, previous.uiPort, true);
  await endProcess(previous.pid, 'SIGTERM', 3000);
  return undefined;
}

async function launch(executable: string, options: TemporalOptions, namespace: string): Promise<RunningTemporal | Error> {
  const port = await freePort(options.port ?? 0);
  const uiPort = options.uiPort === undefined ? 0 : await freePort(options.uiPort);
  fs.mkdirSync(path.dirname(options.logFile), { recursive: true });
  const log = fs.openSync(options.logFile, 'a');
  const child = spawn(executable, serverArguments(options, namespace, port, uiPort), { stdio: ['ignore', log, log], detached: true });
  fs.closeSync(log);
  let isDead = false;
  child.once('exit', () => (isDead = true));
  child.once('error', () => (isDead = true));
  const deadline = Date.now() + 60_000;
  while (!isDead && Date.now() < deadline) {
    if (await answers(`127.0.0.1:${port}`, namespace)) {
      child.unref();
      return handle(child.pid ?? 0, port, uiPort, false);
    }
    await sleep(50);
  }
  if (child.pid !== undefined && !isDead) await endProcess(child.pid, 'SIGTERM', 2000);
  return startFailure(options);
}

function startFailure(options: TemporalOptions): Error {
  const last = tail(options.logFile, 4);
  const file = options.file ?? 'memory';
  if (isDiskFull(last)) return diskFull(path.dirname(file));
  if (/file is not a database|malformed|disk image/i.test(last)) {
    return new ConfigError(
      `The Temporal database ${file} is damaged. Move it away to start with an empty one (running workflows are lost), or restore a copy.`,
    );
  }
  return new ConfigError(`The Temporal server did not start; see ${options.logFile}. Its last lines: ${last}`);
}

function serverArguments(options: TemporalOptions, namespace: string, port: number, uiPort: number): string[] {
  return [
    'server',
    'start-dev',
    '--ip',
    '127.0.0.1',
    '--port',
    String(port),
    '--namespace',
    namespace,
    '--log-level',
    'error',
    ...(options.file === undefined ? [] : ['--db-filename', options.file]),
    ...(options.uiPort === undefined ? ['--headless'] : ['--ui-port', String(uiPort), '--ui-public-path', '/temporal']),
    ...Object.entries(options.dynamicConfig ?? {}).flatMap(([name, to]) => ['--dynamic-config-value', `${name}=${JSON.stringify(to)}`]),
    ...SEARCH_ATTRIBUTES.flatMap(({ name, type }) => ['--search-attribute', `${name}=${type === 'DATETIME' ? 'Datetime' : 'Keyword'}`]),
  ];
}

/** True once the namespace serves. Its retention is the worker's business (adapters/temporal/namespace.ts). */
async function answers(address: string, namespace: string): Promise<boolean> {
  let connection: Connection | undefined;
  try {
    const opened = await Connection.connect({ address, connectTimeout: 1000 });
    connection = opened;
    await opened.withDeadline(Date.now() + 3000, () => opened.workflowService.describeNamespace({ namespace }));
    return true;
  } catch {
    return false;
  } finally {
    await connection?.close();
  }
}

function handle(pid: number, port: number, uiPort: number, isAdopted: boolean): RunningTemporal {
  return { address: `127.0.0.1:${port}`, port, uiPort, pid, isAdopted, stop: () => endProcess(pid, 'SIGTERM', 5000) };
}
