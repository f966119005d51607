/**
 * How long the api process alone takes from its start until it is ready, against a database that is migrated.
 *
 *   npm run bench -- cold [--times 10]
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import { parseArgs } from 'node:util';
import { freePort } from '../infra/local/system.ts';
import { config } from './config.mjs';
import { psql } from './lib/pg.mjs';
import { cpuSeconds, memoryMiB, sleep } from './lib/proc.mjs';
import { untilQuiet } from './harness/quiet.ts';
import { median } from './harness/table.ts';
import { apiCommand, createApp, pointSharedPartsAt, withStack, withWorld, type World } from './harness/world.ts';

const { values } = parseArgs({ options: { times: { type: 'string', default: '10' } } });
const DATABASE = 'durabase';
/** The product's own target for the median. */
const TARGET_MS = 500;
const POLL_MS = 4;

const isReady = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const request = http.get({ host: '127.0.0.1', port, path: '/health/ready', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('error', () => resolve(false));
  });

interface Start {
  readonly ms: number;
  /** What it would take on a machine with nothing else to do, waiting for Postgres left out. */
  readonly cpuMs: number;
  readonly idleMiB: number;
}

/** CPU of a Node that does nothing: no start can cost less. */
function floorMs(): number {
  const once = (): number => {
    const { user, system } = JSON.parse(
      execFileSync(process.execPath, ['-p', 'JSON.stringify(process.cpuUsage())'], { encoding: 'utf8' }),
    ) as NodeJS.CpuUsage;
    return (user + system) / 1000;
  };
  return median(Array.from({ length: 5 }, once));
}

async function startOnce(world: World): Promise<Start> {
  const port = await freePort();
  const { command, args, env } = apiCommand(world, DATABASE, port);
  const log = fs.openSync(world.log('cold'), 'a');
  const started = performance.now();
  const child = spawn(command, args, { env, stdio: ['ignore', log, log], cwd: world.dir });
  fs.closeSync(log);
  try {
    while (!(await isReady(port))) {
      if (child.exitCode !== null) throw new Error(`The api ended: ${fs.readFileSync(world.log('cold'), 'utf8').slice(-2000)}`);
      await sleep(POLL_MS);
    }
    const ms = performance.now() - started;
    const cpuMs = cpuSeconds(child.pid ?? 0) * 1000;
    await sleep(2_000);
    return { ms, cpuMs, idleMiB: memoryMiB(child.pid ?? 0) };
  } finally {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  }
}

const starts = await withWorld(async (world) => {
  pointSharedPartsAt(world);
  psql('postgres', `create database ${DATABASE}`);
  await withStack(world, DATABASE, ({ call }) =>
    createApp(call, 'bench', { version: 1, entities: [{ name: 'note', fields: [{ name: 'title', type: 'string' }] }] }),
  );
  const found: Start[] = [];
  for (let count = 1; count <= Number(values.times); count++) {
    await untilQuiet(config.quietShare, config.quietWait);
    found.push(await startOnce(world));
    console.error(`· ${count}: ${Math.round(found.at(-1)?.ms ?? 0)} ms`);
  }
  return found;
});

const times = starts.map(({ ms }) => ms);
const middle = median(times);
console.log(
  `from start to ready, ${starts.length} times: p50 ${Math.round(middle)} ms, least ${Math.round(Math.min(...times))} ms, most ${Math.round(Math.max(...times))} ms; ` +
    `CPU ${Math.round(median(starts.map(({ cpuMs }) => cpuMs)))} ms (Node alone ${Math.round(floorMs())}); idle ${median(starts.map(({ idleMiB }) => idleMiB)).toFixed(0)} MiB`,
);
if (middle > TARGET_MS) {
  console.error(`The median is over the target of ${TARGET_MS} ms.`);
  process.exitCode = 1;
}
