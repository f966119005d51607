/** What a refused sign-in costs must not tell whether there is such an account, nor where its password comes from. */
import { performance } from 'node:perf_hooks';
import bcrypt from 'bcryptjs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hashPassword } from '../../../adapters/passwords.ts';
import { freshDatabase } from '../../support/database.ts';
import { httpWorld, type HttpWorld } from '../../support/http-world.ts';

let world: HttpWorld;
const EMPTY = { version: 1, entities: [] };

beforeAll(async () => {
  world = await httpWorld(await freshDatabase());
  await world.app('mixed', EMPTY, []);
  await world.app('ours', EMPTY, []);
  const put = async (app: string, email: string, hash: string, active = true): Promise<void> => {
    const { rows } = await world.pool.query<{ storage: string }>('select storage from durabase.apps where name = $1', [app]);
    await world.pool.query(
      `insert into "${String(rows[0]?.storage)}"._users (id, email, password_hash, roles, active) values (gen_random_uuid(), $1, $2, '{}', $3)`,
      [email, hash, active],
    );
  };
  const [scrypt, dear, cheap] = await Promise.all([hashPassword('right'), bcrypt.hash('right', 11), bcrypt.hash('right', 9)]);
  await put('mixed', 'scrypt@example.com', scrypt);
  await put('mixed', 'dear@example.com', dear);
  await put('mixed', 'cheap@example.com', cheap);
  await put('mixed', 'off@example.com', dear, false);
  await put('ours', 'scrypt@example.com', scrypt);
}, 60_000);
afterAll(() => world.close());

async function signIn(app: string, email: string, password: string): Promise<number> {
  const body = JSON.stringify({ email, password });
  const answer = await fetch(`${world.url}/api/${app}/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  return answer.status;
}

/** CPU of all threads: what else the machine does changes it far less than the time. The middle of three. */
async function cost(app: string, email: string, password = 'wrong'): Promise<number> {
  const spent: number[] = [];
  for (let round = 0; round < 3; round++) {
    const before = process.cpuUsage();
    expect(await signIn(app, email, password)).toBe(401);
    const { user, system } = process.cpuUsage(before);
    spent.push((user + system) / 1000);
  }
  return spent.sort((a, b) => a - b)[1] ?? 0;
}

it('is the same for every account of an app, and for none', async () => {
  // The threads start, and everything is compiled.
  await Promise.all(['scrypt', 'dear', 'nobody0'].map((name) => signIn('mixed', `${name}@example.com`, 'wrong')));
  const nobody = await cost('mixed', 'nobody@example.com');
  const known = {
    scrypt: await cost('mixed', 'scrypt@example.com'),
    dear: await cost('mixed', 'dear@example.com'),
    cheap: await cost('mixed', 'cheap@example.com'),
    off: await cost('mixed', 'off@example.com', 'right'),
  };
  for (const [name, spent] of Object.entries(known)) {
    expect(spent / nobody, `${name}: ${String(Math.round(spent))} ms, nobody: ${String(Math.round(nobody))} ms`).toBeGreaterThan(0.67);
    expect(spent / nobody, `${name}: ${String(Math.round(spent))} ms, nobody: ${String(Math.round(nobody))} ms`).toBeLessThan(1.5);
  }
  // An app without such hashes does not pay for them.
  expect(await cost('ours', 'scrypt@example.com')).toBeLessThan(nobody * 0.67);
}, 120_000);

it('leaves the main thread to other requests', async () => {
  const before = performance.eventLoopUtilization();
  await signIn('mixed', 'dear@example.com', 'wrong');
  expect(performance.eventLoopUtilization(before).utilization).toBeLessThan(0.4);
}, 30_000);
