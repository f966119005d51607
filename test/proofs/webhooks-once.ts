/**
 * Committed changes with rolled-back ones between them, to a receiver that loses some answers: each committed change arrives, under
 * one id; none that was rolled back does; and only what lost an answer comes more than once.
 *
 *   npm run prove -- webhooks-once [--changes 10000] [--seed 7]
 */
import { parseArgs } from 'node:util';
import { demand } from '../support/demand.ts';
import { rigOf, type Rig } from '../support/rig.ts';
import { seeded } from '../support/seeded.ts';
import { proofApp, proofReceiver, until, type ProofApp } from '../support/webhook-proof.ts';

export interface OnceResult {
  readonly committed: number;
  readonly rolledBack: number;
  readonly delivered: number;
  readonly lostAnswers: number;
  readonly duplicates: number;
  readonly seconds: number;
}

const ROWS = 100;
const LOST_SHARE = 0.02;

export async function proveOnce(
  options: { changes: number; seed: number },
  say: (line: string) => void,
  shared?: Rig,
): Promise<OnceResult> {
  const chance = seeded(options.seed);
  const lost = new Set<string>();
  const seen = new Set<string>();
  const receiver = await proofReceiver(({ id }) => {
    const isFirst = !seen.has(id);
    seen.add(id);
    if (!isFirst || chance.next() >= LOST_SHARE) return 200;
    lost.add(id);
    return 'cut';
  });
  const { rig, release } = await rigOf(shared);
  let proof: ProofApp | undefined;
  try {
    proof = await proofApp(rig, 'once', documentFor(receiver.url));
    const started = Date.now();
    const { committed, rolledBack } = await write(proof, Math.ceil(options.changes / ROWS));
    say(`${committed.length} changes are committed, ${rolledBack.length} were rolled back`);
    const codes = (): Set<string> => new Set(receiver.calls.map((call) => String(call.body.record['code'])));
    await until(
      'delivered changes',
      () => Promise.resolve(codes().size),
      (n) => n >= committed.length,
      120_000,
    );
    const open = `select count(*)::int as n from ${proof.storage}._deliveries where status <> 'delivered'`;
    await until(
      'open deliveries',
      async () => (await proof?.database.query<{ n: number }>(open))?.rows[0]?.n,
      (n) => n === 0,
      120_000,
    );
    const seconds = (Date.now() - started) / 1000;
    const arrived = codes();
    for (const code of committed) demand(arrived.has(code), `the change of ${code} never arrived`);
    for (const code of rolledBack) demand(!arrived.has(code), `the change of ${code} arrived, but was rolled back`);
    const idsOf = new Map<string, Set<string>>();
    const timesOf = new Map<string, number>();
    for (const { id, body } of receiver.calls) {
      const code = String(body.record['code']);
      idsOf.set(code, (idsOf.get(code) ?? new Set()).add(id));
      timesOf.set(id, (timesOf.get(id) ?? 0) + 1);
    }
    for (const [code, ids] of idsOf) demand(ids.size === 1, `the change of ${code} came under ${ids.size} ids`);
    const repeated = [...timesOf].filter(([, times]) => times > 1).map(([id]) => id);
    for (const id of repeated) demand(lost.has(id), `${id} came more than once though its answer was not lost`);
    return {
      committed: committed.length,
      rolledBack: rolledBack.length,
      delivered: arrived.size,
      lostAnswers: lost.size,
      duplicates: repeated.length,
      seconds,
    };
  } catch (error) {
    say(rig.lastLines());
    throw error;
  } finally {
    receiver.close();
    await proof?.database.end();
    await release();
  }
}

const documentFor = (url: string): object => ({
  entities: [
    {
      name: 'change',
      fields: [
        { name: 'code', type: 'string', required: true, unique: true },
        { name: 'n', type: 'int' },
      ],
    },
  ],
  // Rare failures one after the other must not pause the endpoint here: it is the deliveries that are looked at.
  webhooks: [{ entity: 'change', url, concurrency: 32, break_after: 1000, retry: { max_attempts: 20, backoff: 'fixed', initial: '1s' } }],
});

/** Whole requests are rolled back by Postgres: their last row repeats a unique code, after all rows before have been inserted. */
async function write({ admin }: ProofApp, requests: number): Promise<{ committed: string[]; rolledBack: string[] }> {
  const committed: string[] = [];
  const rolledBack: string[] = [];
  const first = await admin('POST', '/api/once/change', { code: 'taken', n: 0 });
  demand(first.status === 201, `the first change answered ${first.status}`);
  committed.push('taken');
  for (let request = 0; request < requests; request++) {
    const good = Array.from({ length: ROWS }, (_, n) => ({ code: `c-${request}-${n}`, n }));
    const bad = [...Array.from({ length: ROWS }, (_, n) => ({ code: `r-${request}-${n}`, n })), { code: 'taken', n: 0 }];
    const [kept, refused] = await Promise.all([
      admin('POST', '/api/once/change/_bulk', { create: good }),
      admin('POST', '/api/once/change/_bulk', { create: bad }),
    ]);
    demand(kept.status < 300, `a bulk of ${ROWS} answered ${kept.status}: ${kept.text.slice(0, 300)}`);
    demand(refused.status === 409 || refused.status === 422, `a bulk with a repeated code answered ${refused.status}`);
    committed.push(...good.map((row) => row.code));
    rolledBack.push(...bad.slice(0, -1).map((row) => row.code));
  }
  return { committed, rolledBack };
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({
    options: { changes: { type: 'string', default: '10000' }, seed: { type: 'string', default: String(Date.now() % 100_000) } },
  });
  const say = (line: string): void => console.log(line);
  say(`webhooks-once: ${values.changes} changes, seed ${values.seed}`);
  const result = await proveOnce({ changes: Number(values.changes), seed: Number(values.seed) }, say);
  say(
    `proved: ${result.delivered} of ${result.committed} delivered in ${result.seconds.toFixed(1)} s, none of ${result.rolledBack} rolled back, ` +
      `${result.duplicates} repeated of ${result.lostAnswers} lost answers`,
  );
}
