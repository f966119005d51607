/** One supervisor per data folder. A lock left by a killed one is recognised by its dead (or recycled) process id. */
import fs from 'node:fs';
import path from 'node:path';
import { ConfigError } from '../../adapters/config.ts';
import { birthMark, isAlive, sleep } from './system.ts';

interface Holder {
  readonly pid: number;
  readonly birth: string;
  readonly url: string;
}

const lockFile = (dataDir: string): string => path.join(dataDir, 'supervisor.lock');

export function lockHolder(dataDir: string): Holder | undefined {
  try {
    const holder = JSON.parse(fs.readFileSync(lockFile(dataDir), 'utf8')) as Holder;
    return isAlive(holder.pid) && birthMark(holder.pid) === holder.birth ? holder : undefined;
  } catch {
    return undefined;
  }
}

/** Takes the lock or says who has it. Waits a little, because the holder may just be stopping. Answers how to give it back. */
export async function takeLock(dataDir: string, url: string, waitMs = 4000): Promise<() => void> {
  const file = lockFile(dataDir);
  const own = `${file}.${process.pid}`;
  fs.writeFileSync(own, JSON.stringify({ pid: process.pid, birth: birthMark(process.pid), url } satisfies Holder));
  try {
    for (const deadline = Date.now() + waitMs; ; await sleep(100)) {
      if (isLinked(own, file)) return () => fs.rmSync(file, { force: true });
      const holder = lockHolder(dataDir);
      if (holder === undefined) removeStale(file, dataDir);
      else if (Date.now() > deadline) {
        throw new ConfigError(
          `Durabase already runs on ${dataDir} (process ${holder.pid}, ${holder.url}). Stop it with: kill ${holder.pid}; or set DATA_DIR and PORT for a second one.`,
        );
      }
    }
  } finally {
    fs.rmSync(own, { force: true });
  }
}

/** A hard link appears with its content or not at all, and never replaces another. */
function isLinked(own: string, file: string): boolean {
  try {
    fs.linkSync(own, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Moved away first: of two starters that both saw it stale, only one moves it, and a fresh one is put back. */
function removeStale(file: string, dataDir: string): void {
  const aside = `${file}.stale.${process.pid}`;
  try {
    fs.renameSync(file, aside);
  } catch {
    return;
  }
  const moved = JSON.parse(fs.readFileSync(aside, 'utf8') || '{"pid":0}') as Holder;
  if (isAlive(moved.pid) && birthMark(moved.pid) === moved.birth && lockHolder(dataDir) === undefined) isLinked(aside, file);
  fs.rmSync(aside, { force: true });
}
