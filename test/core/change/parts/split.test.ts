/** An entity split into a whole and its part, on a real Postgres: every kind of write of either shape, and many of them at once. */
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Split } from '../../../../core/change/change.ts';
import { diff } from '../../../../core/change/diff.ts';
import { addForeignKey } from '../../../../core/change/ops/add-foreign-key.ts';
import { createTable } from '../../../../core/change/ops/create-table.ts';
import { splitSteps } from '../../../../core/change/parts/split.ts';
import { plan } from '../../../../core/change/plan.ts';
import { shapeOf } from '../../../../core/change/shape.ts';
import type { Check, Phase, Step } from '../../../../core/change/step.ts';
import { documentSchema } from '../../../../core/model/document.ts';
import { buildModel, type AppModel } from '../../../../core/model/model.ts';
import { render } from '../../../../core/sql/sql.ts';
import { freshDatabase } from '../../../support/database.ts';
import { applyStep, applySteps, runBatchesOf, undoSteps } from '../../../support/steps.ts';

const STORAGE = 'app_x';
type Given = Record<string, unknown>;
const STREET = { name: 'street', type: 'string' };
const CITY = { name: 'city', type: 'string' };

const RELATION = { name: 'home', type: 'one_to_one', source: 'customer', target: 'address', on_delete: 'cascade' };
const customer = (fields: object[], more: object = {}): object => ({
  name: 'customer',
  primary_key: { field: 'id', type: 'int' },
  fields: [{ name: 'name', type: 'string' }, ...fields],
  ...more,
});
const modelOf = (entities: object[], relations: object[] = []): AppModel =>
  buildModel(documentSchema.parse({ version: 1, entities, relations }));

interface Shapes {
  readonly inOne: AppModel;
  readonly inTwo: AppModel;
}
/** The fields as the customer has them, and as the address does. */
const shapes = (whole: Given[] = [STREET, CITY], part: Given[] = [STREET, CITY], more: Given = {}, relation: Given = {}): Shapes => ({
  inOne: modelOf([customer(whole, more)]),
  inTwo: modelOf([customer([], more), { name: 'address', fields: part, ...more }], [{ ...RELATION, ...relation }]),
});
const SPLIT: Split = {
  direction: 'split',
  whole: 'customer',
  part: 'address',
  fields: ['street', 'city'].map((name) => ({ whole: name, part: name })),
  via: 'home',
};

function planned({ inOne, inTwo }: Shapes = shapes(), direction: Split['direction'] = 'split', given: Partial<Split> = {}) {
  const [previous, next] = direction === 'split' ? [inOne, inTwo] : [inTwo, inOne];
  const left = direction === 'split' ? [] : [...shapeOf(inTwo).foreignKeys.values()];
  return splitSteps({ storage: STORAGE, version: 7, split: { ...SPLIT, direction, ...given }, previous, next }, left);
}

let url: string;
let client: pg.Client;
const others: pg.Client[] = [];
const connect = async (): Promise<pg.Client> => {
  const made = new pg.Client({ connectionString: url });
  await made.connect();
  await made.query(`set search_path to ${STORAGE}`);
  others.push(made);
  return made;
};
beforeAll(async () => {
  url = await freshDatabase();
  client = await connect();
});
afterAll(() => Promise.all(others.map((one) => one.end())));

let steps: readonly Step[];
let checks: readonly Check[];
const run = async (text: string, by = client): Promise<Given[]> => (await by.query<Given>(text)).rows;
const to = (phase: Phase): Promise<void> => applySteps(client, steps, phase);
const step = (prefix: string): Step => {
  const found = steps.find(({ key }) => key.startsWith(prefix));
  if (found === undefined) throw new Error(`no step ${prefix}`);
  return found;
};
const count = async (check: Check | undefined): Promise<unknown> =>
  (await client.query<{ count: number }>(check === undefined ? '' : render(check.count).text)).rows[0]?.count;

