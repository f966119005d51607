/** The batches of a conversion on a real Postgres, with writers of both shapes at work all the while, and workers that die. */
import pg from 'pg';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Step } from '../../../core/change/step.ts';
import { runBatches, type BatchProgress } from '../../../operations/schemas/backfill.ts';
import { openQuarantine } from '../../../operations/schemas/quarantine.ts';
import { conversion, conversionDatabase, ConversionWorld } from '../../core/change/conversion/conversion-world.ts';
import { seeded } from '../../support/seeded.ts';

const MIGRATION = '01920000-0000-7000-8000-000000000001';
const before = [
  { name: 'amount', type: 'string' },
  { name: 'note', type: 'string' },
];
const after = [
  { name: 'amount', type: 'int', column: 'amount__7' },
  { name: 'note', type: 'string' },
];
let url: string;
let world: ConversionWorld;
beforeAll(async () => {
  url = await conversionDatabase();
});
beforeEach(async () => {
  world = await ConversionWorld.open(url, before, after, conversion({ from: ['amount'], to: ['amount'] }));
  const { client } = world;
  await client.query('delete from durabase.migration_steps; delete from durabase.migrations');
  await client.query(
    `insert into durabase.migrations (id, app, number, from_version, to_version, status, plan, plan_hash, workflow_id, created_by)
     values ($1, 'x', 1, 6, 7, 'running', '{}', 'h', 'w', '{}')`,
    [MIGRATION],
  );
  for (const [position, step] of world.steps.entries()) {
    await client.query('insert into durabase.migration_steps (migration, key, position, phase, sql) values ($1, $2, $3, $4, $5)', [
      MIGRATION,
      step.key,
      position,
      step.phase,
      '',
    ]);
  }
});

const go = (step: Step, onBatch: (progress: BatchProgress) => void = () => undefined, isCancelled = (): boolean => false) =>
  runBatches({ url, migrationId: MIGRATION, step, onBatch, isCancelled });
const filled = async (): Promise<number> => {
  const [row] = (await world.client.query<{ n: number }>('select count(*)::int as n from app_x.item where amount__7::text = amount')).rows;
  return row?.n ?? 0;
};
const rowsOf = (count: number): Promise<void> =>
  world.write(`insert into item (id, amount) select n, n::text from generate_series(1, ${count}) n`);

it('fills every row, tells how far it is, and has nothing to do a second time', async () => {
  await rowsOf(3000);
  await world.client.query('analyze app_x.item');
  await world.to('expand');
  const seen: BatchProgress[] = [];
  expect(await go(world.step('backfill/'), (progress) => seen.push(progress))).toBe('done');
  expect(await filled()).toBe(3000);
  expect(seen.at(-1)).toMatchObject({ done: 3000, total: 3000, eta_seconds: 0 });
  expect(seen.map((one) => one.done)).toEqual(seen.map((one) => one.done).toSorted((a, b) => a - b));
  expect(seen[0]?.eta_seconds).toBeGreaterThanOrEqual(0);
  expect(await go(world.step('backfill/'))).toBe('done');
  expect(await go(world.step('verify/'))).toBe('done');
});

it('goes on from the cursor after its connection was killed', async () => {
  await rowsOf(5000);
  await world.to('expand');
  let batches = 0;
  const kill = (): void => {
    if (++batches === 3) {
      void world.client.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'durabase-backfill%' and datname = current_database()",
      );
    }
  };
  await expect(go(world.step('backfill/'), kill)).rejects.toThrow();
  const [stopped] = (
    await world.client.query<{ cursor: string; done: number }>(
      "select cursor, rows_done::int as done from durabase.migration_steps where key like 'backfill/%'",
    )
  ).rows;
  expect(stopped?.done).toBeGreaterThan(0);
  expect(stopped?.done).toBeLessThan(5000);
  expect(await filled()).toBe(stopped?.done);
  let first: number | undefined;
  await go(world.step('backfill/'), ({ done }) => void (first ??= done));
  expect(first).toBeGreaterThan(stopped?.done ?? 0);
  expect(await filled()).toBe(5000);
});

it('takes turns when two workers do the same step', async () => {
  await rowsOf(4000);
  await world.to('expand');
  expect(await Promise.all([go(world.step('backfill/')), go(world.step('backfill/'))])).toEqual(['done', 'done']);
  expect(await filled()).toBe(4000);
  const [step] = (
    await world.client.query<{ done: number }>("select rows_done::int as done from durabase.migration_steps where key like 'backfill/%'")
  ).rows;
  expect(step?.done).toBe(4000);
});

it('stops when it is cancelled, and waits for a row that a client holds', async () => {
  await rowsOf(500);
  await world.to('expand');
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query("begin; update app_x.item set note = 'mine' where id = 300");
    let tries = 0;
    const running = go(world.step('backfill/'), undefined, () => ++tries > 8);
    expect(await running).toBe('cancelled');
    expect(await filled()).toBeLessThan(300);
    await client.query('commit');
  } finally {
    await client.end();
  }
  await go(world.step('backfill/'));
  expect(await filled()).toBe(500);
});

