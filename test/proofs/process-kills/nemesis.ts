/** Kills parts with -9 at seeded instants: one, two, or all at once; and rings bells that fall due while they are down. */
import type pg from 'pg';
import { eventually, type Caller } from '../../support/api.ts';
import type { Part, Rig } from '../../support/rig.ts';
import { PARTS } from '../../support/rig.ts';
import type { Seeded } from '../../support/seeded.ts';
import { APP } from './app.ts';
import { sleep } from './clients.ts';

export interface Outage {
  readonly parts: readonly Part[];
  readonly killedAt: number;
  readonly backAt: number;
  readonly bells: readonly string[];
  readonly dueAt: number;
  /** They were waiting when the parts were killed, and fell due before the return. */
  readonly isDueWhileAway: boolean;
}

const BELLS = 3;
const DUE_MS = 4_000;
const RINGS_MS = 45_000;
const ANSWERS_MS = 10_000;

export class Nemesis {
  readonly outages: Outage[] = [];
  readonly findings: string[] = [];
  readonly #rig: Rig;
  readonly #admin: Caller;
  readonly #pool: pg.Pool;
  readonly #storage: string;
  readonly #chance: Seeded;
  readonly #say: (line: string) => void;

  constructor(rig: Rig, admin: Caller, pool: pg.Pool, storage: string, chance: Seeded, say: (line: string) => void) {
    [this.#rig, this.#admin, this.#pool, this.#storage, this.#chance, this.#say] = [rig, admin, pool, storage, chance, say];
  }

  async strike(): Promise<void> {
    const number = this.outages.length + 1;
    await this.#reviveWhatDied();
    const [parts, delay, overdue] = [this.#victims(), this.#chance.between(0, 600), this.#chance.between(0, 1_500)];
    const dueAt = Date.now() + DUE_MS;
    const { bells, isWaiting } = await this.#hang(number, dueAt);
    await sleep(delay);
    const killedAt = Date.now();
    await Promise.all(parts.map((part) => this.#rig.kill(part)));
    await sleep(Math.max(0, dueAt + overdue - Date.now()));
    const up = (...some: Part[]): Promise<unknown> =>
      Promise.all(some.filter((part) => parts.includes(part)).map((part) => this.#rig.up(part)));
    await up('postgres', 'temporal');
    await up('worker', 'api');
    const backAt = Date.now();
    this.outages.push({ parts, killedAt, backAt, bells, dueAt, isDueWhileAway: isWaiting && killedAt < dueAt && dueAt < backAt });
    const rung = await eventually(
      () => this.#rung(bells),
      (count) => count >= bells.length * 2,
      RINGS_MS,
    );
    if (rung < bells.length * 2) this.findings.push(`kill ${number}: ${rung} of ${bells.length * 2} timers fired in ${RINGS_MS} ms`);
    this.#say(`kill ${number}: ${parts.join(', ')}; away ${backAt - killedAt} ms, all fired ${Date.now() - backAt} ms after the return`);
  }

  #victims(): Part[] {
    const shuffled = [...PARTS].sort(() => this.#chance.next() - 0.5);
    const roll = this.#chance.next();
    return shuffled.slice(0, roll < 0.4 ? 1 : roll < 0.65 ? 2 : PARTS.length);
  }

  /** A part is to live through the death of another. */
  async #reviveWhatDied(): Promise<void> {
    for (const part of PARTS) {
      if (this.#rig.isUp(part)) continue;
      this.findings.push(`the ${part} died by itself: ${this.#rig.lastLines().slice(-1_500)}`);
      await this.#rig.up(part);
    }
  }

  /** Each is a clock and a wait; both are waiting when this resolves, if that is soon. */
  async #hang(number: number, dueAt: number): Promise<{ bells: string[]; isWaiting: boolean }> {
    const codes: string[] = [];
    for (let n = 0; n < BELLS; n++) {
      const bell = {
        code: `b-${number}-${n}`,
        state: 'new',
        within: `${Math.max(1, dueAt - Date.now())}ms`,
        due: new Date(dueAt).toISOString(),
      };
      // A part that has just come back may say that it is not yet sure of its schema.
      const made = await eventually(
        () => this.#admin('POST', `/api/${APP}/bell`, bell),
        ({ status }) => status < 500,
        ANSWERS_MS,
      );
      if (made.status === 201) codes.push(bell.code);
      else this.findings.push(`hanging ${bell.code} answered ${made.status}: ${made.text.slice(0, 300)}`);
    }
    const waiting = `select (select count(*) from ${this.#storage}._clocks where entity = 'bell' and stopped_at is null)
      + (select count(*) from ${this.#storage}._runs where workflow_name = 'ring' and current_step = 'until' and status = 'running') as n`;
    const count = await eventually(
      async () => Number((await this.#pool.query<{ n: string }>(waiting)).rows[0]?.n),
      (found) => found >= BELLS * 2,
      2_500,
    );
    return { bells: codes, isWaiting: count >= BELLS * 2 };
  }

  async #rung(codes: readonly string[]): Promise<number> {
    const text = `select count(*) as n from durabase.events where entity = 'trace' and record ->> 'what' in ('ring', 'toll') and record ->> 'order' = any($1)`;
    const answer = await this.#pool.query<{ n: string }>(text, [codes]).catch(() => undefined);
    return Number(answer?.rows[0]?.n ?? 0);
  }
}