/** What the one shape says of a customer, and the other: null where there is no address. */
async function both(id: number): Promise<unknown[]> {
  const [whole] = await run(`select street, city from customer where id = ${String(id)}`);
  const part =
    await run(`select street, city from address a where customer_id = ${String(id)} and to_jsonb(a) -> 'deleted_at' is not distinct from
    (select to_jsonb(c) -> 'deleted_at' from customer c where id = ${String(id)})`);
  expect(part.length).toBeLessThan(2);
  const told = (row: Given | undefined): unknown => (row === undefined ? null : [row['street'], row['city']]);
  return [told(whole), told(part[0])];
}
const NONE = [null, null];

async function begin(given: Shapes = shapes(), direction: Split['direction'] = 'split'): Promise<void> {
  await client.query(`drop schema if exists ${STORAGE} cascade; create schema ${STORAGE}`);
  const [before, after] = (direction === 'split' ? [given.inOne, given.inTwo] : [given.inTwo, given.inOne]).map(shapeOf);
  for (const table of before?.tables.values() ?? []) await applyStep(client, createTable(STORAGE, table));
  for (const table of after?.tables.values() ?? []) {
    if (before?.tables.has(table.table) !== true) await applyStep(client, createTable(STORAGE, table));
  }
  for (const key of shapeOf(given.inTwo).foreignKeys.values())
    for (const one of addForeignKey(STORAGE, key, true)) await applyStep(client, one);
  ({ steps, checks } = planned(given, direction));
}

describe('a plan', () => {
  it('has a step for each phase, its triggers in the first', () => {
    expect(planned().steps.map(({ key, phase }) => [key.split('/')[0], phase])).toEqual([
      ['split', 'expand'],
      ['backfill', 'backfill'],
      ['verify', 'verify'],
      ['end-split', 'contract'],
    ]);
    expect(planned(shapes([{ ...STREET, default: 'x' }, CITY]), 'merge').steps.map(({ key, phase }) => [key.split('/')[0], phase])).toEqual(
      [
        ['merge', 'expand'],
        ['backfill', 'backfill'],
        ['verify', 'verify'],
        ['set-default', 'contract'],
        ['end-merge', 'contract'],
      ],
    );
  });

  it.each(['split', 'merge'] as const)(
    'of a %s leaves the columns and the foreign key to its own steps, and is not served early',
    (direction) => {
      const { inOne, inTwo } = shapes([{ ...STREET, default: 'x' }, CITY]);
      const [previous, next] = direction === 'split' ? [inOne, inTwo] : [inTwo, inOne];
      const changes = diff(previous.document, next.document, [], [], [{ ...SPLIT, direction }]);
      const made = plan(changes, { previous, next, storage: STORAGE, version: 7 });
      const kinds = made.steps.map(({ key }) => key.split('/')[0]);
      expect(kinds).toEqual(
        direction === 'split'
          ? ['create-table', 'split', 'add-foreign-key', 'backfill', 'verify', 'end-split', 'drop-column', 'drop-column']
          : ['merge', 'backfill', 'verify', 'set-default', 'end-merge', 'drop-table'],
      );
      expect(made.filled).toBeUndefined();
    },
  );

  const REQUIRED = { ...STREET, required: true };
  const tag = { name: 'tag', fields: [{ name: 'name', type: 'string' }] };
  const cases: [string, Shapes, Split['direction'], string, string][] = [
    ['another type', shapes([STREET, CITY], [STREET, { ...CITY, type: 'int' }]), 'split', 'VALIDATION_FAILED', 'Convert it'],
    ['a unique field', shapes([STREET, { ...CITY, unique: true }]), 'split', 'VALIDATION_FAILED', 'unique'],
    ['a unique field there', shapes([STREET, CITY], [STREET, { ...CITY, unique: true }]), 'merge', 'VALIDATION_FAILED', 'unique'],
    [
      'several parts of a whole',
      shapes([STREET, CITY], [STREET, CITY], {}, { type: 'one_to_many' }),
      'merge',
      'VALIDATION_FAILED',
      'unique in a version',
    ],
    [
      'several parts to be',
      shapes([STREET, CITY], [STREET, CITY], {}, { type: 'one_to_many' }),
      'split',
      'VALIDATION_FAILED',
      'one_to_one',
    ],
    [
      'a part that stays',
      shapes([STREET, CITY], [STREET, CITY], {}, { on_delete: 'set_null' }),
      'split',
      'VALIDATION_FAILED',
      'on_delete: cascade',
    ],
    ['a required field to be', shapes([REQUIRED, CITY]), 'merge', 'UNSUPPORTED', 'required in a later version'],
    [
      'what would be lost',
      shapes([STREET, CITY], [STREET, CITY, { name: 'zip', type: 'string' }]),
      'merge',
      'VALIDATION_FAILED',
      'address.zip',
    ],
    [
      'what has no value',
      shapes([STREET, CITY], [STREET, CITY, { name: 'zip', type: 'string', required: true }]),
      'split',
      'VALIDATION_FAILED',
      'default',
    ],
    [
      'a key that clients give',
      shapes([STREET, CITY], [STREET, CITY], { primary_key: { field: 'id', type: 'int', generated: false } }),
      'split',
      'UNSUPPORTED',
      'not a generated one',
    ],
    [
      'another relation',
      {
        inOne: modelOf([customer([STREET, CITY]), tag]),
        inTwo: modelOf(
          [customer([]), { name: 'address', fields: [STREET, CITY] }, tag],
          [RELATION, { name: 'tags', type: 'one_to_many', source: 'address', target: 'tag' }],
        ),
      },
      'split',
      'UNSUPPORTED',
      'another relation, "tags"',
    ],
    [
      'one that deletes softly',
      {
        inOne: modelOf([customer([STREET, CITY], { soft_delete: true })]),
        inTwo: modelOf([customer([], { soft_delete: true }), { name: 'address', fields: [STREET, CITY] }], [RELATION]),
      },
      'split',
      'VALIDATION_FAILED',
      'soft_delete',
    ],
    [
      'a field that stays',
      { ...shapes(), inTwo: modelOf([customer([CITY]), { name: 'address', fields: [STREET, CITY] }], [RELATION]) },
      'split',
      'VALIDATION_FAILED',
      'too',
    ],
    [
      'an entity that was there',
      { ...shapes(), inOne: modelOf([customer([STREET, CITY]), { name: 'address', fields: [{ name: 'name', type: 'string' }] }]) },
      'split',
      'VALIDATION_FAILED',
      'served version',
    ],
  ];
  it.each(cases)('is refused for %s', (_title, given, direction, code, words) => {
    let error: { code?: string; message?: string; hint?: string } = {};
    try {
      planned(given, direction);
    } catch (thrown) {
      error = thrown as typeof error;
    }
    expect(error.code).toBe(code);
    expect(`${error.message ?? ''} ${error.hint ?? ''}`).toContain(words);
  });
});

