/**
 * An embedded Postgres, supervised by its pid file. The server is a detached child that outlives a killed parent; the next
 * start adopts it. Facts behind the odd corners are in docs/adr/0004-embedded-services.md.
 */
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { ConfigError } from '../../adapters/config.ts';
import type { RunAs } from './postgres-binaries.ts';
import { chooseUser, commandAs, findPostgres, identityOf } from './postgres-binaries.ts';
import { commandLine, diskFull, endProcess, freePort, isAlive, isDiskFull, sleep, waitFor } from './system.ts';

export interface PostgresOptions {
  readonly dir: string;
  /** Wanted port; another free one is taken when it is in use. 0 = any. */
  readonly port?: number;
  readonly flags?: readonly string[];
  /** Of the superuser `postgres`; without one every local user may connect, which only tests want. */
  readonly password?: string;
  /** Default: server.log in the folder. */
  readonly logFile?: string;
}

export interface RunningPostgres {
  readonly port: number;
  readonly pid: number;
  readonly isAdopted: boolean;
  readonly url: (database: string) => string;
  stop(): Promise<void>;
}

/** Speed for tests: what a crash of the machine would lose does not matter there. */
export const TEST_FLAGS = ['-F', '-c', 'synchronous_commit=off', '-c', 'full_page_writes=off', '-c', 'max_connections=300'];

export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const dir = path.resolve(options.dir);
  const { folder: bin, major } = findPostgres();
  const as = prepare(bin, major, dir, options.password);
  const adopted = await adopt(dir, options.password);
  if (adopted !== undefined) return adopted;
  for (let attempt = 0; ; attempt++) {
    const started = await launch(bin, dir, as, options);
    if (!('failure' in started)) return started;
    // Orphaned backends of a killed server hold its shared memory for a moment.
    const isPassing = /shared memory block|lock file "postmaster.pid"|could not bind/.test(started.failure);
    if (!isPassing || attempt === 25) throw explain(started.failure, dir);
    await sleep(200);
  }
}

/** Makes the folder when there is none, and refuses one that is not ours to start. */
function prepare(bin: string, major: number, dir: string, password: string | undefined): RunAs {
  try {
    fs.mkdirSync(dir, { recursive: true, mode: 0o700 });
    const version = path.join(dir, 'PG_VERSION');
    if (fs.existsSync(version)) {
      const found = Number(fs.readFileSync(version, 'utf8'));
      if (found === major) return chooseUser(bin, dir);
      throw new ConfigError(
        `${dir} holds data of Postgres ${found || '(unreadable version)'}, but the server is version ${major}. Use a server of that version through DATABASE_URL, or another DATA_DIR.`,
      );
    }
    if (fs.readdirSync(dir).length > 0) throw damaged(dir, 'PG_VERSION is missing');
    return initialize(bin, dir, password);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') throw diskFull(dir);
    if ((error as NodeJS.ErrnoException).code === 'EACCES')
      throw new ConfigError(`${dir} cannot be written by this user. Set DATA_DIR to a folder of yours.`);
    throw error;
  }
}

const damaged = (dir: string, why: string): ConfigError =>
  new ConfigError(
    `The database folder ${dir} is damaged (${why}). Move it away to start with an empty database, or put a copy of it back.`,
  );

/** Beside its place and renamed at the end: a killed initdb must not leave a folder that looks like a database. */
function initialize(bin: string, dir: string, password: string | undefined): RunAs {
  const work = `${dir}.new`;
  fs.rmSync(work, { recursive: true, force: true });
  fs.mkdirSync(work, { mode: 0o700 });
  const as = chooseUser(bin, work);
  const passwordFile = path.join(os.tmpdir(), `durabase-${randomBytes(8).toString('hex')}`);
  try {
    if (password !== undefined) {
      fs.writeFileSync(passwordFile, password, { mode: 0o600, flag: 'wx' });
      if (as.uid !== undefined && as.gid !== undefined) fs.chownSync(passwordFile, as.uid, as.gid);
    }
    const auth = password === undefined ? ['-A', 'trust'] : ['-A', 'scram-sha-256', '--pwfile', passwordFile];
    const args = ['-D', work, '-U', 'postgres', ...auth, '-E', 'UTF8', '--locale=C', '--no-sync', '--no-instructions'];
    const [program, rest] = commandAs(bin, 'initdb', args, as);
    const result = spawnSync(program, rest, { ...identityOf(as), encoding: 'utf8' });
    if (result.status !== 0) throw explain(result.stderr, dir);
  } finally {
    fs.rmSync(passwordFile, { force: true });
  }
  fs.rmdirSync(dir);
  fs.renameSync(work, dir);
  return as;
}

