/** A field that moves to the parent, on a real Postgres: every kind of write at every phase, and many of them at once. */
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Move } from '../../../../core/change/change.ts';
import { moveSteps } from '../../../../core/change/move/move.ts';
import { createTable } from '../../../../core/change/ops/create-table.ts';
import { shapeOf } from '../../../../core/change/shape.ts';
import type { Phase, Step } from '../../../../core/change/step.ts';
import { documentSchema } from '../../../../core/model/document.ts';
import { buildModel, type AppModel } from '../../../../core/model/model.ts';
import { render } from '../../../../core/sql/sql.ts';
import { freshDatabase } from '../../../support/database.ts';
import { applyStep, applySteps, runBatchesOf, undoSteps } from '../../../support/steps.ts';

const STORAGE = 'app_x';
type Given = Record<string, unknown>;

const modelOf = (orderField: Given | undefined, customerField: Given | undefined): AppModel =>
  buildModel(
    documentSchema.parse({
      version: 1,
      entities: [
        {
          name: 'customer',
          primary_key: { field: 'id', type: 'int' },
          fields: [{ name: 'name', type: 'string' }, ...(customerField === undefined ? [] : [customerField])],
        },
        {
          name: 'order',
          soft_delete: true,
          primary_key: { field: 'id', type: 'int' },
          fields: [{ name: 'amount', type: 'int' }, ...(orderField === undefined ? [] : [orderField])],
        },
      ],
      relations: [{ name: 'orders', type: 'one_to_many', source: 'customer', target: 'order' }],
    }),
  );

const CITY = { name: 'city', type: 'string' };
const move: Move = { from: { entity: 'order', field: 'city' }, to: { entity: 'customer', field: 'city' }, via: 'customer' };
const planned = (from: Given = CITY, to: Given = CITY, given: Partial<Move> = {}) =>
  moveSteps({
    storage: STORAGE,
    version: 7,
    move: { ...move, ...given },
    previous: modelOf(from, undefined),
    next: modelOf(undefined, to),
  });

let url: string;
let client: pg.Client;
const others: pg.Client[] = [];
const connect = async (): Promise<pg.Client> => {
  const made = new pg.Client({ connectionString: url });
  await made.connect();
  others.push(made);
  return made;
};
beforeAll(async () => {
  url = await freshDatabase();
  client = await connect();
});
afterAll(() => Promise.all(others.map((one) => one.end())));

let steps: readonly Step[];
const run = async (text: string, by = client): Promise<Record<string, unknown>[]> =>
  (await by.query<Record<string, unknown>>(text.replace(/\b(customer|order)\b(?!_)/, `${STORAGE}."$1"`))).rows;
const to = (phase: Phase): Promise<void> => applySteps(client, steps, phase);
const step = (prefix: string): Step => {
  const found = steps.find(({ key }) => key.startsWith(prefix));
  if (found === undefined) throw new Error(`no step ${prefix}`);
  return found;
};
/** What older clients read, and newer ones: the parent's value before its children's. */
async function values(customer: number): Promise<unknown[]> {
  const [parent] = await run(`select city from customer where id = ${String(customer)}`);
  const children = await run(`select city from order where customer_id = ${String(customer)} and deleted_at is null order by id`);
  return [parent?.['city'], ...children.map((child) => child['city'])];
}

async function begin(from: Given = CITY, target: Given = CITY): Promise<void> {
  await client.query(`drop schema if exists ${STORAGE} cascade; create schema ${STORAGE}`);
  for (const table of shapeOf(modelOf(from, undefined)).tables.values()) await applyStep(client, createTable(STORAGE, table));
  await run('insert into customer (id) values (1), (2), (3)');
  steps = planned(from, target).steps;
}