describe.each(['split', 'merge'] as const)('a %s in grace', (direction) => {
  beforeEach(async () => {
    await begin(shapes(), direction);
    await run('insert into customer (id) values (1), (2), (3)');
    await to('verify');
  });

  it('carries what either shape writes to the other', async () => {
    await run("update customer set street = 'a' where id = 1");
    expect(await both(1)).toEqual([
      ['a', null],
      ['a', null],
    ]);
    await run("update address set city = 'b' where customer_id = 1");
    expect(await both(1)).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
    await run("insert into address (id, customer_id, street) values (gen_random_uuid(), 2, 'c')");
    expect(await both(2)).toEqual([
      ['c', null],
      ['c', null],
    ]);
    await run("insert into customer (id, city) values (4, 'd')");
    expect(await both(4)).toEqual([
      [null, 'd'],
      [null, 'd'],
    ]);
    await run('insert into customer (id) values (5)');
    expect(await both(5)).toEqual([NONE, null]);
  });

  it('keeps a part whose values are emptied, and empties the whole of one that goes', async () => {
    await run("update customer set street = 'a', city = 'b' where id in (1, 2)");
    await run('update customer set street = null, city = null where id = 1');
    expect(await both(1)).toEqual([NONE, NONE]);
    await run('delete from address where customer_id = 2');
    expect(await both(2)).toEqual([NONE, null]);
  });

  it('takes the values along with a part that goes to another whole', async () => {
    await run("update customer set street = 'a' where id = 1");
    await run('update address set customer_id = 2 where customer_id = 1');
    expect([await both(1), await both(2)]).toEqual([
      [NONE, null],
      [
        ['a', null],
        ['a', null],
      ],
    ]);
    await run('update address set customer_id = null where customer_id = 2');
    expect(await both(2)).toEqual([NONE, null]);
    await run('update address set customer_id = 3');
    expect(await both(3)).toEqual([
      ['a', null],
      ['a', null],
    ]);
  });

  it('lets the part go with its whole', async () => {
    await run("update customer set street = 'a'");
    await run('delete from customer where id <> 2');
    expect(await run('select customer_id from address')).toEqual([{ customer_id: 2 }]);
  });

  it('writes many rows at once', async () => {
    await run("insert into customer (id, street) select n, 's' || n from generate_series(10, 40) n");
    await run("update address set city = 'c' || customer_id");
    await run("update customer set street = 't' || id where id > 20");
    expect(
      await run(
        `select count(*)::int as n from customer c join address a on a.customer_id = c.id and (a.street, a.city) = (c.street, c.city)
      and c.city = 'c' || c.id and c.street = case when c.id > 20 then 't' else 's' end || c.id`,
      ),
    ).toEqual([{ n: 31 }]);
  });

  it('raises the version of what it writes, unless its writer did', async () => {
    const versions = async (): Promise<unknown[]> =>
      [
        ...(await run('select _version::int as v from customer where id = 1')),
        ...(await run('select _version::int as v from address where customer_id = 1')),
      ].map(({ v }) => v);
    await run("update customer set street = 'a', _version = _version + 1 where id = 1");
    const [whole] = await versions();
    await run("update address set street = 'b' where customer_id = 1");
    expect(await versions()).toEqual([Number(whole) + 1, 1]);
    await run("update customer set city = 'b' where id = 1");
    expect(await versions()).toEqual([Number(whole) + 1, 2]);
    // Who writes both is told of one version each.
    await run(`begin; update customer set name = 'n', _version = _version + 1 where id = 1;
      update address set city = 'c', _version = _version + 1 where customer_id = 1; commit`);
    expect(await versions()).toEqual([Number(whole) + 2, 3]);
    await run('update customer set name = null where id = 1');
    expect(await versions()).toEqual([Number(whole) + 2, 3]);
  });

  it('ends without a trace but the values', async () => {
    await run("update customer set street = 'a' where id = 1");
    await to('contract');
    expect(await leftovers()).toEqual(direction === 'split' ? ['address_fkey'] : []);
    expect(await both(1)).toEqual([
      ['a', null],
      ['a', null],
    ]);
  });
});