it('ends at rows that do not agree, and names one', async () => {
  await rowsOf(300);
  await world.to('expand');
  await go(world.step('backfill/'));
  await world.client.query('alter table app_x.item disable trigger user');
  await world.write("update item set amount = 'x' where id = 123");
  await world.client.query('alter table app_x.item enable trigger user');
  await expect(go(world.step('verify/'))).rejects.toMatchObject({
    code: 'CONFLICT',
    message: expect.stringContaining('["123"]') as string,
  });
});

it('counts what is in the quarantine until it is repaired', async () => {
  await world.write("insert into item (id, amount) values (1, 'one'), (2, '2')");
  await world.to('expand');
  await go(world.step('backfill/'));
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  try {
    expect(await openQuarantine(pool, 'app_x', MIGRATION)).toBe(1);
    await world.write("update item set amount = '1' where id = 1");
    expect(await openQuarantine(pool, 'app_x', MIGRATION)).toBe(0);
  } finally {
    await pool.end();
  }
});

describe('with writers of both shapes', () => {
  interface Wanted {
    old: string | null;
    now: number | null;
  }

  /** Owns its records, so it knows what each must hold; nobody may see an error. */
  class Writer {
    readonly records = new Map<number, Wanted>();
    writes = 0;
    slowestMs = 0;
    readonly #client: pg.Client;
    readonly #random: () => number;
    readonly #ids: readonly number[];

    constructor(client: pg.Client, ids: readonly number[], seed: number) {
      this.#client = client;
      this.#ids = ids;
      const { next } = seeded(seed);
      this.#random = next;
      for (const id of ids) this.records.set(id, { old: String(id), now: id });
    }

    async run(isOver: () => boolean): Promise<void> {
      while (!isOver()) {
        const began = performance.now();
        await this.#write();
        this.slowestMs = Math.max(this.slowestMs, performance.now() - began);
        this.writes += 1;
      }
      await this.#client.end();
    }

    async #write(): Promise<void> {
      const id = this.#ids[Math.floor(this.#random() * this.#ids.length)] ?? 0;
      const number = Math.floor(this.#random() * 1000);
      const send = (text: string, given: readonly unknown[]) => this.#client.query(text.replaceAll('item', 'app_x.item'), [...given]);
      const isOld = this.#random() < 0.5;
      if (!this.records.has(id)) {
        if (isOld) await send('insert into item (id, amount) values ($1, $2)', [id, String(number)]);
        else await send('insert into item (id, amount__7) values ($1, $2)', [id, number]);
        this.records.set(id, { old: String(number), now: number });
        return;
      }
      const choice = this.#random();
      if (choice < 0.1) {
        await send('delete from item where id = $1', [id]);
        this.records.delete(id);
      } else if (choice < 0.3) {
        await send(`update item set ${isOld ? 'amount' : 'amount__7'} = null where id = $1`, [id]);
        this.records.set(id, { old: null, now: null });
      } else if (choice < 0.4) {
        await send("update item set note = 'n' where id = $1", [id]);
      } else {
        await send(`update item set ${isOld ? 'amount' : 'amount__7'} = $2 where id = $1`, [id, isOld ? String(number) : number]);
        this.records.set(id, { old: String(number), now: number });
      }
    }
  }

  it('loses no write and fails none', async () => {
    const count = 12_000;
    await rowsOf(count);
    const writers: Writer[] = [];
    for (let n = 0; n < 4; n++) {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      const ids = Array.from({ length: count / 4 }, (_, i) => i * 4 + n + 1);
      writers.push(new Writer(client, ids, 11 + n));
    }
    await world.to('expand');
    let isOver = false;
    const writing = Promise.all(writers.map((writer) => writer.run(() => isOver)));
    await go(world.step('backfill/'));
    expect(await go(world.step('verify/'))).toBe('done');
    isOver = true;
    await writing;
    expect(Math.min(...writers.map((writer) => writer.writes))).toBeGreaterThan(10);
    const rows = new Map((await world.rows('amount, amount__7')).map((row) => [row['id'], { old: row['amount'], now: row['amount__7'] }]));
    const expected = new Map(writers.flatMap((writer) => [...writer.records]));
    expect(rows.size).toBe(expected.size);
    for (const [id, wanted] of expected) expect({ id, ...rows.get(id) }).toEqual({ id, ...wanted });
    expect(await world.quarantine()).toEqual([]);
  });
});

it('leaves three quarters of the time to clients that have become slow, and comes to its end all the same', async () => {
  await rowsOf(2000);
  await world.to('expand');
  const gaps = async (step: Step, clientsWait: () => number): Promise<number[]> => {
    const at: number[] = [];
    await runBatches({
      url,
      migrationId: MIGRATION,
      step,
      onBatch: () => at.push(performance.now()),
      isCancelled: () => false,
      clientsWait,
    });
    return at.slice(1).map((ms, n) => ms - (at[n] ?? 0));
  };
  let asked = 0;
  const slow = await gaps(world.step('backfill/'), () => (asked++ === 0 ? 10 : 200));
  expect(await filled()).toBe(2000);
  // The first batch was told of nobody slow; a timer may be a millisecond early.
  expect(Math.min(...slow.slice(1))).toBeGreaterThanOrEqual(19);
  await world.to('verify');
  const quick = await gaps(world.step('verify/'), () => 10);
  expect(Math.min(...quick)).toBeLessThan(19);
});
