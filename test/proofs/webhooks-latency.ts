/**
 * From the beginning of a change's transaction to the first attempt of its delivery, by the database's clock, under an even load; and
 * beside it how many workflows the same Temporal server starts in a second when nothing else is asked of it.
 *
 *   npm run prove -- webhooks-latency [--seconds 30] [--rate 100] [--starts 300]
 */
import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { demand } from '../support/demand.ts';
import { rigOf, type Rig } from '../support/rig.ts';
import { openLoop, proofApp, proofReceiver, quantile, rounded, until, type ProofApp } from '../support/webhook-proof.ts';

export interface LatencyResult {
  readonly changes: number;
  readonly p50: number;
  readonly p99: number;
  readonly worst: number;
  readonly startsPerSecond: number;
}

export interface LatencyOptions {
  readonly seconds: number;
  readonly rate: number;
  readonly starts: number;
}

export async function proveLatency(options: LatencyOptions, say: (line: string) => void, shared?: Rig): Promise<LatencyResult> {
  const receiver = await proofReceiver(() => 200);
  const { rig, release } = await rigOf(shared);
  let proof: ProofApp | undefined;
  try {
    const startsPerSecond = await measureStarts(rig.temporalAddress, options.starts);
    say(`the Temporal server starts ${startsPerSecond.toFixed(0)} workflows a second`);
    proof = await proofApp(rig, 'latency', {
      entities: [{ name: 'change', fields: [{ name: 'n', type: 'int' }] }],
      webhooks: [{ entity: 'change', url: receiver.url }],
    });
    const { admin } = proof;
    await openLoop(options.rate, options.seconds, async (n) => {
      const made = await admin('POST', '/api/latency/change', { n });
      demand(made.status === 201, `a change answered ${made.status}: ${made.text}`);
    });
    const changes = options.rate * options.seconds;
    await until(
      'delivered changes',
      () => Promise.resolve(receiver.calls.length),
      (n) => n >= changes,
      60_000,
    );
    const waits = await waitsOf(proof);
    demand(waits.length === changes, `${waits.length} first attempts of ${changes} changes`);
    return { changes, p50: quantile(waits, 0.5), p99: quantile(waits, 0.99), worst: Math.max(...waits), startsPerSecond };
  } catch (error) {
    say(rig.lastLines());
    throw error;
  } finally {
    receiver.close();
    await proof?.database.end();
    await release();
  }
}

async function waitsOf({ database, storage, app }: ProofApp): Promise<number[]> {
  const { rows } = await database.query<{ ms: number }>(
    `select (extract(epoch from a.started_at - e.at) * 1000)::float8 as ms
     from ${storage}._attempts a join ${storage}._deliveries d on d.id = a.delivery_id join durabase.events e on e.seq = d.event_seq and e.app = $1
     where a.number = 1`,
    [app],
  );
  return rows.map((row) => row.ms);
}

/** Starts on a queue that nobody serves: what the server takes to accept them, and no more. */
async function measureStarts(address: string, count: number): Promise<number> {
  const connection = await Connection.connect({ address });
  const { workflow } = new Client({ connection });
  const started = performance.now();
  const ids = Array.from({ length: count }, (_, n) => `measured-${started}-${n}`);
  for (let from = 0; from < count; from += 20) {
    await Promise.all(
      ids
        .slice(from, from + 20)
        .map((workflowId) => workflow.start('measured', { taskQueue: 'measured', workflowId, workflowExecutionTimeout: '1m' })),
    );
  }
  const seconds = (performance.now() - started) / 1000;
  await connection.close();
  return count / seconds;
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '30' },
      rate: { type: 'string', default: '100' },
      starts: { type: 'string', default: '300' },
    },
  });
  const say = (line: string): void => console.log(line);
  const options = { seconds: Number(values.seconds), rate: Number(values.rate), starts: Number(values.starts) };
  say(`webhooks-latency: ${options.rate} changes a second for ${options.seconds} s`);
  const result = await proveLatency(options, say);
  say(
    `measured: ${result.changes} changes, first attempt after p50 ${rounded(result.p50)} ms, p99 ${rounded(result.p99)} ms, worst ${rounded(result.worst)} ms; ` +
      `${result.startsPerSecond.toFixed(0)} workflow starts a second`,
  );
}
