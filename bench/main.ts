/**
 * Scenarios A to G against servers written by hand for exactly these requests, in one run, in turn: npm run bench
 *
 *   --targets bare-node-rows,durabase   --rounds 5   --seconds 4   --warmup 1   --heat 3   --scenarios ABCDEFG   --json FILE  
 *   --gate     fails when a scenario's ratio is more than 15 % over the one in bench/recorded.json
 *   --record   writes the ratios of this run there
 *   BENCH_TICKETS, BENCH_COMMENTS, BENCH_CONNECTIONS, BENCH_QUIET_WAIT ... as in config.mjs
 */
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { config } from './config.mjs';
import { sampleIds, type SampleIds } from './lib/data.mjs';
import { expectations } from './lib/expect.mjs';
import { rawRequest } from './lib/http.mjs';
import { checkAnswers } from './harness/check.ts';
import { bareTarget, durabaseTargets, setUpDurabase, type Target } from './harness/targets.ts';
import { pointSharedPartsAt, withWorld, type World } from './harness/world.ts';
import { ORDER, requestsOf, type Scenario } from './harness/scenarios.ts';
import { isVoid, report, table, VOID_MS, wholeMs, type Sample } from './harness/table.ts';
import { measure, runLoad, writeRequests } from './harness/load.ts';
import { findings, isMet, record, regressions, type Finding } from './harness/verdict.ts';
import { untilQuiet } from './harness/quiet.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    warmup: { type: 'string', default: '1' },
    heat: { type: 'string', default: '3' },
    scenarios: { type: 'string', default: ORDER.join('') },
    targets: { type: 'string', default: 'bare-node-rows,bare-express-proto-text,durabase,durabase-admin' },
    json: { type: 'string' },
    gate: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
  },
});

async function compare(world: World): Promise<Sample[]> {
  pointSharedPartsAt(world);
  say(`loading ${config.tickets} tickets`);
  // Runs when it is loaded.
  await import('./seed.mjs');
  const data = sampleIds();
  const all = [
    await bareTarget(world, 'bare-node-rows'),
    await bareTarget(world, 'bare-express-proto-text'),
    ...(await durabaseTargets(world, await setUpDurabase(world))),
  ];
  const targets = all.filter(({ name }) => values.targets.split(',').includes(name));
  const expected = expectations(data);
  for (const target of targets) {
    await checkAnswers(target, data, expected);
    target.restore();
  }
  say('all answers are right');
  await heat(world, targets, data);
  const samples: Sample[] = [];
  for (let round = 1; round <= Number(values.rounds); round++) {
    for (const target of targets) await target.renew();
    for (const scenario of ORDER.filter((name) => values.scenarios.includes(name))) {
      // Another one begins each time, so that none is always measured in the wake of the same.
      for (const target of rotated(targets, round)) {
        if (!target.scenarios.includes(scenario)) continue;
        const file = requestFile(world, target, scenario, data);
        await untilQuiet(config.quietShare, config.quietWait);
        const load = { port: target.port, connections: config.connections, seconds: Number(values.seconds), file };
        const measured = await measure(config.wrk, load, { server: target.pid, postgres: world.postgres.pid }, Number(values.warmup));
        if (measured.badStatus > 0 || measured.socketErrors > 0) throw new Error(`${target.name} ${scenario}: ${JSON.stringify(measured)}`);
        samples.push({ ...measured, target: target.name, scenario, round });
        say(
          `round ${round} ${scenario} ${target.name}: ${wholeMs(measured).toFixed(3)} ms (${measured.serverMs.toFixed(3)} + ${measured.postgresMs.toFixed(3)}), ${Math.round(measured.requests / measured.seconds)}/s`,
        );
        if (scenario === 'E') target.restore();
      }
    }
  }
  return samples;
}

/** Before the first round everything runs once: a second of warm-up is not enough for code that has never run. */
async function heat(world: World, targets: readonly Target[], data: SampleIds): Promise<void> {
  for (const scenario of ORDER.filter((name) => values.scenarios.includes(name))) {
    for (const target of targets.filter(({ scenarios }) => scenarios.includes(scenario))) {
      await runLoad(config.wrk, {
        port: target.port,
        connections: config.connections,
        seconds: Number(values.heat),
        file: requestFile(world, target, scenario, data),
      });
      if (scenario === 'E') target.restore();
    }
  }
}

function requestFile(world: World, target: Target, scenario: Scenario, data: SampleIds): string {
  const requests = requestsOf(scenario, target.requests, data, config.regions).map((request) => rawRequest(target, request));
  return writeRequests(path.join(world.dir, 'requests'), requests);
}

const rotated = <T>(items: readonly T[], by: number): T[] => items.map((_item, index) => items[(index + by) % items.length]!);
const say = (line: string): void => console.error(`· ${line}`);

const samples = await withWorld(compare);
console.log(`\n${report(samples)}`);
if (values.json !== undefined) fs.writeFileSync(values.json, JSON.stringify(samples));
const row = (finding: Finding): string[] => [
  finding.what,
  finding.found.toFixed(2),
  finding.limit.toFixed(2),
  isMet(finding) ? 'yes' : '**no**',
];
console.log(table('The targets', ['what', 'found', 'at most', 'met'], findings(samples).map(row)));

if (isVoid(samples)) {
  console.error(`This run is void: the bare server's A costs more than ${VOID_MS} ms, so the machine is busy. Repeat it when it is quiet.`);
  process.exitCode = 1;
} else if (values.record) {
  record(samples);
  say('bench/recorded.json now holds the ratios of this run');
} else if (values.gate) {
  const dearer = regressions(samples);
  for (const { what, found, limit } of dearer)
    console.error(
      `${what} has become dearer: ${found.toFixed(2)} times the bare server, at most ${limit.toFixed(2)} is left of what was recorded.`,
    );
  if (dearer.length > 0) process.exitCode = 1;
}
