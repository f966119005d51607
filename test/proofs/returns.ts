/**
 * Clocks and waits fall due while one part, some, or all are away, killed with -9: how soon after the return the first and the last of
 * them fire, per kind of outage, each once. Fifty of them have five seconds; of more than that the rate is told.
 *
 *   npm run prove -- returns [--timers 50] [--outages temporal,worker,postgres,temporal+worker,all] [--away 3000] [--stages]
 */
import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import type { Caller } from '../support/api.ts';
import { demand } from '../support/demand.ts';
import { PARTS, Rig, type Part } from '../support/rig.ts';
import { proofApp, quantile, until } from '../support/webhook-proof.ts';
import { sleep } from './process-kills/clients.ts';
import { stagesOf } from './returns/stages.ts';

export interface ReturnsOptions {
  /** How many fall due at one moment, half of them clocks. */
  readonly timers: number;
  readonly outages: readonly (readonly Part[])[];
  /** From the kill to the moment at which the parts are started again. */
  readonly awayMs: number;
  /** Tells from the histories where the time went. */
  readonly hasStages: boolean;
}

export interface Return {
  readonly outage: string;
  /** From the start of the parts to the answer of the last. */
  readonly startMs: number;
  /** From the return of the last part. What fired before it counts as zero. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** Whether a worker that lived through an absence of Temporal made new ones for its return, as it says. */
  readonly isRelieved: boolean;
}

const APP = 'returns';
const BULK = 500;
/** A machine with much to do starts them at this pace. */
const START_MS = 60;
const LIMIT_MS = 120_000;
/** As many as this fire within `LATEST_MS`; of more the local Temporal fires some twenty a second. */
const FEW = 50;
const LATEST_MS = 5_000;
const RELIEF = 'other workers will serve it when it is back';

const text = (...names: string[]): object[] => names.map((name) => ({ name, type: 'string' }));
const leaveTrace = { type: 'create_record', entity: 'trace', fields: { bell: 'record.code' } };

const DOCUMENT = {
  entities: [
    { name: 'job', fields: text('code', 'state', 'within') },
    { name: 'nap', fields: [...text('code'), { name: 'due', type: 'timestamp' }] },
    // Not unique on purpose: what fires twice is to be seen.
    { name: 'trace', fields: text('bell') },
  ],
  workflows: [
    {
      id: 'sleep',
      name: 'sleep',
      trigger: { type: 'record_created', entity: 'nap' },
      steps: [
        { id: 'until', type: 'wait', until: 'record.due', then: 'ring' },
        { id: 'ring', type: 'action', actions: [leaveTrace] },
      ],
    },
  ],
  slas: [
    {
      name: 'finish',
      entity: 'job',
      start: "record.state = 'open'",
      stop: "record.state = 'done'",
      target: 'record.within',
      on_breach: [leaveTrace],
    },
  ],
};

interface Site {
  readonly rig: Rig;
  readonly admin: Caller;
  readonly pool: pg.Pool;
  readonly app: string;
  readonly storage: string;
}

export async function proveReturns(options: ReturnsOptions, say: (line: string) => void): Promise<Return[]> {
  const rig = await Rig.start();
  const pool = new pg.Pool({ connectionString: rig.databaseUrl, max: 2 });
  // Its connections die with the server, as they are meant to.
  pool.on('error', () => undefined);
  try {
    const { admin, database, app, storage } = await proofApp(rig, APP, DOCUMENT);
    await database.end();
    const returns: Return[] = [];
    for (const [index, parts] of options.outages.entries())
      returns.push(await outage({ rig, admin, pool, app, storage }, options, parts, index + 1, say));
    return returns;
  } catch (error) {
    say(rig.lastLines());
    throw error;
  } finally {
    await pool.end();
    await rig.stop();
  }
}

