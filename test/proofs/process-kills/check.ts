/** Compares what is stored, and what a receiver has got, with what a life without crashes leaves. */
import type pg from 'pg';
import type { ProofCall } from '../../support/webhook-proof.ts';
import { endState, endVersion, expectedTraces, type Plan } from './app.ts';
import type { Clients } from './clients.ts';
import type { Outage } from './nemesis.ts';

export interface Stored {
  readonly pool: pg.Pool;
  readonly app: string;
  readonly storage: string;
}

export interface Deliveries {
  readonly calls: readonly ProofCall[];
  /** Ids whose first answer the receiver cut off. */
  readonly cut: ReadonlySet<string>;
}

export interface Checked {
  readonly findings: readonly string[];
  readonly committed: number;
  readonly delivered: number;
  readonly repeated: number;
  readonly votes: number;
  readonly breaches: number;
}

interface EventRow {
  readonly entity: string;
  readonly record_id: string;
  readonly record_version: string;
  readonly action: string;
  readonly at: Date;
  readonly record: Readonly<Record<string, unknown>>;
}

export async function checkAll(stored: Stored, clients: Clients, outages: readonly Outage[], deliveries: Deliveries): Promise<Checked> {
  const { rows: events } = await stored.pool.query<EventRow>(
    `select entity, record_id, record_version, action, at, record from durabase.events where app = $1 and action <> 'custom' order by seq`,
    [stored.app],
  );
  const tracesOf = grouped(
    events.filter(({ entity }) => entity === 'trace'),
    ({ record }) => String(record['order']),
  );
  const findings: string[] = [];
  for (const plan of clients.plans) findings.push(...checkOrder(plan, events, tracesOf.get(plan.code) ?? []));
  for (const code of outages.flatMap(({ bells }) => bells)) {
    const found = whatsOf(tracesOf.get(code) ?? []);
    if (found.join() !== 'ring,toll') findings.push(`${code} left ${found.join() || 'nothing'}, not ring,toll`);
  }
  const clocks = await checkClocks(stored, events, tracesOf);
  const votes = await checkVotes(stored, clients.plans);
  const mails = await checkMails(stored, clients.plans);
  const arrived = await checkDeliveries(stored, events, deliveries, outages);
  findings.push(...clocks.findings, ...votes.findings, ...mails, ...checkBulks(events, clients), ...arrived.findings);
  return {
    findings,
    committed: events.length,
    delivered: arrived.delivered,
    repeated: arrived.repeated,
    votes: votes.count,
    breaches: clocks.breaches,
  };
}

function grouped<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}

const whatsOf = (traces: readonly EventRow[]): string[] => traces.map(({ record }) => String(record['what'])).sort();

function checkOrder(plan: Plan, events: readonly EventRow[], traces: readonly EventRow[]): string[] {
  const changes = events.filter(({ entity, record }) => entity === 'order' && record['code'] === plan.code);
  const last = changes.at(-1);
  const findings: string[] = [];
  if (changes.length !== endVersion(plan)) findings.push(`${plan.code}: ${changes.length} changes, not ${endVersion(plan)}`);
  if (last?.record['state'] !== endState(plan)) findings.push(`${plan.code} is ${String(last?.record['state'])}, not ${endState(plan)}`);
  const found = whatsOf(traces).filter((what) => what !== 'breach');
  const wanted = expectedTraces(plan).sort();
  if (found.join() !== wanted.join()) findings.push(`${plan.code} left ${found.join()}, not ${wanted.join()}`);
  return findings;
}

interface ClockRow {
  readonly record_id: string;
  readonly entity: string;
  readonly state: string;
  readonly started_at: Date;
  readonly due_at: Date;
  readonly stopped_at: Date | null;
}

/** Started, due and stopped at the instants of the record's events, whenever a worker came to it; breached if it ended after its due time. */
async function checkClocks(
  { pool, storage }: Stored,
  events: readonly EventRow[],
  tracesOf: ReadonlyMap<string, readonly EventRow[]>,
): Promise<{ findings: string[]; breaches: number }> {
  const { rows } = await pool.query<ClockRow>(`select record_id, entity, state, started_at, due_at, stopped_at from ${storage}._clocks`);
  const clockOf = new Map(rows.map((row) => [row.record_id, row]));
  const findings: string[] = [];
  let breaches = 0;
  const changesOf = grouped(
    events.filter(({ entity }) => entity === 'order'),
    ({ record_id: id }) => id,
  );
  for (const [id, changes] of changesOf) {
    const [first, last] = [changes[0], changes.at(-1)];
    const clock = clockOf.get(id);
    if (first === undefined || last === undefined || clock === undefined) {
      findings.push(`order ${id} has no clock`);
      continue;
    }
    const dueAt = first.at.getTime() + Number.parseInt(String(first.record['within']), 10);
    const isBreached = last.at.getTime() > dueAt;
    const tolled = whatsOf(tracesOf.get(String(first.record['code'])) ?? []).filter((what) => what === 'breach').length;
    breaches += tolled;
    const found = [clock.state, clock.started_at.getTime(), clock.due_at.getTime(), clock.stopped_at?.getTime(), tolled].join(' ');
    const wanted = [isBreached ? 'breached' : 'met', first.at.getTime(), dueAt, last.at.getTime(), isBreached ? 1 : 0].join(' ');
    if (found !== wanted) findings.push(`the clock of ${String(first.record['code'])} is "${found}", not "${wanted}"`);
  }
  if (clockOf.size !== rows.length) findings.push(`${rows.length} clocks of ${clockOf.size} records`);
  return { findings, breaches };
}

