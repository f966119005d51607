/** The load generator, always a process of its own: wrk where there is one, else a small one of ours. */
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { cpuSeconds, memoryMiB } from '../lib/proc.mjs';

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers that were neither 2xx nor the status that is right too. */
  readonly badStatus: number;
  readonly socketErrors: number;
}

export interface Measurement extends LoadResult {
  readonly serverMs: number;
  readonly postgresMs: number;
  /** The server's memory as it was when the load ended. */
  readonly memoryMiB: number;
}

export interface Load {
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  /** Made by `writeRequests`. */
  readonly file: string;
  /** A refusal that some of the requests are meant to meet. */
  readonly alsoRight?: number;
}

/** One file of raw requests, sent in turn. */
export function writeRequests(file: string, requests: readonly Buffer[]): string {
  fs.writeFileSync(file, Buffer.concat(requests.flatMap((bytes) => [Buffer.from(`${bytes.length}\n`), bytes])));
  return file;
}

const found = new Map<string, boolean>();

/** True when that wrk is there; says once how to get it when it is not. */
export function isWrkThere(wrk: string): boolean {
  let isThere = found.get(wrk);
  if (isThere === undefined) {
    found.set(wrk, (isThere = spawnSync(wrk, ['--version']).error === undefined));
    if (!isThere) {
      console.error(
        'wrk was not found: measuring with the load generator of this folder, which takes more CPU itself, so requests/s are lower. ' +
          'To get it: apt-get install wrk, brew install wrk, or BENCH_WRK=/path/to/wrk.',
      );
    }
  }
  return isThere;
}

export async function runLoad(wrk: string, load: Load): Promise<LoadResult> {
  const here = import.meta.dirname;
  const url = `http://127.0.0.1:${load.port}`;
  const [program, args] = isWrkThere(wrk)
    ? [wrk, ['-t1', `-c${load.connections}`, `-d${load.seconds}s`, '--timeout', '10s', '-s', path.join(here, 'wrk.lua'), url]]
    : [process.execPath, [path.join(here, 'own-load.mjs'), load.port, load.connections, load.seconds, load.file].map(String)];
  const { code, output } = await capture(program, args, {
    ...process.env,
    BENCH_REQUESTS: load.file,
    BENCH_ALSO_RIGHT: String(load.alsoRight ?? ''),
  });
  const line = /^BENCH (\{.*\})$/m.exec(output)?.[1];
  if (code !== 0 || line === undefined) throw new Error(`The load generator failed: ${output.slice(-1000)}`);
  return JSON.parse(line) as LoadResult;
}

/** A warm-up, then one measurement with the CPU of both sides: milliseconds per request. */
export async function measure(
  wrk: string,
  load: Load,
  pids: { readonly server: number; readonly postgres: number },
  warmup: number,
): Promise<Measurement> {
  if (warmup > 0) await runLoad(wrk, { ...load, seconds: warmup });
  const before = { server: cpuSeconds(pids.server), postgres: cpuSeconds(pids.postgres) };
  const result = await runLoad(wrk, load);
  const used = (side: 'server' | 'postgres'): number => ((cpuSeconds(pids[side]) - before[side]) * 1000) / result.requests;
  return { ...result, serverMs: used('server'), postgresMs: used('postgres'), memoryMiB: memoryMiB(pids.server) };
}

function capture(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<{ code: number | null; output: string }> {
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}
