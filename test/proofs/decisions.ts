/**
 * How long a person who decides waits for the answer, and what Temporal takes for a decision: approvals one after the other over HTTP,
 * each of another run.
 *
 *   npm run prove -- decisions [--approvals 50]
 */
import { parseArgs } from 'node:util';
import { demand } from '../support/demand.ts';
import { cpuMs } from '../support/idle.ts';
import { Rig } from '../support/rig.ts';
import { proofApp, quantile, until } from '../support/webhook-proof.ts';

export interface DecisionsResult {
  /** Milliseconds from the request to the answer. */
  readonly p50: number;
  readonly p95: number;
  readonly worst: number;
  /** Milliseconds of processor per decision, the step after it included. */
  readonly temporalCpu: number;
  readonly workerCpu: number;
}

const APP = 'decisions';

const DOCUMENT = {
  entities: [
    {
      name: 'request',
      fields: [
        { name: 'code', type: 'string' },
        { name: 'state', type: 'string' },
      ],
    },
  ],
  workflows: [
    {
      id: 'ask',
      name: 'ask',
      trigger: { type: 'record_created', entity: 'request' },
      steps: [
        { id: 'sign', type: 'approval', assignee: { type: 'role', role: 'admin' }, allow_self_approval: true, on_approve: 'done' },
        { id: 'done', type: 'action', actions: [{ type: 'set_field', field: 'state', value: 'signed' }] },
      ],
    },
  ],
};

export async function proveDecisions({ approvals }: { readonly approvals: number }, shared?: Rig): Promise<DecisionsResult> {
  const rig = shared ?? (await Rig.start());
  try {
    const { admin, database } = await proofApp(rig, APP, DOCUMENT);
    await database.end();
    const create = Array.from({ length: approvals }, (_, n) => ({ code: `r-${n}`, state: 'new' }));
    const made = await admin('POST', `/api/${APP}/request/_bulk`, { create });
    demand(made.status < 300, `_bulk answered ${made.status}: ${made.text.slice(0, 300)}`);
    const runs = await until(
      'open approvals',
      async () => (await admin('GET', `/api/${APP}/_workflows/pending?per_page=${approvals}`)).at('data') as { id: string }[],
      (found) => found.length === approvals,
      60_000,
    );
    const before = [cpuMs(rig.pid('temporal')), cpuMs(rig.pid('worker'))] as const;
    const waits: number[] = [];
    for (const { id } of runs) {
      const began = performance.now();
      const reply = await admin('POST', `/api/${APP}/_workflows/${id}/approve`, {});
      waits.push(performance.now() - began);
      demand(reply.status === 200, `approving answered ${reply.status}: ${reply.text.slice(0, 300)}`);
    }
    const per = (part: 'temporal' | 'worker', index: 0 | 1): number => (cpuMs(rig.pid(part)) - before[index]) / approvals;
    const signed = async (): Promise<unknown> =>
      (await admin('GET', `/api/${APP}/request?filter[state]=signed&per_page=1`)).at('meta', 'total');
    const cpu = { temporalCpu: per('temporal', 0), workerCpu: per('worker', 1) };
    await until('signed requests', signed, (total) => total === approvals, 30_000);
    return { p50: quantile(waits, 0.5), p95: quantile(waits, 0.95), worst: Math.max(...waits), ...cpu };
  } catch (error) {
    console.log(rig.lastLines());
    throw error;
  } finally {
    if (shared === undefined) await rig.stop();
  }
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({ options: { approvals: { type: 'string', default: '50' } } });
  const { p50, p95, worst, temporalCpu, workerCpu } = await proveDecisions({ approvals: Number(values.approvals) });
  const ms = (value: number): string => `${Math.round(value)} ms`;
  console.log(`a decision is answered after p50 ${ms(p50)}, p95 ${ms(p95)}, at most ${ms(worst)}`);
  console.log(`it takes ${ms(temporalCpu)} of processor of Temporal and ${ms(workerCpu)} of the worker, with the step that follows`);
}