describe('a plan of a move', () => {
  it('has a step for each phase, its triggers in the first', () => {
    const { steps: all, checks } = planned({ ...CITY, required: true }, { ...CITY, required: true });
    expect(all.map(({ key, phase }) => [key.split('/')[0], phase])).toEqual([
      ['move', 'expand'],
      ['backfill', 'backfill'],
      ['verify', 'verify'],
      ['check-not-null', 'contract'],
      ['validate-not-null', 'contract'],
      ['set-not-null', 'contract'],
      ['uncheck-not-null', 'contract'],
      ['end-move', 'contract'],
    ]);
    expect(checks.map(({ kind, entity }) => [kind, entity])).toEqual([
      ['move_field', 'order'],
      ['move_field', 'customer'],
    ]);
  });

  it.each([
    ['another type', { ...CITY, type: 'int' }, {}, 'Convert it first'],
    ['a unique target', { ...CITY, unique: true }, {}, 'unique'],
    ['an unknown relation', CITY, { via: 'buyer' }, 'it has: customer'],
  ])('is refused for %s', (_title, target, given, words) => {
    const refusal = (): unknown => planned(CITY, target, given);
    expect(refusal).toThrow(expect.objectContaining({ code: 'VALIDATION_FAILED' }) as Error);
    const error = ((): unknown => {
      try {
        return refusal();
      } catch (thrown) {
        return thrown;
      }
    })() as { message: string; hint?: string };
    expect(`${error.message} ${error.hint ?? ''}`).toContain(words);
  });

  it('goes from child to parent only', () => {
    const back = { from: move.to, to: move.from, via: 'orders' };
    const input = { storage: STORAGE, version: 7, move: back, previous: modelOf(undefined, CITY), next: modelOf(CITY, undefined) };
    expect(() => moveSteps(input)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }) as Error);
  });

  it('keeps what older clients were promised', () => {
    expect(() => planned({ ...CITY, required: true }, CITY)).toThrow('is required by older clients');
  });
});

describe('before the switch', () => {
  beforeEach(() => begin());

  it('counts the parents whose children differ, null and deleted ones left out', async () => {
    await run(
      "insert into order (id, customer_id, city, deleted_at) values (1, 1, 'a', null), (2, 1, null, null), (3, 1, 'b', now()), (4, null, 'c', null)",
    );
    const [check] = planned().checks;
    const count = async () => (await client.query(check === undefined ? '' : render(check.count).text)).rows;
    expect(await count()).toEqual([{ count: 0 }]);
    await run("insert into order (id, customer_id, city) values (5, 1, 'b')");
    expect(await count()).toEqual([{ count: 1 }]);
    expect(check?.message(1)).toContain('1 record of "customer"');
  });

  it('fills the parents from their children, and finds the parents that disagree', async () => {
    await run("insert into order (id, customer_id, city) values (1, 1, 'a'), (2, 1, null), (3, 2, 'b'), (4, 2, 'c')");
    await to('backfill');
    expect([await values(1), await values(2), await values(3)]).toEqual([['a', 'a', 'a'], [null, 'b', 'c'], [null]]);
    expect(await runBatchesOf(client, step('verify/'))).toEqual({ rows: 3, wrong: 1 });
  });

  it('does not bring a value back that a child gave up', async () => {
    await run("insert into order (id, customer_id, city) values (1, 1, 'a'), (2, 1, 'a')");
    await to('expand');
    await run('update order set city = null where id = 1');
    await to('verify');
    expect(await values(1)).toEqual([null, null, null]);
  });

  it('is taken back without a trace', async () => {
    await begin({ ...CITY, default: 'x' }, { ...CITY, default: 'x' });
    await to('expand');
    await undoSteps(
      client,
      steps.filter(({ phase }) => phase === 'expand'),
    );
    expect(await leftovers()).toEqual([]);
    await run('insert into order (id) values (1)');
    expect(await run('select city from order')).toEqual([{ city: 'x' }]);
    await to('expand');
    await applyStep(client, step('backfill/'));
  });
});

const leftovers = async (): Promise<string[]> =>
  (
    await client.query<{ name: string }>(
      `select tgname as name from pg_trigger join pg_class c on c.oid = tgrelid where relnamespace = '${STORAGE}'::regnamespace and not tgisinternal
       union all select proname from pg_proc where pronamespace = '${STORAGE}'::regnamespace
       union all select attname from pg_attribute where attrelid = '${STORAGE}.customer'::regclass and attname = 'city'`,
    )
  ).rows.map(({ name }) => name);