async function outage(
  site: Site,
  options: ReturnsOptions,
  parts: readonly Part[],
  number: number,
  say: (line: string) => void,
): Promise<Return> {
  const { rig } = site;
  const prefix = `o${number}-`;
  const dueAt = Date.now() + 10_000 + options.timers * START_MS;
  const codes = await hang(site, prefix, options.timers, dueAt);
  await allWait(site, options.timers, dueAt - 1_000);
  await sleep(Math.max(0, dueAt - options.awayMs / 2 - Date.now()));
  await Promise.all(parts.map((part) => rig.kill(part)));
  await sleep(Math.max(0, dueAt + options.awayMs / 2 - Date.now()));
  const began = Date.now();
  const up = (...some: Part[]): Promise<unknown> => Promise.all(some.filter((part) => parts.includes(part)).map((part) => rig.up(part)));
  await up('postgres', 'temporal');
  await up('worker', 'api');
  const backAt = Date.now();
  const fired = await firings(site, prefix, codes.length);
  const after = fired.map((at) => Math.max(0, at - backAt));
  const found = {
    outage: named(parts),
    startMs: backAt - began,
    firstMs: Math.min(...after),
    lastMs: Math.max(...after),
    isRelieved: rig.said('worker', RELIEF),
  };
  say(
    `${found.outage}: ${codes.length} timers; up in ${found.startMs} ms; the first fired ${found.firstMs} ms after that, ` +
      `half of them ${quantile(after, 0.5)} ms, the last ${found.lastMs} ms (${Math.round((codes.length * 1_000) / Math.max(1, found.lastMs))} a second)`,
  );
  if (options.hasStages) (await stagesOf(rig.temporalAddress, dueAt, backAt)).forEach(say);
  return found;
}

async function hang({ admin }: Site, prefix: string, count: number, dueAt: number): Promise<string[]> {
  const codes = Array.from({ length: count }, (_, n) => `${prefix}${n}`);
  const made = async (entity: string, create: readonly object[]): Promise<void> => {
    for (let from = 0; from < create.length; from += BULK) {
      const reply = await admin('POST', `/api/${APP}/${entity}/_bulk`, { create: create.slice(from, from + BULK) });
      demand(reply.status < 300, `_bulk answered ${reply.status}: ${reply.text.slice(0, 300)}`);
    }
  };
  const half = Math.ceil(count / 2);
  await made(
    'nap',
    codes.slice(half).map((code) => ({ code, due: new Date(dueAt).toISOString() })),
  );
  await made(
    'job',
    codes.slice(0, half).map((code) => ({ code, state: 'open', within: `${dueAt - Date.now()}ms` })),
  );
  return codes;
}

/** Each holds its timer in Temporal. */
async function allWait({ rig, pool, storage }: Site, count: number, byMs: number): Promise<void> {
  const connection = await Connection.connect({ address: rig.temporalAddress });
  const { workflow } = new Client({ connection });
  const waiting = async (): Promise<number> => {
    const clocks = await workflow.count(`WorkflowType = 'clock' AND ExecutionStatus = 'Running' AND State = 'running'`);
    const text = `select count(*)::int as n from ${storage}._runs where current_step = 'until' and status = 'running'`;
    return clocks.count + ((await pool.query<{ n: number }>(text)).rows[0]?.n ?? 0);
  };
  try {
    await until('what waits', waiting, (found) => found === count, byMs - Date.now());
  } finally {
    await connection.close();
  }
}

/** When each left its trace, in milliseconds of the epoch; one each. */
async function firings({ pool, app }: Site, prefix: string, count: number): Promise<number[]> {
  const query = `select at from durabase.events where app = $1 and entity = 'trace' and record ->> 'bell' like $2`;
  const read = async (): Promise<Date[]> => (await pool.query<{ at: Date }>(query, [app, `${prefix}%`])).rows.map(({ at }) => at);
  await until(
    'timers that fired',
    async () => (await read()).length,
    (found) => found >= count,
    LIMIT_MS,
  );
  const found = await read();
  demand(found.length === count, `${found.length} firings of ${count} timers`);
  return found.map((at) => at.getTime());
}

const named = (parts: readonly Part[]): string => (parts.length === PARTS.length ? 'all' : parts.join('+'));

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({
    options: {
      timers: { type: 'string', default: '50' },
      outages: { type: 'string', default: 'temporal,worker,postgres,temporal+worker,all' },
      away: { type: 'string', default: '3000' },
      stages: { type: 'boolean', default: false },
    },
  });
  const outages = values.outages.split(',').map((kind) => PARTS.filter((part) => kind === 'all' || kind.split('+').includes(part)));
  const options = { timers: Number(values.timers), outages, awayMs: Number(values.away), hasStages: values.stages };
  const returns = await proveReturns(options, (line) => console.log(line));
  const late = options.timers > FEW ? [] : returns.filter(({ lastMs }) => lastMs > LATEST_MS);
  demand(late.length === 0, `later than ${LATEST_MS} ms: ${late.map(({ outage, lastMs }) => `${outage} ${lastMs} ms`).join(', ')}`);
  console.log('proved');
}