const leftovers = async (): Promise<string[]> =>
  (
    await client.query<{ name: string }>(
      `select tgname as name from pg_trigger join pg_class c on c.oid = tgrelid where relnamespace = '${STORAGE}'::regnamespace and not tgisinternal
       union all select proname from pg_proc where pronamespace = '${STORAGE}'::regnamespace
       union all select conrelid::regclass::text || '_fkey' from pg_constraint where connamespace = '${STORAGE}'::regnamespace and contype = 'f'`,
    )
  ).rows.map(({ name }) => name);

describe('before the switch', () => {
  it('a split fills parts from their wholes, once, as the engine would make them', async () => {
    const stamp = { name: 'made', type: 'timestamp', auto: 'create', required: true };
    await begin(shapes([STREET, CITY], [STREET, CITY, stamp]));
    await run("insert into customer (id, street, city) values (1, 'a', 'b'), (2, null, 'c'), (3, null, null)");
    await to('backfill');
    await applyStep(client, step('backfill/'));
    expect([await both(1), await both(2), await both(3)]).toEqual([
      [
        ['a', 'b'],
        ['a', 'b'],
      ],
      [
        [null, 'c'],
        [null, 'c'],
      ],
      [NONE, null],
    ]);
    const made = await run('select id, made, _version::int as v from address');
    for (const { id, made: at, v } of made) {
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab]/);
      expect([at instanceof Date, v]).toEqual([true, 1]);
    }
    expect(await runBatchesOf(client, step('verify/'))).toEqual({ rows: 3, wrong: 0 });
    await client.query(
      `set session_replication_role = replica; update ${STORAGE}.address set street = 'odd'; delete from ${STORAGE}.address where city = 'c'; set session_replication_role = default`,
    );
    expect(await runBatchesOf(client, step('verify/'))).toEqual({ rows: 3, wrong: 2 });
  }, 20_000);

  it('a merge fills wholes from their parts, and what is written meanwhile loses nothing', async () => {
    await begin(shapes(), 'merge');
    await run('insert into customer (id) values (1), (2), (3)');
    await run("insert into address (id, customer_id, street, city) select gen_random_uuid(), n, 'a', 'b' from generate_series(1, 2) n");
    await to('expand');
    await run("update address set street = 'x' where customer_id = 1");
    expect(await both(1)).toEqual([
      ['x', 'b'],
      ['x', 'b'],
    ]);
    await to('verify');
    expect([await both(2), await both(3)]).toEqual([
      [
        ['a', 'b'],
        ['a', 'b'],
      ],
      [NONE, null],
    ]);
    expect(await run('select distinct _version::int as v from address where customer_id = 2')).toEqual([{ v: 1 }]);
  });

  it('counts what is in the way', async () => {
    await begin(shapes([STREET, CITY], [{ ...STREET, required: true }, CITY]));
    await run("insert into customer (id, street, city) values (1, 'a', null), (2, null, 'b'), (3, null, null)");
    expect(await count(checks[0])).toBe(1);
    expect(checks[0]?.message(1)).toContain('1 record of it has some of the values of "address", but not all that it requires (street)');
    await begin(shapes(), 'merge');
    await run("insert into address (id, street) values (gen_random_uuid(), 'a'), (gen_random_uuid(), null)");
    expect(await count(checks[0])).toBe(1);
    expect(checks[0]?.message(2)).toContain('2 records of it with values belong to no "customer"');
  });

  it('is taken back without a trace', async () => {
    await begin(shapes([{ ...STREET, default: 'x' }, CITY]));
    await to('expand');
    await undoSteps(
      client,
      steps.filter(({ phase }) => phase === 'expand'),
    );
    expect(await leftovers()).toEqual(['address_fkey']);
    await run('insert into customer (id) values (1)');
    expect(await run('select street from customer')).toEqual([{ street: 'x' }]);
    await begin(shapes(), 'merge');
    await to('expand');
    await undoSteps(
      client,
      steps.filter(({ phase }) => phase === 'expand'),
    );
    expect(await leftovers()).toEqual(['address_fkey']);
    expect(await run('select * from customer')).toEqual([]);
  });
});

