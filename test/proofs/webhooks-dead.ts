/**
 * A healthy endpoint by itself and beside fifty dead ones (refusing, hanging, answering 500, with a name that nobody resolves), in turns in
 * one installation: alone, dead, alone, dead, alone. The changes are the same all the time, on two entities: one that only the healthy
 * endpoint hears of, one that the dead ones hear of while they are there. What two turns without dead ones differ by is the noise that
 * the difference they make is held against.
 *
 *   npm run prove -- webhooks-dead [--rounds 2] [--alone 20] [--beside 40] [--rate 20] [--dead 50]
 */
import { parseArgs } from 'node:util';
import { freePort } from '../../infra/local/system.ts';
import { demand } from '../support/demand.ts';
import { systemNames } from '../support/names.ts';
import { Rig } from '../support/rig.ts';
import { seeded } from '../support/seeded.ts';
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

export interface DeadOptions {
  /** Turns with the dead ones; there is one more without. */
  readonly rounds: number;
  /** Seconds of a turn without and with the dead ones. */
  readonly alone: number;
  readonly beside: number;
  /** Changes a second for the healthy endpoint; a fifth as many for the dead ones. */
  readonly rate: number;
  readonly dead: number;
}

export interface DeadResult {
  readonly alone: Waits;
  readonly beside: Waits;
  /** Milliseconds by which the 95th percentile is higher beside the dead: what was measured, and between what it lies (95 %). */
  readonly more: Interval;
  /** The same between the turns without dead ones, odd against even. */
  readonly noise: Interval;
  /** Of the dead endpoints of all turns. */
  readonly endpoints: number;
  readonly attempts: number;
  readonly untried: number;
  readonly paused: number;
}

/** From the beginning of a change's transaction until the healthy receiver has its delivery, by second of the change. */
type Turn = readonly (readonly number[])[];

