/**
 * Thousands of clocks wait. They cost next to nothing; worker and Temporal are stopped, some clocks fall due meanwhile, and they fire
 * within seconds of the return, each once, while the others go on waiting.
 *
 *   npm run prove -- clocks [--clocks 5000] [--due 20]
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { startTemporal } from '../../infra/local/temporal.ts';
import { eventually, signIn, type Caller } from '../support/api.ts';
import { demand } from '../support/demand.ts';
import { idleCpu, percent } from '../support/idle.ts';
import { Stack } from '../support/process.ts';

export interface ClocksResult {
  readonly clocks: number;
  /** From the first write to the last clock that waits. */
  readonly startedInMs: number;
  /** Share of one processor while all of them wait. */
  readonly workerCpu: number;
  readonly temporalCpu: number;
  /** From Temporal's return to the last breach that fell due while it was away. */
  readonly firedAfterMs: number;
}

export interface ClocksOptions {
  readonly clocks: number;
  readonly due: number;
}

const APP = '/api/clocks';
const DUE_MS = 12_000;
const IDLE_MS = 10_000;

export async function proveClocks({ clocks, due }: ClocksOptions, say: (line: string) => void): Promise<ClocksResult> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'durabase-clocks-'));
  const files = { file: path.join(dir, 'temporal.db'), logFile: path.join(dir, 'temporal.log') };
  let temporal = await startTemporal(files);
  const { port } = temporal;
  const stack = await (await Stack.spawn({ env: { TEMPORAL_ADDRESS: `127.0.0.1:${port}` } })).ready();
  const connection = await Connection.connect({ address: temporal.address });
  const running = async (): Promise<number> =>
    (
      await new Client({ connection }).workflow.count(
        `WorkflowType = 'clock' AND ExecutionStatus = 'Running' AND State = 'running' AND Entity = 'job'`,
      )
    ).count;
  try {
    const admin = await signIn(stack.url, 'platform@localhost', 'changeme');
    await makeApp(admin);
    const began = Date.now();
    await makeJobs(admin, clocks, '6h');
    // At the app's own pace: thousands of starts at once would keep a small server from everything else.
    await reaches(running, clocks, 60_000 + clocks * 100);
    const startedInMs = Date.now() - began;
    say(`${clocks} clocks wait, ${startedInMs} ms after the first write`);
    const cpu = await idleCpu([stack.pidOf('worker'), temporal.pid], IDLE_MS);
    say(`while they wait, the worker takes ${percent(cpu[0])} and Temporal ${percent(cpu[1])} of one processor`);
    const dueAt = Date.now() + DUE_MS;
    const late = await makeJobs(admin, due, `${DUE_MS}ms`);
    await reaches(running, clocks + due, 20_000);
    demand(Date.now() < dueAt, 'the clocks that were to fall due started too slowly');
    await connection.close();
    await temporal.stop();
    await stack.kill('worker');
    say('worker and Temporal are stopped');
    await new Promise((resolve) => setTimeout(resolve, dueAt + 3_000 - Date.now()));
    temporal = await startTemporal({ ...files, port });
    const backAt = Date.now();
    await reaches(() => countLate(admin), due, 60_000, 50);
    const firedAfterMs = Date.now() - backAt;
    say(`${due} breaches fired ${firedAfterMs} ms after the return`);
    await firedOnce(admin, late);
    const waiting = await countWaiting(admin);
    demand(waiting === clocks, `${waiting} clocks wait after the return, not ${clocks}`);
    return { clocks, startedInMs, workerCpu: cpu[0] ?? 0, temporalCpu: cpu[1] ?? 0, firedAfterMs };
  } finally {
    await stack.stop();
    await temporal.stop();
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

async function makeApp(admin: Caller): Promise<void> {
  const made = await admin('POST', '/api/_platform/apps', { name: 'clocks' });
  demand(made.status < 300, `making the app answered ${made.status}`);
  await eventually(
    () => admin('GET', `${APP}/_discovery`),
    ({ status }) => status === 200,
    30_000,
  );
  const imported = await admin('POST', `${APP}/_admin/import`, {
    version: 1,
    entities: [
      {
        name: 'job',
        fields: [
          { name: 'status', type: 'string' },
          { name: 'within', type: 'string' },
        ],
      },
    ],
    slas: [
      {
        name: 'finish',
        entity: 'job',
        start: "record.status = 'open'",
        stop: "record.status = 'done'",
        target: 'record.within',
        on_breach: [{ type: 'set_field', field: 'status', value: 'late' }],
      },
    ],
  });
  demand(imported.status < 300, `the import answered ${imported.status}: ${imported.text}`);
}

async function makeJobs(admin: Caller, count: number, within: string): Promise<string[]> {
  const ids: string[] = [];
  while (ids.length < count) {
    const records = Array.from({ length: Math.min(500, count - ids.length) }, () => ({ status: 'open', within }));
    const reply = await admin('POST', `${APP}/job/_bulk`, { create: records });
    demand(reply.status < 300, `_bulk answered ${reply.status}: ${reply.text.slice(0, 300)}`);
    ids.push(...idsOf(reply.body));
  }
  return ids;
}

function idsOf(body: unknown): string[] {
  const found: string[] = [];
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(walk);
    else if (typeof value === 'object' && value !== null) {
      if ('id' in value && 'within' in value && typeof value.id === 'string') found.push(value.id);
      else Object.values(value).forEach(walk);
    }
  };
  walk(body);
  return found;
}

/** Asks seldom: what is counted is to have the machine. */
async function reaches(count: () => Promise<number>, wanted: number, timeoutMs: number, everyMs = 500): Promise<void> {
  const end = Date.now() + timeoutMs;
  let found = await count();
  while (found < wanted && Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, everyMs));
    found = await count();
  }
  demand(found >= wanted, `${found} of ${wanted} in ${timeoutMs} ms`);
}

async function totalOf(admin: Caller, query: string): Promise<number> {
  const reply = await admin('GET', `${APP}/${query}`);
  const total = Number(reply.at('meta', 'total'));
  // The api may be busy while Temporal comes back; anything else is a mistake of the question.
  demand(reply.status >= 500 || Number.isInteger(total), `${query} answered ${reply.status}: ${reply.text.slice(0, 300)}`);
  return reply.status >= 500 ? 0 : total;
}
const countLate = (admin: Caller): Promise<number> => totalOf(admin, 'job?filter[status]=late&per_page=1');
const countWaiting = (admin: Caller): Promise<number> => totalOf(admin, '_slas?state=running&per_page=1');

/** One breach, one write of its action. */
async function firedOnce(admin: Caller, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    const record = await admin('GET', `${APP}/job/${id}`);
    demand(
      record.headers.get('etag')?.startsWith('"2-') === true,
      `the breach of ${id} wrote more than once: ${String(record.headers.get('etag'))}`,
    );
  }
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({ options: { clocks: { type: 'string', default: '5000' }, due: { type: 'string', default: '20' } } });
  const say = (line: string): void => console.log(line);
  const result = await proveClocks({ clocks: Number(values.clocks), due: Number(values.due) }, say);
  say(
    `proved: ${result.clocks} clocks over a restart of worker and Temporal, what fell due fired in ${result.firedAfterMs} ms; waiting took ${percent(result.workerCpu)} and ${percent(result.temporalCpu)} of a processor`,
  );
}