describe('a part that requires a value', () => {
  beforeEach(async () => {
    await begin(shapes([STREET, CITY], [{ ...STREET, required: true }, CITY]));
    await run('insert into customer (id) values (1)');
    await to('verify');
  });

  it('is there as long as the whole has it', async () => {
    await run("update customer set city = 'b' where id = 1");
    expect(await both(1)).toEqual([[null, 'b'], null]);
    await run("update customer set street = 'a' where id = 1");
    expect(await both(1)).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
    await run('update customer set street = null where id = 1');
    expect(await both(1)).toEqual([[null, 'b'], null]);
    await run("insert into address (id, customer_id, street) values (gen_random_uuid(), 1, 'c')");
    expect(await both(1)).toEqual([
      ['c', null],
      ['c', null],
    ]);
  });
});

describe('with soft delete', () => {
  const soft = { soft_delete: true };
  beforeEach(async () => {
    await begin(shapes([STREET, CITY], [STREET, CITY], soft));
    await run("insert into customer (id, street, deleted_at) values (1, 'a', null), (2, 'b', '2026-01-01')");
    await to('verify');
  });
  const stamps = async (id: number): Promise<unknown[]> =>
    [
      ...(await run(`select deleted_at is not null as gone from customer where id = ${String(id)}`)),
      ...(await run(`select deleted_at is not null as gone from address where customer_id = ${String(id)}`)),
    ].map(({ gone }) => gone);

  it('what was deleted before is split, too, and comes back with its part', async () => {
    expect(await stamps(2)).toEqual([true, true]);
    await run('update customer set deleted_at = null where id = 2');
    expect([await stamps(2), await both(2)]).toEqual([
      [false, false],
      [
        ['b', null],
        ['b', null],
      ],
    ]);
  });

  it('a whole takes its part along, and back', async () => {
    await run('update customer set deleted_at = now() where id = 1');
    expect(await stamps(1)).toEqual([true, true]);
    await run('update customer set deleted_at = null where id = 1');
    expect([await stamps(1), await both(1)]).toEqual([
      [false, false],
      [
        ['a', null],
        ['a', null],
      ],
    ]);
  });

  it('a cascade of the shape with two leaves the whole what its part had, as that one comes back', async () => {
    await run(
      'begin; update address set deleted_at = now() where customer_id = 1; update customer set deleted_at = now() where id = 1; commit',
    );
    expect(await both(1)).toEqual([
      ['a', null],
      ['a', null],
    ]);
    await run(
      'begin; update customer set deleted_at = null where id = 1; update address set deleted_at = null where customer_id = 1; commit',
    );
    expect([await stamps(1), await both(1)]).toEqual([
      [false, false],
      [
        ['a', null],
        ['a', null],
      ],
    ]);
  });

  it('a part alone comes and goes', async () => {
    await run('update address set deleted_at = now() where customer_id = 1');
    expect(await run('select street from customer where id = 1')).toEqual([{ street: null }]);
    await run('update address set deleted_at = null where customer_id = 1');
    expect(await both(1)).toEqual([
      ['a', null],
      ['a', null],
    ]);
  });
});