interface Waits {
  readonly changes: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

interface Interval {
  readonly measured: number;
  readonly from: number;
  readonly to: number;
}

const APP = 'dead';
const DEAD_SHARE = 5;
const RESAMPLES = 2_000;

export async function proveDead(options: DeadOptions, say: (line: string) => void, shared?: Rig): Promise<DeadResult> {
  const names = shared === undefined ? await systemNames() : undefined;
  if (names === undefined) say('names that nobody resolves are left out: they need root, Linux, and an installation of their own');
  const healthy = await proofReceiver(() => 200);
  const hanging = await proofReceiver(() => 'hang');
  const failing = await proofReceiver(() => 500);
  const port = await freePort();
  const kinds: readonly ((tag: string) => string)[] = [
    (tag) => `http://127.0.0.1:${port}/hook?${tag}`,
    (tag) => `${hanging.url}?${tag}`,
    (tag) => `${failing.url}?${tag}`,
    ...(names === undefined ? [] : [(tag: string) => `http://slow-${tag}.proof.test:${port}/hook`]),
  ];
  const healthyUrl = names === undefined ? healthy.url : healthy.url.replace('127.0.0.1', 'healthy.proof.test');
  const rig = shared ?? (await Rig.start(names?.prefix));
  let proof: ProofApp | undefined;
  try {
    proof = await proofApp(rig, APP, documentFor(healthyUrl, []));
    await take(proof, healthy, 'warm', { ...options, seconds: 5 });
    const alone: Turn[] = [];
    const beside: Turn[] = [];
    for (let round = 0; ; round++) {
      alone.push(await take(proof, healthy, `alone${round}`, { ...options, seconds: options.alone }));
      say(`by itself: ${told(waitsOf(alone.slice(-1)))}`);
      if (round === options.rounds) break;
      const urls = Array.from({ length: options.dead }, (_, n) => (kinds[n % kinds.length] ?? kinds[0])?.(`${round}-${n}`) ?? '');
      await use(proof, documentFor(healthyUrl, urls));
      beside.push(await take(proof, healthy, `beside${round}`, { ...options, seconds: options.beside }));
      say(`beside ${options.dead} dead ones: ${told(waitsOf(beside.slice(-1)))}; ${await endpointsSaid(proof)}`);
      await use(proof, documentFor(healthyUrl, []));
      await drained(proof);
    }
    const [even, odd] = [alone.filter((_, n) => n % 2 === 0), alone.filter((_, n) => n % 2 === 1)];
    return {
      alone: waitsOf(alone),
      beside: waitsOf(beside),
      more: difference(alone.flat(), beside.flat()),
      noise: difference(even.flat(), odd.flat()),
      ...(await endpoints(proof)),
    };
  } catch (error) {
    say(rig.lastLines());
    throw error;
  } finally {
    for (const receiver of [healthy, hanging, failing]) receiver.close();
    await proof?.database.end();
    if (shared === undefined) await rig.stop();
    names?.close();
  }
}

/** An address of its own for each: no turn finds the endpoints of another, which may be paused. */
const documentFor = (healthy: string, dead: readonly string[]): object => ({
  entities: ['change', 'noise'].map((name) => ({ name, fields: [{ name: 'code', type: 'string' }] })),
  webhooks: [{ name: 'healthy', entity: 'change', url: healthy }, ...dead.map((url, n) => ({ name: `dead ${n}`, entity: 'noise', url }))],
});

/** The whole document, so that the dead ones of the turn before go. */
async function use({ admin }: ProofApp, document: object): Promise<void> {
  const published = await admin('POST', `/api/${APP}/_admin/versions`, { version: 1, ...document });
  demand(published.status < 300, `publishing the document answered ${published.status}: ${published.text}`);
}

/** What is left of webhooks that are gone is ended by the dispatcher. */
async function drained({ database, storage }: ProofApp): Promise<void> {
  const open = `select count(*)::int as n from ${storage}._deliveries where status in ('pending', 'sending') and due_at <= now()`;
  await until(
    'deliveries of webhooks that are gone',
    async () => (await database.query<{ n: number }>(open)).rows[0]?.n,
    (n) => n === 0,
    60_000,
  );
}

async function take(
  { admin }: ProofApp,
  healthy: ProofReceiver,
  tag: string,
  { rate, seconds }: { readonly rate: number; readonly seconds: number },
): Promise<Turn> {
  await openLoop(rate, seconds, async (index) => {
    const write = async (entity: string): Promise<void> => {
      const made = await admin('POST', `/api/${APP}/${entity}`, { code: `${tag}-${index}` });
      demand(made.status === 201, `a change answered ${made.status}: ${made.text}`);
    };
    await Promise.all([write('change'), ...(index % DEAD_SHARE === 0 ? [write('noise')] : [])]);
  });
  const calls = () => healthy.calls.filter(({ body }) => String(body.record['code']).startsWith(`${tag}-`));
  await until(
    'changes at the healthy endpoint',
    () => Promise.resolve(calls().length),
    (n) => n >= rate * seconds,
    30_000,
  );
  const bySecond: number[][] = Array.from({ length: seconds }, () => []);
  for (const { at, body } of calls()) {
    const index = Number(String(body.record['code']).split('-')[1]);
    bySecond[Math.floor(index / rate)]?.push(at - Date.parse(body.timestamp));
  }
  return bySecond;
}

function waitsOf(turns: readonly Turn[]): Waits {
  const all = turns.flat(2);
  return { changes: all.length, p50: quantile(all, 0.5), p95: quantile(all, 0.95), p99: quantile(all, 0.99) };
}

/** By how much the 95th percentile of `others` is higher; between what, by drawing whole seconds again and again (bootstrap). */
function difference(ones: Turn, others: Turn): Interval {
  const chance = seeded(7);
  const drawn = (turn: Turn): number[] => turn.flatMap(() => turn[chance.between(0, turn.length - 1)] ?? []);
  const p95 = (values: readonly number[]): number => quantile(values, 0.95);
  const found = Array.from({ length: RESAMPLES }, () => p95(drawn(others)) - p95(drawn(ones)));
  return { measured: p95(others.flat()) - p95(ones.flat()), from: quantile(found, 0.025), to: quantile(found, 0.975) };
}

interface Endpoints {
  readonly endpoints: number;
  readonly attempts: number;
  readonly untried: number;
  readonly paused: number;
}

/** Those that are dead, of all turns: they have deliveries and the healthy one's name is another. */
async function endpoints({ database, storage }: ProofApp): Promise<Endpoints> {
  const { rows } = await database.query<Endpoints>(
    `select count(*)::int as endpoints, coalesce(sum(attempts), 0)::int as attempts, count(*) filter (where attempts = 0)::int as untried,
       count(*) filter (where trips > 0)::int as paused
     from (
       select d.webhook, count(*) filter (where a.id is not null and coalesce(a.error, '') not like 'The webhook was deleted%') as attempts, max(coalesce(s.trips, 0)) as trips
       from ${storage}._deliveries d left join ${storage}._attempts a on a.delivery_id = d.id
       left join ${storage}._webhook_state s on s.webhook = d.webhook
       where d.entity = 'noise' group by d.webhook
     ) e`,
  );
  return rows[0] ?? { endpoints: 0, attempts: 0, untried: 0, paused: 0 };
}

async function endpointsSaid(proof: ProofApp): Promise<string> {
  const { attempts, endpoints: found, paused } = await endpoints(proof);
  return `so far ${attempts} attempts at ${found}, ${paused} of them paused`;
}

const told = ({ changes, p50, p95, p99 }: Waits): string =>
  `p50 ${rounded(p50)} ms, p95 ${rounded(p95)} ms, p99 ${rounded(p99)} ms of ${changes} changes`;
const toldInterval = ({ measured, from, to }: Interval): string => `${rounded(measured)} ms (${rounded(from)} to ${rounded(to)})`;

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '2' },
      alone: { type: 'string', default: '20' },
      beside: { type: 'string', default: '40' },
      rate: { type: 'string', default: '20' },
      dead: { type: 'string', default: '50' },
    },
  });
  const say = (line: string): void => console.log(line);
  const options = {
    rounds: Number(values.rounds),
    alone: Number(values.alone),
    beside: Number(values.beside),
    rate: Number(values.rate),
    dead: Number(values.dead),
  };
  say(`webhooks-dead: ${options.dead} dead endpoints, ${options.rate} changes a second`);
  const { alone, beside, more, noise, ...dead } = await proveDead(options, say);
  say(`by itself: ${told(alone)}`);
  say(`beside the dead: ${told(beside)}`);
  say(`the p95 is higher by ${toldInterval(more)}; of turns without dead ones it differs by ${toldInterval(noise)}`);
  say(`${dead.endpoints} dead endpoints: ${dead.attempts} attempts, ${dead.untried} never tried, ${dead.paused} paused`);
}
