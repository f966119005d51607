/** Clients that go on through every outage: what has no answer is asked again, as a careful client does. */
import { callerOf, type Caller, type Reply } from '../../support/api.ts';
import { demand } from '../../support/demand.ts';
import type { Seeded } from '../../support/seeded.ts';
import { APP, type Plan } from './app.ts';

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const ROOT = `/api/${APP}`;
const PATIENCE_MS = 180_000;
const NOTES = 25;

export interface People {
  readonly url: string;
  readonly admin: Caller;
  readonly leads: readonly Caller[];
  /** Of the hook that pays. */
  readonly token: string;
}

/** Repeated until somebody answers who means it. */
async function insist(ask: () => Promise<Reply>): Promise<Reply> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const reply = await ask().catch(() => undefined);
    if (reply !== undefined && reply.status < 500 && reply.status !== 429) return reply;
    demand(Date.now() < end, `no answer in ${PATIENCE_MS} ms; the last was ${reply?.text.slice(0, 300) ?? 'none'}`);
    await sleep(250);
  }
}

export class Clients {
  readonly plans: Plan[] = [];
  readonly findings: string[] = [];
  /** Codes of bulks that were answered: they must be there. */
  readonly acknowledged: string[] = [];
  /** Whole bulks: all of one or nothing. */
  readonly bulks: string[][] = [];
  readonly rolledBack: string[] = [];
  #isOver = false;
  readonly #people: People;
  readonly #chance: Seeded;

  constructor(people: People, chance: Seeded) {
    this.#people = people;
    this.#chance = chance;
  }

  /** Resolves after `end()`, when each order that was begun has come to its end. */
  async work(atOnce: number): Promise<void> {
    await Promise.all([...Array.from({ length: atOnce }, () => this.#orders()), this.#notes()]);
  }

  end(): void {
    this.#isOver = true;
  }

  async #orders(): Promise<void> {
    while (!this.#isOver) {
      const plan = this.#plan();
      this.plans.push(plan);
      await this.#live(plan).catch((error: unknown) => this.findings.push(`${plan.code} (${plan.verdict}): ${String(error)}`));
      await sleep(this.#chance.between(0, 500));
    }
  }

  #plan(): Plan {
    const verdict = (['small', 'approved', 'approved', 'rejected'] as const)[this.#chance.between(0, 3)] ?? 'small';
    const amount = verdict === 'small' ? this.#chance.between(1, 100) : this.#chance.between(101, 999);
    return { code: `o-${this.plans.length}`, amount, verdict, withinMs: this.#chance.between(2_000, 30_000) };
  }

  async #live(plan: Plan): Promise<void> {
    const { admin } = this.#people;
    const body = { code: plan.code, amount: plan.amount, state: 'new', within: `${plan.withinMs}ms`, mail: `${plan.code}@mail.test` };
    const created = await insist(() => admin('POST', `${ROOT}/order`, body, { 'idempotency-key': plan.code }));
    demand(created.status === 201, `creating it answered ${created.status}: ${created.text.slice(0, 300)}`);
    const id = String(created.at('data', 'id'));
    const run = await this.#reaches(`_workflows?record_id=${id}&workflow=fulfil`, ['data', 0], ({ id: found }) => found !== undefined);
    const path = `_workflows/${String(run['id'])}`;
    if (plan.verdict !== 'small') {
      const { task } = await this.#reaches(path, ['data'], (now) => now['task'] !== null && now['task'] !== undefined);
      await this.#decide(`${ROOT}/${path}`, plan, (task as { id: string }).id);
    }
    if (plan.verdict !== 'rejected') {
      await this.#reaches(path, ['data'], (now) => now['current_step'] === 'pay');
      await this.#pay(plan);
    }
    const ended = await this.#reaches(path, ['data'], (now) => now['status'] !== 'running');
    demand(ended['status'] === 'completed', `its run ended ${String(ended['status'])}: ${JSON.stringify(ended)}`);
  }

  async #reaches(
    path: string,
    at: (string | number)[],
    holds: (value: Readonly<Record<string, unknown>>) => boolean,
  ): Promise<Readonly<Record<string, unknown>>> {
    const end = Date.now() + PATIENCE_MS;
    for (;;) {
      const reply = await insist(() => this.#people.admin('GET', `${ROOT}/${path}`));
      const value = (reply.at(...at) ?? {}) as Readonly<Record<string, unknown>>;
      if (holds(value)) return value;
      demand(Date.now() < end, `it stays at ${reply.text.slice(0, 1_500)}`);
      await sleep(this.#chance.between(300, 700));
    }
  }

  /** One after the other, two at once, one person twice at once, or all three: two votes count, or the one that rejects. */
  async #decide(path: string, { verdict }: Plan, task: string): Promise<void> {
    const [ann, ben, cem] = this.#people.leads as [Caller, Caller, Caller];
    const approve = (who: Caller) => (): Promise<Reply> => insist(() => who('POST', `${path}/approve`, { task }));
    const reject = (who: Caller) => (): Promise<Reply> => insist(() => who('POST', `${path}/reject`, { task }));
    const ways =
      verdict === 'rejected'
        ? [
            [[reject(ann)]],
            [[approve(ann), reject(ben)]],
            [
              [approve(cem), approve(cem)],
              [reject(ben), reject(ben)],
            ],
          ]
        : [[[approve(ann)], [approve(ben)]], [[approve(ann), approve(ben), approve(cem)]], [[approve(ann), approve(ann), approve(ben)]]];
    for (const turn of ways[this.#chance.between(0, ways.length - 1)] ?? []) {
      for (const reply of await Promise.all(turn.map((vote) => vote()))) {
        const isDecided = reply.status === 422 || reply.status === 409;
        demand(reply.status === 200 || isDecided, `a decision answered ${reply.status}: ${reply.text.slice(0, 300)}`);
      }
    }
  }

  async #pay({ code }: Plan): Promise<void> {
    const { url, token } = this.#people;
    const hook = callerOf(url, token);
    const reply = await insist(() => hook('POST', `${ROOT}/_hooks/payer`, { order: code }, { 'idempotency-key': code }));
    demand(reply.status === 202, `paying answered ${reply.status}: ${reply.text.slice(0, 300)}`);
  }

  /** Bulks that are written whole, and bulks that Postgres rolls back because their last row repeats a code. Not repeated. */
  async #notes(): Promise<void> {
    for (let turn = 0; !this.#isOver; turn++) {
      const good = Array.from({ length: NOTES }, (_, n) => `n-${turn}-${n}`);
      const bad = Array.from({ length: 5 }, (_, n) => `r-${turn}-${n}`);
      this.bulks.push(good);
      this.rolledBack.push(...bad);
      const [kept] = await Promise.all([this.#bulk(good), this.#bulk([...bad, bad[0] ?? ''])]);
      if (kept !== undefined && kept < 300) this.acknowledged.push(...good);
      await sleep(700);
    }
  }

  async #bulk(codes: readonly string[]): Promise<number | undefined> {
    const reply = await this.#people
      .admin('POST', `${ROOT}/note/_bulk`, { create: codes.map((one) => ({ code: one })) })
      .catch(() => undefined);
    return reply?.status;
  }
}