describe('two writers of one record, one of each shape', () => {
  beforeEach(async () => {
    await begin();
    await run("insert into customer (id, street, city) values (1, 'a', 'b')");
    await to('verify');
  });

  it('wait for each other without a circle, and neither loses a field', async () => {
    const [one, two] = [await connect(), await connect()];
    // The whole's row first, then the part's: each wants the other's.
    await run('begin', one);
    await run('select from customer where id = 1 for update', one);
    const writing = run("update address set city = 'new' where customer_id = 1", two);
    await expect.poll(async () => (await run("select from pg_locks where locktype = 'advisory'")).length, { interval: 5 }).toBe(1);
    const began = performance.now();
    await run("update customer set street = 'old' where id = 1", one);
    await run('commit', one);
    await writing;
    expect(await both(1)).toEqual([
      ['old', 'new'],
      ['old', 'new'],
    ]);
    expect(performance.now() - began).toBeLessThan(900);
  });

  it('never fail, and both shapes agree in the end', async () => {
    const failed: unknown[] = [];
    const slow: number[] = [];
    const write = async (text: (n: number) => string): Promise<void> => {
      const by = await connect();
      for (let n = 0; n < 60; n++) {
        const at = performance.now();
        await run(text(n), by).catch((error: unknown) => failed.push(error));
        slow.push(performance.now() - at);
      }
    };
    await Promise.all([
      write((n) => `update customer set street = 'o${String(n)}' where id = 1`),
      write((n) => `update customer set city = 'o${String(n)}', street = 'p${String(n)}' where id = 1`),
      write((n) => `update customer set name = 'n${String(n)}' where id = 1`),
      write((n) => `update address set street = 'n${String(n)}' where customer_id = 1`),
      write((n) => `update address set city = 'n${String(n)}' where customer_id = 1`),
      applySteps(client, steps, 'verify'),
    ]);
    expect(failed).toEqual([]);
    const [whole, part] = await both(1);
    expect(whole).toEqual(part);
    expect(Math.max(...slow)).toBeLessThan(900);
  }, 60_000);

  it('who make the same part at once make one', async () => {
    await run('insert into customer (id) select n from generate_series(2, 30) n');
    const [one, two] = [await connect(), await connect()];
    const failed: unknown[] = [];
    for (let n = 2; n <= 30; n++) {
      await Promise.all([
        run(`update customer set street = 'o' where id = ${String(n)}`, one).catch((error: unknown) => failed.push(error)),
        // An address that is there already is the answer to who comes second.
        run(`insert into address (id, customer_id, city) values (gen_random_uuid(), ${String(n)}, 'n') on conflict do nothing`, two),
      ]);
      const [whole, part] = await both(n);
      expect(whole).toEqual(part);
    }
    expect(failed).toEqual([]);
  });
});