/** One line out of a server's log. */
function explain(output: string, dir: string): ConfigError {
  if (isDiskFull(output)) return diskFull(dir);
  const lines = output
    .trim()
    .split('\n')
    .filter((line) => /FATAL|PANIC|error:|could not/i.test(line));
  const last = (lines.find((line) => /FATAL|PANIC/.test(line)) ?? lines.at(-1) ?? output.trim().split('\n').at(-1) ?? '').replace(
    /^.*?(FATAL|PANIC|error):\s*/,
    '',
  );
  if (
    /pg_control|checkpoint record|control file|invalid (magic|page)|not a valid data directory|No such file|checksum|global\/|pg_wal|postgresql\.conf/i.test(
      output,
    )
  )
    return damaged(dir, last);
  return new ConfigError(`Postgres did not start in ${dir}: ${last}`);
}

async function serves(port: number, dir: string, password: string | undefined): Promise<boolean> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: 'postgres',
    database: 'postgres',
    connectionTimeoutMillis: 1500,
    ...(password === undefined ? {} : { password }),
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const answer = await client.query<{ data_directory: string }>('show data_directory');
    return answer.rows[0]?.data_directory === dir;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function adopt(dir: string, password: string | undefined): Promise<RunningPostgres | undefined> {
  const pidFile = path.join(dir, 'postmaster.pid');
  if (!fs.existsSync(pidFile)) return undefined;
  const [pidLine, , , portLine] = fs.readFileSync(pidFile, 'utf8').split('\n');
  const pid = Number(pidLine);
  const port = Number(portLine);
  if (!isAlive(pid)) return undefined;
  if (!commandLine(pid).includes('postgres')) {
    fs.rmSync(pidFile, { force: true });
    return undefined;
  }
  // It may still be recovering, or already stopping.
  let isServing = false;
  await waitFor(async () => (isServing = await serves(port, dir, password)) || !isAlive(pid), 15_000, 100);
  if (isServing) return handle(port, pid, true, dir, password);
  await endProcess(pid, 'SIGINT', 5000);
  return undefined;
}

async function launch(bin: string, dir: string, as: RunAs, options: PostgresOptions): Promise<RunningPostgres | { failure: string }> {
  const port = await freePort(options.port ?? 0);
  const logFile = options.logFile ?? path.join(dir, 'server.log');
  const log = fs.openSync(logFile, 'a');
  const from = fs.fstatSync(log).size;
  const args = ['-D', dir, '-p', String(port), '-h', '127.0.0.1', '-k', '', ...(options.flags ?? [])];
  const [program, rest] = commandAs(bin, 'postgres', args, as);
  const child = spawn(program, rest, { ...identityOf(as), stdio: ['ignore', log, log], detached: true });
  fs.closeSync(log);
  let isDead = false;
  child.once('exit', () => (isDead = true));
  child.once('error', () => (isDead = true));
  for (let i = 0; i < 1200 && !isDead; i++) {
    if (await serves(port, dir, options.password)) {
      child.unref();
      return handle(port, child.pid ?? 0, false, dir, options.password);
    }
    await sleep(25);
  }
  if (!isDead && child.pid !== undefined) await endProcess(child.pid, 'SIGINT', 5000);
  return { failure: fs.readFileSync(logFile).subarray(from).toString('utf8').slice(-4000) };
}

function handle(port: number, pid: number, isAdopted: boolean, dir: string, password: string | undefined): RunningPostgres {
  const account = password === undefined ? 'postgres' : `postgres:${encodeURIComponent(password)}`;
  return {
    port,
    pid,
    isAdopted,
    url: (database) => `postgres://${account}@127.0.0.1:${port}/${database}`,
    async stop() {
      try {
        process.kill(pid, 'SIGINT');
      } catch {
        return;
      }
      await waitFor(() => !fs.existsSync(path.join(dir, 'postmaster.pid')) && !isAlive(pid), 15_000, 25);
    },
  };
}