/** Two approvals, or none but the one that rejects beside those before it; nobody twice. */
async function checkVotes({ pool, storage }: Stored, plans: readonly Plan[]): Promise<{ findings: string[]; count: number }> {
  const { rows } = await pool.query<{ code: string; approved: number; rejected: number; people: number; tasks: number }>(
    `select o.code, count(*) filter (where v.decision = 'approved')::int as approved, count(*) filter (where v.decision = 'rejected')::int as rejected,
       count(distinct v.person)::int as people, count(distinct t.id)::int as tasks
     from ${storage}._votes v join ${storage}._tasks t on t.id = v.task_id join ${storage}._runs r on r.id = t.run_id
     join ${storage}."order" o on o.id::text = r.record_id group by o.code`,
  );
  const votesOf = new Map(rows.map((row) => [row.code, row]));
  const findings: string[] = [];
  for (const { code, verdict } of plans) {
    const votes = votesOf.get(code);
    const isRight =
      verdict === 'small'
        ? votes === undefined
        : votes?.tasks === 1 &&
          votes.people === votes.approved + votes.rejected &&
          (verdict === 'approved' ? votes.approved === 2 && votes.rejected === 0 : votes.rejected === 1 && votes.approved <= 1);
    if (!isRight) findings.push(`${code}, to be ${verdict}, has the votes ${JSON.stringify(votes ?? null)}`);
  }
  return { findings, count: rows.reduce((sum, row) => sum + row.approved + row.rejected, 0) };
}

/** One mail for each key of an effect; their number tells whether one is missing. */
async function checkMails({ pool, app }: Stored, plans: readonly Plan[]): Promise<string[]> {
  const text = `select count(*)::int as mails, count(distinct key)::int as keys from durabase.mails where app = $1 and kind = 'message'`;
  const found = (await pool.query<{ mails: number; keys: number }>(text, [app])).rows[0];
  const going = plans.filter(({ verdict }) => verdict !== 'rejected').length;
  // Each of the three who may decide is told of a task.
  const wanted = going + 3 * plans.filter(({ verdict }) => verdict !== 'small').length;
  return found?.mails === wanted && found.keys === wanted ? [] : [`mails: ${JSON.stringify(found)}, not ${wanted} of each`];
}

function checkBulks(events: readonly EventRow[], { acknowledged, bulks, rolledBack }: Clients): string[] {
  const there = new Set(events.filter(({ entity }) => entity === 'note').map(({ record }) => String(record['code'])));
  return [
    ...acknowledged.filter((code) => !there.has(code)).map((code) => `${code} was acknowledged and is not there`),
    ...rolledBack.filter((code) => there.has(code)).map((code) => `${code} was rolled back and is there`),
    ...bulks
      .map((codes) => [codes[0] ?? '', codes.filter((code) => there.has(code)).length, codes.length] as const)
      .filter(([, found, whole]) => found !== 0 && found !== whole)
      .map(([first, found, whole]) => `of the bulk of ${first} ${found} of ${whole} are there`),
  ];
}

/** From so long before a kill to so long after the return an answer may get lost on its way into the database. */
const [BEFORE_MS, AFTER_MS] = [2_000, 2_000];

async function checkDeliveries(
  { pool, storage }: Stored,
  events: readonly EventRow[],
  { calls, cut }: Deliveries,
  outages: readonly Outage[],
): Promise<{ findings: string[]; delivered: number; repeated: number }> {
  const { rows } = await pool.query<{ id: string; change: string }>(
    `select id, entity || ' ' || record_id || ' ' || record_version as change from ${storage}._deliveries`,
  );
  const idOf = new Map(rows.map(({ id, change }) => [change, id]));
  const callsOf = grouped(calls, ({ id }) => id);
  const findings: string[] = [];
  if (rows.length !== events.length) findings.push(`${rows.length} deliveries of ${events.length} committed changes`);
  for (const { entity, record_id: record, record_version: version } of events) {
    const id = idOf.get(`${entity} ${record} ${version}`);
    if (id === undefined) findings.push(`the change ${version} of ${entity} ${record} has no delivery`);
    else if (!callsOf.has(id)) findings.push(`the change ${version} of ${entity} ${record} never arrived`);
  }
  const known = new Set(rows.map(({ id }) => id));
  for (const id of callsOf.keys()) if (!known.has(id)) findings.push(`${id} arrived and belongs to no committed change`);
  const repeated = [...callsOf].filter(([, own]) => own.length > 1);
  for (const [id, own] of repeated) {
    const isExplained = own
      .slice(0, -1)
      .every(({ at }) => cut.has(id) || outages.some(({ killedAt, backAt }) => at > killedAt - BEFORE_MS && at < backAt + AFTER_MS));
    if (!isExplained) findings.push(`${id} came ${own.length} times without a lost answer`);
  }
  return { findings, delivered: callsOf.size, repeated: repeated.length };
}
