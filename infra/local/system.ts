/** Small questions to the operating system, shared by the parts that run embedded services. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { ConfigError } from '../../adapters/config.ts';

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** True for a process that runs; a zombie nobody has reaped (containers without an init) does not. */
export function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return statOf(pid)?.state !== 'Z';
}

function statOf(pid: number): { state: string; parent: number; startedAt: string } | undefined {
  try {
    const text = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', parent: Number(fields[1]), startedAt: fields[19] ?? '' };
  } catch {
    return undefined;
  }
}

/** What tells a process from a later one with the same pid: its start time where /proc has it, else nothing. */
export const birthMark = (pid: number): string => statOf(pid)?.startedAt ?? '';

/** The parent of a process, where /proc tells. */
export const parentOf = (pid: number): number | undefined => statOf(pid)?.parent;

/** The command line of a process, or '' when it cannot be read. */
export function commandLine(pid: number): string {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return spawnSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' }).stdout ?? '';
  }
}

export async function waitFor(isDone: () => boolean | Promise<boolean>, timeoutMs: number, everyMs = 25): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (Date.now() < deadline) {
    if (await isDone()) return true;
    await sleep(everyMs);
  }
  return isDone();
}

/** Ends a process: the polite signal first, SIGKILL when it stays. */
export async function endProcess(pid: number, signal: NodeJS.Signals, graceMs: number): Promise<void> {
  for (const [name, waitMs] of [
    [signal, graceMs],
    ['SIGKILL', 2000],
  ] as const) {
    try {
      process.kill(pid, name);
    } catch {
      return;
    }
    if (await waitFor(() => !isAlive(pid), waitMs)) return;
  }
}

export function isPortFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}

/** The wanted port when it is free, else any other free one. */
export function freePort(wanted = 0, host = '127.0.0.1'): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', (error) => (wanted === 0 ? reject(error) : resolve(freePort(0, host))));
    server.listen(wanted, host, () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** An executable on PATH. */
export function onPath(name: string): string | undefined {
  for (const folder of (process.env['PATH'] ?? '').split(path.delimiter)) {
    const file = path.join(folder, name);
    try {
      fs.accessSync(file, fs.constants.X_OK);
      if (fs.statSync(file).isFile()) return file;
    } catch {
      continue;
    }
  }
  return undefined;
}

/** Free megabytes on the disk of a folder (or of its nearest existing parent). */
export function freeMegabytes(folder: string): number {
  let at = path.resolve(folder);
  while (!fs.existsSync(at)) at = path.dirname(at);
  const { bavail, bsize } = fs.statfsSync(at);
  return Math.floor((bavail * bsize) / 1_048_576);
}

const NO_SPACE = /ENOSPC|no space left on device|disk full|database or disk is full/i;

export const isDiskFull = (text: string): boolean => NO_SPACE.test(text);

/** The one line for a full disk. */
export const diskFull = (folder: string): ConfigError =>
  new ConfigError(
    `The disk of ${path.resolve(folder)} is full (${freeMegabytes(folder)} MB free). Free some space, or set DATA_DIR to a folder on another disk.`,
  );

/** Text of a file's end. */
export function tail(file: string, lines: number): string {
  try {
    const size = fs.statSync(file).size;
    const length = Math.min(size, 16_384);
    const buffer = Buffer.alloc(length);
    const handle = fs.openSync(file, 'r');
    fs.readSync(handle, buffer, 0, length, size - length);
    fs.closeSync(handle);
    return buffer.toString('utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return '';
  }
}