describe('in grace', () => {
  beforeEach(async () => {
    await begin();
    await run("insert into order (id, customer_id, city) values (1, 1, 'a'), (2, 1, 'a'), (3, 2, 'b')");
    await to('verify');
  });

  it('carries what either side writes to the other', async () => {
    await run("update order set city = 'x' where id = 1");
    expect(await values(1)).toEqual(['x', 'x', 'x']);
    await run("update customer set city = 'y' where id = 1");
    expect(await values(1)).toEqual(['y', 'y', 'y']);
    await run('update customer set city = null where id = 1');
    expect(await values(1)).toEqual([null, null, null]);
    await run("insert into order (id, customer_id, city) values (4, 1, 'z')");
    expect(await values(1)).toEqual(['z', 'z', 'z', 'z']);
  });

  it('raises the version of what it writes, and of nothing else', async () => {
    await run("update customer set city = 'y' where id = 1");
    expect(await run('select _version::int as v from order order by id')).toEqual([{ v: 2 }, { v: 2 }, { v: 1 }]);
  });

  it('gives a child without a value, or that comes to another parent, the value of its parent', async () => {
    await run('insert into order (id, customer_id) values (4, 1)');
    await run('update order set customer_id = 1 where id = 3');
    expect(await values(1)).toEqual(['a', 'a', 'a', 'a', 'a']);
    await run('update order set customer_id = 3 where id = 3');
    expect(await values(3)).toEqual([null, null]);
    await run("insert into order (id, city) values (5, 'own')");
    await run('update order set customer_id = 3 where id = 5');
    expect(await values(3)).toEqual(['own', 'own', 'own']);
  });

  it('leaves deleted children as they are until they come back', async () => {
    await run('update order set deleted_at = now() where id = 2');
    await run("update customer set city = 'y' where id = 1");
    expect(await run('select city from order where id = 2')).toEqual([{ city: 'a' }]);
    await run('update order set deleted_at = null where id = 2');
    expect(await values(1)).toEqual(['y', 'y', 'y']);
  });

  it('ends without a trace but the values', async () => {
    await to('contract');
    expect(await leftovers()).toEqual(['city']);
    expect(await values(1)).toEqual(['a', 'a', 'a']);
  });
});

describe('many writers of one parent', () => {
  it('of both shapes and other fields never wait in a circle, and both shapes agree in the end', async () => {
    await begin();
    const count = 6;
    await run(`insert into order (id, customer_id, city, amount) select n, 1, 'a', 0 from generate_series(1, ${String(count)}) n`);
    await to('expand');
    const writers = await Promise.all(Array.from({ length: count + 3 }, connect));
    const failed: unknown[] = [];
    const slow: number[] = [];
    const write = async (by: pg.Client, text: (n: number) => string): Promise<void> => {
      for (let n = 0; n < 40; n++) {
        const began = performance.now();
        await run(text(n), by).catch((error: unknown) => failed.push(error));
        slow.push(performance.now() - began);
      }
    };
    const filling = applySteps(client, steps, 'verify');
    await Promise.all([
      ...writers
        .slice(0, count)
        .map((by, at) => write(by, (n) => `update order set city = '${String(at)}-${String(n)}' where id = ${String(at + 1)}`)),
      write(writers[count] as pg.Client, (n) => `update customer set city = 'p-${String(n)}' where id = 1`),
      write(writers[count + 1] as pg.Client, (n) => `insert into order (id, customer_id) values (${String(100 + n)}, 1)`),
      write(writers[count + 2] as pg.Client, (n) => `update order set amount = ${String(n)} where id = ${String((n % count) + 1)}`),
      filling,
    ]);
    expect(failed).toEqual([]);
    expect(new Set(await values(1)).size).toBe(1);
    // A circle costs a second at least before Postgres ends it.
    expect(Math.max(...slow)).toBeLessThan(900);
  }, 60_000);
});
