/**
 * Processes of all kinds of step, approvals, clocks, deliveries and functions under clients that work on, while worker, api, Temporal
 * and Postgres are killed with -9, one, two, or all at once. Every run ends as one without crashes does: each effect and each decision
 * once, each committed change delivered under one id, what was rolled back never, clocks due to the millisecond, and nothing left over.
 *
 *   npm run prove -- process-kills [--kills 50] [--seed 7] [--orders 6]
 */
import { parseArgs } from 'node:util';
import { Client as TemporalClient, Connection } from '@temporalio/client';
import pg from 'pg';
import { signIn } from '../support/api.ts';
import { demand } from '../support/demand.ts';
import { PARTS, Rig } from '../support/rig.ts';
import { seeded } from '../support/seeded.ts';
import { proofApp, proofReceiver, quantile, until } from '../support/webhook-proof.ts';
import { APP, documentFor } from './process-kills/app.ts';
import { checkAll, type Checked, type Stored } from './process-kills/check.ts';
import { Clients, type People } from './process-kills/clients.ts';
import { Nemesis, type Outage } from './process-kills/nemesis.ts';

export interface ProcessKillsOptions {
  readonly kills: number;
  readonly seed: number;
  /** How many are under way at any time. */
  readonly orders: number;
}

export interface ProcessKillsResult extends Checked {
  readonly kills: number;
  readonly orders: number;
  readonly rolledBack: number;
  /** Per kill, from the return of the last part to the first and to the last firing of what waited and fell due while it was away. */
  readonly firstMs: readonly number[];
  readonly lastMs: readonly number[];
  /** The last, per kind of outage: the parts that were killed. */
  readonly lastMsByOutage: ReadonlyMap<string, readonly number[]>;
}

type Lateness = Pick<ProcessKillsResult, 'firstMs' | 'lastMs' | 'lastMsByOutage'>;

const CUT_SHARE = 0.02;
const DRAIN_MS = 90_000;

export async function proveProcessKills(options: ProcessKillsOptions, say: (line: string) => void): Promise<ProcessKillsResult> {
  const chance = seeded(options.seed);
  const cuts = seeded(options.seed + 2);
  const cut = new Set<string>();
  const seen = new Set<string>();
  const receiver = await proofReceiver(({ id }) => {
    const isFirst = !seen.has(id);
    seen.add(id);
    if (!isFirst || cuts.next() >= CUT_SHARE) return 200;
    cut.add(id);
    return 'cut';
  });
  const rig = await Rig.start();
  const pool = new pg.Pool({ connectionString: rig.databaseUrl, max: 4 });
  // Its connections die with the server, as they are meant to.
  pool.on('error', () => undefined);
  try {
    const { people, stored } = await setUp(rig, receiver.url, pool);
    const clients = new Clients(people, chance);
    const nemesis = new Nemesis(rig, people.admin, pool, stored.storage, seeded(options.seed + 1), say);
    const working = clients.work(options.orders);
    try {
      while (nemesis.outages.length < options.kills) await nemesis.strike();
    } finally {
      clients.end();
      await working;
    }
    say(`${clients.plans.length} orders have ended`);
    // Told at once: what did not end leaves something behind, too.
    for (const finding of [...nemesis.findings, ...clients.findings].slice(0, 20)) say(finding.slice(0, 1_500));
    await drained(stored, rig);
    const checked = await checkAll(stored, clients, nemesis.outages, { calls: receiver.calls, cut });
    const late = await lateness(stored, nemesis.outages);
    const findings = [...nemesis.findings, ...clients.findings, ...checked.findings];
    for (const finding of checked.findings.slice(0, 20)) say(finding.slice(0, 1_500));
    const counts = { kills: nemesis.outages.length, orders: clients.plans.length, rolledBack: clients.rolledBack.length };
    return { ...checked, ...counts, ...late, findings };
  } catch (error) {
    say(rig.lastLines());
    throw error;
  } finally {
    receiver.close();
    await pool.end();
    await rig.stop();
  }
}

