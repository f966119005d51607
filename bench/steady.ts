/**
 * Whether memory stays where it is: all scenarios at once for some minutes, the server's memory each second.
 *
 *   npm run bench -- steady [--minutes 10]
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { config } from './config.mjs';
import { sampleIds } from './lib/data.mjs';
import { rawRequest } from './lib/http.mjs';
import { memoryMiB } from './lib/proc.mjs';
import { runLoad, writeRequests } from './harness/load.ts';
import { ORDER, requestsOf } from './harness/scenarios.ts';
import { median } from './harness/table.ts';
import { durabaseTargets, setUpDurabase } from './harness/targets.ts';
import { MAX_MEMORY_MIB } from './harness/verdict.ts';
import { pointSharedPartsAt, withWorld, type World } from './harness/world.ts';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' } } });
const SAMPLE_MS = 1_000;
/** Tokens end after a quarter of an hour; each part gets new ones. */
const PART_SECONDS = 60;
/** What the last third may hold over the middle one: collections come when they come. */
const MAX_GROWTH_MIB = 10;

async function run(world: World): Promise<number[]> {
  pointSharedPartsAt(world);
  // Runs when it is loaded.
  await import('./seed.mjs');
  const data = sampleIds();
  const [target] = await durabaseTargets(world, await setUpDurabase(world));
  if (target === undefined) throw new Error('There is nothing to measure.');
  const found: number[] = [];
  const timer = setInterval(() => found.push(memoryMiB(target.pid)), SAMPLE_MS);
  const seconds = Number(values.minutes) * 60;
  for (let done = 0; done < seconds; done += PART_SECONDS) {
    await target.renew();
    const lists = ORDER.map((scenario) => requestsOf(scenario, target.requests, data, config.regions));
    const mixed = Array.from({ length: config.samples }, (_none, index) => lists.map((list) => list[index % list.length]!)).flat();
    const file = writeRequests(
      path.join(world.dir, 'requests'),
      mixed.map((request) => rawRequest(target, request)),
    );
    const part = { port: target.port, connections: config.connections, seconds: Math.min(PART_SECONDS, seconds - done), file };
    const { requests, badStatus, socketErrors } = await runLoad(config.wrk, part);
    if (badStatus + socketErrors > 0) throw new Error(`${badStatus} wrong answers, ${socketErrors} broken connections.`);
    console.error(`· ${Math.round((done + part.seconds) / 6) / 10} min: ${requests} requests, ${found.at(-1)?.toFixed(0)} MiB`);
  }
  clearInterval(timer);
  return found;
}

/** Least squares over the samples, MiB per minute. */
function slope(samples: readonly number[]): number {
  const middle = (samples.length - 1) / 2;
  const mean = samples.reduce((sum, value) => sum + value, 0) / samples.length;
  const over = samples.reduce((sum, value, index) => sum + (index - middle) * (value - mean), 0);
  const under = samples.reduce((sum, _value, index) => sum + (index - middle) ** 2, 0);
  return (over / under) * (60_000 / SAMPLE_MS);
}

const samples = await withWorld(run);
const third = Math.floor(samples.length / 3);
const settled = samples.slice(third);
const most = Math.max(...samples);
const growth = median(settled.slice(-third)) - median(settled.slice(0, third));
console.log(
  `memory over ${values.minutes} minutes: most ${most.toFixed(0)} MiB, median ${median(samples).toFixed(0)} MiB; ` +
    `after the first third ${slope(settled).toFixed(2)} MiB a minute, ${growth.toFixed(1)} MiB from the middle third to the last`,
);
if (most > MAX_MEMORY_MIB) console.error(`That is over the target of ${MAX_MEMORY_MIB} MiB.`);
if (growth > MAX_GROWTH_MIB) console.error(`It grows: at most ${MAX_GROWTH_MIB} MiB of difference between the thirds is noise.`);
if (most > MAX_MEMORY_MIB || growth > MAX_GROWTH_MIB) process.exitCode = 1;
