/**
 * A migration in the middle of an open-loop load of writes, half of the clients in the older shape: no request fails, no acknowledged
 * write is lost, nothing is there that nobody wrote, and both shapes say the same. Then the same of a run into whose rows faults are
 * planted: the comparison must find each of them.
 *
 *   npm run prove -- migrate-load [--kind split] [--rows 100000] [--rate 200] [--seconds 5] [--long-readers] [--seed 7]
 */
import { parseArgs } from 'node:util';
import { ask, makeApp, type App } from '../../bench/migrate/app.ts';
import { clientOf } from '../../bench/migrate/client.ts';
import type { Journal, Track } from '../../bench/migrate/journal.ts';
import { PERSONS, seededId } from '../../bench/migrate/person.ts';
import { CHANGES, type ChangeName } from '../../bench/migrate/subject.ts';
import { subjectOf } from '../../bench/migrate/subjects.ts';
import { runUnderLoad, type RunResult } from '../../bench/migrate/run.ts';
import { tokenOf } from '../support/api.ts';
import { demand } from '../support/demand.ts';
import { Rig } from '../support/rig.ts';

export interface MigrateLoadOptions {
  readonly kind: ChangeName;
  readonly rows: number;
  readonly rate: number;
  readonly seconds: number;
  readonly seed: number;
  readonly hasLongReaders: boolean;
}

export interface MigrateLoadResult {
  readonly run: RunResult;
  /** Planted faults, and those of them that were found. */
  readonly planted: readonly string[];
  readonly found: readonly string[];
}

export async function proveMigrateLoad(options: MigrateLoadOptions, say: (line: string) => void): Promise<MigrateLoadResult> {
  const rig = await Rig.start();
  const client = clientOf(rig.url, await tokenOf(rig.url, 'platform@localhost', 'changeme'));
  try {
    const installation = { url: rig.url, databaseUrl: rig.databaseUrl, client };
    const run = await runUnderLoad(await makeApp(installation, 'load', options.rows, subjectOf(options.kind)), options);
    say(
      `${run.requests} requests; longest writer stall ${Math.round(run.stallMs)} ms, in the contract ${Math.round(run.contractStallMs)} ms`,
    );
    for (const line of [...run.failed, ...run.findings].slice(0, 10)) say(line);
    let planted: readonly string[] = [];
    const faulty = await runUnderLoad(await makeApp(installation, 'faulty', 2_000, PERSONS), {
      kind: 'none',
      rows: 2_000,
      rate: 200,
      seconds: 2,
      seed: options.seed,
      hasLongReaders: false,
      meddle: async (app, journal) => void (planted = await plantFaults(app, journal)),
    });
    return { run, planted, found: planted.filter((fault) => faulty.findings.some((finding) => finding.startsWith(fault))) };
  } catch (error) {
    say(rig.lastLines());
    throw error;
  } finally {
    client.close();
    await rig.stop();
  }
}

/** One of each kind, by SQL, past the api. Answers how the finding of each begins. */
async function plantFaults(app: App, journal: Journal): Promise<string[]> {
  const taken = new Set<number>();
  const pick = (what: string, holds: (track: Track) => boolean): Track => {
    const found = [...journal.tracks.values()].find((track) => !taken.has(track.ref) && holds(track));
    demand(found !== undefined, `the load made no record that is ${what}`);
    taken.add(found.ref);
    return found;
  };
  const isThere = (track: Track): boolean => track.allowed.length === 1 && track.allowed[0] !== null;
  const sql = (text: string, ...values: unknown[]): Promise<unknown> => ask(app.databaseUrl, text.replace('person', app.table), values);
  const missing = pick('created', (track) => track.ref > journal.rows && isThere(track));
  await sql('delete from person where ref = $1', missing.ref);
  const stale = pick(
    'changed in its city',
    (track) => isThere(track) && track.past.at(-1)?.['city'] !== track.allowed[0]?.['city'] && track.past.at(-1) !== null,
  );
  await sql('update person set city = $2 where ref = $1', stale.ref, stale.past.at(-1)?.['city']);
  const changed = pick('changed', isThere);
  await sql(`update person set size = '-1' where ref = $1`, changed.ref);
  const untouched = journal.rows - [...Array(journal.rows).keys()].findIndex((n) => !journal.tracks.has(journal.rows - n));
  await sql(`update person set note = 'nobody' where ref = $1`, untouched);
  const deleted = pick('deleted', (track) => track.ref <= journal.rows && track.allowed.length === 1 && track.allowed[0] === null);
  await sql(`insert into person (id, ref, name, city) values ($1, $2, 'Back Again', 'C1')`, seededId(deleted.ref), deleted.ref);
  const counted = [...journal.hits].find(([, { acknowledged }]) => acknowledged > 0)?.[0] ?? 1;
  await sql('update person set hits = hits - 1 where ref = $1', counted);
  return [
    `lost: record ${missing.ref} is null`,
    `lost: record ${stale.ref} is `,
    `wrong: record ${changed.ref} is `,
    `wrong: record ${untouched} is `,
    `wrong: record ${deleted.ref} is `,
    `lost: record ${counted} counts `,
    `mismatch: version 1 answers null for record ${missing.ref}`,
  ];
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({
    options: {
      kind: { type: 'string', default: 'split' },
      rows: { type: 'string', default: '100000' },
      rate: { type: 'string', default: '200' },
      seconds: { type: 'string', default: '5' },
      seed: { type: 'string', default: String(Date.now() % 100_000) },
      'long-readers': { type: 'boolean', default: false },
    },
  });
  const kind = CHANGES.find((name) => name === values.kind);
  if (kind === undefined) throw new Error(`--kind is one of ${CHANGES.join(', ')}.`);
  const say = (line: string): void => console.log(line);
  say(`migrate-load: ${kind}, ${values.rows} rows, ${values.rate} operations a second, seed ${values.seed}`);
  const { run, planted, found } = await proveMigrateLoad(
    {
      kind,
      rows: Number(values.rows),
      rate: Number(values.rate),
      seconds: Number(values.seconds),
      seed: Number(values.seed),
      hasLongReaders: values['long-readers'],
    },
    say,
  );
  say(
    `${run.requests} requests, ${run.failed.length} failed, ${run.lost} lost, ${run.wrong} wrong, ${run.mismatches} mismatches; ${found.length} of ${planted.length} planted faults found`,
  );
  const isProved = run.failed.length + run.lost + run.wrong + run.mismatches === 0 && found.length === planted.length;
  say(isProved ? 'proved' : 'not proved');
  if (!isProved) process.exitCode = 1;
}