async function setUp(rig: Rig, hook: string, pool: pg.Pool): Promise<{ people: People; stored: Stored }> {
  const { admin, database, app, storage } = await proofApp(rig, APP, documentFor(hook));
  await database.end();
  const leads = [];
  for (const email of ['ann@killed.test', 'ben@killed.test', 'cem@killed.test']) {
    const made = await admin('POST', `/api/${APP}/_admin/users`, { email, password: 'longer-password', roles: ['lead'] });
    demand(made.status === 201, `making ${email} answered ${made.status}: ${made.text}`);
    leads.push(await signIn(rig.url, email, 'longer-password', APP));
  }
  const token = await admin('POST', `/api/${APP}/_admin/workflows/payer/token`);
  demand(token.status < 300, `the token of the hook answered ${token.status}: ${token.text}`);
  return { people: { url: rig.url, admin, leads, token: String(token.at('data', 'token')) }, stored: { pool, app, storage } };
}

/** Nothing waits any more: no start, delivery, function, run or clock, and no workflow in Temporal. */
async function drained({ pool, app, storage }: Stored, rig: Rig): Promise<void> {
  const text = `select (select count(*) from ${storage}._starts where state <> 'started')::int as starts,
    (select count(*) from ${storage}._deliveries where status <> 'delivered')::int as deliveries,
    (select count(*) from ${storage}._function_runs where status <> 'succeeded')::int as functions,
    (select count(*) from ${storage}._runs where status <> 'completed' or error is not null)::int as runs,
    (select count(*) from ${storage}._tasks where state = 'pending')::int as tasks,
    (select count(*) from ${storage}._waits)::int as waits,
    (select count(*) from ${storage}._clocks where stopped_at is null)::int as clocks`;
  const nothing = (left: Readonly<Record<string, number>>): boolean => Object.values(left).every((count) => count === 0);
  await until('what is left over', async () => (await pool.query<Record<string, number>>(text)).rows[0] ?? {}, nothing, DRAIN_MS);
  const connection = await Connection.connect({ address: rig.temporalAddress });
  try {
    const { workflow } = new TemporalClient({ connection });
    const open = async (): Promise<string[]> => {
      const ids: string[] = [];
      for await (const { workflowId } of workflow.list({ query: `ExecutionStatus = 'Running'` })) ids.push(workflowId);
      return ids.filter((id) => id.includes(`/${app}/`)).slice(0, 5);
    };
    await until('open workflows', open, (ids) => ids.length === 0, DRAIN_MS);
  } finally {
    await connection.close();
  }
}

/** Of what was still to fire when the last part was back. */
async function lateness({ pool, app }: Stored, outages: readonly Outage[]): Promise<Lateness> {
  const { rows } = await pool.query<{ code: string; at: Date }>(
    `select record ->> 'order' as code, at from durabase.events where app = $1 and entity = 'trace' and record ->> 'what' in ('ring', 'toll')`,
    [app],
  );
  const firstMs: number[] = [];
  const lastMsByOutage = new Map<string, number[]>();
  for (const { bells, backAt, parts, isDueWhileAway } of outages) {
    if (!isDueWhileAway) continue;
    const fired = rows.filter(({ code, at }) => bells.includes(code) && at.getTime() >= backAt).map(({ at }) => at.getTime() - backAt);
    if (fired.length === 0) continue;
    firstMs.push(Math.min(...fired));
    const kind = parts.length === PARTS.length ? 'all' : [...parts].sort().join('+');
    lastMsByOutage.set(kind, [...(lastMsByOutage.get(kind) ?? []), Math.max(...fired)]);
  }
  return { firstMs, lastMs: [...lastMsByOutage.values()].flat(), lastMsByOutage };
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string', default: '50' },
      orders: { type: 'string', default: '6' },
      seed: { type: 'string', default: String(Date.now() % 100_000) },
    },
  });
  const say = (line: string): void => console.log(line);
  say(`process-kills: ${values.kills} kills, seed ${values.seed}`);
  const result = await proveProcessKills({ kills: Number(values.kills), seed: Number(values.seed), orders: Number(values.orders) }, say);
  const told = (ms: readonly number[]): string => `median ${quantile(ms, 0.5)} ms, worst ${Math.max(0, ...ms)} ms`;
  say(
    `${result.kills} kills, ${result.orders} orders, ${result.votes} votes, ${result.breaches} breaches; ${result.delivered} ids of ${result.committed} committed changes, ` +
      `${result.repeated} repeated, none of ${result.rolledBack} rolled back`,
  );
  say(`what fell due fired after the return: the first ${told(result.firstMs)}; the last ${told(result.lastMs)}`);
  for (const [outage, ms] of result.lastMsByOutage) say(`  the last after ${outage}: ${ms.length} times, ${told(ms)}`);
  demand(result.findings.length === 0, `${result.findings.length} findings, the first: ${result.findings[0] ?? ''}`);
  say('proved');
}
