/** Schemathesis, which makes requests out of an OpenAPI description, in an environment of its own under the cache folder. */
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { onPath } from '../../infra/local/system.ts';

const VERSION = '4.32.5';
const folder = path.join(process.env['XDG_CACHE_HOME'] ?? path.join(os.homedir(), '.cache'), 'durabase', `schemathesis-${VERSION}`);

/** The program, installed when it is missing. */
export function findSchemathesis(say: (line: string) => void): string {
  const program = path.join(folder, 'bin', 'schemathesis');
  if (!fs.existsSync(program)) install(say);
  return program;
}

/** Made beside its place and moved there whole: another run may be installing too, and the first one stays. */
function install(say: (line: string) => void): void {
  const python = onPath('python3');
  if (python === undefined) throw new Error(`There is no python3. ${NEEDED}`);
  say(`installing schemathesis ${VERSION}`);
  const cache = path.dirname(folder);
  fs.mkdirSync(cache, { recursive: true });
  const made = fs.mkdtempSync(path.join(cache, 'schemathesis-'));
  try {
    run(python, ['-m', 'venv', made]);
    run(path.join(made, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', `schemathesis==${VERSION}`]);
    writeProgram(made);
    move(made);
  } finally {
    fs.rmSync(made, { recursive: true, force: true });
  }
}

/** Scripts of an environment name the folder it was made in; this one finds its own. */
function writeProgram(made: string): void {
  const text = '#!/bin/sh\nexec "$(dirname "$0")/python" -m schemathesis.cli "$@"\n';
  fs.writeFileSync(path.join(made, 'bin', 'schemathesis'), text, { mode: 0o755 });
}

function move(made: string): void {
  try {
    fs.renameSync(made, folder);
  } catch (error) {
    if (!fs.existsSync(path.join(folder, 'bin', 'schemathesis'))) throw error;
  }
}

const NEEDED = 'The fuzz proof runs schemathesis, which needs python3 with venv and pip: apt-get install python3-venv python3-pip.';

function run(program: string, args: readonly string[]): void {
  const { error, status, stderr, stdout } = spawnSync(program, args, { encoding: 'utf8' });
  if (status === 0) return;
  throw new Error(`${path.basename(program)} ${args.join(' ')} failed. ${NEEDED} ${error?.message ?? (stderr || stdout).slice(-1_000)}`);
}

export interface FuzzRun {
  readonly code: number | null;
  readonly output: string;
  /** How many requests were made up and checked; those that checks send of their own (without a token) are counted as skipped. */
  readonly cases: number;
}

/** Runs it to the end, line by line told to `say`. */
export function runSchemathesis(program: string, args: readonly string[], cwd: string): Promise<FuzzRun> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.once('error', reject);
    child.once('close', (code) => {
      resolve({ code, output, cases: countOf(output, 'generated') - countOf(output, 'skipped') });
    });
  });
}

/** A figure of the line `Test cases: 2,010 generated, 2,010 passed, 111 skipped`. */
const countOf = (output: string, what: 'generated' | 'skipped'): number =>
  Number(new RegExp(`Test cases:[^]*?([\\d,]+) ${what}`).exec(output)?.[1]?.replaceAll(',', '') ?? 0);
