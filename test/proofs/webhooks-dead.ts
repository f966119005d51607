/**
 * A healthy endpoint by itself, then beside fifty dead ones (refusing, hanging, answering 500), then beside fifty that are well and so get
 * as many deliveries more. How long the healthy one waits for each change is compared.
 *
 *   npm run prove -- webhooks-dead [--seconds 20] [--rate 4] [--dead 50]
 */
import { parseArgs } from 'node:util';
import { freePort } from '../../infra/local/system.ts';
import { demand } from '../support/demand.ts';
import { rigOf, type Rig } from '../support/rig.ts';
import {
  openLoop,
  proofApp,
  proofReceiver,
  quantile,
  rounded,
  until,
  type ProofApp,
  type ProofReceiver,
} from '../support/webhook-proof.ts';

export interface DeadResult {
  /** Milliseconds from the answer to the client until the healthy receiver was called. */
  readonly alone: Measured;
  readonly withDead: Measured;
  readonly withWell: Measured;
  readonly paused: number;
}

interface Measured {
  readonly changes: number;
  readonly p50: number;
  readonly p95: number;
}

export interface DeadOptions {
  readonly seconds: number;
  readonly rate: number;
  readonly dead: number;
}

export async function proveDead(options: DeadOptions, say: (line: string) => void, shared?: Rig): Promise<DeadResult> {
  const healthy = await proofReceiver(() => 200);
  const well = await proofReceiver(() => 200);
  const hanging = await proofReceiver(() => 'hang');
  const failing = await proofReceiver(() => 500);
  const nobody = `http://127.0.0.1:${await freePort()}/hook`;
  const { rig, release } = await rigOf(shared);
  let proof: ProofApp | undefined;
  try {
    const dead = [nobody, hanging.url, failing.url];
    proof = await proofApp(
      rig,
      'dead',
      documentFor(
        healthy.url,
        Array.from({ length: options.dead }, (_, n) => [well.url, dead[n % 3] ?? nobody]),
      ),
    );
    const made = (await proof.admin('GET', '/api/dead/_admin/webhooks')).at('data') as readonly unknown[];
    demand(made.length === 3 + 2 * options.dead, `${made.length} webhooks were made`);
    const alone = await measure(proof, healthy, 'alone', options);
    say(told('by itself', alone));
    const withDead = await measure(proof, healthy, 'stormy', options);
    say(told(`${options.dead} dead ones beside it`, withDead));
    const paused = await proof.database.query<{ n: number }>(
      `select count(*)::int as n from ${proof.storage}._webhook_state where paused_until > now()`,
    );
    const withWell = await measure(proof, healthy, 'calm', options);
    say(told(`${options.dead} healthy ones beside it`, withWell));
    return { alone, withDead, withWell, paused: paused.rows[0]?.n ?? 0 };
  } catch (error) {
    say(rig.lastLines());
    throw error;
  } finally {
    for (const receiver of [healthy, well, hanging, failing]) receiver.close();
    await proof?.database.end();
    await release();
  }
}

const documentFor = (healthy: string, others: readonly (readonly string[])[]): object => ({
  entities: ['alone', 'calm', 'stormy'].map((name) => ({ name, fields: [{ name: 'code', type: 'string' }] })),
  webhooks: [
    { name: 'healthy alone', entity: 'alone', url: healthy },
    { name: 'healthy calm', entity: 'calm', url: healthy },
    { name: 'healthy stormy', entity: 'stormy', url: healthy },
    ...others.flatMap(([well, dead], n) => [
      { name: `calm ${n}`, entity: 'calm', url: well ?? '' },
      { name: `stormy ${n}`, entity: 'stormy', url: dead ?? '' },
    ]),
  ],
});

const told = (beside: string, { changes, p50, p95 }: Measured): string =>
  `${beside}: p50 ${rounded(p50)} ms, p95 ${rounded(p95)} ms of ${changes} changes`;

async function measure({ admin }: ProofApp, healthy: ProofReceiver, entity: string, { seconds, rate }: DeadOptions): Promise<Measured> {
  const answered = new Map<string, number>();
  await openLoop(rate, seconds, async (index) => {
    const code = `${entity}-${index}`;
    const made = await admin('POST', `/api/dead/${entity}`, { code });
    answered.set(code, Date.now());
    demand(made.status === 201, `a change answered ${made.status}: ${made.text}`);
  });
  const calls = () => healthy.calls.filter((call) => answered.has(String(call.body.record['code'])));
  await until(
    'changes at the healthy endpoint',
    () => Promise.resolve(calls().length),
    (n) => n >= answered.size,
    30_000,
  );
  const waits = calls().map((call) => Math.max(0, call.at - (answered.get(String(call.body.record['code'])) ?? call.at)));
  return { changes: answered.size, p50: quantile(waits, 0.5), p95: quantile(waits, 0.95) };
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '20' },
      rate: { type: 'string', default: '4' },
      dead: { type: 'string', default: '50' },
    },
  });
  const say = (line: string): void => console.log(line);
  const options = { seconds: Number(values.seconds), rate: Number(values.rate), dead: Number(values.dead) };
  say(`webhooks-dead: ${options.dead} endpoints, ${options.rate} changes a second for ${options.seconds} s, three times`);
  const { alone, withDead, paused } = await proveDead(options, say);
  say(`measured: p50 ${rounded(alone.p50)} ms without and ${rounded(withDead.p50)} ms with dead ones (${paused} paused at the end)`);
}
