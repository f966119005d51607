/**
 * Thousands of approvals and as many clocks wait in one app: what worker, Temporal and Postgres take meanwhile, that all of them are
 * there after everything was killed and started again, and that one of them can be decided then.
 *
 *   npm run prove -- waiting [--approvals 5000] [--clocks 5000] [--seconds 60]
 */
import { parseArgs } from 'node:util';
import type pg from 'pg';
import { eventually, type Caller } from '../support/api.ts';
import { demand } from '../support/demand.ts';
import { idleCpu, memoryMb, percent } from '../support/idle.ts';
import { PARTS, Rig, type Part } from '../support/rig.ts';
import { proofApp, until } from '../support/webhook-proof.ts';

export interface WaitingOptions {
  readonly approvals: number;
  readonly clocks: number;
  readonly seconds: number;
}

export interface WaitingResult {
  readonly startedInMs: number;
  /** Shares of one processor. */
  readonly cpu: Readonly<Record<Part, number>>;
  readonly memoryMb: Readonly<Record<Part, number>>;
  /** The same after the restart. */
  readonly cpuAfter: Readonly<Record<Part, number>>;
  readonly restartMs: number;
  /** From the return to the answer to a decision about one of them. */
  readonly decidedAfterMs: number;
}

const APP = 'waiting';
const BULK = 500;
/** The rest of the work of the start, and of the return: statements of the projection, checkpoints. */
const SETTLES_MS = 5_000;

const DOCUMENT = {
  entities: ['request', 'job'].map((name) => ({
    name,
    fields: [
      { name: 'code', type: 'string', unique: true },
      { name: 'state', type: 'string' },
    ],
  })),
  workflows: [
    {
      id: 'ask',
      name: 'ask',
      trigger: { type: 'record_created', entity: 'request' },
      steps: [
        {
          id: 'sign',
          type: 'approval',
          assignee: { type: 'role', role: 'admin' },
          allow_self_approval: true,
          timeout: '30d',
          on_approve: 'done',
          on_timeout: 'end',
        },
        { id: 'done', type: 'action', actions: [{ type: 'set_field', field: 'state', value: 'signed' }] },
      ],
    },
  ],
  slas: [{ name: 'finish', entity: 'job', start: "record.state = 'open'", stop: "record.state = 'done'", target: '6h', on_breach: [] }],
};

export async function proveWaiting(options: WaitingOptions, say: (line: string) => void): Promise<WaitingResult> {
  const rig = await Rig.start();
  try {
    const proof = await proofApp(rig, APP, DOCUMENT);
    const began = Date.now();
    await make(proof.admin, 'request', options.approvals);
    await make(proof.admin, 'job', options.clocks);
    const limitMs = 60_000 + (options.approvals + options.clocks) * 150;
    const asked = { approvals: options.approvals, clocks: options.clocks };
    await allWait(proof.database, proof.storage, asked, limitMs);
    await proof.database.end();
    const startedInMs = Date.now() - began;
    say(`${options.approvals} approvals and ${options.clocks} clocks wait, ${startedInMs} ms after the first write`);
    const cpu = await costs(rig, options.seconds);
    say(`while they wait: ${told(cpu, percent)} of one processor; ${told(memoryOf(rig), (mb) => `${mb} MB`)}`);
    const memory = memoryOf(rig);
    const downAt = Date.now();
    for (const part of PARTS) await rig.kill(part);
    await Promise.all([rig.up('postgres'), rig.up('temporal')]);
    await Promise.all([rig.up('worker'), rig.up('api')]);
    const restartMs = Date.now() - downAt;
    const back = Date.now();
    await decideOne(proof.admin);
    const decidedAfterMs = Date.now() - back;
    say(`all are killed and back in ${restartMs} ms; one is decided ${decidedAfterMs} ms later`);
    const cpuAfter = await costs(rig, options.seconds);
    say(`after the restart: ${told(cpuAfter, percent)} of one processor`);
    await stillThere(proof.admin, { approvals: options.approvals - 1, clocks: options.clocks });
    return { startedInMs, cpu, memoryMb: memory, cpuAfter, restartMs, decidedAfterMs };
  } catch (error) {
    say(rig.lastLines());
    throw error;
  } finally {
    await rig.stop();
  }
}

