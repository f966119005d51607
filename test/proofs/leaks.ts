/**
 * Every clause of the API, as every kind of caller, tells the same about two databases that differ in hidden data only.
 *
 *   npm run prove -- leaks [--seed <number>] [--combined <number>]
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { startPostgres } from '../../infra/local/postgres.ts';
import { described, proveLeaks } from '../security/leak-proof.ts';
import { demand } from '../support/demand.ts';

const { values } = parseArgs({ options: { seed: { type: 'string' }, combined: { type: 'string', default: '1500' } } });
const seed = Number(values.seed ?? Date.now() % 1_000_000);
console.log(`seed ${String(seed)}`);
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'durabase-leaks-'));
fs.chmodSync(dir, 0o755);
const postgres = await startPostgres({ dir: path.join(dir, 'pg'), port: 0 });
try {
  const client = new pg.Client({ connectionString: postgres.url('postgres') });
  await client.connect();
  for (const name of ['leak_a', 'leak_b']) await client.query(`create database ${name}`);
  await client.end();
  const { asked, succeeded, failed, leaks } = await proveLeaks([postgres.url('leak_a'), postgres.url('leak_b')], {
    step: 1,
    combined: Number(values.combined),
    seed,
  });
  for (const leak of leaks) console.log(described(leak));
  demand(failed.length === 0, `answers were 5xx: ${failed[0] ?? ''}`);
  demand(leaks.length === 0, `${String(leaks.length)} answers differ`);
  console.log(`${String(asked)} requests to each of two databases, ${String(succeeded)} of them answered with data: no answer differs`);
} finally {
  await postgres.stop();
  fs.rmSync(dir, { recursive: true, force: true });
}
