/**
 * A migration under load beside the same load without one, in turn:
 *
 *   npm run bench:migrate -- [--kind split|convert|fill|rename|add|link|move|none] [--rows 1000000] [--rate 200] [--runs 5] [--seconds 5]
 *                            [--long-readers] [--seed 1]
 */
import { parseArgs } from 'node:util';
import { psql } from './lib/pg.mjs';
import { untilQuiet } from './harness/quiet.ts';
import { median, table } from './harness/table.ts';
import { pointSharedPartsAt, signInPlatform, withStack, withWorld, type World } from './harness/world.ts';
import { config } from './config.mjs';
import { ask, makeApp } from './migrate/app.ts';
import { clientOf } from './migrate/client.ts';
import { CHANGES, type ChangeName } from './migrate/subject.ts';
import { subjectOf } from './migrate/subjects.ts';
import { runUnderLoad, type RunOptions, type RunResult } from './migrate/run.ts';

const { values } = parseArgs({
  options: {
    kind: { type: 'string', default: 'split' },
    rows: { type: 'string', default: '1000000' },
    rate: { type: 'string', default: '200' },
    runs: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '5' },
    seed: { type: 'string', default: '1' },
    'long-readers': { type: 'boolean', default: false },
  },
});

/** What a migration may cost the writers, against the paired run. */
const MOST_STALL_MS = 100;
const MOST_CONTRACT_MS = 200;

function kindOf(text: string): ChangeName | 'none' {
  const found = [...CHANGES, 'none' as const].find((kind) => kind === text);
  if (found === undefined) throw new Error(`--kind is one of ${[...CHANGES, 'none'].join(', ')}.`);
  return found;
}

async function all(world: World): Promise<[RunResult, RunResult][]> {
  pointSharedPartsAt(world);
  psql('postgres', 'create database durabase');
  const change = kindOf(values.kind);
  return withStack(world, 'durabase', async ({ api }) => {
    const pairs: [RunResult, RunResult][] = [];
    for (let run = 1; run <= Number(values.runs); run++) {
      const one = async (kind: RunOptions['kind'], insteadMs = 0): Promise<RunResult> => {
        // Tokens end after a quarter of an hour.
        const url = `http://127.0.0.1:${api.port}`;
        const client = clientOf(url, await signInPlatform(api.port));
        const installation = { url, databaseUrl: world.postgres.url('durabase'), client };
        // The paired run has the records of the change, too.
        const app = await makeApp(installation, `${kind}${run}`, Number(values.rows), subjectOf(change));
        await ask(app.databaseUrl, 'checkpoint');
        await untilQuiet(config.quietShare, config.quietWait);
        const common = {
          rows: Number(values.rows),
          rate: Number(values.rate),
          seconds: Number(values.seconds),
          seed: Number(values.seed) + run,
        };
        const result = await runUnderLoad(app, { kind, insteadMs, ...common, hasLongReaders: values['long-readers'] });
        await ask(app.databaseUrl, `truncate ${app.table} cascade`);
        client.close();
        print(run, result);
        return result;
      };
      const migrated = await one(change);
      pairs.push([migrated, await one('none', migrated.migrationMs)]);
    }
    return pairs;
  });
}

const ms = (value: number): string => value.toFixed(value < 10 ? 1 : 0);

function print(run: number, result: RunResult): void {
  const { requests, failed, lost, wrong, mismatches } = result;
  console.error(
    `· run ${run} ${result.kind}: ${requests} requests, ${failed.length} failed, ${lost} lost, ${wrong} wrong, ${mismatches} mismatches; ` +
      `longest writer stall ${ms(result.stallMs)} ms, p50 ${ms(result.p50Ms)}, p99 ${ms(result.p99Ms)}; ` +
      `ready after ${ms(result.readyMs)} ms, stall in contract ${ms(result.contractStallMs)} ms`,
  );
  for (const line of [...failed.slice(0, 5), ...result.findings.slice(0, 5)]) console.error(`  ${line.slice(0, 600)}`);
}

const pairs = await withWorld(all);
const faultsOf = (result: RunResult): number => result.failed.length + result.lost + result.wrong + result.mismatches;
const middle = (which: 0 | 1, key: 'requests' | 'stallMs' | 'contractStallMs' | 'p50Ms' | 'p99Ms' | 'readyMs'): number =>
  median(pairs.map((pair) => pair[which][key]));
const rows = ([0, 1] as const).map((which) => [
  which === 0 ? values.kind : 'none',
  String(middle(which, 'requests')),
  String(pairs.reduce((sum, pair) => sum + pair[which].failed.length, 0)),
  ...(['lost', 'wrong', 'mismatches'] as const).map((key) => String(pairs.reduce((sum, pair) => sum + pair[which][key], 0))),
  ...(['stallMs', 'contractStallMs', 'p50Ms', 'p99Ms', 'readyMs'] as const).map((key) => ms(middle(which, key))),
]);
const head = ['run', 'requests', 'failed', 'lost', 'wrong', 'mismatches', 'longest stall, ms', 'in contract', 'p50', 'p99', 'ready after'];
console.log(`\n${table(`${values.rows} rows, ${values.rate} operations a second, medians of ${values.runs}`, head, rows)}`);
const excess = median(pairs.map(([migrated, none]) => migrated.stallMs - none.stallMs));
const inContract = Math.max(...pairs.map(([migrated]) => migrated.contractStallMs));
const faults = pairs.flat().reduce((sum, result) => sum + faultsOf(result), 0);
const isMet = faults === 0 && excess <= MOST_STALL_MS && inContract < MOST_CONTRACT_MS;
console.log(
  `${isMet ? 'PASS' : 'FAIL'}: ${faults} faults; longest stall ${ms(excess)} ms over the paired run (at most ${MOST_STALL_MS}), ` +
    `${ms(inContract)} ms in the contract (under ${MOST_CONTRACT_MS})`,
);
if (!isMet) process.exitCode = 1;