interface Numbers {
  readonly approvals: number;
  readonly clocks: number;
}

async function make(admin: Caller, entity: string, count: number): Promise<void> {
  for (let from = 0; from < count; from += BULK) {
    const create = Array.from({ length: Math.min(BULK, count - from) }, (_, n) => ({ code: `${entity}-${from + n}`, state: 'open' }));
    const reply = await admin('POST', `/api/${APP}/${entity}/_bulk`, { create });
    demand(reply.status < 300, `_bulk answered ${reply.status}: ${reply.text.slice(0, 300)}`);
  }
}

/** Clocks run before their workflows have been started. Asks seldom: what is counted is to have the machine. */
async function allWait(database: pg.Client, storage: string, wanted: Numbers, limitMs: number): Promise<void> {
  const text = `select (select count(*)::int from ${storage}._tasks where state = 'pending') as approvals,
    (select count(*)::int from ${storage}._clocks where state = 'running') as clocks,
    (select count(*)::int from ${storage}._starts where state <> 'started') as starts`;
  const end = Date.now() + limitMs;
  for (;;) {
    const [found] = (await database.query<Numbers & { starts: number }>(text)).rows;
    if (found?.approvals === wanted.approvals && found.clocks === wanted.clocks && found.starts === 0) return;
    demand(Date.now() < end, `${JSON.stringify(found)} of ${JSON.stringify(wanted)} wait after ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

async function costs(rig: Rig, seconds: number): Promise<Record<Part, number>> {
  await new Promise((resolve) => setTimeout(resolve, SETTLES_MS));
  const shares = await idleCpu(
    PARTS.map((part) => rig.pid(part)),
    seconds * 1_000,
  );
  return ofParts((_, index) => shares[index] ?? 0);
}

const ofParts = (valueOf: (part: Part, index: number) => number): Record<Part, number> =>
  Object.fromEntries(PARTS.map((part, index) => [part, valueOf(part, index)])) as Record<Part, number>;
const memoryOf = (rig: Rig): Record<Part, number> => ofParts((part) => memoryMb(rig.pid(part)));
const told = (values: Readonly<Record<Part, number>>, say: (value: number) => string): string =>
  PARTS.map((part) => `${part} ${say(values[part])}`).join(', ');

async function decideOne(admin: Caller): Promise<void> {
  const first = await admin('GET', `/api/${APP}/request?filter[code]=request-0`);
  const id = String(first.at('data', 0, 'id'));
  const run = await admin('GET', `/api/${APP}/_workflows?record_id=${id}`);
  const path = `/api/${APP}/_workflows/${String(run.at('data', 0, 'id'))}/approve`;
  const reply = await eventually(
    () => admin('POST', path, {}),
    ({ status }) => status < 500,
    30_000,
  );
  demand(reply.status === 200, `approving after the restart answered ${reply.status}: ${reply.text.slice(0, 300)}`);
  const read = async (): Promise<unknown> => (await admin('GET', `/api/${APP}/request/${id}`)).at('data', 'state');
  await until('the request', read, (state) => state === 'signed', 30_000);
}

async function stillThere(admin: Caller, wanted: Numbers): Promise<void> {
  const totalOf = async (path: string): Promise<unknown> => (await admin('GET', `/api/${APP}/${path}&per_page=1`)).at('meta', 'total');
  const found = { approvals: await totalOf('_workflows?status=running'), clocks: await totalOf('_slas?state=running') };
  demand(
    JSON.stringify(found) === JSON.stringify(wanted),
    `${JSON.stringify(found)} wait after the restart, not ${JSON.stringify(wanted)}`,
  );
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({
    options: {
      approvals: { type: 'string', default: '5000' },
      clocks: { type: 'string', default: '5000' },
      seconds: { type: 'string', default: '60' },
    },
  });
  const numbers = { approvals: Number(values.approvals), clocks: Number(values.clocks), seconds: Number(values.seconds) };
  await proveWaiting(numbers, (line) => console.log(line));
  console.log('proved');
}
